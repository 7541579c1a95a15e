"""Synthetic patients whose objects carry identifiers everywhere, and the answer key of what must become of each.

Imports nothing from the de-identifier. What is planted, and what is expected, follows from the standard's published
table (PS3.15 Table E.1-1) read as data; names, numbers and texts are invented here. Each object has an Instance Number
of its own, which no profile touches: by it the scorer finds the object again.

`identifiers_key.py` has the questions, `identifiers_attributes.py`, `_texts.py`, `_pixels.py` and `_content.py` what is
planted, `identifiers_scorer.py` asks.
"""

from __future__ import annotations

import random
from pathlib import Path

from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.make.identifiers_attributes import FIXED, common, plant
from tests.make.identifiers_content import CONTENT
from tests.make.identifiers_key import AnswerKey, Row, rows
from tests.make.identifiers_pixels import plant_pixels
from tests.make.identifiers_study import Study
from tests.make.identifiers_texts import plant_descriptions, plant_nested, plant_private, plant_spelt
from tests.make.invented import Person, invent_person

PLAN = ("CT", "CT", "CT", "MR", "MR", "MR", "PT", "PT", "PT", "US", "US", "CR", "SC", "SR", "RTSTRUCT", "SEG")
WITH_PIXELS = frozenset({"CT", "MR", "PT", "US", "CR", "SC"})
ROWS_AN_OBJECT = 41  # of the table; a prime, so that each kind of object meets each row after some patients


def write_patients(
    folder: Path, *, patients: int, seed: int, options: frozenset[str] = frozenset(), burned: int = 0
) -> AnswerKey:
    """Write studies with planted identifiers below a folder.

    Parameters
    ----------
    patients
        Each gets sixteen objects: three CT, MR and PT, two US, one CR, SC, SR, RTSTRUCT and SEG.
    options
        Columns of the table in force (`retain_modified_dates`, …): they decide what is expected, not what is planted.
    burned
        Of how many patients, the first ones, names are drawn into the pixels of US, CR and SC.
    """
    random_ = random.Random(seed)
    table = [row for row in rows(options) if row.tag not in FIXED]
    key = AnswerKey()
    number = 0
    for place in range(patients):
        person = invent_person(random_)
        key.people.append(person)
        study = Study(person, random_, key, options)
        for modality in PLAN:
            number += 1
            share = [table[(number * ROWS_AN_OBJECT + step) % len(table)] for step in range(ROWS_AN_OBJECT)]
            dataset = _object(study, modality, number, share, burn=place < burned)
            name = f"{person.family}_{person.given}_{person.patient_id}_{number}.dcm"
            path = folder / f"{person.family}, {person.given}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(dataset, path, person)
            key.originals[number] = path
    return key


def _object(study: Study, modality: str, number: int, share: list[Row], *, burn: bool) -> Dataset:
    dataset = common(study, modality, number)
    for row in share:
        plant(study, dataset, row, number)
    plant_descriptions(study, dataset, number)
    plant_nested(study, dataset, number)
    plant_private(study, dataset, number)
    plant_spelt(study, dataset, number)
    if modality in WITH_PIXELS:
        plant_pixels(study, dataset, modality, number, burn=burn)
    if modality in CONTENT:
        CONTENT[modality](study, dataset, number)
    study.instances.setdefault(modality, []).append(dataset.SOPInstanceUID)
    study.key.hide(number, *study.person.secrets())
    return dataset


def _write(dataset: Dataset, path: Path, person: Person) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = person.family[:16]
    preamble = person.name.encode()[:128].ljust(128, b"\0")
    FileDataset(str(path), dataset, preamble=preamble, file_meta=meta).save_as(path, enforce_file_format=True)
