"""DICOM segmentations: frames in any order, empty ones absent, segments that overlap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from prognoscope.core.images import ImageSeries, RegionSet
from prognoscope.core.problems import Problem, Refused
from prognoscope.sources import read_mask, scan
from tests.make import dicom

Frame = tuple[int, tuple[float, float, float], NDArray[np.uint8]]


def picture(*, rows: slice, columns: slice, value: int = 1) -> NDArray[np.uint8]:
    values = np.zeros((30, 30), np.uint8)
    values[rows, columns] = value
    return values


LESION = picture(rows=slice(4, 10), columns=slice(5, 12))
LIVER = picture(rows=slice(2, 20), columns=slice(2, 20))
# Two segments on slices of 3 mm, deliberately out of order; the lesion is on two slices, the liver on three.
FRAMES: list[Frame] = [
    (2, (0.0, 0.0, 9.0), LIVER),
    (1, (0.0, 0.0, 6.0), LESION),
    (2, (0.0, 0.0, 3.0), LIVER),
    (1, (0.0, 0.0, 3.0), LESION),
    (2, (0.0, 0.0, 6.0), LIVER),
]
NAMES = {1: "Lesion", 2: "Liver"}


def folder_with(tmp_path: Path, frames: list[Frame] | None = None, **changes: object) -> tuple[RegionSet, ImageSeries]:
    dicom.write_series(tmp_path / "ct", rows=30, columns=30, spacing=(3.0, 1.0, 1.0), origin=(0, 0, 0))
    chosen: dict[str, object] = {"names": NAMES, **changes}
    dicom.write_segmentation(tmp_path / "seg.dcm", FRAMES if frames is None else frames, **chosen)  # type: ignore[arg-type]
    index = scan(tmp_path)
    assert index.refused == ()
    assert index.set_aside == ()
    return index.region_sets[0], index.series[0]


def problem_of(tmp_path: Path, frames: list[Frame] | None = None, **changes: object) -> Problem:
    found, series = folder_with(tmp_path, frames, **changes)
    with pytest.raises(Refused) as caught:
        read_mask(tmp_path, found, "Lesion", series)
    return caught.value.problem


def test_what_a_segmentation_says(tmp_path: Path) -> None:
    found, series = folder_with(tmp_path)
    assert found.regions == ("Lesion", "Liver")
    assert found.series_uid == series.uid
    assert (found.label, found.date, found.patient_id) == ("SEGMENTS", "2024-02-03", "P1")


def test_every_frame_is_placed_by_its_own_position(tmp_path: Path) -> None:
    found, series = folder_with(tmp_path)
    mask = read_mask(tmp_path, found, "Lesion", series)
    assert mask.voxels.sum(axis=(1, 2)).tolist() == [0, 42, 42, 0, 0, 0]
    np.testing.assert_array_equal(mask.voxels[1], LESION.astype(bool))
    assert mask.grid == series.grid


def test_segments_may_overlap(tmp_path: Path) -> None:
    found, series = folder_with(tmp_path)
    lesion, liver = (read_mask(tmp_path, found, name, series).voxels for name in ("Lesion", "Liver"))
    assert liver.sum() == 3 * 18 * 18
    assert (lesion & liver).sum() == lesion.sum()


def test_bits_run_on_from_frame_to_frame(tmp_path: Path) -> None:
    """30 × 31 pixels are no whole number of bytes: the second frame begins within one."""
    one = np.zeros((31, 30), np.uint8)
    one[30, 29] = 1
    dicom.write_series(tmp_path / "ct", rows=31, columns=30, spacing=(3.0, 1.0, 1.0), origin=(0, 0, 0))
    frames = [(1, (0.0, 0.0, z), one) for z in (0.0, 3.0, 6.0)]
    dicom.write_segmentation(tmp_path / "seg.dcm", frames, names={1: "Lesion"})
    index = scan(tmp_path)
    mask = read_mask(tmp_path, index.region_sets[0], "Lesion", index.series[0])
    assert np.argwhere(mask.voxels).tolist() == [[0, 30, 29], [1, 30, 29], [2, 30, 29]]


def test_frames_that_run_the_other_way_are_turned(tmp_path: Path) -> None:
    """Columns from the back to the front: the same voxels, counted from the other end."""
    turned = [(1, (0.0, 29.0, 3.0), LESION[::-1])]
    found, series = folder_with(tmp_path, turned, orientation=(1.0, 0.0, 0.0, 0.0, -1.0, 0.0), names={1: "Lesion"})
    np.testing.assert_array_equal(read_mask(tmp_path, found, "Lesion", series).voxels[1], LESION.astype(bool))


def test_a_part_of_the_image_is_enough(tmp_path: Path) -> None:
    small = [(1, (5.0, 4.0, 3.0), np.ones((6, 7), np.uint8))]
    found, series = folder_with(tmp_path, small, names={1: "Lesion"})
    np.testing.assert_array_equal(read_mask(tmp_path, found, "Lesion", series).voxels[1], LESION.astype(bool))


def test_probabilities_need_a_threshold(tmp_path: Path) -> None:
    shares = [(1, (0.0, 0.0, 3.0), picture(rows=slice(4, 10), columns=slice(5, 12), value=120))]
    found, series = folder_with(tmp_path, shares, kind="FRACTIONAL", names={1: "Lesion"})
    with pytest.raises(Refused) as caught:
        read_mask(tmp_path, found, "Lesion", series)
    assert caught.value.problem.code == "segment-fractional"
    # 120 of at most 200 is a share of 0.6.
    assert read_mask(tmp_path, found, "Lesion", series, threshold=0.6).count == 42
    with pytest.raises(Refused) as caught:
        read_mask(tmp_path, found, "Lesion", series, threshold=0.61)
    assert caught.value.problem.code == "region-too-small"


def test_a_label_map(tmp_path: Path) -> None:
    both = LIVER * 2
    both[LESION > 0] = 1
    found, series = folder_with(tmp_path, [(0, (0.0, 0.0, 3.0), both)], kind="LABELMAP")
    assert read_mask(tmp_path, found, "Lesion", series).count == 42
    assert read_mask(tmp_path, found, "Liver", series).count == 18 * 18 - 42


def test_pixels_between_the_voxels_are_refused_in_mm(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, [(1, (0.3, 0.0, 3.0), LESION)], names={1: "Lesion"})
    assert problem.code == "segment-off-grid"
    assert "0.30 mm" in problem.found


def test_coarser_pixels_are_refused(tmp_path: Path) -> None:
    assert problem_of(tmp_path, spacing=(1.5, 1.5)).code == "segment-off-grid"


@pytest.mark.parametrize("place", [(0.0, 0.0, 18.0), (0.0, 0.0, -3.0), (25.0, 0.0, 3.0)])
def test_a_segment_beyond_the_image_is_refused(tmp_path: Path, place: tuple[float, float, float]) -> None:
    assert problem_of(tmp_path, [(1, place, LESION)], names={1: "Lesion"}).code == "region-outside-image"


def test_a_segment_without_frames_is_refused_by_name(tmp_path: Path) -> None:
    assert problem_of(tmp_path, [(2, (0.0, 0.0, 3.0), LIVER)]).code == "region-empty"


def test_another_frame_of_reference_is_refused(tmp_path: Path) -> None:
    assert problem_of(tmp_path, frame_of_reference="9.9").code == "frame-of-reference-differs"


def test_another_series_is_refused(tmp_path: Path) -> None:
    assert problem_of(tmp_path, drawn_on="5.5").code == "region-of-other-series"


def test_a_truncated_segmentation_is_refused(tmp_path: Path) -> None:
    folder_with(tmp_path)
    path = tmp_path / "seg.dcm"
    path.write_bytes(path.read_bytes()[:-40])
    index = scan(tmp_path)
    assert index.region_sets == ()
    assert index.refused[0].problem.code == "dicom-truncated"
    assert "seg.dcm" in index.refused[0].problem.found


def test_a_segment_that_all_frames_share_as_highdicom_writes_it(tmp_path: Path) -> None:
    dicom.write_series(tmp_path / "ct", rows=30, columns=30, spacing=(3.0, 1.0, 1.0), origin=(0, 0, 0))
    dicom.write_segmentation(tmp_path / "seg.dcm", [frame for frame in FRAMES if frame[0] == 1], names={1: "Lesion"})
    file = pydicom.dcmread(tmp_path / "seg.dcm")
    for frame in file.PerFrameFunctionalGroupsSequence:
        file.SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence = frame.SegmentIdentificationSequence
        del frame.SegmentIdentificationSequence
    file.save_as(tmp_path / "seg.dcm")
    index = scan(tmp_path)
    mask = read_mask(tmp_path, index.region_sets[0], "Lesion", index.series[0])
    assert mask.count == 2 * int(LESION.sum())
