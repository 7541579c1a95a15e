"""De-identify a folder: look at every file, clean patient by patient, report what was done and what was held back.

Two folders come out. The target holds only what is clean, under new names. The private folder, which stays in the
hospital, holds the encrypted pseudonym table, the list of files held back with their reasons, and the record of what
is done, from which an interrupted run goes on.
"""

from __future__ import annotations

import functools
import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

from prognoscope.core.hashing import of_value
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.work import Mapper, serial_map
from prognoscope.deidentify import (
    PROFILES,
    Identity,
    Options,
    ProfileName,
    Project,
    PseudonymTable,
    fingerprint,
    load_table,
    merged,
    save_table,
)
from prognoscope.deidentify.batch import VERSION, Batch, Outcome, Planned, clean_batch
from prognoscope.deidentify.dicom import Described
from prognoscope.deidentify.look import look_at
from prognoscope.deidentify.others import (
    Other,
    PlannedOther,
    as_words,
    clean_other,
    clean_table,
    owner_by_path,
    owners_by_tables,
    place_of,
    table_place,
)
from prognoscope.deidentify.records import meet
from prognoscope.deidentify.report import REPORT_FILE, build_report
from prognoscope.jobs.addresses import is_address
from prognoscope.jobs.deidentify_page import page
from prognoscope.jobs.deidentify_source import arrived
from prognoscope.sources.files import FoundFile

FILES_A_LOOK = 32
FILES_A_BATCH = 48
PSEUDONYM_FILE = "pseudonyms.enc"
PAGE_FILE = "deidentification.html"
QUARANTINE_FILE = "quarantine.json"
_OUTCOME = tuple(field.name for field in fields(Outcome))


@dataclass(frozen=True, slots=True)
class Deidentified:
    """What a run came to.

    Attributes
    ----------
    target, private
        The clean folder, and the one that stays.
    report
        The document written as `deidentification.json` into the target.
    held_back
        `(source path, problem)` of each file that was not passed on.
    reused
        Files whose clean version an earlier run had left.
    seconds
        How long it took.
    """

    target: Path
    private: Path
    report: Mapping[str, Any]
    held_back: tuple[tuple[str, Problem], ...]
    reused: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a run reads and writes, and how: what every file is cleaned with."""

    source: Path
    target: Path
    private: Path
    project: Project
    options: Options

    def all(self) -> dict[str, Any]:
        return {
            "root": self.source,
            "target": self.target,
            "private": self.private,
            "project": self.project,
            "options": self.options,
        }


def deidentify(
    source: Path | str,
    target: Path,
    *,
    options: Options,
    project: Project,
    private: Path | None = None,
    mapper: Mapper = serial_map,
) -> Deidentified:
    """De-identify every file of a source into a folder.

    Parameters
    ----------
    source
        Folder with files in any order and depth, zip archive, one file, or the address of a PACS or DICOMweb server.
    target
        Folder for what is clean; made if absent. Files that are there from an earlier run are reused or replaced.
    options
        What is done beyond the basic profile of PS3.15.
    project
        The project's key.
    private
        Folder for what must stay; beside the target, with `.private` added to its name, by default.
    mapper
        Where the work runs.

    Raises
    ------
    Refused
        `folder-missing`, `folders-overlap`, `pseudonyms-key`.
    """
    begun = time.monotonic()
    private = private or target.with_name(target.name + ".private")
    _keep_apart(*([] if is_address(source) else [Path(source)]), target, private)
    earlier = load_table(private / PSEUDONYM_FILE, project)
    with arrived(source, private) as files:
        for folder in (target, private):
            folder.mkdir(parents=True, exist_ok=True)
        seen = _look(files.files, files.folder, options, mapper)
        described = {path: answer for path, answer in seen.items() if isinstance(answer, Described)}
        places = _Places(files.folder, target, private, project, options)
        outcomes, reused = _clean(_plan(described, project), dict(_stamps(files.files)), places, mapper)
        others = {path: answer for path, answer in seen.items() if isinstance(answer, Other)}
        outcomes += _clean_others(others, described, places, mapper)
    held_back = [*files.problems, *((path, answer) for path, answer in seen.items() if isinstance(answer, Problem))]
    held_back += [(outcome.source, outcome.problem) for outcome in outcomes if outcome.problem]
    held_back.sort(key=lambda entry: (entry[0], entry[1].code))
    _remember(outcomes, described, earlier, private, project)
    report = build_report(outcomes, [problem for _, problem in held_back], options, fingerprint(project))
    _write_json(target / REPORT_FILE, report)
    _write_json(private / QUARANTINE_FILE, [{"file": path, **asdict(problem)} for path, problem in held_back])
    (private / PAGE_FILE).write_text(page(report, outcomes, held_back, private, project), encoding="utf-8")
    return Deidentified(target, private, report, tuple(held_back), reused, time.monotonic() - begun)


def options_of(profile: ProfileName, changes: Mapping[str, bool | None]) -> Options:
    """Options of a profile with some of them changed; None leaves one as the profile has it."""
    return PROFILES[profile].model_copy(update={key: value for key, value in changes.items() if value is not None})


def _keep_apart(*folders: Path) -> None:
    places = [place.resolve() for place in folders]
    for one in places:
        for other in places:
            if one is not other and one.is_relative_to(other):
                raise refuse(
                    "folders-overlap",
                    subject=str(folders[-2]),
                    found="source, target and private folder are the same or lie within each other",
                    remedy="name three folders apart, so that nothing identified can travel with what is clean",
                )


def _look(
    files: Sequence[FoundFile], source: Path, options: Options, mapper: Mapper
) -> dict[str, Described | Other | Problem]:
    paths = [file.path for file in files]
    groups = [tuple(paths[start : start + FILES_A_LOOK]) for start in range(0, len(paths), FILES_A_LOOK)]
    look = functools.partial(look_at, root=source, options=options)
    answers = mapper(look, groups, label="looking at files")
    return {
        path: answer
        for group, some in zip(groups, answers, strict=True)
        for path, answer in zip(group, some, strict=True)
    }


def _plan(described: Mapping[str, Described], project: Project) -> tuple[Batch, ...]:
    """Group files by patient (by study where the ID is empty) and give each its new name."""
    people: dict[str, list[str]] = defaultdict(list)
    for path in sorted(described):
        people[described[path].patient or described[path].study_uid].append(path)
    taken: Counter[str] = Counter()
    batches: list[Batch] = []
    for person in sorted(people):
        identity = merged(described[path].identity for path in people[person])
        places = {path: _place(described[path], person, project, taken) for path in people[person]}
        heads = defaultdict(list)
        for path in [path for path in people[person] if described[path].head]:
            heads[described[path].series_uid].append(Planned(path, places[path]))
        batches += [Batch(tuple(heads[series]), identity, head=True) for series in sorted(heads)]
        planned = [Planned(path, places[path]) for path in people[person] if not described[path].head]
        batches += [
            Batch(tuple(planned[start : start + FILES_A_BATCH]), identity)
            for start in range(0, len(planned), FILES_A_BATCH)
        ]
    return tuple(batches)


def _place(seen: Described, person: str, project: Project, taken: Counter[str]) -> str:
    study = project.token("study folder", seen.study_uid, letters=8)
    name = project.uid(seen.instance_uid) if seen.instance_uid else project.token("file", str(sum(taken.values())))
    place = f"{project.patient(person)}/{study}/{name}"
    taken[place] += 1
    # Two objects with one UID break the standard; both are kept, and neither overwrites the other.
    return f"{place}.dcm" if taken[place] == 1 else f"{place}-{taken[place]}.dcm"


def _clean(
    batches: Sequence[Batch], stamps: Mapping[str, tuple[int, int]], places: _Places, mapper: Mapper
) -> tuple[list[Outcome], int]:
    state = places.private / "state"
    state.mkdir(exist_ok=True)
    context = [VERSION, places.options, fingerprint(places.project), str(places.target.resolve())]
    records = [state / f"{_key(batch, stamps, context)}.json" for batch in batches]
    done = {
        place: found for place, record in enumerate(records) if (found := _recorded(record, places.target)) is not None
    }
    todo = [place for place in range(len(batches)) if place not in done]
    work = functools.partial(clean_batch, **places.all())
    reused = sum(len(outcomes) for outcomes in done.values())
    results = mapper(work, [batches[place] for place in todo], label="de-identifying")
    for place, outcomes in zip(todo, results, strict=True):
        _write_whole(records[place], json.dumps([_plain(outcome) for outcome in outcomes], ensure_ascii=False))
        done[place] = outcomes
    return [outcome for place in sorted(done) for outcome in done[place]], reused


def _clean_others(
    others: Mapping[str, Other], described: Mapping[str, Described], places: _Places, mapper: Mapper
) -> list[Outcome]:
    source, project = places.source, places.project
    people = _people(described)
    tables = [path for path in sorted(others) if others[path].kind == "table"]
    images = [path for path in sorted(others) if others[path].kind != "table"]
    owners = owners_by_tables(tables, images, root=source, patients=frozenset(people))
    words = as_words(frozenset(people) | frozenset(owners.values()))
    planned = []
    for path in images:
        patient = owners.get(path) or owner_by_path(path, words)
        planned.append(PlannedOther(Planned(path, place_of(path, patient, project)), others[path].kind, patient))
    records = [source / path for path in images if others[path].kind == "record"]
    clean = functools.partial(clean_other, community=meet(records, people), **places.all())
    outcomes = list(mapper(clean, planned, label="pictures and NIfTI"))
    renamed = {PurePosixPath(one.source).name: one.target for one in outcomes if one.target}
    planned_tables = [Planned(path, table_place(path, project)) for path in tables]
    rows = functools.partial(clean_table, people=people, renamed=renamed, **places.all())
    return outcomes + list(mapper(rows, planned_tables, label="tables"))


def _people(described: Mapping[str, Described]) -> dict[str, Identity]:
    known: dict[str, list[Identity]] = defaultdict(list)
    for path in sorted(described):
        known[described[path].patient or described[path].study_uid].append(described[path].identity)
    return {person: merged(identities) for person, identities in sorted(known.items())}


def _key(batch: Batch, stamps: Mapping[str, tuple[int, int]], context: Sequence[object]) -> str:
    files = [[planned.source, planned.target, *stamps[planned.source]] for planned in batch.files]
    return of_value([*context, batch.head, files, *_told(batch.identity)])


def _told(identity: Identity) -> tuple[list[str], ...]:
    return sorted(identity.names), sorted(identity.ids), sorted(identity.days)


def _recorded(record: Path, target: Path) -> tuple[Outcome, ...] | None:
    """Outcomes of a batch that an earlier run finished, if all its files are still there."""
    if not record.is_file():
        return None
    try:
        outcomes = tuple(_outcome(entry) for entry in json.loads(record.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError):
        return None  # a damaged record is as good as none
    whole = all(outcome.problem or (target / outcome.target).is_file() for outcome in outcomes)
    return outcomes if whole else None


def _plain(outcome: Outcome) -> dict[str, Any]:
    problem = asdict(outcome.problem) if outcome.problem else None
    return {**{name: getattr(outcome, name) for name in _OUTCOME}, "problem": problem}


def _outcome(entry: dict[str, Any]) -> Outcome:
    problem = Problem(**entry["problem"]) if entry["problem"] else None
    tuples = {name: tuple(tuple(row) for row in entry[name]) for name in ("actions", "texts", "traits", "tables")}
    return Outcome(**{**entry, **tuples, "problem": problem})


def _remember(
    outcomes: Sequence[Outcome],
    described: Mapping[str, Described],
    earlier: PseudonymTable,
    private: Path,
    project: Project,
) -> None:
    people = {seen.patient or seen.study_uid for seen in described.values()}
    table = PseudonymTable(
        {project.patient(person): person for person in sorted(people)},
        {outcome.target: outcome.source for outcome in outcomes if outcome.target},
    )
    save_table(earlier | table, private / PSEUDONYM_FILE, project)


def _stamps(files: Sequence[FoundFile]) -> list[tuple[str, tuple[int, int]]]:
    return [(file.path, (file.size, file.mtime_ns)) for file in files]


def _write_json(path: Path, document: object) -> None:
    _write_whole(path, json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
