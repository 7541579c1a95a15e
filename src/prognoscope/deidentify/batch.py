"""A batch of DICOM objects of one patient: the unit of parallel work and of resuming.

Each file ends in one of two ways: written under its new name, or refused with a problem. Nothing is passed on as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prognoscope.core.problems import Problem, Refused
from prognoscope.deidentify.dataset import Study
from prognoscope.deidentify.dicom import Cleaned, broken_is_refused, clean_file, decoded, write_bytes, write_file
from prognoscope.deidentify.elements import text_of
from prognoscope.deidentify.faces import mask_faces
from prognoscope.deidentify.identity import Identity
from prognoscope.deidentify.keptext import kept_texts
from prognoscope.deidentify.ocr import open_reader
from prognoscope.deidentify.pixels import cover_identifiers, must_read, thumbnail
from prognoscope.deidentify.profile import Options
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.quiet import quiet

VERSION = 4  # raised whenever the same input may come out differently
_TRAITS = ("PatientSex", "PatientAge", "PatientSize", "PatientWeight", "EthnicGroup", "Occupation")


@dataclass(frozen=True, slots=True)
class Planned:
    """One file and the place, relative to the target folder, where its clean version goes."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one patient that are cleaned together, with what the patient's objects say about people.

    `head`: they are one head series whose face is to be masked.
    """

    files: tuple[Planned, ...]
    identity: Identity
    head: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file.

    Attributes
    ----------
    source, target
        Where it came from, and where it went; target is empty when it was refused.
    problem
        Why it was refused, or None.
    actions
        `(tag, keyword, action)` and how often.
    texts
        Free text that stayed: `(keyword, text)`.
    traits
        What is left that describes the patient: `(keyword, value)`.
    pixels
        `not read`, `read` (nothing found that identifies), `covered`, or `face masked`.
    pseudonym, modality
        Of the clean object.
    tables
        What is left in each sheet of a table, from `tablerisk.risk_of`.
    """

    source: str
    target: str
    problem: Problem | None = None
    actions: tuple[tuple[str, str, str, int], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    traits: tuple[tuple[str, str], ...] = ()
    pixels: str = "not read"
    pseudonym: str = ""
    modality: str = ""
    tables: tuple[Mapping[str, Any], ...] = ()


def clean_batch(
    batch: Batch, *, root: Path, target: Path, private: Path, project: Project, options: Options
) -> tuple[Outcome, ...]:
    """Clean and write the files of a batch, in their order; thumbnails go into the private folder."""
    study = Study(project, options, batch.identity)
    with quiet():
        if batch.head:
            return _clean_head(batch, study, root, target, private)
        return tuple(_clean_one(planned, study, root, target, private) for planned in batch.files)


def thumbnail_of(source: str, project: Project, *, folder: str = "thumbnails") -> str:
    """Place, relative to the private folder, of the picture of a file before and after; or of one held back."""
    return f"{folder}/{project.token('thumbnail', source)}.png"


def _clean_one(planned: Planned, study: Study, root: Path, target: Path, private: Path) -> Outcome:
    pixels = "not read"
    try:
        with broken_is_refused():
            cleaned = clean_file(root / planned.source, study)
            if study.options.clean_pixels and must_read(cleaned.dataset):
                pixels = _clean_pixels(cleaned, planned, study, private)
            outcome = _outcome(planned, cleaned, study, pixels)
        write_file(cleaned.dataset, target / planned.target, study)
    except Refused as refused:
        return Outcome(planned.source, "", refused.problem)
    return outcome


def _clean_head(batch: Batch, study: Study, root: Path, target: Path, private: Path) -> tuple[Outcome, ...]:
    """Clean a head series whole: where its face can't be masked, none of it is written."""
    try:
        with broken_is_refused():
            cleaned = [clean_file(root / planned.source, study) for planned in batch.files]
            picture = mask_faces([one.dataset for one in cleaned])
            outcomes = [
                _outcome(planned, one, study, "face masked") for planned, one in zip(batch.files, cleaned, strict=True)
            ]
        for planned, one in zip(batch.files, cleaned, strict=True):
            write_file(one.dataset, target / planned.target, study)
        write_bytes(private / thumbnail_of(batch.files[0].source, study.project), thumbnail(picture))
    except Refused as refused:
        return tuple(Outcome(planned.source, "", refused.problem) for planned in batch.files)
    return tuple(outcomes)


def _clean_pixels(cleaned: Cleaned, planned: Planned, study: Study, private: Path) -> str:
    reader = open_reader()
    before = decoded(cleaned.dataset)[0]
    try:
        covered = cover_identifiers(cleaned.dataset, study.cleaner(cleaned.patient), reader)
    except Refused:
        write_bytes(private / thumbnail_of(planned.source, study.project, folder="quarantine"), thumbnail(before))
        raise
    if covered:
        after = decoded(cleaned.dataset)[0]
        both = thumbnail(np.concatenate([before, after], axis=1))
        write_bytes(private / thumbnail_of(planned.source, study.project), both)
    return "covered" if covered else "read"


def _outcome(planned: Planned, cleaned: Cleaned, study: Study, pixels: str) -> Outcome:
    dataset = cleaned.dataset
    return Outcome(
        planned.source,
        planned.target,
        actions=tuple((*step, count) for step, count in sorted(cleaned.log.items())),
        texts=kept_texts(dataset, study.kept, study.encoded),
        traits=tuple((name, text) for name in _TRAITS if (text := text_of(dataset, name))),
        pixels=pixels,
        pseudonym=text_of(dataset, "PatientID"),
        modality=text_of(dataset, "Modality"),
    )
