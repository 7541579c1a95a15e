"""Pixels with names drawn into them, upright, small and on their head, and what hides beside the pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset

from tests.make.identifiers_key import Check
from tests.make.identifiers_study import Study

BURNED = ("US", "CR", "SC")


def plant_pixels(study: Study, dataset: Dataset, modality: str, number: int, *, burn: bool) -> None:
    """Give an object pixels; those of US, CR and SC have names in them where `burn` says so."""
    colour = modality in ("US", "SC")
    size = 256 if modality in BURNED else 32
    noise = np.random.default_rng(number).integers(20, 60, (size, size), dtype=np.uint8)
    picture = Image.fromarray(noise)
    if burn and modality in BURNED:
        lines = [(12, 16, 0, study.person.family + " " + study.person.given), (36, 16, 0, study.person.patient_id)]
        lines += [(56, 9, 180, f"{study.person.given} {study.person.birth}")]  # small, and on its head
        for top, points, turned, text in lines:
            box = _draw(picture, (10, top), text, points, turned)
            study.key.checks.append(Check(number, "pixels hidden", "pixels", ("PixelData",), text, box))
    values = np.asarray(picture)
    free = (80 if modality in BURNED else 0, 0, size, size)
    study.key.checks.append(Check(number, "pixels retained", "pixels", ("PixelData",), "", free))
    values = np.repeat(values[:, :, None], 3, axis=2) if colour else values.astype("<u2") * 8
    if modality == "US" and study.instances.get("US"):
        # A film: the frames before and after are the same noise, and only the one in the middle has the text.
        plain = np.repeat(noise[:, :, None], 3, axis=2)
        values = np.stack([plain, values, plain])
        dataset.NumberOfFrames, dataset.FrameTime = 3, "40"
    dataset.Rows = dataset.Columns = size
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * values.dtype.itemsize
    dataset.BitsStored, dataset.HighBit = dataset.BitsAllocated, dataset.BitsAllocated - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = values.tobytes()
    if modality == "MR":
        dataset.PixelData += study.person.family.encode() + b" " * (len(study.person.family) % 2)
    if colour:
        dataset.ICCProfile = b"\0\0\2\0" + study.person.family.encode() + b"\0" * (len(study.person.family) % 2)
        study.key.ask(number, "text removed", "binary", "ICCProfile", text=study.person.family)
    if modality in BURNED:
        dataset.BurnedInAnnotation = "YES" if burn else "NO"
    if modality == "CT":
        _draw_into_spare_bit(dataset, study.person.family)
        study.key.checks.append(Check(number, "pixels hidden", "overlay", ("PixelData", "bit 15"), study.person.family))
        dataset.add_new(0x60003000, "OW", study.person.family.encode() + b" " * (len(study.person.family) % 2))
        dataset.add_new(0x60004000, "LT", f"overlay of {study.person.name}")
        study.key.ask(number, "text removed", "overlay", "(6000,4000)", text=study.person.family)


def _draw(picture: Image.Image, place: tuple[int, int], text: str, points: int, turned: int) -> tuple[int, ...]:
    """Draw a line of text at a place (from the left, from the top); return `(top, left, bottom, right)` of it."""
    font = ImageFont.load_default(size=points)
    ink = Image.new("L", (picture.width, 2 * points))
    ImageDraw.Draw(ink).text((2, 2), text, fill=255, font=font)
    ink = ink.crop(ink.getbbox()).rotate(turned)
    picture.paste(250, place, ink)
    return place[1], place[0], place[1] + ink.height, place[0] + ink.width


def _draw_into_spare_bit(dataset: Dataset, text: str) -> None:
    """Write a name as an overlay into the highest bit of the pixels, of which the image uses twelve."""
    drawn = Image.new("1", (dataset.Columns, dataset.Rows))
    ImageDraw.Draw(drawn).text((1, 8), text, fill=1, font=ImageFont.load_default(size=10))
    dataset.BitsStored, dataset.HighBit = 12, 11
    values = np.frombuffer(dataset.PixelData, "<u2") | (np.asarray(drawn, dtype="<u2").ravel() << 15)
    dataset.PixelData = values.astype("<u2").tobytes()
    for element, vr, value in (
        (0x0010, "US", dataset.Rows),
        (0x0011, "US", dataset.Columns),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 16),
        (0x0102, "US", 15),
    ):
        dataset.add_new(0x60020000 + element, vr, value)
