"""Burned-in text: which objects are read, what is covered, and that no other pixel changes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset, dcmread
from pydicom.uid import JPEG2000Lossless, RLELossless

from prognoscope.core.problems import Refused
from prognoscope.deidentify import PROFILES, Identity
from prognoscope.deidentify.burned import find_identifiers, identifies
from prognoscope.deidentify.ocr import Line, can_read, open_reader
from prognoscope.deidentify.pictures import cover_picture
from prognoscope.deidentify.pixels import cover_identifiers, must_read
from prognoscope.deidentify.text import Cleaner
from prognoscope.jobs.deidentify import deidentify
from tests.make.deidentify import CT, PROJECT, SC, US, an_object, as_file, save, with_pixels

DOE = Cleaner(Identity(frozenset({"DOE^JANE", "Young^Ann"}), frozenset({"MRN4711"})))
BOX = (2, 3, 8, 30)
NOISE = np.random.default_rng(4).integers(1, 200, (40, 60), dtype=np.uint8)
needs_reader = pytest.mark.skipif(not can_read(), reason="the extra `ocr` is not installed")


def rough(patch: NDArray[np.uint8]) -> bool:
    """Whether something stands out within a patch; its edges, and slow changes, don't count."""
    return bool(np.abs(np.diff(patch[2:-2, 2:-2, 0].astype(int), n=2, axis=1)).max() > 30)


class Screen:
    """A reader that finds a text as long as its place is not covered."""

    def __init__(self, text: str, *, score: float = 0.9, stubborn: bool = False) -> None:
        self.line, self.stubborn = Line(text, BOX, score), stubborn

    def __call__(self, picture: NDArray[np.uint8]) -> tuple[Line, ...]:
        top, left, bottom, right = BOX
        patch = picture[top:bottom, left:right]
        return (self.line,) if self.stubborn or rough(patch) else ()


def covered(values: NDArray[Any], **elements: Any) -> Dataset:
    dataset = as_file(with_pixels(an_object(US), values, **elements))
    assert cover_identifiers(dataset, DOE, Screen("DOE JANE"))
    return dataset


@pytest.mark.parametrize(
    ("dataset", "read"),
    [
        (an_object(US), True),
        (an_object(CT, BurnedInAnnotation="YES"), True),
        (an_object(CT), False),
        (an_object(CT, Modality="MR"), False),
        (an_object(CT, Modality="PT", ImageType=["DERIVED", "SECONDARY"]), False),
        (an_object(CT, ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"]), True),
        (an_object(SC, Modality="CT"), True),
        (an_object(CT, Modality="DX", BurnedInAnnotation="NO"), True),
        (an_object(CT, Modality="SEG"), False),
        (an_object(CT, BurnedInAnnotation="UNKNOWN"), True),
        (an_object(CT, BurnedInAnnotation=""), False),
    ],
)
def test_objects_are_read_where_text_may_be_burned_in(dataset: Dataset, read: bool) -> None:
    assert must_read(as_file(with_pixels(dataset, NOISE.astype(np.uint16)))) is read


def test_a_ct_of_eight_bits_or_in_colour_is_read() -> None:
    assert must_read(as_file(with_pixels(an_object(CT), NOISE)))
    assert must_read(as_file(with_pixels(an_object(CT), np.stack([NOISE] * 3, axis=-1))))


def test_an_object_without_pixels_is_not_read() -> None:
    assert not must_read(an_object(US))


@pytest.mark.parametrize(
    "text",
    [
        "DOE JANE",
        "DOEJANE",
        "MRN4711",
        "Smythe",
        "12/03/1956",
        "12.03.56",
        "10:15:30",
        "Ann Young",
        "General Hospital X",
        "ID 0012345",
        "Dr House",
        "Tel 614-555-0188",  # `Tel` alone could be TE and L
    ],
)
def test_names_known_or_not_dates_times_and_numbers_identify(text: str) -> None:
    assert identifies(text, DOE)


@pytest.mark.parametrize(
    "text",
    [
        "L",
        "R",
        "MI 1.2",
        "LMI1.2FR30Hz",
        "TIS 0.4",
        "120 kV",
        "Gain 62%",
        "LEFT",
        "PA ERECT",
        "3.5 cm",
        "-",
        "W 400 L 40",
        "GB",
        "LV 45 mm",
        "Vel 45.2 cm/s",
        "HR 72 bpm",
    ],
)
def test_side_markers_units_and_settings_do_not_identify(text: str) -> None:
    assert not identifies(text, DOE)


@pytest.mark.parametrize("values", [NOISE, NOISE.astype(np.uint16) * 100, NOISE.astype(np.int16) - 50])
def test_no_pixel_outside_the_box_changes(values: NDArray[Any]) -> None:
    after = covered(values).pixel_array
    top, left, bottom, right = BOX
    inside = np.zeros(values.shape, bool)
    inside[top:bottom, left:right] = True
    np.testing.assert_array_equal(after[~inside], values[~inside])
    assert len(np.unique(after[inside])) == 1


def test_every_frame_and_colour_is_covered() -> None:
    values = np.stack([np.stack([NOISE, NOISE // 2, NOISE // 3], axis=-1)] * 4)
    after = covered(values).pixel_array
    assert not after[:, 2:8, 3:30].any()
    np.testing.assert_array_equal(after[:, 8:], values[:, 8:])


def test_colours_stored_plane_by_plane_are_covered() -> None:
    values = np.stack([NOISE, NOISE // 2, NOISE // 3], axis=-1)
    dataset = as_file(with_pixels(an_object(US), values, PlanarConfiguration=1))
    dataset.PixelData = np.moveaxis(values, -1, 0).tobytes()
    assert cover_identifiers(dataset, DOE, Screen("DOE"))
    assert not dataset.pixel_array[2:8, 3:30].any()
    np.testing.assert_array_equal(dataset.pixel_array[8:], values[8:])


def test_black_is_the_highest_value_where_the_lowest_is_white() -> None:
    dataset = covered(NOISE, PhotometricInterpretation="MONOCHROME1")
    assert (dataset.pixel_array[2:8, 3:30] == NOISE.max()).all()


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_pixels_are_decoded_where_something_is_covered_and_marked(syntax: str) -> None:
    def compressed() -> Dataset:
        dataset = as_file(with_pixels(an_object(US, ImageType=["ORIGINAL", "PRIMARY"]), NOISE))
        dataset.compress(syntax, generate_instance_uid=False)
        return dataset

    dataset = compressed()
    assert cover_identifiers(dataset, DOE, Screen("DOE"))
    assert not dataset.file_meta.TransferSyntaxUID.is_compressed
    assert dataset.ImageType[0] == "DERIVED"
    np.testing.assert_array_equal(dataset.pixel_array[8:], NOISE[8:])
    untouched = compressed()
    before = untouched.PixelData
    assert not cover_identifiers(untouched, DOE, Screen("MI 1.2"))
    assert untouched.PixelData == before
    assert untouched.file_meta.TransferSyntaxUID == syntax


def test_a_line_that_is_seen_only_when_its_neighbour_is_gone_is_covered_too() -> None:
    second = (20, 3, 26, 30)

    def reader(picture: NDArray[np.uint8]) -> tuple[Line, ...]:
        for top, left, bottom, right in (BOX, second):
            if rough(picture[top:bottom, left:right]):
                return (Line("DOE JANE", (top, left, bottom, right), 0.9),)
        return ()

    dataset = as_file(with_pixels(an_object(US), NOISE))
    assert cover_identifiers(dataset, DOE, reader)
    assert (dataset.pixel_array[20:26, 3:30] == NOISE.min()).all()  # the lowest value there is
    np.testing.assert_array_equal(dataset.pixel_array[26:], NOISE[26:])


def test_the_object_says_that_nothing_is_burned_in() -> None:
    assert covered(NOISE, BurnedInAnnotation="YES").BurnedInAnnotation == "NO"


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        (Screen("DOE", stubborn=True), "still found"),
        (Screen("Sm?the", score=0.4), "confidence 0.40"),
    ],
)
def test_in_doubt_an_object_is_refused(reader: Screen, reason: str) -> None:
    dataset = as_file(with_pixels(an_object(US), NOISE))
    with pytest.raises(Refused, match=reason):
        cover_identifiers(dataset, DOE, reader)


def test_a_page_full_of_names_is_refused() -> None:
    def page(picture: NDArray[np.uint8]) -> tuple[Line, ...]:
        return (Line("Worklist of the day", (0, 0, 30, 60), 0.9),)

    with pytest.raises(Refused, match="covers more than"):
        find_identifiers([np.stack([NOISE] * 3, axis=-1)], DOE, page)


def test_a_refused_object_leaves_a_thumbnail_in_the_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prognoscope.deidentify.batch.open_reader", lambda: Screen("DOE", stubborn=True))
    save(with_pixels(an_object(US), NOISE), tmp_path / "in" / "a.dcm")
    done = deidentify(tmp_path / "in", tmp_path / "out", options=PROFILES["basic"], project=PROJECT)
    assert done.report["held_back"]["by_reason"] == {"pixels-in-doubt": 1}
    (picture,) = (tmp_path / "out.private" / "quarantine").glob("*.png")
    with Image.open(picture) as image:
        assert image.size == (60, 40)


def test_a_covered_object_leaves_a_picture_of_before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.deidentify.batch.open_reader", lambda: Screen("DOE"))
    save(with_pixels(an_object(US), NOISE), tmp_path / "in" / "a.dcm")
    done = deidentify(tmp_path / "in", tmp_path / "out", options=PROFILES["basic"], project=PROJECT)
    assert done.report["pixels"] == {"covered": 1}
    (picture,) = (tmp_path / "out.private" / "thumbnails").glob("*.png")
    with Image.open(picture) as image:
        assert image.size == (120, 40)


def test_a_picture_is_covered_and_stored_without_loss() -> None:
    stream = io.BytesIO()
    Image.fromarray(NOISE).save(stream, "JPEG")
    with Image.open(stream) as image:
        before = np.asarray(image)
    data = cover_picture(stream.getvalue(), DOE, Screen("DOE"))
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        after = np.asarray(image)
    assert not after[2:8, 3:30].any()
    np.testing.assert_array_equal(after[8:], before[8:])
    assert cover_picture(stream.getvalue(), DOE, Screen("MI 1.2")) is None


@pytest.mark.parametrize("place", [0, 7, 19])
def test_a_name_in_a_single_frame_is_seen_and_covered_in_all(place: int) -> None:
    frames = np.full((20, 40, 60), 9, np.uint8)
    frames[place, 4, 10:20] = 250
    dataset = as_file(with_pixels(an_object(US), frames))
    assert cover_identifiers(dataset, DOE, Screen("DOE"))
    assert (dataset.pixel_array == 9).all()


def test_dark_text_in_a_single_bright_frame_is_seen() -> None:
    frames = np.full((20, 40, 60), 200, np.uint8)
    frames[7, 4, 10:20] = 3
    assert cover_identifiers(as_file(with_pixels(an_object(US), frames)), DOE, Screen("DOE"))


@needs_reader
@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_real_reader_finds_a_name_that_stands_on_its_head_or_on_its_side(turned: int) -> None:
    line = Image.new("L", (180, 24), 30)
    ImageDraw.Draw(line).text((4, 4), "ZORVAK JANE 1956", fill=250, font=ImageFont.load_default(size=9))
    picture = Image.new("L", (256, 256), 30)
    picture.paste(line.rotate(turned, expand=True), (30, 30))
    dataset = as_file(with_pixels(an_object(US), np.asarray(picture)))
    assert cover_identifiers(dataset, DOE, open_reader())
    assert dataset.pixel_array.max() < 100


@needs_reader
@pytest.mark.slow
@pytest.mark.parametrize(("size", "height"), [(256, 14), (512, 20), (1024, 24)])
def test_a_real_reader_finds_a_name_and_leaves_the_settings(size: int, height: int, tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(size).integers(20, 60, (size, size), dtype=np.uint8))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=height)
    draw.text((10, 10), "SMYTHE JOHN  12/03/1956", fill=250, font=font)
    draw.text((10, size - 3 * height), "MI 1.2 FR 30 Hz", fill=250, font=font)
    dataset = as_file(with_pixels(an_object(US), np.asarray(picture)))
    assert cover_identifiers(dataset, DOE, open_reader())
    after = dataset.pixel_array
    assert after[10 : 10 + height, 10 : size // 2].max() < 100
    np.testing.assert_array_equal(after[3 * height :], np.asarray(picture)[3 * height :])
    save(dataset, tmp_path / "a.dcm")
    assert dcmread(tmp_path / "a.dcm").BurnedInAnnotation == "NO"


def test_pictures_are_read_once_more_with_what_is_faint_brought_out() -> None:
    frames = [np.full((20, 40, 3), level, np.uint8) for level in (10, 10, 12)]
    seen: list[NDArray[np.uint8]] = []

    def reader(picture: NDArray[np.uint8]) -> tuple[Line, ...]:
        seen.append(picture)
        return ()

    frames[0][5, 5:15] += 3
    find_identifiers(frames[:1], DOE, reader)
    assert len(seen) == 2
    assert int(np.ptp(seen[0])) == 3
    assert int(np.ptp(seen[1])) > 100
    seen.clear()
    find_identifiers(frames, DOE, reader)
    assert len(seen) == len({picture.tobytes() for picture in seen})  # none twice


@needs_reader
@pytest.mark.slow
@pytest.mark.parametrize("contrast", [3, 6, 10, 16])
@pytest.mark.parametrize("slope", [0, 120])
def test_a_real_reader_finds_a_name_that_hardly_differs_from_its_ground(contrast: int, slope: int) -> None:
    picture = Image.new("L", (256, 256))
    ImageDraw.Draw(picture).text((20, 90), "ZORVAK JANE", fill=255, font=ImageFont.load_default(size=14))
    letters = np.asarray(picture) / 255
    ground = 60 + slope * np.linspace(0, 1, 256)[None, :]
    dataset = as_file(with_pixels(an_object(US), (ground + contrast * letters).astype(np.uint8)))
    before = dataset.pixel_array.copy()
    assert cover_identifiers(dataset, DOE, open_reader())
    after = dataset.pixel_array
    drawn = (letters > 0.5) & (before != np.roll(before, 1, axis=0))
    assert np.mean(after[drawn] == before[drawn]) < 0.05
