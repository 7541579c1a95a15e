"""Attributes: what identifies every object, and rows of the standard's table with a value each."""

from __future__ import annotations

from typing import Any

from pydicom import Dataset, Sequence
from pydicom.datadict import tag_for_keyword

from tests.make.identifiers_key import Row
from tests.make.identifiers_study import CLASSES, Study

_BINARY = ("OB", "OW", "UN")
FIXED = frozenset(
    tag_for_keyword(word)
    for word in (  # noqa: SIM905 - a list of words reads better
        "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID PatientID PatientName PatientBirthDate"
        " StudyDate AccessionNumber ContentSequence ReferencedSOPInstanceUID ReferencedFrameOfReferenceUID"
        " EncapsulatedDocument ReferencedImageSequence SourceImageSequence TimezoneOffsetFromUTC SeriesDescription"
        " AcquisitionComments ContentCreatorName ConceptNameCodeSequence IconImageSequence"
        " StudyDescription ImageComments PatientComments OtherPatientIDsSequence StudyTime PatientSex PatientAge"
    ).split()
)


def common(study: Study, modality: str, number: int) -> Dataset:
    """An object of a modality with the attributes that all have."""
    person, dataset = study.person, Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = CLASSES[modality]
    dataset.SOPInstanceUID = study.new_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study.uid, study.series[modality]
    dataset.FrameOfReferenceUID = study.frame
    dataset.PatientName, dataset.PatientID = person.full_name, person.patient_id
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = person.birth, "F", "047Y"
    dataset.StudyDate, dataset.StudyTime = person.study, "101500"
    dataset.AccessionNumber, dataset.StudyID = person.accession, "1"
    dataset.ReferringPhysicianName = person.physician
    dataset.Modality = modality
    dataset.Manufacturer, dataset.ManufacturerModelName = "Imaging Works", "Model 5"
    dataset.SeriesNumber, dataset.InstanceNumber = list(CLASSES).index(modality) + 1, number
    dataset.BodyPartExamined = "CHEST"
    ask, hide = study.key.ask, study.key.hide
    for uid in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        ask(number, "UID changed", "tag", uid, text=str(dataset[uid].value))
        ask(number, "UID consistent", "tag", uid, text=str(dataset[uid].value))
        hide(number, str(dataset[uid].value))
    ask(number, "patient ID consistent", "tag", "PatientID", text=person.patient_id)
    for name in ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "ReferringPhysicianName"):
        ask(number, "text removed", "tag", name, text=str(dataset[name].value))
        ask(number, "tag retained", "tag", name)
    for name in ("SOPClassUID", "Modality", "Manufacturer", "ManufacturerModelName", "BodyPartExamined"):
        ask(number, "text retained", "tag", name, text=str(dataset[name].value))
    _ask_date(study, number, "StudyDate", person.study, "Z")
    return dataset


def plant(study: Study, dataset: Dataset, row: Row, number: int) -> None:
    """Give an object the attribute of a row, with a secret in it where it can hold one."""
    if row.tag in dataset:
        return
    value, secret = _value(study, row, number)
    dataset.add_new(row.tag, row.vr, value)
    if secret:
        study.key.hide(number, secret)
    _expect(study, row, number, value, secret)


def _expect(study: Study, row: Row, number: int, value: Any, secret: str) -> None:
    ask, text = study.key.ask, str(value)
    if row.vr in ("DA", "DT"):
        _ask_date(study, number, row.keyword, text, row.expected)
    elif row.vr == "UI" and row.expected == "U":
        ask(number, "UID changed", "tag", row.keyword, text=text)
        ask(number, "UID consistent", "tag", row.keyword, text=text)
    elif row.expected in ("C", "K") and row.vr not in _BINARY:
        kept = {"SQ": "Meaning"}.get(row.vr, "Lesion" if secret else text)
        ask(number, "text retained", "tag", row.keyword, text=kept)
    if secret and row.vr != "UI":
        ask(number, "text removed", "tag", row.keyword, text=secret)
    if row.expected in ("D", "Z"):
        ask(number, "tag retained", "tag", row.keyword)
    if row.expected == "D":
        ask(number, "text not null", "tag", row.keyword)


def _value(study: Study, row: Row, number: int) -> tuple[Any, str]:
    """A value of the attribute's kind, and the secret in it (empty where it is no text)."""
    person, word = study.person, f"qz{number}x{row.tag:08x}"
    if row.expected in ("C", "K") and row.vr in ("LO", "SH", "ST", "LT", "UT", "UC"):
        if row.expected == "K":
            return "Lesion type 4", ""
        whose = person.given if row.vr in ("LO", "SH") else f"of {person.family} {person.given}"
        return f"Lesion {whose}", person.given
    if row.expected in ("C", "K") and row.vr in ("AE", "CS"):
        return "LESION_4", ""
    if row.vr in ("US", "UL", "SS", "SL", "FD", "FL", "AT", "OW"):
        return (1.5 if row.vr in ("FD", "FL") else b"\0\0" if row.vr == "OW" else 1), ""
    values: dict[str, tuple[Any, str]] = {
        "PN": (f"{word}^{person.family}", word),
        "DA": (person.scan, ""),
        "DT": (f"{person.scan}093015.25", ""),
        "TM": ("093015", ""),
        "AS": ("047Y", ""),
        "CS": (word.upper()[:16], word.upper()[:16]),
        "AE": (word[:16], word[:16]),
        "SH": (word[:16], word[:16]),
        "DS": ("1.73", ""),
        "IS": ("42", ""),
        "UI": (study.new_uid(), ""),
        "UR": (f"http://{word}.example/record", word),
        "OB": (word.encode() + b" " * (len(word) % 2), word),
        "UN": (word.encode() + b" " * (len(word) % 2), word),
        "SQ": (_item(study, word), word),
    }
    return values.get(row.vr, (word, word))


def _item(study: Study, word: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "T-1", "99TEST", "Meaning"
    item.InstitutionName = word
    item.PersonName = study.person.name
    return Sequence([item])


def _ask_date(study: Study, number: int, keyword: str, text: str, expected: str) -> None:
    if expected == "C":
        study.key.ask(number, "date shifted", "date", keyword, text=text)
    elif expected == "K":
        study.key.ask(number, "text retained", "date", keyword, text=text)
    else:
        study.key.ask(number, "text removed", "date", keyword, text=text)
