"""Small DICOM files of every kind, written by pydicom: image series, enhanced multi-frame files, structure sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
    "LABEL MAP": "1.2.840.10008.5.1.4.1.1.66.7",
    "ENHANCED MR": "1.2.840.10008.5.1.4.1.1.4.1",
}
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
Edit = Callable[[int, FileDataset], None]
Ring = Sequence[tuple[float, float, float]]


def new_file(modality: str, *, patient: str = "P1", uid: str = "1.2.3.9", series: str = "1.2.3") -> FileDataset:
    """A file with the elements that every object has."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(CLASSES[modality])
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID("1.2.3.4")
    file = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    file.SpecificCharacterSet = "ISO_IR 192"
    file.SOPClassUID, file.SOPInstanceUID = CLASSES[modality], uid
    file.Modality = modality.rsplit(" ", 1)[-1]
    file.PatientID, file.PatientName = patient, patient
    file.PatientBirthDate, file.PatientSex = "19500101", "F"
    file.StudyInstanceUID, file.SeriesInstanceUID = f"{series}.1", series
    file.FrameOfReferenceUID = f"{series}.2"
    file.SeriesDescription = "made for a test"
    file.StudyDate = file.SeriesDate = "20240131"
    file.StudyTime = file.SeriesTime = "101500"
    file.Manufacturer, file.ManufacturerModelName, file.InstitutionName = "Maker", "Model", "Centre"
    return file


def image_file(
    voxels: NDArray[np.int16],
    *,
    modality: str = "CT",
    position: Sequence[float] = (0.0, 0.0, 0.0),
    orientation: Sequence[float] = AXIAL,
    spacing: tuple[float, float] = (0.8, 0.7),
    **names: str,
) -> FileDataset:
    """One slice of signed 16-bit values `(rows, columns)`."""
    file = new_file(modality, **names)
    file.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    file.ImagePositionPatient = [float(f"{value:.6g}") for value in position]
    file.ImageOrientationPatient = [float(f"{value:.10g}") for value in orientation]
    file.PixelSpacing = list(spacing)
    file.Rows, file.Columns = voxels.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.RescaleSlope, file.RescaleIntercept = "1", "0"
    file.PixelData = voxels.astype("<i2").tobytes()
    return file


def normal_of(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Unit vector across the slices."""
    return np.cross(np.array(orientation[:3]), np.array(orientation[3:]))


def write_series(
    folder: Path,
    *,
    slices: int = 6,
    rows: int = 10,
    columns: int = 12,
    spacing: tuple[float, float, float] = (3.0, 0.8, 0.7),
    origin: Sequence[float] = (-4.0, -5.0, -20.0),
    orientation: Sequence[float] = AXIAL,
    modality: str = "CT",
    patient: str = "P1",
    series: str = "1.2.3",
    prefix: str = "",
    voxels: NDArray[np.int16] | None = None,
    edit: Edit | None = None,
) -> NDArray[np.int16]:
    """Write a series with file names in no order; `edit(number, file)` changes a slice before it is written.

    Returns the voxels `[z, y, x]`, z along the normal; without any given they tell their place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if voxels is None:
        voxels = np.arange(slices * rows * columns, dtype=np.int16).reshape(slices, rows, columns)
    for number in range(len(voxels)):
        position = np.array(origin) + number * spacing[0] * normal_of(orientation)
        file = image_file(
            voxels[number],
            modality=modality,
            position=[float(value) for value in position],
            orientation=orientation,
            spacing=spacing[1:],
            patient=patient,
            uid=f"{series}.7.{number + 1}",
            series=series,
        )
        file.InstanceNumber = len(voxels) - number
        if edit:
            edit(number, file)
        save(file, folder / f"{prefix}{(number * 37 + 3) % 101:03d}.bin")
    return voxels


def save(file: FileDataset, path: Path) -> None:
    """Write a file as its meta information says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.file_meta.TransferSyntaxUID == ExplicitVRBigEndian:
        file.set_original_encoding(is_implicit_vr=False, is_little_endian=False)
    file.save_as(path, enforce_file_format=True)


def item(**elements: object) -> Dataset:
    """An item of a sequence."""
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def write_regions(
    path: Path,
    regions: Mapping[str, Sequence[Ring]] | Sequence[tuple[str, Sequence[Ring]]],
    *,
    patient: str = "P1",
    drawn_on: str = "1.2.3",
    frame: str = "1.2.3.2",
    shape: str = "CLOSED_PLANAR",
    edit: Callable[[FileDataset], None] | None = None,
) -> None:
    """Write a structure set; each region is a list of rings of patient positions in mm."""
    named = list(regions.items()) if isinstance(regions, Mapping) else list(regions)
    file = new_file("RTSTRUCT", patient=patient, uid="1.2.9.1", series="1.2.9")
    file.FrameOfReferenceUID = frame
    file.StructureSetLabel, file.StructureSetDate = "contours", "20240202"
    series = item(SeriesInstanceUID=drawn_on, ContourImageSequence=Items([]))
    study = item(ReferencedSOPInstanceUID="1.2.3.1", RTReferencedSeriesSequence=Items([series]))
    reference = item(FrameOfReferenceUID=frame, RTReferencedStudySequence=Items([study]))
    file.ReferencedFrameOfReferenceSequence = Items([reference])
    file.StructureSetROISequence = Items(
        item(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID=frame)
        for number, (name, _) in enumerate(named, start=1)
    )
    file.ROIContourSequence = Items(
        item(ReferencedROINumber=number, ContourSequence=Items(_contour(ring, shape) for ring in rings))
        for number, (_, rings) in enumerate(named, start=1)
    )
    if edit:
        edit(file)
    save(file, path)


def _contour(ring: Ring, shape: str) -> Dataset:
    values = [f"{value:.9g}" for point in ring for value in point]
    return item(ContourGeometricType=shape, NumberOfContourPoints=len(ring), ContourData=values)


def square(low: float, high: float, z: float) -> Ring:
    """A square ring in an axial plane, corners at `low` and `high` mm in x and y."""
    return [(low, low, z), (high, low, z), (high, high, z), (low, high, z)]


def write_enhanced(
    path: Path,
    voxels: NDArray[np.uint16],
    *,
    positions: Sequence[Sequence[float]],
    slopes: Sequence[float],
    b_values: Sequence[float] | None = None,
    orientation: Sequence[float] = AXIAL,
) -> None:
    """Write an enhanced MR file, `voxels` `(frames, rows, columns)` in the order of `positions`."""
    file = new_file("ENHANCED MR", uid="1.2.3.8")
    file.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    file.NumberOfFrames, file.Rows, file.Columns = voxels.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    shared = item(
        PixelMeasuresSequence=Items([item(PixelSpacing=[0.8, 0.7], SliceThickness="3")]),
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=list(orientation))]),
    )
    file.SharedFunctionalGroupsSequence = Items([shared])
    frames = []
    for number, (position, slope) in enumerate(zip(positions, slopes, strict=True)):
        frame = item(
            PlanePositionSequence=Items([item(ImagePositionPatient=list(position))]),
            PixelValueTransformationSequence=Items([item(RescaleSlope=slope, RescaleIntercept="0", RescaleType="US")]),
            FrameContentSequence=Items([item(StackID="1", InStackPositionNumber=number + 1)]),
        )
        if b_values:
            frame.MRDiffusionSequence = Items([item(DiffusionBValue=float(b_values[number]))])
        frames.append(frame)
    file.PerFrameFunctionalGroupsSequence = Items(frames)
    file.PixelData = voxels.astype("<u2").tobytes()
    save(file, path)


def write_segmentation(
    path: Path,
    frames: Sequence[tuple[int, Sequence[float], NDArray[np.uint8]]],
    *,
    names: Mapping[int, str],
    kind: str = "BINARY",
    spacing: tuple[float, float] = (1.0, 1.0),
    orientation: Sequence[float] = AXIAL,
    patient: str = "P1",
    drawn_on: str = "1.2.3",
    frame_of_reference: str = "1.2.3.2",
) -> None:
    """Write a SEG; each frame is (segment number, position of its first pixel, values `(rows, columns)`)."""
    file = new_file("LABEL MAP" if kind == "LABELMAP" else "SEG", patient=patient, uid="1.2.8.1", series="1.2.8")
    file.Modality = "SEG"
    file.FrameOfReferenceUID, file.ContentLabel, file.ContentDate = frame_of_reference, "SEGMENTS", "20240203"
    file.ImageType = ["DERIVED", "PRIMARY"]
    file.SegmentationType = kind
    file.ReferencedSeriesSequence = Items([item(SeriesInstanceUID=drawn_on)])
    file.SegmentSequence = Items(item(SegmentNumber=number, SegmentLabel=name) for number, name in names.items())
    shared = item(
        PixelMeasuresSequence=Items([item(PixelSpacing=list(spacing), SliceThickness="3")]),
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=list(orientation))]),
    )
    file.SharedFunctionalGroupsSequence = Items([shared])
    file.PerFrameFunctionalGroupsSequence = Items(_segment_frame(kind, number, place) for number, place, _ in frames)
    values = np.stack([value for _, _, value in frames])
    file.NumberOfFrames, file.Rows, file.Columns = values.shape
    file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, "MONOCHROME2", 0
    bits = 1 if kind == "BINARY" else 8
    file.BitsAllocated, file.BitsStored, file.HighBit = bits, bits, bits - 1
    if kind == "FRACTIONAL":
        file.SegmentationFractionalType, file.MaximumFractionalValue = "PROBABILITY", 200
    packed = np.packbits(values.ravel(), bitorder="little") if bits == 1 else values.astype(np.uint8).ravel()
    file.PixelData = packed.tobytes() + b"\0" * (packed.size % 2)
    file["PixelData"].VR = "OB"
    save(file, path)


def _segment_frame(kind: str, number: int, place: Sequence[float]) -> Dataset:
    frame = item(PlanePositionSequence=Items([item(ImagePositionPatient=list(place))]))
    if kind != "LABELMAP":
        frame.SegmentIdentificationSequence = Items([item(ReferencedSegmentNumber=number)])
    return frame
