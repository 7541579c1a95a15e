"""`prognoscope ingest`: take data into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prognoscope.cli.deidentify import Profile
from prognoscope.cli.door import AsJson, Jobs, cores, door, mapper, put, put_json, say

if TYPE_CHECKING:
    from prognoscope.core.work import Mapper
    from prognoscope.jobs.ingest import IngestReport

MOST_EXAMPLES = 3
StoreOption = Annotated[Path, typer.Option("--store", help="Folder of the store.")]
DEFAULT_STORE = Path(".prognoscope")
KINDS = {
    "dicom": "DICOM files",
    "dicomdir": "DICOM directories",
    "table": "tables",
    "columns": "descriptions of columns",
    "fhir": "FHIR documents",
    "picture": "pictures",
    "nifti": "NIfTI files",
    "quarantined": "quarantined files",
    "unknown": "files of unknown kind",
}


@door(example="prognoscope ingest /data/sarcoma --store hospital")
def ingest(
    source: Annotated[
        str,
        typer.Argument(
            help="Folder, zip archive or file; or the address of a PACS (pacs://…) or DICOMweb server (https://…).",
            show_default=False,
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    licence: Annotated[
        str, typer.Option("--licence", help="Licence of the source; exports carry it, as “CC BY 3.0”.")
    ] = "",
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every file again instead of trusting size and time.")
    ] = False,
    deidentify: Annotated[
        bool, typer.Option("--deidentify", help="Take identity out on the way; see `prognoscope deidentify`.")
    ] = False,
    profile: Annotated[Profile, typer.Option(help="With --deidentify: what is kept.")] = Profile.basic,
    key: Annotated[
        Path | None, typer.Option("--key", help="With --deidentify: the project's key file.", show_default=False)
    ] = None,
    jobs: Jobs = cores(),
    json: AsJson = False,
) -> None:
    """Take a source into the store: every byte once, with its history; what is wrong is set aside with its reason."""
    from prognoscope.jobs.ingest import ingest as take_in

    with mapper(jobs=jobs) as chosen:
        if deidentify:
            report, clean = _without_identity(source, store, licence, profile, key, chosen, verify=verify)
        else:
            report, clean = take_in(source, store=store, licence=licence, mapper=chosen, verify=verify), {}
    if json:
        put_json({**_document(report), **clean})
    else:
        _show(report)
        for name, value in clean.items():
            put(f"{name.replace('_', ' ')}: {value}")
    if report.unfetched:
        raise typer.Exit(1)


def _without_identity(
    source: str, store: Path, licence: str, profile: Profile, key: Path | None, mapper: Mapper, *, verify: bool
) -> tuple[IngestReport, dict[str, object]]:
    from prognoscope.jobs.deidentified import ingest_deidentified
    from prognoscope.jobs.keys import open_project

    project, new = open_project(key)
    if new:
        say("made a new project key, the user's own; pseudonyms follow from it (`prognoscope keys show`)")
    report, clean = ingest_deidentified(
        source, store=store, profile=profile.value, project=project, licence=licence, mapper=mapper, verify=verify
    )
    return report, {
        "deidentified_files": clean.report["written"]["files"],
        "held_back": clean.report["held_back"]["files"],
        "private": str(clean.private),
    }


def _show(report: IngestReport) -> None:
    put(f"{report.source} → {report.store}: {report.files} files")
    for kind, number in report.new.items():
        put(f"  new:         {number} {KINDS.get(kind, kind)}")
    if not report.new:
        put("  new:         nothing")
    put(f"  known:       {report.unchanged} unchanged, {report.known} with contents that were there")
    if report.restored:
        put(f"  restored:    {report.restored} contents that the store had lost")
    for code, subjects in _by_code(report).items():
        put(f"  quarantined: {len(subjects)} × {code} (such as {'; '.join(subjects[:MOST_EXAMPLES])})")
    for hint in report.hints:
        put(f"  note:        {hint}")
    held = ", ".join(f"{number} {KINDS.get(kind, kind)}" for kind, number in report.totals.items() if number)
    put(f"the store holds {held or 'nothing'}")
    say(f"took {report.seconds:.1f} s")


def _by_code(report: IngestReport) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in sorted(report.quarantined, key=lambda one: (one.code, one.subject)):
        found.setdefault(problem.code, []).append(f"{problem.subject}: {problem.found}")
    return found


def _document(report: IngestReport) -> dict[str, object]:
    return {
        "schema": 1,
        "source": report.source,
        "store": str(report.store),
        "files": report.files,
        "unchanged": report.unchanged,
        "known": report.known,
        "restored": report.restored,
        "new": dict(report.new),
        "patients": report.patients,
        "quarantined": [
            {"code": one.code, "subject": one.subject, "found": one.found, "remedy": one.remedy}
            for one in report.quarantined
        ],
        "unfetched": report.unfetched,
        "hints": list(report.hints),
        "totals": dict(report.totals),
        "seconds": round(report.seconds, 3),
    }
