"""Whoever got new files has their series put together again, some patients at a time, in any process."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prognoscope.core.problems import Problem
from prognoscope.core.work import Mapper
from prognoscope.jobs.parcels import printable
from prognoscope.store import Artefacts, Link, PatientRecords, Store

PATIENTS_AT_ONCE = 256
PATIENTS_PER_ITEM = 4
ARTEFACT = re.compile(r"\b[0-9a-f]{2}/[0-9a-f]{62}\b")  # a content's place in the store


@dataclass(frozen=True, slots=True)
class Patients:
    """Some patients' headers by content, their files that were linked to them, and where the contents lie."""

    artefacts: Artefacts
    headers: tuple[tuple[str, tuple[tuple[str, str], ...], tuple[Link, ...]], ...]


@dataclass(frozen=True, slots=True)
class Assembled:
    """Of how many patients the files were put together, and what of them went into quarantine now."""

    patients: int
    quarantined: tuple[Problem, ...]


def assemble_waiting(store: Store, mapper: Mapper) -> Assembled:
    """Put together the volumes of every patient to whom files came in, join records to them, and make it found."""
    quarantined: list[Problem] = []
    waiting = store.repository.waiting()
    for start in range(0, len(waiting), PATIENTS_AT_ONCE):
        group = waiting[start : start + PATIENTS_AT_ONCE]
        headers, links = store.repository.headers(group), store.links.of_patients(group)
        items = [
            Patients(
                store.artefacts,
                tuple((name, tuple(headers[name]), links[name]) for name in group[at : at + PATIENTS_PER_ITEM]),
            )
            for at in range(0, len(group), PATIENTS_PER_ITEM)
        ]
        seen = {name: len(found) for name, found in headers.items()}
        for records in mapper(assemble_patients, items, label="put series together"):
            quarantined += store.volumes.replace_patients(name_by_source(store, records), seen=seen)
    quarantined += store.links.join_people()
    store.search.refresh()
    return Assembled(len(waiting), tuple(quarantined))


def name_by_source(store: Store, records: Sequence[PatientRecords]) -> tuple[PatientRecords, ...]:
    """Let problems name files as whoever brought them does: by their path and source, not by their artefact."""
    problems = [problem for one in records for problem in _problems(one)]
    named = {found for one in problems for found in ARTEFACT.findall(f"{one.subject} {one.found}")}
    if not named:
        return tuple(records)
    origins = store.repository.origins(sorted(one.replace("/", "") for one in named))

    def name(found: re.Match[str]) -> str:
        source, path = origins.get(found[0].replace("/", ""), ("", found[0]))
        return f"{printable(path)} ({source})" if source else path

    def told(problem: Problem | None) -> Problem | None:
        return problem and replace(
            problem, subject=ARTEFACT.sub(name, problem.subject), found=ARTEFACT.sub(name, problem.found)
        )

    return tuple(
        replace(
            one,
            series=tuple(replace(series, problem=told(series.problem)) for series in one.series),
            set_aside=tuple(filter(None, map(told, one.set_aside))),
        )
        for one in records
    )


def _problems(records: PatientRecords) -> list[Problem]:
    return [*records.set_aside, *(one.problem for one in records.series if one.problem)]


def assemble_patients(patients: Patients) -> tuple[PatientRecords, ...]:
    """Put together what the files of some patients make; the readers are imported by the process that reads."""
    from prognoscope.jobs.volumes import assemble_files

    return tuple(assemble_files(patients.artefacts, *one) for one in patients.headers)
