"""Whose is a file that does not say it: by a table that names it, or by its own name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from prognoscope.core.problems import Problem
from prognoscope.jobs.parcels import NIFTI, printable
from prognoscope.store import Link, NamedFile, Store, Unowned

ENDINGS = (*NIFTI, ".png", ".jpg", ".jpeg")
MASK_WORDS = ("mask", "seg", "label", "roi", "contour")
# What a row says of its file: field → names of columns, the first that has a value counts.
TOLD = {
    "modality": ("modality",),
    "view": ("view", "view_position", "projection"),
    "description": ("description", "series_description", "sequence"),
    "date": ("date", "study_date", "acquisition_date"),
    "body_part": ("body_part", "body_part_examined"),
    "licence": ("licence", "license"),
}
# The field's words for what DICOM names by a code (PS3.3 C.7.3.1.1.1); others stay as they are written.
MODALITIES = {"PET": "PT", "MRI": "MR", "T1": "MR", "T2": "MR", "FLAIR": "MR", "CBCT": "CT", "US": "US"}
# PATIENT_MODALITY_image.nii.gz and PATIENT_MODALITY_mask.nii.gz; the modality may go on (MR_T1).
NAMED = re.compile(
    r"(?P<patient>.+?)_(?P<what>(?:CT|MR|MRI|PT|PET|CBCT|US|T1|T2|FLAIR)(?:_[A-Za-z0-9]+)*?)(?P<role>_image|_mask)?",
    re.IGNORECASE,
)


def link_files(store: Store, source: str, *, again: bool) -> tuple[Problem, ...]:
    """Find whose the NIfTI files and pictures of a source are; what nobody owns is quarantined with its reason.

    Parameters
    ----------
    again
        Whether a table came in, so that what is linked already is looked at anew too.

    Returns
    -------
    What was quarantined now.
    """
    files = store.links.unowned(source)
    known = store.links.linked(sorted({file.sha256 for file in files}))
    if not files or (not again and all(file.sha256 in known for file in files)):
        return ()
    links, missing = _by_tables(store, source, files)
    told = {link.sha256 for link in links}
    links += _by_names([file for file in files if file.sha256 not in told])
    owned = {link.sha256 for link in links}
    aside = [*missing, *(_unowned(file) for file in files if file.sha256 not in owned)]
    store.links.replace(source, sorted({file.sha256 for file in files}), links, aside)
    return tuple(aside)


def _by_tables(store: Store, source: str, files: Sequence[Unowned]) -> tuple[list[Link], list[Problem]]:
    places = _Places(files)
    rows: dict[tuple[str, int], list[tuple[NamedFile, Unowned]]] = defaultdict(list)
    missing: dict[tuple[str, str], list[str]] = defaultdict(list)
    columns: dict[tuple[str, str], int] = defaultdict(int)
    for cell in store.links.named_files(source, ENDINGS):
        if found := places.find(cell.text):
            rows[cell.table, cell.row].append((cell, found))
            columns[cell.path, cell.column] += 1
        else:
            missing[cell.path, cell.column].append(cell.text)
    told = {table: store.links.cells(table, _columns()) for table in {table for table, _ in rows}}
    links = [link for (table, row), named in rows.items() for link in _of_row(named, told[table].get(row, {}))]
    # A column of which no cell names a file of this source is no column of files: web addresses end so, too.
    absent = [_absent(*key, names) for key, names in sorted(missing.items()) if columns[key]]
    return links, absent


class _Places:
    """Files by the end of their path; a name that several files bear is no file's."""

    def __init__(self, files: Sequence[Unowned]) -> None:
        self._by_name: dict[str, dict[str, Unowned]] = defaultdict(dict)
        for file in files:
            self._by_name[PurePosixPath(file.path.replace("!/", "/")).name][file.path] = file

    def find(self, text: str) -> Unowned | None:
        parts = PurePosixPath(text.strip().replace("\\", "/")).parts
        named = self._by_name.get(parts[-1], {}) if parts else {}
        found = [
            file for path, file in named.items() if PurePosixPath(path.replace("!/", "/")).parts[-len(parts) :] == parts
        ]
        return found[0] if len({file.sha256 for file in found}) == 1 else None


def _columns() -> list[str]:
    return [name for names in TOLD.values() for name in names]


def _of_row(named: Sequence[tuple[NamedFile, Unowned]], told: Mapping[str, str]) -> Iterator[Link]:
    """The links of one row: its images, and its masks where it has one image."""
    teller = f"table {named[0][0].path}"
    says = {field: next((told[name] for name in names if told.get(name)), "") for field, names in TOLD.items()}
    images = [(cell, file) for cell, file in named if not _is_mask(cell.column)]
    for cell, file in images:
        yield Link(
            sha256=file.sha256,
            patient_id=cell.patient_id,
            image="",
            name=_picture_name(file),
            kind=file.kind,
            modality=MODALITIES.get(says["modality"].upper(), says["modality"]) or "OT",
            description=says["description"] or says["view"] or cell.column,
            view=says["view"],
            date=_iso(says["date"]),
            body_part=says["body_part"],
            licence=says["licence"],
            told_by=teller,
        )
    if len(images) == 1:
        for cell, file in named:
            if _is_mask(cell.column) and file.kind == "nifti":
                yield Link(file.sha256, cell.patient_id, images[0][1].sha256, cell.column, file.kind, told_by=teller)


def _is_mask(column: str) -> bool:
    return any(word in column.lower() for word in MASK_WORDS)


def _picture_name(file: Unowned) -> str:
    return f"{file.kind}-{file.sha256[:40]}"


def _by_names(files: Sequence[Unowned]) -> list[Link]:
    """Pairs of NIfTI files PATIENT_MODALITY_image and PATIENT_MODALITY_mask in one folder."""
    images: dict[tuple[str, str, str], Unowned] = {}
    masks: dict[tuple[str, str, str], Unowned] = {}
    for file in files:
        place = PurePosixPath(file.path.replace("!/", "/"))
        found = NAMED.fullmatch(place.name.removesuffix(".gz").removesuffix(".nii"))
        if file.kind == "nifti" and found:
            group = masks if found["role"] == "_mask" else images
            group[place.parent.as_posix(), found["patient"], found["what"]] = file
    links = []
    for (folder, patient, what), file in images.items():
        first = what.partition("_")[0].upper()
        modality = MODALITIES.get(first, first)
        links.append(
            Link(file.sha256, patient, "", _picture_name(file), file.kind, modality, what, told_by=f"name {file.path}")
        )
        if mask := masks.get((folder, patient, what)):
            links.append(Link(mask.sha256, patient, file.sha256, "mask", mask.kind, told_by=f"name {mask.path}"))
    return links


def _iso(text: str) -> str | None:
    if not text:
        return None
    import pandas as pd

    from prognoscope.sources import to_date

    found = to_date(pd.Series([text]))[0].iloc[0]
    return found.isoformat() if found is not None else None


def _unowned(file: Unowned) -> Problem:
    return Problem(
        "owner-unknown",
        printable(file.path),
        f"nothing says whose this {'picture' if file.kind == 'picture' else 'NIfTI file'} is",
        "add a table with patient_id and a column of file names beside it"
        + ("" if file.kind == "picture" else ", or name it PATIENT_MODALITY_image.nii.gz (and …_mask.nii.gz)"),
    )


def _absent(table: str, column: str, names: Sequence[str]) -> Problem:
    return Problem(
        "named-files-missing",
        f"{printable(table)}, column {column}",
        f"{len(names)} of the files that it names did not come in, or several have the name (such as {names[0][:80]})",
        "add the files, or remove the rows",
    )
