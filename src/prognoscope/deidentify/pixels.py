"""Burned-in text of DICOM objects: which objects are read, and how boxes are covered without touching other pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from prognoscope.deidentify.burned import Box, as_picture, cover_until_clean, doubt
from prognoscope.deidentify.drawn import looks_drawn
from prognoscope.deidentify.elements import number_of, text_of
from prognoscope.deidentify.ocr import Reader
from prognoscope.deidentify.text import Cleaner

READ_MODALITIES = frozenset(
    {"US", "IVUS", "SC", "XA", "RF", "CR", "DX", "MG", "IO", "PX", "ES", "XC", "OP", "GM", "SM"}
)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_NOT_PICTURES = frozenset({"SEG", "RTDOSE", "REG", "SR", "PR"})
THUMBNAIL = 640
MOST_PIXELS = 1 << 30


def must_read(dataset: Dataset) -> bool:
    """Whether text may be burned in: by modality, by what the object says of itself, or as a screen copy.

    CT, MR and PET straight from a scanner are read only where something looks drawn into them.
    """
    modality = text_of(dataset, "Modality")
    if "PixelData" not in dataset or modality in _NOT_PICTURES:
        return False
    return (
        modality in READ_MODALITIES
        or text_of(dataset, "BurnedInAnnotation") not in ("NO", "")
        or text_of(dataset, "SOPClassUID").startswith(_SECONDARY_CAPTURE)
        or "SCREEN SAVE" in text_of(dataset, "ImageType")
        or number_of(dataset, "BitsAllocated", 16) == 8
        or number_of(dataset, "SamplesPerPixel", 1) > 1
        or (text_of(dataset, "BurnedInAnnotation") != "NO" and any(looks_drawn(frame) for frame in _native(dataset)))
    )


def _native(dataset: Dataset) -> Iterator[NDArray[Any]]:
    """Frames of uncompressed pixels of 16 bits as they are stored; nothing for others."""
    held = dataset.get_item("PixelData")
    syntax = UID(text_of(dataset.file_meta, "TransferSyntaxUID"))
    if held is None or syntax.is_compressed or number_of(dataset, "BitsAllocated", 0) != 16:
        return
    rows, columns = number_of(dataset, "Rows", 0), number_of(dataset, "Columns", 0)
    kind = "i" if number_of(dataset, "PixelRepresentation", 0) == 1 else "u"
    values = np.frombuffer(held.value, dtype=f"{'<' if syntax.is_little_endian else '>'}{kind}2")
    for start in range(0, len(values) - rows * columns + 1, rows * columns):
        yield values[start : start + rows * columns].reshape(rows, columns)


def cover_identifiers(dataset: Dataset, cleaner: Cleaner, reader: Reader) -> bool:
    """Cover identifying text in an object's pixels, in place; read again to prove that nothing is left.

    Compressed pixels in which something is covered are stored uncompressed; others keep their bytes.

    Returns
    -------
    Whether anything was covered.

    Raises
    ------
    Refused
        `pixels-in-doubt`, also when text is still found after covering.
    """

    def cover(boxes: tuple[Box, ...]) -> None:
        if dataset.file_meta.TransferSyntaxUID.is_compressed:
            dataset.decompress(generate_instance_uid=False)
            _mark_derived(dataset)
        _cover(dataset, boxes)

    covered = cover_until_clean(lambda: pictures(dataset), cover, cleaner=cleaner, reader=reader)
    dataset.BurnedInAnnotation = "NO"
    return covered


def pictures(dataset: Dataset) -> list[NDArray[np.uint8]]:
    """Frames of an object as pictures `(rows, columns, 3)`, spread over the whole range of their values."""
    pixels = int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0)) * int(dataset.get("NumberOfFrames") or 1)
    if not 0 < pixels <= MOST_PIXELS:
        raise doubt(f"it has {pixels} pixels")
    values = pixel_array(dataset)
    colour = int(dataset.get("SamplesPerPixel", 1)) > 1
    frames = values if values.ndim == (4 if colour else 3) else values[None]
    return [as_picture(frame) for frame in frames]


def thumbnail(picture: NDArray[np.uint8]) -> bytes:
    """Return a small PNG of a picture."""
    image = Image.fromarray(picture)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _cover(dataset: Dataset, boxes: tuple[Box, ...]) -> None:
    bits, samples = int(dataset.BitsAllocated), int(dataset.get("SamplesPerPixel", 1))
    photometric = str(dataset.PhotometricInterpretation)
    if bits not in (8, 16, 32) or photometric.startswith("YBR_FULL_4"):
        raise doubt(f"pixels of {bits} bits as {photometric} can't be covered")
    order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
    kind = "i" if int(dataset.get("PixelRepresentation", 0)) else "u"
    frames, rows, columns = int(dataset.get("NumberOfFrames") or 1), int(dataset.Rows), int(dataset.Columns)
    data = bytearray(dataset.PixelData)
    count = frames * rows * columns * samples
    values = np.frombuffer(data, dtype=f"{order}{kind}{bits // 8}", count=count)
    planar = samples > 1 and int(dataset.get("PlanarConfiguration", 0)) == 1
    shaped = values.reshape((frames, samples, rows, columns) if planar else (frames, rows, columns, samples))
    cube = np.moveaxis(shaped, 1, 3) if planar else shaped
    black = np.array(_black(photometric, cube, int(dataset.get("BitsStored", bits))), dtype=values.dtype)
    for top, left, bottom, right in boxes:
        cube[:, top:bottom, left:right, :] = black
    dataset.PixelData = bytes(data)


def _black(photometric: str, cube: NDArray[Any], bits_stored: int) -> list[int]:
    if photometric == "MONOCHROME1":
        return [int(cube.max())]
    if photometric.startswith("YBR"):
        return [0, 1 << (bits_stored - 1), 1 << (bits_stored - 1)]
    if photometric == "RGB":
        return [0, 0, 0]
    return [int(cube.min())]


def _mark_derived(dataset: Dataset) -> None:
    kinds = list(dataset.get("ImageType") or ())
    if kinds:
        dataset.ImageType = ["DERIVED", *kinds[1:]]
