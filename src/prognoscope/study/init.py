"""Init: look at a folder and write a commented study file that runs, or that says which line is missing."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import Refused, refuse
from prognoscope.core.work import Mapper, serial_map
from prognoscope.sources import (
    ColumnDescription,
    FoundFile,
    TableDescription,
    describe_table,
    list_files,
    read_table,
    without_words,
)
from prognoscope.store import write_whole
from prognoscope.study.cache import Memory, Unkept
from prognoscope.study.likely import EVENT, LATER, EventColumn, event_columns, horizon
from prognoscope.study.stages.gather import gather

TABLES = (".csv", ".tsv", ".xlsx", ".parquet")
NIFTI = (".nii", ".nii.gz")
LARGEST_TABLE = 64 << 20
LARGEST_PARQUET = 8 << 20  # unfolds to ten times as much
MOST_TABLES = 50
MOST_COLUMNS = 300
MOST_TOLD = 5
WRITE = "WRITE_THE"
_PATIENT = re.compile(r"patient|subject|participant|^case|^p?id(num)?$|record_?id|mrn|hospnum", re.IGNORECASE)
_CIRCUMSTANCE = re.compile(
    r"^(centre|center|site|hospital|institution|scanner|file\w*|folder|url|doi|licen[cs]e)$", re.IGNORECASE
)
_LESION = re.compile(r"gtv|tumou?r|lesion|mass|nodule|metasta|roi", re.IGNORECASE)
_ORDERED = ("low", "intermediate", "medium", "high", "i", "ii", "iii", "iv", "t1", "t2", "t3", "t4", "1", "2", "3", "4")
_FIXED_MODALITIES = ("CT", "MR", "PT")
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)
_MISREAD = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """The study file, what was found in the folder, and which lines a person must still write."""

    path: Path
    found: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the study file, and what a person must still do there; empty when nothing."""

    text: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The table that knows most of the patients, the column of their IDs (empty when none looks so), the other tables.

    `unread` says of each further table that it could not be read, and why.
    """

    path: Path
    frame: pd.DataFrame
    description: TableDescription
    patient: str
    others: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def patients(self) -> int:
        """Number of different IDs; 0 without a column of IDs."""
        return int(self.frame[self.patient].nunique()) if self.patient else 0


def init_study(
    source: str | Path, *, out: str | Path, force: bool = False, mapper: Mapper = serial_map
) -> WrittenStudy:
    """Look at a folder, or at one table, and write a study file.

    Raises
    ------
    Refused
        `file-exists` without `force`; `folder-missing`; `no-table` when no table is there.
    """
    place, target = Path(source), Path(out)
    if target.exists() and not force:
        raise refuse("file-exists", subject=str(target), found="it exists", remedy="choose another --out, or --force")
    files: Sequence[FoundFile] = ()
    if place.is_file():
        index = ImageIndex((), ())
        table = _chosen(place, read_table(place), index)
    else:
        index = gather(place, cache=Memory(Unkept(), "init"), mapper=mapper, images_needed=False).index
        files = list_files(place)
        table = _table(place, index, files)
    lines = study_lines(table, index, source=place, target=target)
    write_whole(target, ("\n".join(line.text for line in lines) + "\n").encode())
    missing = tuple(f"line {number}: {line.todo}" for number, line in enumerate(lines, start=1) if line.todo)
    return WrittenStudy(target, _found(index, table, files), missing)


def study_lines(table: Chosen, index: ImageIndex, *, source: Path, target: Path) -> list[Line]:
    """Return the study file, line by line."""
    outcome = _outcome(table.frame)
    used = {table.patient, *_columns_of(outcome)}
    predictors = [*_clinical(table.description, used), *_imaging(index)]
    if not any(line.text.startswith("  - ") for line in predictors):
        predictors.append(Line(f"  - {{column: {WRITE}_PREDICTOR}}", "what predicts: no column looks known in time"))
    return [
        Line("# Written by `prognoscope init`; every key is described in docs/study-file.md."),
        Line("question: What is to be predicted, for whom, and by when?   # write your clinical question"),
        Line("data:"),
        *_data(table, index, source=source, target=target),
        Line(""),
        Line(
            "# Time zero: the day the last predictor is known, counted from the table's day 0. Columns that lead there:"
        ),
        Line("# time_zero: [days_to_scan]"),
        Line(""),
        Line("# eligible:"),
        Line("#   - {column: age, at_least: 18, unit: year}"),
        Line(""),
        *outcome,
        Line(""),
        Line("predictors:"),
        *predictors,
        Line(""),
        Line("models: {choose: inner}     # all models that fit the outcome are tried; the inner folds choose"),
        Line("validate: {folds: 5, repeats: 5, inner: 3, resamples: 2000}"),
        Line("seed: 1"),
    ]


def _chosen(
    path: Path, frame: pd.DataFrame, index: ImageIndex, *, others: Sequence[str] = (), unread: Sequence[str] = ()
) -> Chosen:
    _, column = _best_column(frame, set(index.patients))
    description = describe_table(frame)
    known = without_words(frame, description.missing_words)
    return Chosen(path, known, description, column, tuple(others), tuple(unread))


def _table(source: Path, index: ImageIndex, files: Sequence[FoundFile]) -> Chosen:
    """Return the table that knows most of the patients, and its column with their IDs."""
    patients = set(index.patients)
    best: tuple[tuple[int, ...], str, pd.DataFrame] | None = None
    read: list[str] = []
    unread: list[str] = []
    candidates = [file for file in files if Path(file.path).suffix.lower() in TABLES]
    for file in sorted(candidates, key=lambda one: (one.path.count("/"), one.path))[:MOST_TABLES]:
        if file.size > (LARGEST_PARQUET if file.path.lower().endswith(".parquet") else LARGEST_TABLE):
            unread.append(f"{file.path}: {file.size >> 20} MB, too large for a table of patients")
            continue
        try:
            frame = read_table(source / file.path)
        except Refused as refused:
            unread.append(f"{file.path}: {refused.problem.found}")
            continue
        read.append(file.path)
        rank, _ = _best_column(frame, patients)
        if best is None or rank > best[0]:
            best = (rank, file.path, frame)
    if best is None:
        raise refuse(
            "no-table",
            subject=str(source),
            found="there is no table (CSV, TSV, XLSX or Parquet) with one row per patient"
            + "".join(f"; {one}" for one in [*unread[:MOST_TOLD], *_nifti(files)]),
            remedy="put the table of outcomes into the folder",
        )
    _, path, frame = best
    return _chosen(source / path, frame, index, others=[one for one in read if one != path], unread=unread)


def _best_column(frame: pd.DataFrame, patients: set[str]) -> tuple[tuple[int, ...], str]:
    """Return how well a table may be the study's, and its column of patient IDs."""
    told = int(any(EVENT.search(str(name)) for name in frame.columns))
    best: tuple[tuple[int, ...], str] = ((0, 0, told, 0), "")
    for name in map(str, frame.columns):
        cells = frame[name].dropna()
        known = len(patients & set(cells)) if patients else 0
        named = int(bool(_PATIENT.search(name)))
        rank = (known, named, told, int(len(cells) > 0 and cells.is_unique))
        if (known or named) and rank > best[0]:
            best = (rank, name)
    return best


def _data(table: Chosen, index: ImageIndex, *, source: Path, target: Path) -> list[Line]:
    here = target.resolve().parent
    words = table.description.missing_words
    rows = len(table.frame)
    column = Line(f"  patient: {quoted(table.patient or f'{WRITE}_PATIENT')}")
    if not table.patient and index.series:
        column = Line(column.text, "the column with the patients' IDs: none looks like it")
    elif not table.patient:
        column = Line("  patient: {each: row}   # no column looks like patient IDs; is each row another patient?")
    elif table.patients < rows:
        told = f"{rows} rows of {table.patients} patients, and `run` refuses several rows of one"
        column = Line(f"{column.text}   # {told}", f"keep one row per patient in {table.path.name}: it has {told}")
    return [
        *([Line(f"  images: {quoted(os.path.relpath(source.resolve(), here))}")] if index.series else []),
        Line(f"  table: {quoted(os.path.relpath(table.path.resolve(), here))}"),
        column,
        *([Line(f"  missing: [{', '.join(quoted(word) for word in words)}]")] if words else []),
    ]


def _outcome(frame: pd.DataFrame) -> list[Line]:
    """Return the lines under `outcome:`: filled in where one reading is obvious, else the candidates."""
    events = event_columns(frame)
    binary = [one for one in events if len(one.levels) == 2]
    listed = [
        Line(
            f"#   {_shown(one.name)}: {', '.join(map(_shown, one.levels))}{one.time and f' (time: {_shown(one.time)})'}"
        )
        for one in events
    ]
    told = [
        Line("# Columns that may hold the outcome, with their values:"),
        *(listed or [Line("#   none looks like it")]),
    ]
    if len(binary) == 1 or len(events) == 1:
        first = (binary or events)[0]
        rest = [one for one in events if one is not first and one.time]
        instead = [Line("# A time to event instead:"), *(Line(f"# {_survival(one, frame)}") for one in rest)]
        return [*told, *_active(first, frame), *(instead if rest else [])]
    timed = [one for one in events if one.time]
    instead = [Line("# Or a time to event, such as:"), *(Line(f"# {_survival(one, frame)}") for one in timed)]
    todo = "the outcome: none is obvious, so choose column and event under `outcome:`"
    line = Line(f"outcome: {{column: {WRITE}_COLUMN, event: {WRITE}_VALUE}}", todo)
    return [*told, line, *(instead if timed else [])]


def _active(event: EventColumn, frame: pd.DataFrame) -> list[Line]:
    """The outcome that is meant, most likely: a time to event where a time stands beside the event."""
    near = horizon(frame, event) if event.time else None
    todo = "" if len(event.levels) == 2 else f"which value of {event.name} is the event, and which mean none"
    if near is None:
        value = f"{WRITE}_VALUE" if todo else event.event
        line = f"outcome: {{column: {quoted(event.name)}, event: {quoted(value)}}}"
        return [Line("# Check which value is the event:"), Line(line, todo)]
    return [
        Line(f"# Check which value is the event, and the horizon ({near.told}):"),
        Line(_survival(event, frame), todo),
    ]


def _survival(event: EventColumn, frame: pd.DataFrame) -> str:
    near = horizon(frame, event)
    plain = len(event.levels) == 2
    value = event.event if plain else f"{WRITE}_VALUE"
    others = event.others if plain else (f"{WRITE}_OTHERS",)
    unit = f", unit: {near.unit}" if near and near.unit != "day" else ""
    return (
        f"outcome: {{time: {quoted(event.time)}{unit}, event: {{column: {quoted(event.name)}, is: {quoted(value)}, "
        f"censored: [{', '.join(map(quoted, others))}]}}, horizon: {near.words if near else '730 day'}}}"
    )


def _columns_of(lines: Iterable[Line]) -> set[str]:
    """Names of the columns that the outcome uses."""
    active = " ".join(line.text for line in lines if line.text.startswith("outcome:"))
    found = re.findall(r'(?:column|time): ("(?:[^"\\]|\\.)*"|[^,}]+)', active)
    return {json.loads(one) if one.startswith('"') else one for one in found}


def _clinical(description: TableDescription, used: set[str]) -> list[Line]:
    lines = [
        Line("  # Columns of the table. `known_at: time_zero` promises that it is known when the prediction is made.")
    ]
    offered = [one for one in description.columns if one.name not in used and not _CIRCUMSTANCE.match(one.name)]
    for column in offered[:MOST_COLUMNS]:
        usable = column.type in ("number", "category", "boolean") and column.missing_share < 0.5
        entry = f"- {{column: {quoted(column.name)}{_details(column)}}}"
        if usable and not LATER.search(column.name):
            lines.append(Line(f"  {entry}   # when is it known? add known_at: time_zero, or remove the line"))
        else:
            why = "known later?" if LATER.search(column.name) else f"{column.type}, {column.missing_share:.0%} missing"
            lines.append(Line(f"  # {entry}   # {why}"))
    if len(offered) > MOST_COLUMNS:
        lines.append(Line(f"  # and {len(offered) - MOST_COLUMNS} more columns"))
    return lines


def _details(column: ColumnDescription) -> str:
    if column.type == "number":
        return ", unit: year" if column.name.lower().startswith("age") else ', unit: "1"'
    lowered = [level.lower() for level in column.levels]
    if len(lowered) > 2 and all(level in _ORDERED for level in lowered):
        ordered = sorted(column.levels, key=lambda level: _ORDERED.index(level.lower()))
        return f", levels: [{', '.join(quoted(level) for level in ordered)}]"
    return ""


def _imaging(index: ImageIndex) -> list[Line]:
    if not index.series:
        return []
    drawn = {regions.series_uid: regions.regions for regions in index.region_sets}
    roles: dict[tuple[str, str], Counter[str]] = {}
    for series in index.series:
        for region in drawn.get(series.uid.partition("#")[0], ()):
            roles.setdefault((series.modality, _stem(region, series.modality)), Counter())[series.patient_id] += 1
    if not roles:
        todo = "a region of interest: add RTSTRUCT files, or study the table alone (remove `images:`)"
        return [
            Line("  # No region of interest is drawn on any series, so nothing can be measured in the images.", todo)
        ]
    lines = [Line("  # What to measure where, and in how many patients there is such a region.")]
    chosen: set[str] = set()
    most = max(len(patients) for patients in roles.values())
    for (modality, stem), patients in sorted(roles.items(), key=_likeliest):
        use = len(patients) >= 0.8 * most and modality not in chosen and modality in _FIXED_MODALITIES
        told = f"{len(patients)} of {len(index.patients)} patients"
        entry = f"- {{image: {quoted(modality)}, region: {json_text(stem)}}}   # {told}"
        lines.append(Line(f"  {entry}" if use else f"  # {entry}"))
        chosen |= {modality} if use else set()
    return lines


def _likeliest(role: tuple[tuple[str, str], Counter[str]]) -> tuple[bool, int, str, str]:
    (modality, stem), patients = role
    return not _LESION.search(stem), -len(patients), modality, stem


def _stem(region: str, modality: str) -> str:
    """Return a pattern for a region whose name ends in its modality (`GTV_PET`, `GTV_MR_T1`), or the name itself."""
    known = {"PT": ("PT", "PET"), "MR": ("MR", "MRI"), "CT": ("CT",)}.get(modality, (modality,))
    match = re.match(rf"(.+?)[ _-]({'|'.join(known)})([ _-].*)?$", region, re.IGNORECASE)
    return f"{match[1]}*" if match else region


def _found(index: ImageIndex, table: Chosen, files: Sequence[FoundFile]) -> tuple[str, ...]:
    modalities = Counter(series.modality for series in index.series)
    told = ", ".join(f"{number} {modality}" for modality, number in sorted(modalities.items())) or "no"
    whose = f"patient IDs in {table.patient}" if table.patient else "no column of patient IDs"
    images = f"{len(index.patients)} patients with images: {told} series, {len(index.region_sets)} sets of regions"
    lines = [
        *([images] if files else []),
        f"{table.path.name}: {len(table.frame)} rows, {len(table.description.columns)} columns, {whose}",
    ]
    if table.patient and table.patients < len(table.frame):
        lines.append(f"{table.path.name}: {len(table.frame)} rows belong to {table.patients} patients")
    if table.others:
        lines.append(f"other tables, not used: {_first(table.others)}")
    lines += [f"not read: {one}" for one in table.unread[:MOST_TOLD]]
    return (*lines, *_nifti(files), *(f"refused: {one.problem}" for one in index.refused[:MOST_TOLD]))


def _nifti(files: Sequence[FoundFile]) -> list[str]:
    found = [file.path for file in files if file.path.lower().endswith(NIFTI)]
    told = "they name no patient, so a study reads them from a store (`prognoscope ingest`)"
    return [f"{len(found)} NIfTI files (such as {found[0]}): {told}"] if found else []


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    return ", ".join(names[:MOST_TOLD]) + more


def quoted(text: str) -> str:
    """Return a text as YAML reads it back: plain where that is the same text, else in quotes."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _MISREAD else json_text(text)


def _shown(text: str) -> str:
    """A text in a comment, which must not end before its line does."""
    return text if text.isprintable() else json_text(text)


def json_text(text: str) -> str:
    """Return a text in double quotes; what YAML does not take as it is, is escaped."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
