"""Take a source into the store without identity: what is clean goes in, what is in doubt is set aside.

Identified bytes, names and paths never enter the store. Beside it lie `STORE.incoming` (the clean files, by which a
later ingest of a grown folder knows what is done; it may be deleted) and `STORE.private` (the encrypted pseudonym
table, the files held back with their reasons, the report to be signed).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from prognoscope.core.problems import refuse
from prognoscope.core.work import Mapper, serial_map
from prognoscope.deidentify import PROFILES, ProfileName, Project
from prognoscope.deidentify.report import REPORT_FILE
from prognoscope.jobs.addresses import is_address
from prognoscope.jobs.deidentify import Deidentified, deidentify
from prognoscope.jobs.ingest import IngestReport, ingest


def ingest_deidentified(
    source: str | Path,
    *,
    store: str | Path,
    profile: ProfileName,
    project: Project,
    licence: str = "",
    mapper: Mapper = serial_map,
    verify: bool = False,
) -> tuple[IngestReport, Deidentified]:
    """De-identify a source with the project's key and take in what is clean.

    Parameters
    ----------
    source
        As for `ingest`: a folder, a zip archive, one file, or the address of a PACS or a DICOMweb server.
    profile
        Options of de-identification.
    project
        Its key: the same patient has the same pseudonym whenever and from wherever images come.
    store, licence, mapper, verify
        As for `ingest`.

    Returns
    -------
    What the ingest did, in which files held back count as quarantined under a name that says nothing, and what the
    de-identification did.

    Raises
    ------
    Refused
        `source-missing`; as `deidentify` and `ingest`.
    """
    named = str(source) if is_address(source) else str(Path(source).resolve())
    if not is_address(source) and not Path(source).exists():
        raise refuse(
            "source-missing",
            subject=str(source),
            found="there is no such file or folder",
            remedy="check the path; a PACS is named pacs://AE@host:port, a DICOMweb server by its https address",
        )
    place = Path(store)
    private = place.with_name(f"{place.name}.private")
    incoming = place.with_name(f"{place.name}.incoming") / project.token("source", named)
    done = deidentify(source, incoming, options=PROFILES[profile], project=project, private=private, mapper=mapper)
    (incoming / REPORT_FILE).replace(private / REPORT_FILE)
    held_back = [
        dataclasses.replace(problem, subject=f"held back: {project.token('file', path)}")
        for path, problem in done.held_back
    ]
    report = ingest(incoming, store=store, licence=licence, mapper=mapper, verify=verify, held_back=held_back)
    return report, done
