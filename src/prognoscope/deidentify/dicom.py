"""DICOM files in and out: read whole, cleaned, written with a new preamble and new file meta information."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, MediaStorageDirectoryStorage

from prognoscope.core.problems import refuse
from prognoscope.deidentify.dataset import Log, Study, deidentify_in_study
from prognoscope.deidentify.encode import file_bytes
from prognoscope.deidentify.faces import shows_head
from prognoscope.deidentify.hidden import clear_hidden, overlays_in_pixels
from prognoscope.deidentify.identity import Identity, Remembered, gather
from prognoscope.deidentify.pixels import pictures
from prognoscope.deidentify.profile import Options

IMPLEMENTATION_UID = UID("2.25.241735329485018463027596471829463027")
IMPLEMENTATION_NAME = "PROGNOSCOPE"
LARGEST_FILE_BYTES = 4 << 30
LARGEST_DEFLATED_BYTES = 64 << 20
_ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
# What pydicom raises for bytes that are no DICOM object, or a broken one.
_BROKEN = (
    InvalidDicomError,
    BytesLengthException,
    EOFError,
    ValueError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    struct.error,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Described:
    """What one look at a file says, enough to group it with others: whose it is, and whom it names."""

    patient: str
    study_uid: str
    instance_uid: str
    sop_class: str
    modality: str
    series_uid: str
    head: bool
    identity: Identity


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A dataset ready to be written, the original ID of its patient, and what was done to it."""

    dataset: Dataset
    patient: str
    log: Log


def describe(path: Path, options: Options, remembered: Remembered | None = None) -> Described:
    """Read the header of a DICOM file for its patient, its study and everything that identifies people.

    Raises
    ------
    Refused
        `dicom-unreadable`, `dicom-directory`, `file-too-large`.
    """
    with broken_is_refused():
        dataset = _read(path, pixels=False)
        return Described(
            patient=str(dataset.get("PatientID") or "").strip(),
            study_uid=str(dataset.get("StudyInstanceUID") or ""),
            instance_uid=str(dataset.get("SOPInstanceUID") or ""),
            sop_class=str(dataset.get("SOPClassUID") or ""),
            modality=str(dataset.get("Modality") or ""),
            series_uid=str(dataset.get("SeriesInstanceUID") or ""),
            head=options.clean_faces and shows_head(dataset),
            identity=gather(dataset, options, remembered),
        )


def clean_file(path: Path, study: Study) -> Cleaned:
    """Read a DICOM file and apply the standard's table to it, pixels excepted.

    Raises
    ------
    Refused
        As `describe`, and `dicom-no-class` where the object does not say what it is.
    """
    with broken_is_refused():
        dataset = _read(path, pixels=True)
        syntax = dataset.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)
        patient = str(dataset.get("PatientID") or "").strip()
        overlays = overlays_in_pixels(dataset)
        dataset, log = deidentify_in_study(dataset, study)
        if not dataset.get("SOPClassUID") or not dataset.get("SOPInstanceUID"):
            raise refuse(
                "dicom-no-class",
                subject="file",
                found="it has no SOP Class UID or no SOP Instance UID",
                remedy="export it again; without them it can't be a valid object",
            )
        dataset.preamble = b"\0" * 128
        dataset.file_meta = _file_meta(dataset, UID(syntax))
        log.update(("(7FE0,0010)", words, "X") for words in clear_hidden(dataset, overlays=overlays))
    return Cleaned(dataset, patient, log)


def decoded(dataset: Dataset) -> list[NDArray[np.uint8]]:
    """Frames of an object as pictures; `dicom-pixels` where no decoder can read them."""
    try:
        return pictures(dataset)
    except (*_BROKEN, RuntimeError, AttributeError) as error:
        raise refuse(
            "dicom-pixels",
            subject="file",
            found=f"its pixels can't be decoded ({type(error).__name__}), so nobody knows what is burned in",
            remedy="export it with another transfer syntax",
        ) from error


def write_file(dataset: Dataset, path: Path, study: Study) -> None:
    """Write an object whole, as `write_bytes` does; the study remembers what its objects share."""
    with broken_is_refused():
        data = file_bytes(dataset, study.encoded)
    write_bytes(path, data)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole: to a temporary name beside its place, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _read(path: Path, *, pixels: bool) -> Dataset:
    size = path.stat().st_size
    if size > LARGEST_FILE_BYTES:
        raise refuse(
            "file-too-large",
            subject="file",
            found=f"{size >> 20} MiB, more than {LARGEST_FILE_BYTES >> 20}",
            remedy="split the object",
        )
    dataset = dcmread(path, stop_before_pixels=not pixels)
    _check_kind(dataset, size)
    return dataset


def _check_kind(dataset: Dataset, size: int) -> None:
    meta = dataset.file_meta
    if meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage or 0x00041220 in dataset:
        raise refuse(
            "dicom-directory",
            subject="file",
            found="it is a DICOMDIR, an index with names and paths",
            remedy="make a new one over the de-identified files",
        )
    if str(dataset.get("SOPClassUID", "")).startswith(_ENCAPSULATED):
        raise refuse(
            "dicom-document",
            subject="file",
            found="it holds a whole document (PDF, CDA or a model), which can't be searched for identifiers",
            remedy="review and convert the document by hand",
        )
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian and size > LARGEST_DEFLATED_BYTES:
        raise refuse(
            "file-too-large",
            subject="file",
            found=f"a deflated object of {size >> 20} MiB, more than {LARGEST_DEFLATED_BYTES >> 20}",
            remedy="export it without deflation",
        )
    if not len(dataset):
        raise refuse(
            "dicom-unreadable",
            subject="file",
            found="it holds no attribute",
            remedy="export it again; it was not passed on",
        )


def _file_meta(dataset: Dataset, syntax: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = IMPLEMENTATION_NAME
    return meta


@contextmanager
def broken_is_refused() -> Iterator[None]:
    """Turn what pydicom raises for broken bytes into a refusal, `dicom-unreadable`."""
    try:
        yield
    except _BROKEN as error:
        raise refuse(
            "dicom-unreadable",
            subject="file",
            found=f"it can't be read as DICOM ({type(error).__name__})",
            remedy="export it again; it was not passed on",
        ) from error
