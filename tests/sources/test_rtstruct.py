"""Contours → a mask on the grid of the series they were drawn on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from prognoscope.core.geometry import Mask
from prognoscope.core.images import ImageSeries, RegionSet
from prognoscope.core.problems import Problem, Refused
from prognoscope.sources import matching_regions, read_mask, scan
from tests.make import dicom

# Six slices at z = 0, 3, …, 15 mm; pixels of 1 mm, 30 × 30 of them, the first centre at (0, 0).
SLICES = [0.0, 3.0, 6.0, 9.0, 12.0, 15.0]


def folder_with(tmp_path: Path, regions: object, **changes: object) -> tuple[RegionSet, ImageSeries]:
    dicom.write_series(tmp_path / "ct", rows=30, columns=30, spacing=(3.0, 1.0, 1.0), origin=(0, 0, 0))
    dicom.write_regions(tmp_path / "rs.dcm", regions, **changes)  # type: ignore[arg-type]
    index = scan(tmp_path)
    assert index.refused == ()
    return index.region_sets[0], index.series[0]


def mask_of(tmp_path: Path, regions: object, name: str = "GTV", **changes: object) -> Mask:
    found, series = folder_with(tmp_path, regions, **changes)
    return read_mask(tmp_path, found, name, series)


def problem_of(tmp_path: Path, regions: object, name: str = "GTV", **changes: object) -> Problem:
    with pytest.raises(Refused) as caught:
        mask_of(tmp_path, regions, name, **changes)
    return caught.value.problem


def test_a_box_is_filled_plane_by_plane_ends_included(tmp_path: Path) -> None:
    rings = [dicom.square(4.5, 12.5, z) for z in SLICES]
    mask = mask_of(tmp_path, {"GTV": rings})
    assert mask.voxels.sum(axis=(1, 2)).tolist() == [64] * 6
    assert mask.voxels[0, 5:13, 5:13].all()
    # 8 mm · 8 mm · 6 slices of 3 mm, as the polygons enclose.
    assert mask.count * mask.grid.voxel_volume_mm3 == pytest.approx(8 * 8 * 18)


def test_planes_belong_to_the_slice_within_half_a_slice(tmp_path: Path) -> None:
    """Contours that were drawn 1.4 mm off the slices of 3 mm are on the same six slices."""
    rings = [dicom.square(4.5, 12.5, z + 1.4) for z in SLICES]
    assert mask_of(tmp_path, {"GTV": rings}).voxels.any(axis=(1, 2)).all()


def test_the_order_of_the_contours_does_not_matter(tmp_path: Path) -> None:
    rings = [dicom.square(4.5, 12.5, z) for z in (9.0, 3.0, 6.0)]
    assert mask_of(tmp_path, {"GTV": rings}).voxels.any(axis=(1, 2)).tolist() == [False, True, True, True, False, False]


@pytest.mark.parametrize("shape", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_a_contour_within_a_contour_is_a_hole(tmp_path: Path, shape: str) -> None:
    rings = [ring for z in SLICES for ring in (dicom.square(4.5, 14.5, z), dicom.square(7.5, 10.5, z))]
    assert mask_of(tmp_path, {"GTV": rings}, shape=shape).count == 6 * (100 - 9)


def test_contours_finer_than_the_slices_do_not_cancel_each_other(tmp_path: Path) -> None:
    """Drawn on slices of 1 mm: each slice of 3 mm takes the contour at its centre, not the sum of three."""
    fine = [dicom.square(4.5, 12.5 if z % 3 == 0 else 20.5, z) for z in np.arange(0.0, 16.0, 1.0)]
    mask = mask_of(tmp_path, {"GTV": fine})
    assert mask.voxels.sum(axis=(1, 2)).tolist() == [64] * 6


def test_an_oblique_series_with_its_contours(tmp_path: Path) -> None:
    tilt = np.radians(30)
    down = (0.0, float(np.cos(tilt)), float(np.sin(tilt)))
    orientation = (1.0, 0.0, 0.0, *down)
    across = dicom.normal_of(orientation)
    dicom.write_series(
        tmp_path / "ct", rows=30, columns=30, spacing=(3.0, 1.0, 1.0), origin=(0, 0, 0), orientation=orientation
    )
    rings = []
    for plane in (1, 2, 3):
        corners = [(5.5, 5.5), (15.5, 5.5), (15.5, 11.5), (5.5, 11.5)]
        ring = [x * np.array([1.0, 0, 0]) + y * np.array(down) + 3.0 * plane * across for x, y in corners]
        rings.append([tuple(float(value) for value in point) for point in ring])
    dicom.write_regions(tmp_path / "rs.dcm", {"GTV": rings})  # type: ignore[dict-item]
    index = scan(tmp_path)
    mask = read_mask(tmp_path, index.region_sets[0], "GTV", index.series[0])
    assert mask.voxels.sum(axis=(1, 2)).tolist() == [0, 60, 60, 60, 0, 0]


def test_what_a_region_set_says(tmp_path: Path) -> None:
    found, series = folder_with(tmp_path, {"GTV": [dicom.square(1, 5, 0.0)], "Lung": []})
    assert found.regions == ("GTV", "Lung")
    assert found.series_uid == series.uid == "1.2.3"
    assert (found.patient_id, found.label, found.date, found.file) == ("P1", "contours", "2024-02-02", "rs.dcm")


def test_the_same_file_twice_is_one_region_set(tmp_path: Path) -> None:
    folder_with(tmp_path, {"GTV": [dicom.square(1, 5, 0.0)]})
    (tmp_path / "copy.dcm").write_bytes((tmp_path / "rs.dcm").read_bytes())
    assert [found.file for found in scan(tmp_path).region_sets] == ["copy.dcm"]


def test_names_by_pattern(tmp_path: Path) -> None:
    found, _ = folder_with(tmp_path, {"GTV_b": [], "gtv_c": [], "GTV_a": [], "Lung": []})
    assert matching_regions(found, "GTV*") == ("GTV_a", "GTV_b")
    assert matching_regions(found, "Heart") == ()


def test_a_name_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, {"GTV_Mass": [], "Lung": []}, "GTV_Mas")
    assert problem.code == "region-unknown"
    assert "GTV_Mass, Lung" in problem.found
    assert "'GTV_Mass'" in problem.remedy


def test_one_name_for_two_regions_is_refused_naming_the_numbers(tmp_path: Path) -> None:
    ring = dicom.square(1, 5, 0.0)
    problem = problem_of(tmp_path, [("GTV", [ring]), ("Lung", [ring]), ("GTV", [ring])])
    assert problem.code == "region-name-twice"
    assert "1 and 3" in problem.found


def test_one_number_for_two_regions_is_refused(tmp_path: Path) -> None:
    def same(file: FileDataset) -> None:
        file.StructureSetROISequence[1].ROINumber = 1

    ring = dicom.square(1, 5, 0.0)
    problem = problem_of(tmp_path, {"GTV": [ring], "Lung": [ring]}, edit=same)
    assert problem.code == "region-number-twice"


def test_a_region_without_contours_is_refused_by_name(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, {"GTV": []})
    assert problem.code == "region-empty"
    assert problem.subject == "region 'GTV' of rs.dcm"


@pytest.mark.parametrize(
    ("shape", "ring"), [("POINT", [(5.0, 5.0, 3.0)]), ("OPEN_PLANAR", [(5.0, 5.0, 3.0), (8.0, 8.0, 3.0)])]
)
def test_points_and_open_lines_are_no_region(tmp_path: Path, shape: str, ring: dicom.Ring) -> None:
    problem = problem_of(tmp_path, {"GTV": [ring]}, shape=shape)
    assert problem.code == "region-not-closed"
    assert shape in problem.found


def test_another_frame_of_reference_is_refused(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, {"GTV": [dicom.square(4, 9, 3.0)]}, frame="9.9.9")
    assert problem.code == "frame-of-reference-differs"
    assert "9.9.9" in problem.found


def test_a_stray_frame_in_a_region_is_overruled_by_the_files_own_list_and_noted(tmp_path: Path) -> None:
    """Seen in the sarcoma data: file and list agree with the image, one region names a frame that nothing has."""

    def stray(file: FileDataset) -> None:
        file.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "7.7.7"

    found, series = folder_with(tmp_path, {"GTV": [dicom.square(4.5, 9.5, 3.0)]}, edit=stray)
    assert read_mask(tmp_path, found, "GTV", series).count == 25
    assert "7.7.7, which the file does not list" in found.notes[0].found


def test_a_region_in_the_second_frame_of_its_file_is_refused(tmp_path: Path) -> None:
    def two_frames(file: FileDataset) -> None:
        file.ReferencedFrameOfReferenceSequence.append(dicom.item(FrameOfReferenceUID="7.7.7"))
        file.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "7.7.7"

    problem = problem_of(tmp_path, {"GTV": [dicom.square(4.5, 9.5, 3.0)]}, edit=two_frames)
    assert problem.code == "frame-of-reference-differs"


def test_contours_of_another_series_are_used_only_when_told(tmp_path: Path) -> None:
    found, series = folder_with(tmp_path, {"GTV": [dicom.square(4.5, 9.5, 3.0)]}, drawn_on="5.5.5")
    with pytest.raises(Refused) as caught:
        read_mask(tmp_path, found, "GTV", series)
    assert caught.value.problem.code == "region-of-other-series"
    assert read_mask(tmp_path, found, "GTV", series, across_series=True).count == 25


@pytest.mark.parametrize(
    ("ring", "told"),
    [
        (dicom.square(4, 9, 18.0), "planes lie below the first or above the last slice"),
        (dicom.square(4, 9, -2.0), "planes lie below the first or above the last slice"),
        (dicom.square(20, 40, 3.0), "beyond the image's edge"),
        (dicom.square(-20, -10, 3.0), "beyond the image's edge"),
    ],
)
def test_a_region_outside_the_image_is_refused(tmp_path: Path, ring: dicom.Ring, told: str) -> None:
    problem = problem_of(tmp_path, {"GTV": [dicom.square(4, 9, 0.0), ring]})
    assert problem.code == "region-outside-image"
    assert told in problem.found


def test_a_region_between_the_voxel_centres_is_refused(tmp_path: Path) -> None:
    assert problem_of(tmp_path, {"GTV": [dicom.square(4.2, 4.8, 3.0)]}).code == "region-too-small"


def test_contours_across_the_slices_are_refused(tmp_path: Path) -> None:
    upright = [(5.0, 5.0, 0.0), (15.0, 5.0, 0.0), (15.0, 5.0, 12.0), (5.0, 5.0, 12.0)]
    assert problem_of(tmp_path, {"GTV": [upright]}).code == "contour-plane-oblique"


def test_contours_on_every_second_slice_are_refused(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, {"GTV": [dicom.square(4, 9, z) for z in (0.0, 6.0, 12.0)]})
    assert problem.code == "contours-skip-slices"


def test_contour_data_that_are_no_points_are_refused(tmp_path: Path) -> None:
    def cut(file: FileDataset) -> None:
        contour = file.ROIContourSequence[0].ContourSequence[0]
        contour.ContourData = contour.ContourData[:-1]

    problem = problem_of(tmp_path, {"GTV": [dicom.square(4, 9, 3.0)]}, edit=cut)
    assert problem.code == "dicom-value"
    assert "11 numbers" in problem.found


def test_a_file_that_changed_since_the_folder_was_read(tmp_path: Path) -> None:
    found, series = folder_with(tmp_path, {"GTV": [dicom.square(4, 9, 3.0)]})
    data = (tmp_path / "rs.dcm").read_bytes()
    (tmp_path / "rs.dcm").write_bytes(data.replace(b"4\\4\\3", b"5\\4\\3"))
    with pytest.raises(Refused) as caught:
        read_mask(tmp_path, found, "GTV", series)
    assert caught.value.problem.code == "file-changed"
