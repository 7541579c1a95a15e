"""A made-up scan → DICOM files: a CT series and the RTSTRUCT with the regions `GTV` and `Body`."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage

from prognoscope.demo.anatomy import PIXEL_MM, PIXELS, Array, Scan
from prognoscope.demo.truth import Patient

FIRST_DAY = date(2019, 1, 7)
INTERCEPT = -1024
IMPLEMENTATION = UID("2.25.207465917640393911826131047862311482317")
STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1"
# What differs between the slices of a series, in the order of the tags.
DIFFERING = ((0x00080018, "UI"), (0x00200013, "IS"), (0x00200032, "DS"), (0x00201041, "DS"), (0x7FE00010, "OW"))
CONTOUR_DATA = 0x30060050
REGIONS = (("GTV", "GTV", (220, 50, 47)), ("Body", "EXTERNAL", (38, 139, 210)))


def write_series(folder: Path, patient: Patient, scan: Scan, *, seed: int) -> None:
    """Write one patient's scan as `CT/000.dcm` … and `RTSTRUCT.dcm` below a folder of its own."""
    (folder / "CT").mkdir(parents=True, exist_ok=True)
    uids = [_uid(seed, patient, f"image {number}") for number in range(len(scan.heights_mm))]
    for number, content in enumerate(_slices(_image(patient, scan, seed), scan, uids)):
        (folder / "CT" / f"{number:03d}.dcm").write_bytes(content)
    contours = _structure_set(patient, scan, uids, seed)
    contours.save_as(folder / "RTSTRUCT.dcm", enforce_file_format=True)


def _slices(image: FileDataset, scan: Scan, uids: list[UID]) -> Iterator[bytes]:
    """Yield the bytes of each slice's file; what all slices share is encoded once, between what differs."""
    starts, ends = [0x00080000, *(tag + 1 for tag, _ in DIFFERING)], [*(tag for tag, _ in DIFFERING), 0x7FE00011]
    shared = [_encoded(image[start:end]) for start, end in zip(starts, ends, strict=True)]
    corner = _decimal(-(PIXELS - 1) / 2 * PIXEL_MM)
    for number, (uid, height) in enumerate(zip(uids, scan.heights_mm.tolist(), strict=True)):
        texts = (uid, str(number + 1), f"{corner}\\{corner}\\{_decimal(height)}", _decimal(height))
        pixels = (scan.voxels[number] - INTERCEPT).astype("<i2").tobytes()
        values = [*(text.encode() for text in texts), pixels]
        own = [_element(tag, vr, value) for (tag, vr), value in zip(DIFFERING, values, strict=True)]
        yield _preamble(uid) + b"".join(part for pair in zip(shared, [*own, b""], strict=True) for part in pair)


def _preamble(uid: UID) -> bytes:
    """The first 128 bytes, the mark and the file meta information of a CT slice (PS3.10 chapter 7.1)."""
    values = ((2, CTImageStorage), (3, uid), (0x10, ExplicitVRLittleEndian), (0x12, IMPLEMENTATION))
    meta = _element(0x00020001, "OB", b"\0\1")
    meta += b"".join(_element(0x00020000 + number, "UI", value.encode()) for number, value in values)
    return b"\0" * 128 + b"DICM" + _element(0x00020000, "UL", struct.pack("<L", len(meta))) + meta


def _element(tag: int, vr: str, value: bytes) -> bytes:
    """One element in explicit VR, little endian (PS3.5 chapter 7.1.2)."""
    value += b"" if len(value) % 2 == 0 else b"\0" if vr in ("UI", "OB") else b" "
    form = "<HH2sHL" if vr in ("OB", "OW") else "<HH2sH"
    size = (0, len(value)) if vr in ("OB", "OW") else (len(value),)
    return struct.pack(form, tag >> 16, tag & 0xFFFF, vr.encode(), *size) + value


def _encoded(elements: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, True
    write_dataset(buffer, elements)
    return buffer.getvalue()


def _uid(seed: int, patient: Patient, what: str) -> UID:
    """A UID made from its meaning (PS3.5 B.2: `2.25.` and a 128-bit number), the same on every machine."""
    digest = hashlib.sha256(f"{seed}/{patient.number}/{what}".encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def _decimal(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _file(sop_class: UID, patient: Patient, seed: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    file = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    day = FIRST_DAY + timedelta(days=patient.scanned_after_days)
    file.SpecificCharacterSet = "ISO_IR 192"
    file.SOPClassUID = sop_class
    file.StudyDate = file.SeriesDate = day.strftime("%Y%m%d")
    file.StudyTime = file.SeriesTime = f"{8 + patient.number % 9:02d}{patient.number * 7 % 60:02d}00"
    file.AccessionNumber = ""
    file.ReferringPhysicianName = ""
    file.InstitutionName = patient.scanner.centre
    file.StudyDescription = "CT thigh with contrast"
    file.PatientName = patient.patient_id
    file.PatientID = patient.patient_id
    file.PatientBirthDate = ""
    file.PatientSex = patient.sex
    file.PatientAge = f"{patient.age_years:03d}Y"
    file.PatientIdentityRemoved = "YES"
    file.DeidentificationMethod = "made up by a generator; no real person"
    file.StudyInstanceUID = _uid(seed, patient, "study")
    file.StudyID = "1"
    file.FrameOfReferenceUID = _uid(seed, patient, "frame of reference")
    file.PositionReferenceIndicator = ""
    return file


def _image(patient: Patient, scan: Scan, seed: int) -> FileDataset:
    image = _file(CTImageStorage, patient, seed)
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.AcquisitionDate = image.ContentDate = image.StudyDate
    image.AcquisitionTime = image.ContentTime = image.StudyTime
    image.Modality = "CT"
    image.Manufacturer = patient.scanner.manufacturer
    image.ManufacturerModelName = patient.scanner.model
    image.SeriesDescription = f"Thigh {patient.scanner.slice_spacing_mm:g} mm {patient.scanner.kernel}"
    image.BodyPartExamined = "LEG"
    image.SliceThickness = _decimal(patient.scanner.slice_spacing_mm)
    image.KVP = "120"
    image.ConvolutionKernel = patient.scanner.kernel
    image.PatientPosition = "HFS"
    image.SeriesInstanceUID = _uid(seed, patient, "series")
    image.SeriesNumber = 2
    image.AcquisitionNumber = 1
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = scan.voxels.shape[1:]
    image.PixelSpacing = [_decimal(PIXEL_MM), _decimal(PIXEL_MM)]
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.WindowCenter, image.WindowWidth = "40", "400"
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = str(INTERCEPT), "1", "HU"
    return image


def _structure_set(patient: Patient, scan: Scan, uids: list[UID], seed: int) -> FileDataset:
    contours = _file(RTStructureSetStorage, patient, seed)
    contours.SOPInstanceUID = contours.file_meta.MediaStorageSOPInstanceUID = _uid(seed, patient, "contours")
    contours.Modality = "RTSTRUCT"
    contours.Manufacturer = "Prognoscope"
    contours.SeriesDescription = "Contours"
    contours.OperatorsName = ""
    contours.SeriesInstanceUID = _uid(seed, patient, "contour series")
    contours.SeriesNumber = 3
    contours.StructureSetLabel = "Contours"
    contours.StructureSetDate, contours.StructureSetTime = contours.StudyDate, contours.StudyTime
    contours.ApprovalStatus = "UNAPPROVED"
    contours.ReferencedFrameOfReferenceSequence = Items([_reference(patient, uids, seed)])
    outlines = (scan.lesion_outlines, scan.body_outlines)
    numbered = list(enumerate(zip(REGIONS, outlines, strict=True), start=1))
    contours.StructureSetROISequence = Items(
        [
            _item(
                ROINumber=number,
                ReferencedFrameOfReferenceUID=contours.FrameOfReferenceUID,
                ROIName=name,
                ROIGenerationAlgorithm="AUTOMATIC",
            )
            for number, ((name, _, _), _) in numbered
        ]
    )
    contours.ROIContourSequence = Items(
        [
            _item(
                ROIDisplayColor=list(colour),
                ContourSequence=Items(list(_contours(scan, rings, uids))),
                ReferencedROINumber=number,
            )
            for number, ((_, _, colour), rings) in numbered
        ]
    )
    contours.RTROIObservationsSequence = Items(
        [
            _item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType=kind, ROIInterpreter="")
            for number, ((_, kind, _), _) in numbered
        ]
    )
    return contours


def _item(**elements: object) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _image_reference(uid: UID) -> Dataset:
    return _item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=uid)


def _reference(patient: Patient, uids: list[UID], seed: int) -> Dataset:
    images = Items([_image_reference(uid) for uid in uids])
    series = _item(SeriesInstanceUID=_uid(seed, patient, "series"), ContourImageSequence=images)
    study = _item(
        ReferencedSOPClassUID=STUDY_MANAGEMENT,
        ReferencedSOPInstanceUID=_uid(seed, patient, "study"),
        RTReferencedSeriesSequence=Items([series]),
    )
    return _item(
        FrameOfReferenceUID=_uid(seed, patient, "frame of reference"), RTReferencedStudySequence=Items([study])
    )


def _contours(scan: Scan, rings: tuple[Array | None, ...], uids: list[UID]) -> Iterator[Dataset]:
    for height, ring, uid in zip(scan.heights_mm.tolist(), rings, uids, strict=True):
        if ring is not None:
            above = _decimal(height)
            points = "\\".join(f"{x:.2f}\\{y:.2f}\\{above}" for x, y in ring.tolist())
            item = _item(
                ContourImageSequence=Items([_image_reference(uid)]),
                ContourGeometricType="CLOSED_PLANAR",
                NumberOfContourPoints=len(ring),
            )
            # Thousands of numbers that were just made need no check of their form, which takes most of the time.
            item[CONTOUR_DATA] = DataElement(CONTOUR_DATA, "DS", points, already_converted=True)
            yield item
