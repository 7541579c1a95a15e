"""Synthetic patients whose objects carry identifiers everywhere, and the answer key of what must become of each.

Imports nothing from the de-identifier. What is planted, and what is expected, follows from the standard's published
table (`standard/profile.json`, PS3.15 Table E.1-1) read as data; names, numbers and texts are invented here. Each
object has an Instance Number of its own, which no profile touches: by it the scorer finds the object again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset, Sequence
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.make.invented import Person, invent_person

TABLE = Path(__file__).parents[2] / "src/prognoscope/deidentify/standard/profile.json"
Action = Literal[
    "tag retained",
    "text not null",
    "text retained",
    "text removed",
    "date shifted",
    "UID changed",
    "UID consistent",
    "patient ID consistent",
    "pixels hidden",
    "pixels retained",
]
ROOT = "1.2.826.0.1.3680043.10.424."
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.22",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
}
PLAN = ("CT", "CT", "CT", "MR", "MR", "MR", "PT", "PT", "PT", "US", "US", "CR", "SC", "SR", "RTSTRUCT", "SEG")
BURNED = ("US", "CR", "SC")
KEPT_WORDS = "Lesion in left lung, Hodgkin lymphoma and Parkinson disease"
_BINARY = ("OB", "OW", "UN")
_FIXED = frozenset(
    tag_for_keyword(word)
    for word in (  # noqa: SIM905 - a list of words reads better
        "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID PatientID PatientName PatientBirthDate"
        " StudyDate AccessionNumber ContentSequence ReferencedSOPInstanceUID ReferencedFrameOfReferenceUID"
        " EncapsulatedDocument ReferencedImageSequence SourceImageSequence TimezoneOffsetFromUTC SeriesDescription"
        " AcquisitionComments ContentCreatorName ConceptNameCodeSequence IconImageSequence"
        " StudyDescription ImageComments PatientComments OtherPatientIDsSequence StudyTime PatientSex PatientAge"
    ).split()
)


@dataclass(frozen=True)
class Check:
    """One question to the result.

    `where` is the path of keywords from the root, `text` what was planted or must be found.
    """

    instance: int
    action: Action
    surface: str
    where: tuple[str, ...]
    text: str = ""
    box: tuple[int, ...] = (0, 0, 0, 0)


@dataclass
class AnswerKey:
    """All questions, the strings to search for by instance, and the originals by instance number."""

    checks: list[Check] = field(default_factory=list)
    secrets: dict[int, set[str]] = field(default_factory=dict)
    originals: dict[int, Path] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)

    def ask(self, instance: int, action: Action, surface: str, *where: str, text: str = "") -> None:
        self.checks.append(Check(instance, action, surface, where, text))

    def hide(self, instance: int, *texts: str) -> None:
        self.secrets.setdefault(instance, set()).update(texts)


@dataclass(frozen=True)
class Row:
    """A row of the table for one attribute, and the action expected under the chosen options."""

    tag: int
    keyword: str
    vr: str
    expected: str


def rows(options: frozenset[str]) -> tuple[Row, ...]:
    """Read the standard's table under some of its option columns; repeating groups and commands left out."""
    found = []
    for entry in json.loads(TABLE.read_text(encoding="utf-8"))["attributes"]:
        if "X" in entry["tag"] or entry["tag"] == "private" or int(entry["tag"][:4], 16) < 8:
            continue
        tag = int(entry["tag"], 16)
        if tag == 0xFFFAFFFA or not keyword_for_tag(tag):
            continue
        said = [entry[option] for option in sorted(options) if option in entry]
        expected = ("K" if "K" in said else said[0]) if said else entry["basic"]
        if "C" in said and dictionary_VR(tag) in ("DA", "DT"):
            expected = "C"  # one day that stays where all others move would tell by how much they moved
        found.append(Row(tag, keyword_for_tag(tag), dictionary_VR(tag).split(" or ")[0], expected))
    return tuple(found)


def write_patients(
    folder: Path, *, patients: int, seed: int, options: frozenset[str] = frozenset(), burn: bool = False
) -> AnswerKey:
    """Write studies with planted identifiers below a folder.

    Parameters
    ----------
    patients
        Each gets sixteen objects: three CT, MR and PT, two US, one CR, SC, SR, RTSTRUCT and SEG.
    options
        Columns of the table in force (`retain_modified_dates`, …): they decide what is expected, not what is planted.
    burn
        Whether names are drawn into the pixels of US, CR and SC.
    """
    random_ = random.Random(seed)
    table = [row for row in rows(options) if row.tag not in _FIXED]
    key = AnswerKey()
    number = 0
    for _ in range(patients):
        person = invent_person(random_)
        key.people.append(person)
        study = _Study(person, random_, key, options)
        for modality in PLAN:
            number += 1
            share = [table[(number * 41 + step) % len(table)] for step in range(41)]
            dataset = study.object(modality, number, share, burn=burn)
            name = f"{person.family}_{person.given}_{person.patient_id}_{number}.dcm"
            path = folder / f"{person.family}, {person.given}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(dataset, path, person)
            key.originals[number] = path
    return key


class _Study:
    """One study being written: its UIDs, and how identifiers are planted into its objects."""

    def __init__(self, person: Person, random_: random.Random, key: AnswerKey, options: frozenset[str]) -> None:
        self.person, self.random, self.key, self.options = person, random_, key, options
        self.uid = self.new_uid()
        self.frame = self.new_uid()
        self.series = {modality: self.new_uid() for modality in CLASSES}
        self.instances: dict[str, list[str]] = {}

    def new_uid(self) -> str:
        return ROOT + str(self.random.getrandbits(60))

    def object(self, modality: str, number: int, share: list[Row], *, burn: bool) -> Dataset:
        dataset = self._base(modality, number)
        for row in share:
            self._plant(dataset, row, number)
        self._descriptions(dataset, number)
        self._nested(dataset, number)
        self._private(dataset, number)
        self._spelt(dataset, number)
        if modality in ("CT", "MR", "PT", "US", "CR", "SC"):
            self._pixels(dataset, modality, number, burn=burn)
        if modality in _CONTENT:
            _CONTENT[modality](self, dataset, number)
        self.instances.setdefault(modality, []).append(dataset.SOPInstanceUID)
        self.key.hide(number, *self.person.secrets())
        return dataset

    def _base(self, modality: str, number: int) -> Dataset:
        person, dataset = self.person, Dataset()
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.SOPClassUID = CLASSES[modality]
        dataset.SOPInstanceUID = self.new_uid()
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = self.uid, self.series[modality]
        dataset.FrameOfReferenceUID = self.frame
        dataset.PatientName, dataset.PatientID = person.full_name, person.patient_id
        dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = person.birth, "F", "047Y"
        dataset.StudyDate, dataset.StudyTime = person.study, "101500"
        dataset.AccessionNumber, dataset.StudyID = person.accession, "1"
        dataset.ReferringPhysicianName = person.physician
        dataset.Modality = modality
        dataset.Manufacturer, dataset.ManufacturerModelName = "Imaging Works", "Model 5"
        dataset.SeriesNumber, dataset.InstanceNumber = list(CLASSES).index(modality) + 1, number
        dataset.BodyPartExamined = "CHEST"
        ask, hide = self.key.ask, self.key.hide
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
        self._ask_date(number, "StudyDate", person.study, "Z")
        return dataset

    def _plant(self, dataset: Dataset, row: Row, number: int) -> None:
        if row.tag in dataset:
            return
        value, secret = self._value(row, number)
        dataset.add_new(row.tag, row.vr, value)
        if secret:
            self.key.hide(number, secret)
        self._expect(row, number, value, secret)

    def _expect(self, row: Row, number: int, value: Any, secret: str) -> None:
        ask, text = self.key.ask, str(value)
        if row.vr in ("DA", "DT"):
            self._ask_date(number, row.keyword, text, row.expected)
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

    def _value(self, row: Row, number: int) -> tuple[Any, str]:
        """A value of the attribute's kind, and the secret in it (empty where it is no text)."""
        person, word = self.person, f"qz{number}x{row.tag:08x}"
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
            "UI": (self.new_uid(), ""),
            "UR": (f"http://{word}.example/record", word),
            "OB": (word.encode() + b" " * (len(word) % 2), word),
            "UN": (word.encode() + b" " * (len(word) % 2), word),
            "SQ": (self._item(word), word),
        }
        return values.get(row.vr, (word, word))

    def _item(self, word: str) -> Sequence:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "T-1", "99TEST", "Meaning"
        item.InstitutionName = word
        item.PersonName = self.person.name
        return Sequence([item])

    def _ask_date(self, number: int, keyword: str, text: str, expected: str) -> None:
        if expected == "C":
            self.key.ask(number, "date shifted", "date", keyword, text=text)
        elif expected == "K":
            self.key.ask(number, "text retained", "date", keyword, text=text)
        else:
            self.key.ask(number, "text removed", "date", keyword, text=text)

    def _descriptions(self, dataset: Dataset, number: int) -> None:
        person, cleaned = self.person, "clean_descriptors" in self.options
        written = f"{person.study[:4]}-{person.study[4:6]}-{person.study[6:]}"
        texts = {
            "SeriesDescription": f"Chest {person.family} axial",
            "StudyDescription": f"Thorax {person.accession}",
            "ImageComments": f"{KEPT_WORDS}. {person.given} {person.family}, MRN {person.patient_id},"
            f" tel {person.phone}, {person.mail}, at {person.address}."
            f" Seen {written} by Dr. {person.physician.split('^')[0]}.",
            "PatientComments": f"{KEPT_WORDS}; {person.name} of {person.institution}, ID {person.other_id}",
        }
        kept = {"SeriesDescription": "axial", "StudyDescription": "Thorax"}
        for keyword, text in texts.items():
            setattr(dataset, keyword, text)
            if cleaned:
                self.key.ask(number, "text retained", "description", keyword, text=kept.get(keyword, KEPT_WORDS))
            for secret in (*person.secrets(), written):
                if secret in text:
                    self.key.ask(number, "text removed", "description", keyword, text=secret)
        self.key.hide(number, written)

    def _spelt(self, dataset: Dataset, number: int) -> None:
        """Spellings that no element of the study has as they stand, one after the other in a comment."""
        spellings = self.person.spellings()
        dataset.AcquisitionComments = f"{KEPT_WORDS}; " + "; ".join(spellings) + f"; {KEPT_WORDS}"
        for text in spellings:
            self.key.ask(number, "text removed", "spelling", "AcquisitionComments", text=text)
        if "clean_descriptors" in self.options:
            self.key.ask(number, "text retained", "spelling", "AcquisitionComments", text=KEPT_WORDS)
        icon = Dataset()
        icon.SamplesPerPixel, icon.PhotometricInterpretation, icon.PixelRepresentation = 1, "MONOCHROME2", 0
        icon.BitsAllocated, icon.BitsStored, icon.HighBit = 8, 8, 7
        icon.Rows, icon.Columns, icon.PixelData = 4, len(self.person.family), self.person.family.encode() * 4
        dataset.IconImageSequence = Sequence([icon])
        self.key.ask(number, "text removed", "icon", "IconImageSequence", "PixelData", text=self.person.family)

    def _nested(self, dataset: Dataset, number: int) -> None:
        person, uid = self.person, self.new_uid()
        deep = Dataset()
        deep.PatientName, deep.InstitutionName = person.name, person.institution
        deep.ReferencedSOPClassUID, deep.ReferencedSOPInstanceUID = CLASSES["CT"], uid
        region = Dataset()
        region.CodeValue, region.CodingSchemeDesignator = "39607008", "SCT"
        region.CodeMeaning = "Lung structure"
        own = deep.private_block(0x0043, f"ACME {person.family}", create=True)
        own.add_new(0x01, "LO", person.name)
        region.AnatomicRegionModifierSequence = Sequence([deep])
        dataset.AnatomicRegionSequence = Sequence([region])
        other = Dataset()
        other.PatientID, other.TypeOfPatientID = person.other_id, "TEXT"
        dataset.OtherPatientIDsSequence = Sequence([other])
        path = ("AnatomicRegionSequence", "AnatomicRegionModifierSequence")
        ask = self.key.ask
        ask(number, "text retained", "sequence", "AnatomicRegionSequence", "CodeMeaning", text="Lung structure")
        ask(number, "text removed", "sequence", *path, "PatientName", text=person.family)
        ask(number, "text removed", "private", *path, "(0043,0010)", text=person.family)
        ask(number, "text removed", "private", *path, "(0043,1001)", text=person.family)
        ask(number, "text removed", "sequence", *path, "InstitutionName", text=person.institution)
        ask(number, "UID changed", "sequence", *path, "ReferencedSOPInstanceUID", text=uid)
        ask(number, "UID consistent", "sequence", *path, "ReferencedSOPInstanceUID", text=uid)
        ask(number, "text removed", "sequence", "OtherPatientIDsSequence", "PatientID", text=person.other_id)
        self.key.hide(number, uid)

    def _private(self, dataset: Dataset, number: int) -> None:
        block = dataset.private_block(0x0099, "ACME PATIENTS", create=True)
        block.add_new(0x01, "LO", self.person.name)
        block.add_new(0x02, "UN", self.person.patient_id.encode() + b" " * (len(self.person.patient_id) % 2))
        self.key.ask(number, "text removed", "private", "(0099,1001)", text=self.person.family)
        if dataset.Modality == "PT":
            safe = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
            safe.add_new(0x00, "DS", "0.000321")
            if "retain_safe_private" in self.options:
                self.key.ask(number, "text retained", "private", "(7053,1000)", text="0.000321")
            else:
                self.key.ask(number, "text removed", "private", "(7053,1000)", text="0.000321")

    def _pixels(self, dataset: Dataset, modality: str, number: int, *, burn: bool) -> None:
        colour = modality in ("US", "SC")
        size = 256 if modality in BURNED else 32
        noise = np.random.default_rng(number).integers(20, 60, (size, size), dtype=np.uint8)
        picture = Image.fromarray(noise)
        if burn and modality in BURNED:
            lines = [(12, 16, 0, self.person.family + " " + self.person.given), (36, 16, 0, self.person.patient_id)]
            lines += [(56, 9, 180, f"{self.person.given} {self.person.birth}")]  # small, and on its head
            for top, points, turned, text in lines:
                box = _draw(picture, (10, top), text, points, turned)
                self.key.checks.append(Check(number, "pixels hidden", "pixels", ("PixelData",), text, box))
        values = np.asarray(picture)
        free = (80 if modality in BURNED else 0, 0, size, size)
        self.key.checks.append(Check(number, "pixels retained", "pixels", ("PixelData",), "", free))
        values = np.repeat(values[:, :, None], 3, axis=2) if colour else values.astype("<u2") * 8
        if modality == "US" and self.instances.get("US"):
            # A film: the frames before and after are the same noise, and only the one in the middle has the text.
            plain = np.repeat(noise[:, :, None], 3, axis=2)
            values = np.stack([plain, values, plain])
            dataset.NumberOfFrames, dataset.FrameTime = 3, "40"
        dataset.Rows = dataset.Columns = size
        dataset.SamplesPerPixel = 3 if colour else 1
        dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
        if colour:
            dataset.PlanarConfiguration = 0
        dataset.BitsAllocated = 8 * values.dtype.itemsize
        dataset.BitsStored, dataset.HighBit = dataset.BitsAllocated, dataset.BitsAllocated - 1
        dataset.PixelRepresentation = 0
        dataset.PixelData = values.tobytes()
        if modality == "MR":
            dataset.PixelData += self.person.family.encode() + b" " * (len(self.person.family) % 2)
        if colour:
            dataset.ICCProfile = b"\0\0\2\0" + self.person.family.encode() + b"\0" * (len(self.person.family) % 2)
            self.key.ask(number, "text removed", "binary", "ICCProfile", text=self.person.family)
        if modality in BURNED:
            dataset.BurnedInAnnotation = "YES" if burn else "NO"
        if modality == "CT":
            _draw_into_spare_bit(dataset, self.person.family)
            self.key.checks.append(
                Check(number, "pixels hidden", "overlay", ("PixelData", "bit 15"), self.person.family)
            )
            dataset.add_new(0x60003000, "OW", self.person.family.encode() + b" " * (len(self.person.family) % 2))
            dataset.add_new(0x60004000, "LT", f"overlay of {self.person.name}")
            self.key.ask(number, "text removed", "overlay", "(6000,4000)", text=self.person.family)


def _draw(picture: Image.Image, place: tuple[int, int], text: str, points: int, turned: int) -> tuple[int, ...]:
    """Draw a line of text at a place (from the left, from the top); return `(top, left, bottom, right)` of it."""
    font = ImageFont.load_default(size=points)
    ink = Image.new("L", (picture.width, 2 * points))
    ImageDraw.Draw(ink).text((2, 2), text, fill=255, font=font)
    ink = ink.crop(ink.getbbox()).rotate(turned)
    picture.paste(250, place, ink)
    return place[1], place[0], place[1] + ink.height, place[0] + ink.width


def _draw_into_spare_bit(dataset: Dataset, text: str) -> None:
    """Write a name as an overlay into the highest bit of the pixels, of which the image uses twelve."""
    drawn = Image.new("1", (dataset.Columns, dataset.Rows))
    ImageDraw.Draw(drawn).text((1, 8), text, fill=1, font=ImageFont.load_default(size=10))
    dataset.BitsStored, dataset.HighBit = 12, 11
    values = np.frombuffer(dataset.PixelData, "<u2") | (np.asarray(drawn, dtype="<u2").ravel() << 15)
    dataset.PixelData = values.astype("<u2").tobytes()
    for element, vr, value in (
        (0x0010, "US", dataset.Rows),
        (0x0011, "US", dataset.Columns),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 16),
        (0x0102, "US", 15),
    ):
        dataset.add_new(0x60020000 + element, vr, value)


def _report(study: _Study, dataset: Dataset, number: int) -> None:
    person = study.person
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    text, observer = Dataset(), Dataset()
    text.RelationshipType, text.ValueType = "CONTAINS", "TEXT"
    title = f"Report on {person.given} {person.family}"
    dataset.ConceptNameCodeSequence = Sequence([_code("126000", title)])
    study.key.ask(number, "text removed", "report", "ConceptNameCodeSequence", "CodeMeaning", text=person.family)
    study.key.ask(number, "text retained", "report", "ConceptNameCodeSequence", "CodeMeaning", text="Report on")
    text.ConceptNameCodeSequence = Sequence([_code("121071", "Finding")])
    text.TextValue = f"{KEPT_WORDS} in {person.given} {person.family} ({person.patient_id}), call {person.phone}."
    observer.RelationshipType, observer.ValueType = "HAS OBS CONTEXT", "PNAME"
    observer.ConceptNameCodeSequence = Sequence([_code("121008", "Person Observer Name")])
    observer.PersonName = person.physician
    dataset.ContentSequence = Sequence([text, observer])
    ask = study.key.ask
    for secret in (person.family, person.given, person.patient_id, person.phone):
        ask(number, "text removed", "report", "ContentSequence", "TextValue", text=secret)
    ask(number, "tag retained", "report", "ContentSequence", "TextValue")
    ask(number, "text not null", "report", "ContentSequence", "TextValue")
    if "clean_structured_content" in study.options:
        ask(number, "text retained", "report", "ContentSequence", "TextValue", text=KEPT_WORDS)


def _contours(study: _Study, dataset: Dataset, number: int) -> None:
    series, reference, study_item, roi = Dataset(), Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = study.series["CT"]
    series.ContourImageSequence = Sequence([_reference(uid) for uid in study.instances["CT"]])
    study_item.ReferencedSOPClassUID, study_item.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", study.uid
    study_item.RTReferencedSeriesSequence = Sequence([series])
    reference.FrameOfReferenceUID = study.frame
    reference.RTReferencedStudySequence = Sequence([study_item])
    dataset.ReferencedFrameOfReferenceSequence = Sequence([reference])
    roi.ROINumber, roi.ReferencedFrameOfReferenceUID, roi.ROIName = 1, study.frame, f"GTV_{study.person.family}"
    roi.ROIGenerationAlgorithm = "MANUAL"
    dataset.StructureSetROISequence = Sequence([roi])
    where = ("StructureSetROISequence", "ROIName")
    study.key.ask(number, "text removed", "region", *where, text=study.person.family)
    if "clean_descriptors" in study.options:
        study.key.ask(number, "text retained", "region", *where, text="GTV")
    path = ("ReferencedFrameOfReferenceSequence", "RTReferencedStudySequence", "RTReferencedSeriesSequence")
    _ask_links(study, number, (*path, "SeriesInstanceUID"), (*path, "ContourImageSequence", "ReferencedSOPInstanceUID"))


def _segments(study: _Study, dataset: Dataset, number: int) -> None:
    series = Dataset()
    series.SeriesInstanceUID = study.series["CT"]
    series.ReferencedInstanceSequence = Sequence([_reference(uid) for uid in study.instances["CT"]])
    dataset.ReferencedSeriesSequence = Sequence([series])
    path = ("ReferencedSeriesSequence",)
    last = (*path, "ReferencedInstanceSequence", "ReferencedSOPInstanceUID")
    _ask_links(study, number, (*path, "SeriesInstanceUID"), last)


def _ask_links(study: _Study, number: int, series: tuple[str, ...], instance: tuple[str, ...]) -> None:
    for where, text in ((series, study.series["CT"]), (instance, study.instances["CT"][0])):
        study.key.ask(number, "UID changed", "reference", *where, text=text)
        study.key.ask(number, "UID consistent", "reference", *where, text=text)
        study.key.hide(number, text)


_CONTENT = {"SR": _report, "RTSTRUCT": _contours, "SEG": _segments}


def _reference(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CLASSES["CT"], uid
    return item


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _write(dataset: Dataset, path: Path, person: Person) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = person.family[:16]
    preamble = person.name.encode()[:128].ljust(128, b"\0")
    FileDataset(str(path), dataset, preamble=preamble, file_meta=meta).save_as(path, enforce_file_format=True)


def all_secrets(key: AnswerKey) -> Iterator[str]:
    """Every planted string, once."""
    yield from sorted({secret for some in key.secrets.values() for secret in some})
