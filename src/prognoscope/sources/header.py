"""The header of one DICOM file → `Instance`: what it is, whose it is, and where its planes lie."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.instance import Instance, Kind, Person, Plane, Region, Tracer, Triple
from prognoscope.sources.outline import Outline

# Name of a property that tells volumes of one series apart → the attributes that may hold it, in order of preference.
VOLUME_KEYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("phase", ("TemporalPositionIdentifier", "TemporalPositionIndex")),
    ("cardiac phase", ("NominalPercentageOfCardiacPhase",)),
    ("trigger time", ("TriggerTime",)),
    ("b-value", ("DiffusionBValue",)),
    ("echo time", ("EchoTime", "EffectiveEchoTime")),
    ("echo number", ("EchoNumbers",)),
    ("inversion time", ("InversionTime",)),
    ("flip angle", ("FlipAngle",)),
    ("image type", ("ImageType", "FrameType")),
    ("kernel", ("ConvolutionKernel",)),
    ("acquisition", ("AcquisitionNumber",)),
    ("stack", ("StackID",)),
    ("frame reference time", ("FrameReferenceTime",)),
    ("acquisition time", ("AcquisitionDateTime", "AcquisitionTime")),
    ("content time", ("ContentTime",)),
)
PLAIN = (
    *("SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "PatientID", "PatientName"),
    *("PatientBirthDate", "PatientSex", "PatientWeight", "StudyInstanceUID", "SeriesInstanceUID", "StudyID"),
    *("AccessionNumber", "FrameOfReferenceUID", "SeriesDescription", "AcquisitionDate", "SeriesDate", "StudyDate"),
    *("Manufacturer", "ManufacturerModelName", "InstitutionName", "Rows", "Columns", "PhotometricInterpretation"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"),
    *("SeriesTime", "Units", "SUVType", "DecayCorrection", "RadiopharmaceuticalInformationSequence"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "NumberOfFrames", "SamplesPerPixel"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration"),
    *("StructureSetLabel", "StructureSetDate", "ReferencedFrameOfReferenceSequence", "StructureSetROISequence"),
    "ROIContourSequence",
)
PHILIPS_SUV, PHILIPS_BQML, PHILIPS_CREATOR = 0x70531000, 0x70531009, 0x70530010
WANTED = frozenset(
    tag for word in (*PLAIN, *(word for _, words in VOLUME_KEYS for word in words)) if (tag := tag_for_keyword(word))
) | {PHILIPS_CREATOR, PHILIPS_SUV, PHILIPS_BQML}
SEQUENCES = frozenset(tag_for_keyword(word) for word in PLAIN if word.endswith("Sequence"))
MULTI_FRAME = "PerFrameFunctionalGroupsSequence"
EMPTY = Dataset()
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def read_instance(found: Outline, *, subject: str) -> Instance:
    """Parse the elements of an outline to an `Instance`; small departures from the standard become its notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with guarded(subject):
            header = read_dataset(BytesIO(found.excerpt()), found.implicit, found.little)
            instance = _describe(header, found, subject)
            _touch(header)
    notes = sorted({_kind_of(str(entry.message)) for entry in caught})
    return replace(instance, notes=tuple(notes))


@contextmanager
def guarded(subject: str) -> Iterator[None]:
    """Turn what pydicom raises on a damaged header into a problem that names the file."""
    try:
        yield
    except RecursionError as error:
        raise refuse(
            "dicom-too-deep", subject=subject, found="its sequences are nested too deep", remedy="leave the file out"
        ) from error
    except (ValueError, TypeError, OverflowError, EOFError, NotImplementedError, LookupError, AttributeError) as error:
        raise refuse(
            "dicom-damaged",
            subject=subject,
            found=f"a value in its header cannot be read ({error})",
            remedy="export the file again from its source",
        ) from error


def _touch(header: Dataset) -> None:
    """Convert every plain value once, so that values which break the rules are noticed."""
    for tag in [element.tag for element in header.values()]:
        if tag not in SEQUENCES:
            _ = header[tag].value


def _kind_of(message: str) -> str:
    if "exceeds the maximum length" in message:
        return f"a value is longer than its type {message.rstrip('.').rsplit(' ', 1)[-1]} allows"
    if "encoding" in message.lower() or "character set" in message.lower():
        return "the character set is unknown or does not fit the text"
    if "Invalid value for VR" in message:
        return f"a value breaks the rules of its type {message.split('VR ', 1)[1][:2]}"
    return message.split("\n", 1)[0][:120]


def _describe(header: Dataset, found: Outline, subject: str) -> Instance:
    planes = tuple(_planes(header, subject))
    kind: Kind = "image" if found.pixels and _text(header, "Rows") else "other"
    if _text(header, "SOPClassUID") == RTSTRUCT:
        kind = "regions"
    return Instance(
        kind=kind,
        sop_class=_text(header, "SOPClassUID"),
        sop_uid=_text(header, "SOPInstanceUID"),
        modality=_text(header, "Modality"),
        patient_id=_text(header, "PatientID"),
        person=_person(header),
        study_uid=_text(header, "StudyInstanceUID"),
        series_uid=_text(header, "SeriesInstanceUID"),
        frame_of_reference=_frame_of_reference(header),
        description=_text(header, "SeriesDescription"),
        date=_date(header, kind),
        image_type=tuple(_text(header, "ImageType").split("\\")),
        rows=_whole(header, "Rows"),
        columns=_whole(header, "Columns"),
        photometric=_text(header, "PhotometricInterpretation"),
        planes=planes if kind == "image" else (),
        pixel_hash=_pixel_hash(found) if kind == "image" else "",
        tracer=_tracer(header, subject) if _text(header, "Modality") == "PT" else None,
        label=_text(header, "StructureSetLabel"),
        referenced_series=_referenced_series(header),
        regions=_regions(header, subject) if kind == "regions" else (),
        manufacturer=_text(header, "Manufacturer"),
        scanner=_text(header, "ManufacturerModelName"),
        centre=_text(header, "InstitutionName"),
    )


def _text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    if value is None:
        return ""
    if not isinstance(value, (str, bytes)) and isinstance(value, Sequence):
        return "\\".join(str(part).strip() for part in value)
    return str(value).strip().strip("\0").strip()


def _number(header: Dataset, keyword: str, subject: str) -> float | None:
    value = header.get(keyword)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise _bad_value(subject, keyword, value) from error
    if not math.isfinite(number):
        raise _bad_value(subject, keyword, value)
    return number


def _numbers(header: Dataset, keyword: str, count: int, subject: str) -> tuple[float, ...] | None:
    value = header.get(keyword)
    if value is None or value == "":
        return None
    try:
        numbers = tuple(float(part) for part in value)
    except (TypeError, ValueError) as error:
        raise _bad_value(subject, keyword, value) from error
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise _bad_value(subject, keyword, value)
    return numbers


def _bad_value(subject: str, keyword: str, value: object) -> Refused:
    return refuse(
        "dicom-value",
        subject=subject,
        found=f"{keyword} is {str(value)[:80]!r}",
        remedy="export the file again from its source",
    )


def _whole(header: Dataset, keyword: str) -> int:
    value = header.get(keyword)
    return int(value) if isinstance(value, int) else 0


def _first(header: Dataset, keyword: str) -> Dataset:
    items = header.get(keyword)
    return items[0] if items else EMPTY


def _person(header: Dataset) -> Person:
    name = " ".join(_text(header, "PatientName").replace("^", " ").casefold().split())
    return Person(_digest(_text(header, "PatientBirthDate")), _text(header, "PatientSex"), _digest(name))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else ""


def _date(header: Dataset, kind: Kind) -> str | None:
    own = ("StructureSetDate",) if kind == "regions" else ("AcquisitionDate",)
    for keyword in (*own, "SeriesDate", "StudyDate"):
        text = _text(header, keyword)
        if len(text) == 8 and text.isdigit():
            return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return None


def _planes(header: Dataset, subject: str) -> Iterator[Plane]:
    frames = header.get(MULTI_FRAME)
    if not frames:
        for _ in range(max(_whole(header, "NumberOfFrames"), 1)):
            yield _plane((header,), subject)
        return
    shared = _first(header, "SharedFunctionalGroupsSequence")
    for frame in frames:
        yield _plane((frame, shared, header), subject)


# Functional group that holds an attribute in an enhanced multi-frame object (PS3.3 C.7.6.16).
GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "TemporalPositionIndex": "FrameContentSequence",
    "StackID": "FrameContentSequence",
    "EffectiveEchoTime": "MREchoSequence",
    "DiffusionBValue": "MRDiffusionSequence",
    "NominalPercentageOfCardiacPhase": "CardiacSynchronizationSequence",
    "ConvolutionKernel": "CTReconstructionSequence",
}
FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")


def _holder(places: tuple[Dataset, ...], keyword: str) -> Dataset:
    """Return the first of the places, or of the functional groups in them, that holds an attribute."""
    if len(places) == 1:
        return places[0]
    groups = FRAME_TYPES if keyword == "FrameType" else (GROUPS.get(keyword, ""),)
    for place in places:
        if keyword in place:
            return place
        for group in groups:
            inner = _first(place, group) if group else EMPTY
            if keyword in inner:
                return inner
    return EMPTY


def _plane(places: tuple[Dataset, ...], subject: str) -> Plane:
    def numbers(keyword: str, count: int) -> tuple[float, ...] | None:
        return _numbers(_holder(places, keyword), keyword, count, subject)

    def number(keyword: str, absent: float) -> float:
        found = _number(_holder(places, keyword), keyword, subject)
        return absent if found is None else found

    position, axes = numbers("ImagePositionPatient", 3), numbers("ImageOrientationPatient", 6)
    spacing = numbers("PixelSpacing", 2)
    keys = []
    for name, words in VOLUME_KEYS:
        values = [text for word in words if (text := _text(_holder(places, word), word))]
        # In a multi-frame file the frame's own value (named last) says more than the file's.
        if values:
            keys.append((name, values[-1] if len(places) > 1 else values[0]))
    return Plane(
        position=_triple(position),
        row=_triple(axes[:3]) if axes else None,
        column=_triple(axes[3:]) if axes else None,
        spacing=(spacing[0], spacing[1]) if spacing else None,
        slope=number("RescaleSlope", 1.0),
        intercept=number("RescaleIntercept", 0.0),
        keys=tuple(sorted(keys)),
    )


def _triple(numbers: tuple[float, ...] | None) -> Triple | None:
    return (numbers[0], numbers[1], numbers[2]) if numbers else None


def _pixel_hash(found: Outline) -> str:
    start, end = found.pixels or (0, 0)
    return hashlib.sha256(memoryview(found.data)[start:end]).hexdigest()[:32]


def _tracer(header: Dataset, subject: str) -> Tracer:
    drug = _first(header, "RadiopharmaceuticalInformationSequence")
    begun = _text(drug, "RadiopharmaceuticalStartDateTime") or _text(drug, "RadiopharmaceuticalStartTime")
    return Tracer(
        units=_text(header, "Units"),
        suv_type=_text(header, "SUVType"),
        decay_correction=_text(header, "DecayCorrection"),
        dose_bq=_number(drug, "RadionuclideTotalDose", subject),
        half_life_s=_number(drug, "RadionuclideHalfLife", subject),
        weight_kg=_number(header, "PatientWeight", subject),
        injected=begun,
        series_time=_text(header, "SeriesDate") + _text(header, "SeriesTime"),
        acquisition_time=_text(header, "AcquisitionDateTime")
        or _text(header, "AcquisitionDate") + _text(header, "AcquisitionTime"),
        philips_suv=_private(header, PHILIPS_SUV),
        philips_bqml=_private(header, PHILIPS_BQML),
    )


def _private(header: Dataset, tag: int) -> float | None:
    if tag not in header or not str(header[PHILIPS_CREATOR].value).startswith("Philips PET"):
        return None
    value = header[tag].value
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    try:
        number = float(text.strip().strip("\0"))
    except ValueError:
        return None
    return number if number > 0 and math.isfinite(number) else None


def _frame_of_reference(header: Dataset) -> str:
    own = _text(header, "FrameOfReferenceUID")
    return own or _text(_first(header, "ReferencedFrameOfReferenceSequence"), "FrameOfReferenceUID")


def _referenced_series(header: Dataset) -> tuple[str, ...]:
    return tuple(
        _text(series, "SeriesInstanceUID")
        for frame in header.get("ReferencedFrameOfReferenceSequence") or ()
        for study in frame.get("RTReferencedStudySequence") or ()
        for series in study.get("RTReferencedSeriesSequence") or ()
    )


def _regions(header: Dataset, subject: str) -> tuple[Region, ...]:
    counts: dict[int, int] = {}
    for entry in header.get("ROIContourSequence") or ():
        number = _number(entry, "ReferencedROINumber", subject)
        counts[int(number or 0)] = len(entry.get("ContourSequence") or ())
    return tuple(
        Region(
            number=int(_number(entry, "ROINumber", subject) or 0),
            name=_text(entry, "ROIName"),
            frame_of_reference=_text(entry, "ReferencedFrameOfReferenceUID"),
            contours=counts.get(int(_number(entry, "ROINumber", subject) or 0), 0),
        )
        for entry in header.get("StructureSetROISequence") or ()
    )
