"""Init: look at a folder and write a commented study file that runs, or that says which line is missing."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import Refused, refuse
from prognoscope.core.work import Mapper, serial_map
from prognoscope.sources import ColumnDescription, TableDescription, describe_table, list_files, read_table
from prognoscope.store import write_whole
from prognoscope.study.cache import Memory, Unkept
from prognoscope.study.stages.gather import gather

TABLES = (".csv", ".tsv", ".xlsx", ".parquet")
LARGEST_TABLE = 200 << 20
_TIME = re.compile(r"time|days?_|_days?|follow|surviv|duration", re.IGNORECASE)
_EVENT = re.compile(r"event|status|dead|death|died|metasta|recur|relaps|progress|outcome|censor", re.IGNORECASE)
_LATER = re.compile(rf"treat|therap|surg|days|{_EVENT.pattern}|{_TIME.pattern}", re.IGNORECASE)
_CIRCUMSTANCE = re.compile(
    r"^(centre|center|site|hospital|institution|scanner|file\w*|url|doi|licen[cs]e)$", re.IGNORECASE
)
_LESION = re.compile(r"gtv|tumou?r|lesion|mass|nodule|metasta|roi", re.IGNORECASE)
_ORDERED = ("low", "intermediate", "medium", "high", "i", "ii", "iii", "iv", "t1", "t2", "t3", "t4", "1", "2", "3", "4")
_FIXED_MODALITIES = ("CT", "MR", "PT")


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """The study file, what was found in the folder, and which lines a person must still write."""

    path: Path
    found: tuple[str, ...]
    missing: tuple[str, ...]


def init_study(
    folder: str | Path, *, out: str | Path, force: bool = False, mapper: Mapper = serial_map
) -> WrittenStudy:
    """Look at a folder and write a study file.

    Raises
    ------
    Refused
        `file-exists` without `force`; `folder-missing`; `no-table` when no table is there.
    """
    source, target = Path(folder), Path(out)
    if target.exists() and not force:
        raise refuse("file-exists", subject=str(target), found="it exists", remedy="choose another --out, or --force")
    index = _index(source, mapper)
    table, description, patient = _table(source, index)
    outcome, missing = _outcome(description)
    imaging, more = _imaging(index)
    missing += more
    lines = [
        "# Written by `prognoscope init`; every key is described in docs/study-file.md.",
        "question: What is to be predicted, for whom, and by when?   # write your clinical question",
        "data:",
        *_data(source, table, target, patient, description, index),
        "",
        "# Time zero: the day the last predictor is known, counted from the table's day 0. Columns that lead there:",
        "# time_zero: [days_to_scan]",
        "",
        "# eligible:",
        "#   - {column: age, at_least: 18, unit: year}",
        "",
        *outcome,
        "",
        "predictors:",
        *_clinical(description, patient, _outcome_columns(outcome)),
        *imaging,
        "",
        "models: {choose: inner}     # all models that fit the outcome are tried; the inner folds choose",
        "validate: {folds: 5, repeats: 5, inner: 3, resamples: 2000}",
        "seed: 1",
    ]
    write_whole(target, ("\n".join(lines) + "\n").encode())
    return WrittenStudy(target, _found(index, table, description, patient), tuple(missing))


def _index(source: Path, mapper: Mapper) -> ImageIndex:
    return gather(source, cache=Memory(Unkept(), "init"), mapper=mapper, images_needed=False).index


def _table(source: Path, index: ImageIndex) -> tuple[Path, TableDescription, str]:
    """Return the table that knows most of the patients, and its column with their IDs."""
    patients = set(index.patients)
    best: tuple[int, int, str] | None = None
    candidates = [file for file in list_files(source) if Path(file.path).suffix.lower() in TABLES]
    for file in sorted(candidates, key=lambda one: (one.path.count("/"), one.path))[:50]:
        if file.size > LARGEST_TABLE:
            continue
        try:
            frame = read_table(source / file.path)
        except Refused:
            continue  # a table that cannot be read alone (several sheets, no header) cannot be the study's table
        for name in frame.columns:
            known = len(patients & {str(cell).strip() for cell in frame[name].dropna()})
            named = int(bool(re.search(r"patient|subject|^id$", str(name), re.IGNORECASE)))
            rank = (known, named, f"{file.path}\0{name}")
            if best is None or rank[:2] > best[:2]:
                best = rank
    if best is None:
        raise refuse(
            "no-table",
            subject=str(source),
            found="there is no table (CSV, TSV, XLSX or Parquet) with one row per patient",
            remedy="put the table of outcomes into the folder",
        )
    path, patient = best[2].split("\0")
    return source / path, describe_table(source / path), patient


def _data(
    source: Path, table: Path, target: Path, patient: str, description: TableDescription, index: ImageIndex
) -> list[str]:
    here = target.resolve().parent
    images = [f"  images: {_quoted(os.path.relpath(source.resolve(), here))}"] if index.series else []
    missing = [f"  missing: [{', '.join(_quoted(word) for word in description.missing_words)}]"]
    return [
        *images,
        f"  table: {_quoted(os.path.relpath(table.resolve(), here))}",
        f"  patient: {_quoted(patient)}",
        *(missing if description.missing_words else []),
    ]


def _outcome(description: TableDescription) -> tuple[list[str], list[str]]:
    """Return the lines under `outcome:`: filled in where one reading is obvious, else the candidates."""
    events = [one for one in description.columns if _EVENT.search(one.name) and 2 <= len(one.levels) <= 5]
    times = [one for one in description.columns if one.type == "number" and _TIME.search(one.name)]
    binary = [one for one in events if len(one.levels) == 2]
    choices = [f"#   {one.name}: {', '.join(one.levels)}" for one in events] or ["#   no column looks like one"]
    survival = [
        "# A time to event instead:",
        f"# outcome: {{time: {times[0].name if times else 'COLUMN'}, "
        f"event: {{column: {events[0].name if events else 'COLUMN'}, is: VALUE}}, horizon: 730 day}}",
    ]
    if len(binary) == 1:
        event = _event_level(binary[0].levels)
        line = f"outcome: {{column: {_quoted(binary[0].name)}, event: {_quoted(event)}}}"
        return ["# Check which value is the event:", line, *survival], []
    told = "the outcome: none is obvious, so choose column and event under `outcome:`"
    return [
        "# Which column is the outcome? Candidates with their values:",
        *choices,
        "outcome: {column: WRITE_THE_COLUMN, event: WRITE_THE_VALUE}",
        *survival,
    ], [told]


def _event_level(levels: Sequence[str]) -> str:
    words = ("1", "yes", "y", "true", "dead", "died", "d", "1.0")
    return next((level for level in levels if level.lower() in words), levels[-1])


def _outcome_columns(lines: Iterable[str]) -> str:
    return " ".join(line for line in lines if line.startswith("outcome:"))


def _clinical(description: TableDescription, patient: str, outcome: str) -> list[str]:
    lines = [
        "  # Columns of the table. `known_at: time_zero` promises that the value is known when the prediction is made."
    ]
    for column in description.columns:
        if column.name == patient or f"column: {_quoted(column.name)}" in outcome or _CIRCUMSTANCE.match(column.name):
            continue
        usable = column.type in ("number", "category", "boolean") and column.missing_share < 0.5
        entry = f"- {{column: {_quoted(column.name)}{_details(column)}}}"
        if usable and not _LATER.search(column.name):
            lines.append(f"  {entry}   # when is it known? add known_at: time_zero, or remove the line")
        else:
            why = "known later?" if _LATER.search(column.name) else f"{column.type}, {column.missing_share:.0%} missing"
            lines.append(f"  # {entry}   # {why}")
    return lines


def _details(column: ColumnDescription) -> str:
    if column.type == "number":
        return ", unit: year" if column.name.lower().startswith("age") else ', unit: "1"'
    lowered = [level.lower() for level in column.levels]
    if len(lowered) > 2 and all(level in _ORDERED for level in lowered):
        ordered = sorted(column.levels, key=lambda level: _ORDERED.index(level.lower()))
        return f", levels: [{', '.join(_quoted(level) for level in ordered)}]"
    return ""


def _imaging(index: ImageIndex) -> tuple[list[str], list[str]]:
    drawn = {regions.series_uid: regions.regions for regions in index.region_sets}
    roles: dict[tuple[str, str], Counter[str]] = {}
    for series in index.series:
        own = drawn.get(series.uid, ())
        for region in own:
            roles.setdefault((series.modality, _stem(region, series.modality)), Counter())[series.patient_id] += 1
    if not index.series:
        return [], []
    if not roles:
        return ["  # No region of interest is drawn on any series, so nothing can be measured in the images."], [
            "a region of interest: add RTSTRUCT files, or study the table alone (remove `images:`)"
        ]
    lines = ["  # What to measure where; patients with such a region in brackets."]
    chosen: set[str] = set()
    most = max(len(patients) for patients in roles.values())
    for (modality, stem), patients in sorted(roles.items(), key=_likeliest):
        use = len(patients) >= 0.8 * most and modality not in chosen and modality in _FIXED_MODALITIES
        entry = f'- {{image: {modality}, region: "{stem}"}}   # {len(patients)} of {len(index.patients)} patients'
        lines.append(f"  {entry}" if use else f"  # {entry}")
        chosen |= {modality} if use else set()
    return lines, []


def _likeliest(role: tuple[tuple[str, str], Counter[str]]) -> tuple[bool, int, str, str]:
    (modality, stem), patients = role
    return not _LESION.search(stem), -len(patients), modality, stem


def _stem(region: str, modality: str) -> str:
    """Return a pattern for a region whose name ends in its modality (`GTV_PET`, `GTV_MR_T1`), or the name itself."""
    known = {"PT": ("PT", "PET"), "MR": ("MR", "MRI"), "CT": ("CT",)}.get(modality, (modality,))
    match = re.match(rf"(.+?)[ _-]({'|'.join(known)})([ _-].*)?$", region, re.IGNORECASE)
    return f"{match[1]}*" if match else region


def _found(index: ImageIndex, table: Path, description: TableDescription, patient: str) -> tuple[str, ...]:
    modalities = Counter(series.modality for series in index.series)
    told = ", ".join(f"{number} {modality}" for modality, number in sorted(modalities.items())) or "no"
    lines = [
        f"{len(index.patients)} patients with images: {told} series, {len(index.region_sets)} sets of regions",
        f"{table.name}: {description.rows} rows, {len(description.columns)} columns, patient IDs in {patient}",
    ]
    lines += [f"refused: {one.problem}" for one in index.refused[:5]]
    return tuple(lines)


def _quoted(text: str) -> str:
    return (
        text
        if re.fullmatch(r"[A-Za-z_./][\w./-]*", text)
        else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
