"""The header of one DICOM file → `Instance`: what it is, whose it is, and where its planes lie."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from prognoscope.sources.attributes import Attributes, tag_and_vr
from prognoscope.sources.classes import RTSTRUCT, VOLUME_CLASSES
from prognoscope.sources.instance import Instance, Kind, Person, Plane, Region, Tracer, Triple
from prognoscope.sources.outline import BIG_ENDIAN, DEFLATED, IMPLICIT, Outline, damaged

# Name of a property that tells volumes of one series apart → the attributes that may hold it. The order is that in
# which they are tried; in a multi-frame file the attribute named last, the frame's own, counts.
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
    tag_and_vr(keyword)[0] for keyword in (*PLAIN, *(word for _, words in VOLUME_KEYS for word in words))
) | {PHILIPS_CREATOR, PHILIPS_SUV, PHILIPS_BQML}
# Functional group that holds an attribute in an enhanced multi-frame object (PS3.3 C.7.6.16).
GROUPS = {
    "ImagePositionPatient": ("PlanePositionSequence",),
    "ImageOrientationPatient": ("PlaneOrientationSequence",),
    "PixelSpacing": ("PixelMeasuresSequence",),
    "RescaleSlope": ("PixelValueTransformationSequence",),
    "RescaleIntercept": ("PixelValueTransformationSequence",),
    "TemporalPositionIndex": ("FrameContentSequence",),
    "StackID": ("FrameContentSequence",),
    "EffectiveEchoTime": ("MREchoSequence",),
    "DiffusionBValue": ("MRDiffusionSequence",),
    "NominalPercentageOfCardiacPhase": ("CardiacSynchronizationSequence",),
    "ConvolutionKernel": ("CTReconstructionSequence",),
    "FrameType": ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence"),
}
NATIVE = frozenset({IMPLICIT, "1.2.840.10008.1.2.1", DEFLATED, BIG_ENDIAN})


def read_instance(found: Outline) -> Instance:
    """Make the `Instance` of a file from its outline; small departures from the standard become its notes."""
    header = Attributes.of(found)
    for noticed in ("StudyID", "AccessionNumber"):
        header.text(noticed)
    sop_class = header.text("SOPClassUID")
    kind: Kind = "regions" if sop_class == RTSTRUCT else "other"
    if sop_class in VOLUME_CLASSES or (found.pixels and header.whole("Rows")):
        kind = "image"
    damage = _damage(found, header, kind)
    modality = header.text("Modality")
    return Instance(
        kind=kind,
        sop_class=sop_class,
        sop_uid=header.text("SOPInstanceUID"),
        modality=modality,
        patient_id=header.text("PatientID"),
        person=_person(header),
        study_uid=header.text("StudyInstanceUID"),
        series_uid=header.text("SeriesInstanceUID"),
        frame_of_reference=_frame_of_reference(header),
        description=header.text("SeriesDescription"),
        date=_date(header, kind),
        image_type=tuple(header.text("ImageType").split("\\")),
        rows=header.whole("Rows"),
        columns=header.whole("Columns"),
        photometric=header.text("PhotometricInterpretation"),
        planes=tuple(_planes(header)) if kind == "image" and not damage else (),
        pixel_hash=_pixel_hash(found) if kind == "image" else "",
        tracer=_tracer(header) if modality == "PT" else None,
        label=header.text("StructureSetLabel"),
        referenced_series=_referenced_series(header),
        referenced_frames=tuple(
            frame.text("FrameOfReferenceUID") for frame in header.items("ReferencedFrameOfReferenceSequence")
        ),
        regions=_regions(header) if kind == "regions" and not damage else (),
        manufacturer=header.text("Manufacturer"),
        scanner=header.text("ManufacturerModelName"),
        centre=header.text("InstitutionName"),
        notes=tuple(sorted(header.departures)),
        damage=damage,
    )


def pixel_bytes(header: Attributes) -> int:
    """Bytes that uncompressed pixel data need by what the header says."""
    frames, samples = max(header.whole("NumberOfFrames"), 1), max(header.whole("SamplesPerPixel"), 1)
    bits = frames * samples * header.whole("Rows") * header.whole("Columns") * header.whole("BitsAllocated")
    return (bits + 7) // 8


def _damage(found: Outline, header: Attributes, kind: Kind) -> str:
    """What a file that ended too early lacks; empty for a whole one."""
    if found.damage:
        return found.damage.found
    if kind == "regions":
        return "" if "StructureSetROISequence" in header else "it ends before its list of regions"
    if kind == "other":
        return ""
    if not found.pixels:
        return "it ends before its pixels"
    start, end = found.pixels
    needed = pixel_bytes(header) if found.transfer_syntax in NATIVE else 0
    return f"its pixels need {needed} bytes, the file holds {end - start}" if needed > end - start else ""


def _person(header: Attributes) -> Person:
    name = " ".join(header.text("PatientName").replace("^", " ").casefold().split())
    return Person(_digest(header.text("PatientBirthDate")), header.text("PatientSex"), _digest(name))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12] if text else ""


def _date(header: Attributes, kind: Kind) -> str | None:
    own = "StructureSetDate" if kind == "regions" else "AcquisitionDate"
    for keyword in (own, "AcquisitionDateTime", "SeriesDate", "StudyDate"):
        text = header.text(keyword)[:8]
        if len(text) == 8 and text.isdigit():
            return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return None


def _planes(header: Attributes) -> Iterator[Plane]:
    frames = header.items("PerFrameFunctionalGroupsSequence")
    stated = max(header.whole("NumberOfFrames"), 1)
    if not frames and stated == 1:
        yield _plane((header,))
    if len(frames) not in (0, stated):
        raise damaged(header.subject, f"it states {stated} frames and describes {len(frames)}")
    shared = header.first("SharedFunctionalGroupsSequence")
    for frame in frames:
        yield _plane((frame, shared, header))


def _holder(places: tuple[Attributes, ...], keyword: str) -> Attributes:
    """Return the first of the places, or of the functional groups in them, that holds an attribute."""
    if len(places) == 1:
        return places[0]
    for place in places:
        if keyword in place:
            return place
        for group in GROUPS.get(keyword, ()):
            inner = place.first(group)
            if keyword in inner:
                return inner
    return places[-1]


def _plane(places: tuple[Attributes, ...]) -> Plane:
    position = _holder(places, "ImagePositionPatient").numbers("ImagePositionPatient", 3)
    axes = _holder(places, "ImageOrientationPatient").numbers("ImageOrientationPatient", 6)
    spacing = _holder(places, "PixelSpacing").numbers("PixelSpacing", 2)
    slope = _holder(places, "RescaleSlope").number("RescaleSlope")
    intercept = _holder(places, "RescaleIntercept").number("RescaleIntercept")
    keys = []
    for name, words in VOLUME_KEYS:
        values = [text for word in words if (text := _holder(places, word).text(word))]
        if values:
            keys.append((name, values[-1] if len(places) > 1 else values[0]))
    return Plane(
        position=_triple(position),
        row=_triple(axes[:3]) if axes else None,
        column=_triple(axes[3:]) if axes else None,
        spacing=(spacing[0], spacing[1]) if spacing else None,
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        keys=tuple(sorted(keys)),
    )


def _triple(numbers: tuple[float, ...] | None) -> Triple | None:
    return (numbers[0], numbers[1], numbers[2]) if numbers else None


def _pixel_hash(found: Outline) -> str:
    start, end = found.pixels or (0, 0)
    return hashlib.sha256(memoryview(found.walk.data)[start:end]).hexdigest()[:32]


def _tracer(header: Attributes) -> Tracer:
    drug = header.first("RadiopharmaceuticalInformationSequence")
    philips = header.private_text(PHILIPS_CREATOR).startswith("Philips PET")
    return Tracer(
        units=header.text("Units"),
        suv_type=header.text("SUVType"),
        decay_correction=header.text("DecayCorrection"),
        dose_bq=drug.number("RadionuclideTotalDose"),
        half_life_s=drug.number("RadionuclideHalfLife"),
        weight_kg=header.number("PatientWeight"),
        injected=drug.text("RadiopharmaceuticalStartDateTime") or drug.text("RadiopharmaceuticalStartTime"),
        series_time=header.text("SeriesDate") + header.text("SeriesTime"),
        acquisition_time=header.text("AcquisitionDateTime")
        or header.text("AcquisitionDate") + header.text("AcquisitionTime"),
        philips_suv=header.private_number(PHILIPS_SUV) if philips else None,
        philips_bqml=header.private_number(PHILIPS_BQML) if philips else None,
    )


def _frame_of_reference(header: Attributes) -> str:
    own = header.text("FrameOfReferenceUID")
    return own or header.first("ReferencedFrameOfReferenceSequence").text("FrameOfReferenceUID")


def _referenced_series(header: Attributes) -> tuple[str, ...]:
    return tuple(
        series.text("SeriesInstanceUID")
        for frame in header.items("ReferencedFrameOfReferenceSequence")
        for study in frame.items("RTReferencedStudySequence")
        for series in study.items("RTReferencedSeriesSequence")
    )


def _regions(header: Attributes) -> tuple[Region, ...]:
    counts = {
        entry.whole("ReferencedROINumber"): len(entry.items("ContourSequence"))
        for entry in header.items("ROIContourSequence")
    }
    return tuple(
        Region(
            number=entry.whole("ROINumber"),
            name=entry.text("ROIName"),
            frame_of_reference=entry.text("ReferencedFrameOfReferenceUID"),
            contours=counts.get(entry.whole("ROINumber"), 0),
        )
        for entry in header.items("StructureSetROISequence")
    )
