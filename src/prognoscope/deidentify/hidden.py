"""What Pixel Data can hold beside pixels: unused bits, bytes after the last pixel, comments in compressed frames.

Overlays once lay in the bits of a pixel cell that the image does not use (Overlay Bits Allocated 16 and a bit
position above High Bit, PS3.3 C.9.2, retired in 2004): every viewer shows the drawn text, and no attribute holds it.
No pixel changes its value: bits outside Bits Stored are no part of it (PS3.5 8.1.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import UID, ExplicitVRBigEndian, RLELossless

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.codestreams import BrokenStreamError, bits_coded, strip_stream
from prognoscope.deidentify.elements import number_of, text_of

BITS, AFTER = "unused bits of pixels", "bytes after the pixels"
COMMENTS, RUNS = "comments in compressed frames", "frames of run lengths, encoded again"
_SAMPLES = {"PixelData": 0, "FloatPixelData": 32, "DoubleFloatPixelData": 64}  # bits of a sample; 0: Bits Allocated
_VIDEO = "1.2.840.10008.1.2.4.10"  # MPEG-2, H.264 and H.265, each with its profiles and levels
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)


def overlays_in_pixels(dataset: Dataset) -> bool:
    """Whether an object says that an overlay lies in the cells of its pixels; asked before overlays are removed.

    Raises
    ------
    Refused
        `pixels-in-doubt` when its bit is one that the image uses as well.
    """
    found = False
    for group in _OVERLAY_GROUPS if any(tag >> 24 == 0x60 for tag in dataset.keys()) else ():  # noqa: SIM118
        bits = dataset.get((group, 0x0100))
        if bits is None or int(bits.value or 1) == 1 or (group, 0x3000) in dataset:
            continue
        place = dataset.get((group, 0x0102))
        bit = int(place.value or 0) if place is not None else 0
        high = number_of(dataset, "HighBit", 0)
        if high - number_of(dataset, "BitsStored", high + 1) < bit <= high:
            raise _refused(
                "pixels-in-doubt", f"an overlay lies in bit {bit} of the pixels, which the image uses as well"
            )
        found = True
    return found


def clear_hidden(dataset: Dataset, *, overlays: bool) -> tuple[str, ...]:
    """Take out of Pixel Data what is no pixel, in place.

    Parameters
    ----------
    dataset
        With its file meta information. Compressed pixels that may hold more bits than the image uses are decoded.
    overlays
        What `overlays_in_pixels` said.

    Returns
    -------
    What was taken out, in words of the report; nothing for nearly every object.

    Raises
    ------
    Refused
        `dicom-pixels` when the pixels are cut off or their layout is not described; `dicom-video` for a film, whose
        stream may hold words between its frames.
    """
    keyword = next((word for word in _SAMPLES if word in dataset), None)
    if keyword is None:
        return ()
    syntax = UID(text_of(dataset.file_meta, "TransferSyntaxUID"))
    if not syntax.is_encapsulated:
        return _clear_native(dataset, keyword)
    if syntax.startswith(_VIDEO):
        raise _refused("dicom-video", "its pixels are a film (MPEG), which nothing here can search")
    frames, found = _clear_frames(dataset, runs=syntax == RLELossless)
    stored = number_of(dataset, "BitsStored", 0)
    spare = number_of(dataset, "BitsAllocated", 0) > stored
    if spare and (overlays or syntax == RLELossless or any(bits_coded(frame) > stored for frame in frames)):
        options: dict[str, Any] = {"correct_unused_bits": False}
        values, _ = get_decoder(syntax).as_array(dataset, raw=True, **options)
        if _without_spare_bits(values, dataset, int(dataset.BitsAllocated)) is not None:
            dataset.decompress(generate_instance_uid=False, as_rgb=False)
            _clear_native(dataset, keyword)
            return (*found, BITS)
    return found


def _clear_native(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    held = dataset.get_item(keyword)
    data = bytes(held.value or b"") if held is not None else b""
    bits = _SAMPLES[keyword] or number_of(dataset, "BitsAllocated", 0)
    size = _bytes_of_pixels(dataset, bits)
    if len(data) < size:
        raise _refused("dicom-pixels", f"its pixels are cut off: {len(data)} bytes of {size}")
    pixels, cleared = data[:size], None
    if keyword == "PixelData" and bits > 1:
        order = ">" if text_of(dataset.file_meta, "TransferSyntaxUID") == ExplicitVRBigEndian else "<"
        cleared = _without_spare_bits(np.frombuffer(pixels, dtype=f"{order}u{bits // 8}"), dataset, bits)
    after = data[size:].strip(b"\0")
    if cleared is not None or after:
        pixels = pixels if cleared is None else cleared.tobytes()
        setattr(dataset, keyword, pixels + b"\0" * (size % 2))
    return ((BITS,) if cleared is not None else ()) + ((AFTER,) if after else ())


def _without_spare_bits(values: NDArray[Any], dataset: Dataset, bits: int) -> NDArray[Any] | None:
    """Samples with the bits outside Bits Stored as their values imply them; None where they are so already."""
    stored = number_of(dataset, "BitsStored", bits)
    high = number_of(dataset, "HighBit", stored - 1)
    if not 0 < stored <= high + 1 <= bits:
        raise _refused("dicom-pixels", f"{stored} bits up to bit {high} do not fit into {bits} bits of a sample")
    if stored == bits:
        return None
    plain = values.astype(f"u{bits // 8}")
    kind = f"{'i' if number_of(dataset, 'PixelRepresentation', 0) == 1 else 'u'}{bits // 8}"
    upwards = (plain << (bits - 1 - high)).view(kind) >> (bits - stored)  # a signed shift repeats the sign
    implied = (upwards << (high + 1 - stored)).view(plain.dtype)
    return None if np.array_equal(implied, plain) else implied.astype(values.dtype)


def _clear_frames(dataset: Dataset, *, runs: bool) -> tuple[list[bytes], tuple[str, ...]]:
    count = number_of(dataset, "NumberOfFrames", 1)
    data = bytes(dataset.PixelData)
    before = list(generate_frames(data, number_of_frames=count))[:count]
    try:
        after = _encoded_again(dataset, count) if runs else [strip_stream(frame) for frame in before]
    except BrokenStreamError as error:
        raise _refused("dicom-pixels", f"a compressed frame can't be followed: {error}") from error
    table = int.from_bytes(data[4:8], "little")
    plain = table in (0, 4 * count) and sum(len(frame) for frame in before) + table <= len(data)
    same = all(old.rstrip(b"\0") == new.rstrip(b"\0") for old, new in zip(before, after, strict=True))
    if same and plain:
        return before, ()
    dataset.PixelData = encapsulate(after)
    dataset["PixelData"].is_undefined_length = True
    for word in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        dataset.pop(tag_for_keyword(word) or 0, None)
    return after, (RUNS if runs else COMMENTS,)


def _encoded_again(dataset: Dataset, count: int) -> list[bytes]:
    """Frames of run lengths (PS3.5 Annex G) with the same samples: bytes between and after the segments are gone."""
    decoder = get_decoder(RLELossless)
    bits, samples = number_of(dataset, "BitsAllocated", 0), number_of(dataset, "SamplesPerPixel", 1)
    layout: dict[str, Any] = {
        "rows": number_of(dataset, "Rows", 0),
        "columns": number_of(dataset, "Columns", 0),
        "samples_per_pixel": samples,
        "bits_allocated": bits,
        "bits_stored": bits,
        "pixel_representation": 0,
        "number_of_frames": 1,
        "photometric_interpretation": "RGB" if samples > 1 else "MONOCHROME2",
        "planar_configuration": 0,
    }
    encoded = []
    for place in range(count):
        planes = np.frombuffer(decoder.as_buffer(dataset, index=place, raw=True)[0], dtype=f"<u{bits // 8}")
        by_pixel = planes.reshape(samples, -1).T.tobytes()  # decoded plane by plane, encoded pixel by pixel
        encoded.append(RLELosslessEncoder.encode(by_pixel, **layout))
    return encoded


def _bytes_of_pixels(dataset: Dataset, bits: int) -> int:
    rows, columns = number_of(dataset, "Rows", 0), number_of(dataset, "Columns", 0)
    samples = number_of(dataset, "SamplesPerPixel", 1)
    if bits not in (1, 8, 16, 32, 64) or min(rows, columns, samples) < 1:
        raise _refused("dicom-pixels", f"{rows} × {columns} pixels of {samples} × {bits} bits make no picture")
    if text_of(dataset, "PhotometricInterpretation").endswith("_422"):
        samples = 2  # two colour differences for each two pixels (PS3.3 C.7.6.3.1.2)
    return -(-rows * columns * samples * number_of(dataset, "NumberOfFrames", 1) * bits // 8)


def _refused(code: str, found: str) -> Refused:
    remedy = "look at the object, and export it again without it" if code == "pixels-in-doubt" else "export it again"
    return refuse(code, subject="file", found=found, remedy=f"{remedy}; it was not passed on")
