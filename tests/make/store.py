"""Small hospitals: DICOM folders of a few tiny slices, tables, and files that no one should trust."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

CT = "1.2.840.10008.5.1.4.1.1.2"
SOP_CLASS = b"\x08\x00\x16\x00UI"
ROOT = "1.2.826.0.1.3680043.10.1337"


def slice_bytes(
    patient: str, number: int, *, series: int = 1, value: int = 0, body_part: str = "THIGH", age: str = "059Y"
) -> bytes:
    """One CT slice of 4 × 4 pixels; `value` goes into its pixels, `number` is its place."""
    data = Dataset()
    who = int.from_bytes(patient.encode(), "big") % 10**9
    data.SOPClassUID = CT
    data.SOPInstanceUID = f"{ROOT}.{who}.{series}.{number + 1}"
    data.StudyInstanceUID, data.SeriesInstanceUID = f"{ROOT}.{who}", f"{ROOT}.{who}.{series}"
    data.FrameOfReferenceUID = f"{ROOT}.{who}.9"
    data.Modality, data.PatientID, data.PatientName = "CT", patient, f"Doe^{patient}"
    data.PatientBirthDate, data.PatientSex, data.PatientAge, data.BodyPartExamined = "19600801", "F", age, body_part
    data.SeriesDescription, data.StudyDate, data.Manufacturer = "venous", "20200102", "Acme"
    data.ManufacturerModelName, data.InstitutionName = "Scan 1", "North"
    data.Rows = data.Columns = 4
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelSpacing, data.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [0, 0, 3 * number]
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    data.PixelData = struct.pack("<16h", *((value + number * 16 + place) % 30000 for place in range(16)))
    return encoded(data)


def encoded(data: Dataset) -> bytes:
    """A data set as a DICOM file."""
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = UID(str(data.SOPClassUID))
    data.file_meta.MediaStorageSOPInstanceUID = UID(str(data.SOPInstanceUID))
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


def write_patient(folder: Path, patient: str, *, slices: int = 5, series: int = 1, value: int = 0) -> None:
    """Write a patient's series as `PATIENT/SERIES/0`, `1`, … without an extension."""
    home = folder / patient / str(series)
    home.mkdir(parents=True, exist_ok=True)
    for number in range(slices):
        (home / str(number)).write_bytes(slice_bytes(patient, number, series=series, value=value))


def write_hospital(folder: Path, *, patients: int = 3, slices: int = 5) -> None:
    """Write some patients and their table."""
    lines = ["patient_id,age,sex,site,grade"]
    for number in range(patients):
        write_patient(folder, f"P{number:03d}", slices=slices, value=1000 * number)
        lines.append(f"P{number:03d},{50 + number},female,left thigh,{'High' if number % 2 else 'Low'}")
    (folder / "clinical.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def zipped(contents: dict[str, bytes]) -> bytes:
    """A zip archive."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return out.getvalue()


def nested_sequences(depth: int) -> bytes:
    """A DICOM file whose sequences are nested, each of undefined length."""
    head = slice_bytes("DEEP", 0)
    opening = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    at = head.index(b"\x08\x00\x60\x00CS")  # Modality follows (0008,1140) in no file, which readers do not mind
    return head[:at] + opening * depth + closing * depth + head[at:]


def directory(names: list[list[str]]) -> bytes:
    """A DICOMDIR that names some files."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = MediaStorageDirectoryStorage, f"{ROOT}.7"
    records = []
    for name in names:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        with pydicom.config.disable_value_validation():  # a hostile name is no valid one
            record.ReferencedFileID = name
        records.append(record)
    data.DirectoryRecordSequence = pydicom.Sequence(records)
    with pydicom.config.disable_value_validation():
        return encoded(data)


def hostile_files() -> dict[str, bytes]:
    """Files that must be refused by name, each for a reason of its own."""
    whole = slice_bytes("LIE", 0)
    lying = bytearray(whole)
    at = whole.index(b"\xe0\x7f\x10\x00OW")
    lying[at + 8 : at + 12] = struct.pack("<L", 0x7FFFFFFF)
    return {
        "lying-length": bytes(lying),
        "deep": nested_sequences(10_000),
        "program.exe": b"MZ" + b"\0" * 200,
        "program.elf": b"\x7fELF" + b"\0" * 200,
        "preamble.exe": b"MZ" + slice_bytes("PE", 0)[2:],
        "empty": b"",
        "bomb.zip": zipped({"zeros": b"\0" * (80 << 20)}),
        "broken.zip": zipped({"a": b"b"})[:-10],
        "name\nwith newline.txt": b"hello",
        "characters": slice_bytes("CHARS", 0).replace(SOP_CLASS, b"\x08\x00\x05\x00CS\x04\x00ISO " + SOP_CLASS),
    }
