"""Time of an ingest of the sarcoma data from a warm disk, of the same ingest again, and how it grows with the files.

Claims: 6,783 files in under 15 s, again in under 3 s without a duplicate, on two cores (the whole command is timed);
the processor time per file stays the same from 10,000 files in the store to 100,000.

Run: python benchmarks/ingest.py [--growth [THOUSANDS]]   (growth writes small slices, 2 kB each, to a temporary place)
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset

DATA = "PROGNOSCOPE_DATA"
STEP, SLICES = 10_000, 50
ROOT = "1.2.826.0.1.3680043.10.1337"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--growth", type=int, nargs="?", const=100, default=0, help="thousands of files")
    thousands = options.parse_args().growth
    if thousands:
        grow(thousands * 1000)
    elif os.environ.get(DATA):
        sarcoma(Path(os.environ[DATA]) / "sts")
    else:
        print(f"{DATA} is not set: nothing measured")


def sarcoma(source: Path) -> None:
    """Take the sarcoma data in, twice."""
    for path in source.rglob("*"):  # warm the disk's cache
        if path.is_file():
            path.read_bytes()
    with tempfile.TemporaryDirectory() as store:
        for words in ("first time", "again"):
            report, took, used = ingest(source, Path(store))
            new = sum(report["new"].values())
            print(f"ingest, {words}: {report['files']} files, {new} new, {took:.1f} s, {used:.1f} s of processor")


def grow(files: int) -> None:
    """Take in folders of the same size one after the other, and print the processor time that each took per file."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(files // STEP):
            home = Path(folder) / "in" / f"{number:03d}"
            write_slices(home, first=number * STEP)
            report, took, used = ingest(home, Path(folder) / "store")
            assert report["new"] == {"dicom": STEP}, report
            print(
                f"{(number + 1) * STEP:7,} files in the store: {1000 * used / STEP:.2f} ms of processor a file, "
                f"{1000 * took / STEP:.2f} ms of wall time"
            )


def ingest(source: Path, store: Path) -> tuple[dict[str, dict[str, int]], float, float]:
    """Run the command; return its report, the seconds that it took, and the processor's."""
    command = [sys.executable, "-m", "prognoscope", "ingest", str(source), "--store", str(store), "--json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return report, took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write_slices(folder: Path, *, first: int) -> None:
    """Write `STEP` CT slices, `SLICES` a patient, by exchanging numbers of equal width in one file's bytes."""
    whole = template()
    folder.mkdir(parents=True)
    for number in range(first, first + STEP):
        patient, place = 10_000_000 + number // SLICES, number % SLICES
        data = whole.replace(b"19999999", b"%08d" % patient).replace(b".88888", b".%05d" % (10_000 + place))
        data = data.replace(b"0\\0\\1000", b"0\\0\\%04d" % (1000 + 3 * place))
        home = folder / f"{patient}"
        home.mkdir(exist_ok=True)
        (home / str(place)).write_bytes(data[:-8] + struct.pack("<Q", number))


def template() -> bytes:
    """A CT slice whose patient is 19999999, whose number is 88888 and that lies at z = 1000."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = pydicom.uid.CTImageStorage, f"{ROOT}.19999999.1.88888"
    data.StudyInstanceUID, data.SeriesInstanceUID = f"{ROOT}.19999999", f"{ROOT}.19999999.1"
    data.FrameOfReferenceUID, data.Modality, data.PatientID = f"{ROOT}.19999999.9", "CT", "19999999"
    data.PatientName, data.PatientSex, data.PatientAge, data.BodyPartExamined = "", "F", "059Y", "THIGH"
    data.SeriesDescription, data.StudyDate, data.Manufacturer = "venous", "20200102", "Acme"
    data.Rows = data.Columns = 16
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelSpacing, data.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = ["0", "0", "1000"]
    data.RescaleSlope, data.RescaleIntercept, data.PixelData = 1, 0, bytes(512)
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    out = BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


if __name__ == "__main__":
    main()
