"""Content of other kinds of objects: reports, contours and segments that refer to a series."""

from __future__ import annotations

from pydicom import Dataset, Sequence

from tests.make.identifiers_study import CLASSES, KEPT_WORDS, Study


def _report(study: Study, dataset: Dataset, number: int) -> None:
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


def _contours(study: Study, dataset: Dataset, number: int) -> None:
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


def _segments(study: Study, dataset: Dataset, number: int) -> None:
    series = Dataset()
    series.SeriesInstanceUID = study.series["CT"]
    series.ReferencedInstanceSequence = Sequence([_reference(uid) for uid in study.instances["CT"]])
    dataset.ReferencedSeriesSequence = Sequence([series])
    path = ("ReferencedSeriesSequence",)
    last = (*path, "ReferencedInstanceSequence", "ReferencedSOPInstanceUID")
    _ask_links(study, number, (*path, "SeriesInstanceUID"), last)


def _ask_links(study: Study, number: int, series: tuple[str, ...], instance: tuple[str, ...]) -> None:
    for where, text in ((series, study.series["CT"]), (instance, study.instances["CT"][0])):
        study.key.ask(number, "UID changed", "reference", *where, text=text)
        study.key.ask(number, "UID consistent", "reference", *where, text=text)
        study.key.hide(number, text)


CONTENT = {"SR": _report, "RTSTRUCT": _contours, "SEG": _segments}


def _reference(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CLASSES["CT"], uid
    return item


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
