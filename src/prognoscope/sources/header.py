"""The header of one DICOM file → `Instance`: what it is, whose it is, and where its planes lie."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from prognoscope.core.problems import Problem
from prognoscope.sources.attributes import Attributes, tag_and_vr
from prognoscope.sources.classes import RTSTRUCT, SEGMENTATIONS, VOLUME_CLASSES
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
    *("ROIContourSequence", "SegmentSequence", "SegmentationType", "ReferencedSeriesSequence", "ContentLabel"),
    *("ContentDate", "MaximumFractionalValue"),
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
    """Make the `Instance` of a file from its outline; small departures from the standard become its notes.

    Of a damaged file only what tells whose it is and which series it belongs to is read.
    """
    header = Attributes.of(found)
    sop_class = header.text("SOPClassUID")
    kind = _kind(found, header, sop_class)
    problem = found.damage or _cut_short(found, header, kind)
    identified = Instance(
        kind=kind,
        sop_class=sop_class,
        sop_uid=header.text("SOPInstanceUID"),
        modality=header.text("Modality"),
        patient_id=header.text("PatientID"),
        person=_person(header),
        study_uid=header.text("StudyInstanceUID"),
        series_uid=header.text("SeriesInstanceUID"),
        frame_of_reference=header.text("FrameOfReferenceUID"),
        description=header.text("SeriesDescription"),
        date=_date(header, kind),
        image_type=tuple(header.text("ImageType").split("\\")),
        photometric=header.text("PhotometricInterpretation"),
        label=header.text("StructureSetLabel"),
        manufacturer=header.text("Manufacturer"),
        scanner=header.text("ManufacturerModelName"),
        centre=header.text("InstitutionName"),
        damage=problem.found if problem else "",
        damage_code=problem.code if problem else "",
    )
    if problem:
        return identified
    read = _image(identified, found, header) if kind == "image" else identified
    if kind == "regions":
        read = _segments_of(read, header) if sop_class in SEGMENTATIONS else _regions_of(read, header)
    return replace(read, notes=tuple(sorted(_departures(found, header))))


def _kind(found: Outline, header: Attributes, sop_class: str) -> Kind:
    if sop_class == RTSTRUCT or sop_class in SEGMENTATIONS:
        return "regions"
    return "image" if sop_class in VOLUME_CLASSES or (found.pixels and "Rows" in header) else "other"


def _image(instance: Instance, found: Outline, header: Attributes) -> Instance:
    return replace(
        instance,
        rows=header.whole("Rows"),
        columns=header.whole("Columns"),
        planes=tuple(_planes(header)),
        pixel_hash=_pixel_hash(found),
        tracer=_tracer(header) if instance.modality == "PT" else None,
    )


def _regions_of(instance: Instance, header: Attributes) -> Instance:
    frames = header.items("ReferencedFrameOfReferenceSequence")
    listed = tuple(frame.text("FrameOfReferenceUID") for frame in frames)
    series = _referenced_series(frames)
    return replace(
        instance,
        frame_of_reference=instance.frame_of_reference or (listed[0] if listed else ""),
        referenced_frames=listed,
        referenced_series=tuple(one.text("SeriesInstanceUID") for one in series),
        referenced_instances=_instances(series, "ContourImageSequence"),
        regions=_regions(header),
    )


def _segments_of(instance: Instance, header: Attributes) -> Instance:
    named = header.items("SegmentSequence")
    shared = header.first("SharedFunctionalGroupsSequence")
    frames = Counter(segment_of_frame(frame, shared) for frame in header.items("PerFrameFunctionalGroupsSequence"))
    label_map = header.text("SegmentationType") == "LABELMAP"
    series = header.items("ReferencedSeriesSequence")
    return replace(
        instance,
        label=header.text("ContentLabel"),
        referenced_series=tuple(one.text("SeriesInstanceUID") for one in series),
        referenced_instances=_instances(series, "ReferencedInstanceSequence"),
        regions=tuple(
            Region(
                number=segment.whole("SegmentNumber"),
                name=segment.text("SegmentLabel"),
                frame_of_reference=instance.frame_of_reference,
                contours=frames.total() if label_map else frames[segment.whole("SegmentNumber")],
            )
            for segment in named
        ),
    )


def segment_of_frame(frame: Attributes, shared: Attributes) -> int:
    """Number of the segment that a frame of a SEG shows; 0 for a label map, whose values are the numbers.

    Where all frames show one segment, it may stand among what they share (PS3.3 C.8.20.3.2).
    """
    named = "SegmentIdentificationSequence"
    return (frame if named in frame else shared).first(named).whole("ReferencedSegmentNumber")


def _departures(found: Outline, header: Attributes) -> set[str]:
    for noticed in ("StudyID", "AccessionNumber"):
        header.text(noticed)
    other = {"its encoding is not the one that its transfer syntax says"} if found.misdeclared else set()
    return header.departures | other


def pixel_bytes(header: Attributes) -> int:
    """Bytes that uncompressed pixel data need by what the header says."""
    frames, samples = max(header.whole("NumberOfFrames"), 1), max(header.whole("SamplesPerPixel"), 1)
    bits = frames * samples * header.whole("Rows") * header.whole("Columns") * header.whole("BitsAllocated")
    return (bits + 7) // 8


def _cut_short(found: Outline, header: Attributes, kind: Kind) -> Problem | None:
    """The problem of a file that ends between two elements, or whose pixels are fewer than it says."""
    missing = ""
    segmentation = header.text("SOPClassUID") in SEGMENTATIONS
    if kind == "regions" and not segmentation and "StructureSetROISequence" not in header:
        missing = "it ends before its list of regions"
    elif (kind == "image" or segmentation) and not found.pixels:
        missing = "it ends before its pixels"
    elif found.pixels and kind != "other" and found.transfer_syntax in NATIVE:
        needed, held = pixel_bytes(header), found.pixels[1] - found.pixels[0]
        missing = f"its pixels need {needed} bytes, the file holds {held}" if needed > held else ""
    return (
        Problem("dicom-truncated", header.subject, missing, "copy the file again from its source") if missing else None
    )


def _person(header: Attributes) -> Person:
    words = sorted(set(header.text("PatientName").replace("^", " ").replace("=", " ").casefold().split()))
    return Person(
        _digest(header.text("PatientBirthDate")), header.text("PatientSex"), tuple(_digest(word) for word in words)
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12] if text else ""


def _date(header: Attributes, kind: Kind) -> str | None:
    own = ("StructureSetDate", "ContentDate") if kind == "regions" else ("AcquisitionDate", "AcquisitionDateTime")
    for keyword in (*own, "SeriesDate", "StudyDate"):
        text = header.text(keyword)[:8]
        if len(text) == 8 and text.isdigit():
            try:
                return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
            except ValueError:
                header.departures.add("a date is none of the calendar")
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


def holder(places: tuple[Attributes, ...], keyword: str) -> Attributes:
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
    position = holder(places, "ImagePositionPatient").numbers("ImagePositionPatient", 3)
    axes = holder(places, "ImageOrientationPatient").numbers("ImageOrientationPatient", 6)
    spacing = holder(places, "PixelSpacing").numbers("PixelSpacing", 2)
    slope = holder(places, "RescaleSlope").number("RescaleSlope")
    intercept = holder(places, "RescaleIntercept").number("RescaleIntercept")
    keys = []
    for name, words in VOLUME_KEYS:
        values = [text for word in words if (text := holder(places, word).text(word))]
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


def _referenced_series(frames: Sequence[Attributes]) -> list[Attributes]:
    return [
        series
        for frame in frames
        for study in frame.items("RTReferencedStudySequence")
        for series in study.items("RTReferencedSeriesSequence")
    ]


def _instances(series: Sequence[Attributes], keyword: str) -> tuple[str, ...]:
    named = {image.text("ReferencedSOPInstanceUID") for one in series for image in one.items(keyword)}
    return tuple(sorted(named - {""}))


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
