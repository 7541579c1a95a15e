"""Small DICOM objects, keys and readers for the tests of de-identification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from prognoscope.deidentify import PROFILES, Options, Project

PROJECT = Project(b"a key that only the tests have..")
BASIC = PROFILES["basic"].model_copy(update={"clean_pixels": False})
RESEARCH = PROFILES["research"].model_copy(update={"clean_pixels": False})
CT, US, SC = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.7"


def options(**changes: bool) -> Options:
    """The basic profile without reading pixels, and what a test changes."""
    return BASIC.model_copy(update=changes)


def an_object(sop_class: str = CT, **elements: Any) -> Dataset:
    """A small CT of Jane Doe, with the elements that a test gives."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = "1.2.826.0.1.3680043.10.1.1"
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.10.1.2"
    dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.10.1.3"
    dataset.Modality = {CT: "CT", US: "US"}.get(sop_class, "OT")
    dataset.PatientName, dataset.PatientID = "DOE^JANE", "4711-8"
    dataset.StudyDate = "20200131"
    for name, value in elements.items():
        setattr(dataset, name, value)
    return dataset


def with_pixels(dataset: Dataset, values: NDArray[Any], **elements: Any) -> Dataset:
    """Give an object native pixels: `(rows, columns)` or `(rows, columns, 3)`, or frames of them."""
    colour = values.shape[-1] == 3 and values.ndim > 2
    shape = values.shape[:-1] if colour else values.shape
    dataset.Rows, dataset.Columns = shape[-2:]
    if len(shape) == 3:
        dataset.NumberOfFrames = shape[0]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    for name, value in elements.items():
        setattr(dataset, name, value)
    data = np.ascontiguousarray(values).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if values.dtype.itemsize == 1 else "OW"
    return dataset


def as_file(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> FileDataset:
    """Give an object its file meta information."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    little = meta.TransferSyntaxUID.is_little_endian
    implicit = meta.TransferSyntaxUID.is_implicit_VR
    return FileDataset("", dataset, b"\0" * 128, meta, is_implicit_VR=implicit, is_little_endian=little)


def save(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write an object to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, as_file(dataset, syntax), enforce_file_format=True)
    return path
