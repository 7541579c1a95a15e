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
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from prognoscope.core.panics import panics_as_errors
from prognoscope.core.problems import refuse
from prognoscope.deidentify.dataset import Log, Study, deidentify_in_study
from prognoscope.deidentify.elements import read_file, text_of
from prognoscope.deidentify.encode import file_bytes
from prognoscope.deidentify.faces import shows_head
from prognoscope.deidentify.hidden import clear_hidden, overlays_in_pixels
from prognoscope.deidentify.identity import Identity, Said, gather
from prognoscope.deidentify.pixels import pictures
from prognoscope.deidentify.profile import Options

IMPLEMENTATION_UID = b"2.25.241735329485018463027596471829463027"
IMPLEMENTATION_NAME = b"PROGNOSCOPE"
LARGEST_FILE_BYTES = 4 << 30
LARGEST_DEFLATED_BYTES = 64 << 20
_UNDEFINED = 0xFFFFFFFF
_ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
# What pydicom raises for bytes that are no DICOM object, or a broken one.
_BROKEN = (
    InvalidDicomError,
    BytesLengthException,
    EOFError,
    ValueError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
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


def describe(path: Path, options: Options, said: Said | None = None) -> Described:
    """Read the header of a DICOM file for its patient, its study and everything that identifies people.

    Raises
    ------
    Refused
        `dicom-unreadable`, `dicom-directory`, `file-too-large`.
    """
    with broken_is_refused():
        dataset = _read(path, pixels=False)
        return Described(
            patient=text_of(dataset, "PatientID"),
            study_uid=text_of(dataset, "StudyInstanceUID"),
            instance_uid=text_of(dataset, "SOPInstanceUID"),
            sop_class=text_of(dataset, "SOPClassUID"),
            modality=text_of(dataset, "Modality"),
            series_uid=text_of(dataset, "SeriesInstanceUID"),
            head=options.clean_faces and shows_head(dataset),
            identity=gather(dataset, options, said),
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
        syntax = text_of(dataset.file_meta, "TransferSyntaxUID") or _guessed_syntax(dataset)
        patient = text_of(dataset, "PatientID")
        overlays = overlays_in_pixels(dataset)
        dataset, log = deidentify_in_study(dataset, study)
        sop_class, instance = text_of(dataset, "SOPClassUID"), text_of(dataset, "SOPInstanceUID")
        if not all((sop_class, instance, *(text_of(dataset, f"{level}InstanceUID") for level in ("Study", "Series")))):
            raise refuse(
                "dicom-no-class",
                subject="file",
                found="it lacks its SOP Class UID, or the UID of the object, its study or its series",
                remedy="export it again; without them it can't be a valid object",
            )
        dataset.preamble = b"\0" * 128
        dataset.file_meta = _file_meta(sop_class, instance, syntax)
        log.update(("(7FE0,0010)", words, "X") for words in clear_hidden(dataset, overlays=overlays))
    return Cleaned(dataset, patient, log)


def decoded(dataset: Dataset) -> list[NDArray[np.uint8]]:
    """Frames of an object as pictures; `dicom-pixels` where no decoder can read them."""
    try:
        return pictures(dataset)
    except (*_BROKEN, AttributeError) as error:
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
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            partial.write_bytes(data)
        except FileNotFoundError:  # the first of its folder
            path.parent.mkdir(parents=True, exist_ok=True)
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
    dataset = read_file(path, pixels=pixels)
    _check_kind(dataset, size)
    return dataset


def _check_kind(dataset: Dataset, size: int) -> None:
    meta = dataset.file_meta
    if text_of(meta, "MediaStorageSOPClassUID") == MediaStorageDirectoryStorage or 0x00041220 in dataset:
        raise refuse(
            "dicom-directory",
            subject="file",
            found="it is a DICOMDIR, an index with names and paths",
            remedy="make a new one over the de-identified files",
        )
    if text_of(dataset, "SOPClassUID").startswith(_ENCAPSULATED):
        raise refuse(
            "dicom-document",
            subject="file",
            found="it holds a whole document (PDF, CDA or a model), which can't be searched for identifiers",
            remedy="review and convert the document by hand",
        )
    if text_of(meta, "TransferSyntaxUID") == DeflatedExplicitVRLittleEndian and size > LARGEST_DEFLATED_BYTES:
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


def _guessed_syntax(dataset: Dataset) -> str:
    """Transfer syntax of a dataset that came without file meta information, by how it could be read."""
    implicit, little = dataset.original_encoding
    pixels = dataset.get_item(0x7FE00010)
    if isinstance(pixels, RawDataElement) and pixels.length == _UNDEFINED:
        raise refuse(
            "dicom-unreadable",
            subject="file",
            found="its pixels are compressed, and nothing says how",
            remedy="export it again with file meta information; it was not passed on",
        )
    if not little:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _file_meta(sop_class: str, instance: str, syntax: str) -> FileMetaDataset:
    """Return file meta information (PS3.10 7.1) of our own; it is not decoded, because it is written straight away."""
    values = {
        0x00020001: ("OB", b"\0\1"),
        0x00020002: ("UI", sop_class.encode()),
        0x00020003: ("UI", instance.encode()),
        0x00020010: ("UI", syntax.encode()),
        0x00020012: ("UI", IMPLEMENTATION_UID),
        0x00020013: ("SH", IMPLEMENTATION_NAME),
    }
    return FileMetaDataset(
        {
            (tag := BaseTag(number)): RawDataElement(tag, vr, len(value), value, 0, False, True)
            for number, (vr, value) in values.items()
        }
    )


@contextmanager
def broken_is_refused() -> Iterator[None]:
    """Turn what pydicom raises for broken bytes into a refusal, `dicom-unreadable`."""
    try:
        with panics_as_errors():
            yield
    except _BROKEN as error:
        raise refuse(
            "dicom-unreadable",
            subject="file",
            found=f"it can't be read as DICOM ({type(error).__name__})",
            remedy="export it again; it was not passed on",
        ) from error
