"""Files of a folder → series: grouped and ordered by geometry, and everything that cannot be one volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from prognoscope.core.images import ImageIndex, ImageSeries
from prognoscope.core.problems import Problem
from prognoscope.sources import read_volume, scan
from tests.make import dicom


def only(index: ImageIndex) -> ImageSeries:
    assert index.refused == ()
    assert len(index.series) == 1
    return index.series[0]


def refusal(index: ImageIndex) -> Problem:
    assert index.series == ()
    assert len(index.refused) == 1
    return index.refused[0].problem


def test_slices_in_shuffled_files_are_ordered_by_position(tmp_path: Path) -> None:
    voxels = dicom.write_series(tmp_path, slices=6, spacing=(3.0, 0.8, 0.7), origin=(-4.0, -5.0, -20.0))
    series = only(scan(tmp_path))
    assert series.grid.shape == (6, 10, 12)
    assert series.grid.spacing == pytest.approx((3.0, 0.8, 0.7))
    assert series.grid.origin == pytest.approx((-4.0, -5.0, -20.0))
    # Row 2, column 3 of the fifth slice lies at x + 3·0.7, y + 2·0.8, z + 4·3.
    np.testing.assert_allclose(series.grid.positions([4, 2, 3]), [-1.9, -3.4, -8.0])
    np.testing.assert_array_equal(read_volume(tmp_path, series).voxels, voxels)


def test_what_the_header_says_about_patient_machine_and_day(tmp_path: Path) -> None:
    dicom.write_series(tmp_path, edit=lambda _, file: setattr(file, "PatientID", " 007 "))
    series = only(scan(tmp_path))
    assert (series.patient_id, series.modality, series.unit) == ("007", "CT", "HU")
    assert (series.manufacturer, series.scanner, series.centre) == ("Maker", "Model", "Centre")
    assert (series.date, series.uid, series.study_uid) == ("2024-01-31", "1.2.3", "1.2.3.1")
    assert all(len(value) == 64 for value in series.hashes)


def test_a_sagittal_series_keeps_its_true_directions(tmp_path: Path) -> None:
    voxels = dicom.write_series(tmp_path, orientation=dicom.SAGITTAL, origin=(10.0, 0.0, 50.0))
    series = only(scan(tmp_path))
    # Rows run to the back, columns to the feet, slices to the patient's right (their cross product).
    np.testing.assert_allclose(series.grid.positions([0, 0, 1]) - series.grid.positions([0, 0, 0]), [0, 0.7, 0])
    np.testing.assert_allclose(series.grid.positions([0, 1, 0]) - series.grid.positions([0, 0, 0]), [0, 0, -0.8])
    np.testing.assert_allclose(series.grid.positions([1, 0, 0]) - series.grid.positions([0, 0, 0]), [-3.0, 0, 0])
    np.testing.assert_array_equal(read_volume(tmp_path, series).voxels, voxels)


def test_an_oblique_series_is_one_straight_volume(tmp_path: Path) -> None:
    tilt = np.radians(25)
    orientation = (1.0, 0.0, 0.0, 0.0, float(np.cos(tilt)), float(np.sin(tilt)))
    dicom.write_series(tmp_path, orientation=orientation)
    series = only(scan(tmp_path))
    step = series.grid.positions([1, 0, 0]) - series.grid.positions([0, 0, 0])
    np.testing.assert_allclose(step, 3.0 * np.array([0, -np.sin(tilt), np.cos(tilt)]), atol=1e-4)


def test_two_missing_slices_are_refused_with_their_place(tmp_path: Path) -> None:
    def later(number: int, file: FileDataset) -> None:
        if number >= 3:
            file.ImagePositionPatient = [-4, -5, -118.0 + 3 * (number + 2)]
        else:
            file.ImagePositionPatient = [-4, -5, -118.0 + 3 * number]

    dicom.write_series(tmp_path, edit=later)
    problem = refusal(scan(tmp_path))
    assert problem.code == "missing-slices"
    assert "2 slices missing between z = −112.0 and −103.0 mm (spacing 3.0 mm)" in problem.found
    assert "series 1.2.3 of patient P1" in problem.subject


def test_a_slice_that_is_a_hundredth_off_is_still_there(tmp_path: Path) -> None:
    def nearly(number: int, file: FileDataset) -> None:
        file.ImagePositionPatient = [0, 0, 3.0 * number + (0.029 if number == 2 else 0.0)]

    dicom.write_series(tmp_path, edit=nearly)
    assert only(scan(tmp_path)).grid.spacing[0] == pytest.approx(3.0)


def test_slices_at_uneven_distances_are_refused(tmp_path: Path) -> None:
    places = [0.0, 3.0, 6.0, 9.0, 13.5, 18.0]
    dicom.write_series(
        tmp_path, edit=lambda number, file: setattr(file, "ImagePositionPatient", [0, 0, places[number]])
    )
    problem = refusal(scan(tmp_path))
    assert problem.code == "mixed-spacing"
    assert "3 × 3.00 mm, 2 × 4.50 mm" in problem.found
    assert "z = 9.0 and 13.5 mm" in problem.found


def test_the_same_slice_twice_is_read_once_and_noted(tmp_path: Path) -> None:
    dicom.write_series(tmp_path)
    dicom.write_series(tmp_path, prefix="copy-")
    series = only(scan(tmp_path))
    assert series.grid.shape[0] == 6
    assert [note.code for note in series.notes] == ["slices-repeated"]


def test_the_same_pixels_under_other_instance_numbers_are_noted(tmp_path: Path) -> None:
    dicom.write_series(tmp_path)

    def renamed(number: int, file: FileDataset) -> None:
        file.SOPInstanceUID = f"1.2.3.70.{number}"
        file.ContentTime = f"1200{number:02d}"

    dicom.write_series(tmp_path, prefix="copy-", edit=renamed)
    series = only(scan(tmp_path))
    assert series.grid.shape[0] == 6
    assert [note.code for note in series.notes] == ["slices-repeated"]


def test_two_different_slices_at_one_place_are_refused_naming_both(tmp_path: Path) -> None:
    dicom.write_series(tmp_path)
    other = dicom.image_file(np.full((10, 12), 5, np.int16), position=(-4, -5, -14), uid="1.2.3.99")
    dicom.save(other, tmp_path / "intruder")
    problem = refusal(scan(tmp_path))
    assert problem.code == "volumes-not-separable"
    assert "077.bin, intruder" in problem.found


@pytest.mark.parametrize(
    ("keyword", "values", "labels"),
    [
        ("EchoTime", ("2.3", "4.6"), ("echo time 2.3", "echo time 4.6")),
        ("DiffusionBValue", (0.0, 800.0), ("b-value 0", "b-value 800")),
        ("TemporalPositionIdentifier", ("1", "2"), ("phase 1", "phase 2")),
        ("AcquisitionNumber", ("4", "5"), ("acquisition 4", "acquisition 5")),
        ("ConvolutionKernel", ("B30f", "B70f"), ("kernel B30f", "kernel B70f")),
    ],
)
def test_volumes_of_one_series_are_told_apart_by(
    tmp_path: Path, keyword: str, values: tuple[object, object], labels: tuple[str, str]
) -> None:
    for half, value in enumerate(values):

        def edit(number: int, file: FileDataset, half: int = half, value: object = value) -> None:
            setattr(file, keyword, value)
            file.SOPInstanceUID = f"1.2.3.{half}.{number}"

        voxels = np.full((4, 10, 12), half * 100, np.int16) + np.arange(4, dtype=np.int16)[:, None, None]
        dicom.write_series(tmp_path, modality="MR", prefix=f"{half}-", voxels=voxels, edit=edit)
    index = scan(tmp_path)
    assert index.refused == ()
    assert tuple(series.uid for series in index.series) == tuple(f"1.2.3#{label}" for label in labels)
    first, second = (read_volume(tmp_path, series).voxels for series in index.series)
    assert (first[:, 0, 0] == [0, 1, 2, 3]).all()
    assert (second[:, 0, 0] == [100, 101, 102, 103]).all()


def test_two_phases_with_the_same_air_keep_all_their_slices(tmp_path: Path) -> None:
    """Empty slices at the ends are equal in both phases and must not be taken for copies."""
    for phase in (1, 2):
        voxels = np.zeros((5, 10, 12), np.int16)
        voxels[2] = phase

        def edit(number: int, file: FileDataset, phase: int = phase) -> None:
            file.TemporalPositionIdentifier = str(phase)
            file.SOPInstanceUID = f"1.2.3.{phase}.{number}"

        dicom.write_series(tmp_path, modality="MR", prefix=f"{phase}-", voxels=voxels, edit=edit)
    assert [series.grid.shape[0] for series in scan(tmp_path).series] == [5, 5]


def test_acquisition_times_of_single_slices_do_not_split_a_volume(tmp_path: Path) -> None:
    dicom.write_series(tmp_path, edit=lambda number, file: setattr(file, "AcquisitionTime", f"1015{number:02d}"))
    assert only(scan(tmp_path)).grid.shape[0] == 6


def test_one_slice_of_another_orientation_is_refused_by_name(tmp_path: Path) -> None:
    dicom.write_series(tmp_path)
    odd = dicom.image_file(np.zeros((10, 12), np.int16), orientation=dicom.SAGITTAL, uid="1.2.3.98")
    dicom.save(odd, tmp_path / "odd.dcm")
    problem = refusal(scan(tmp_path))
    assert problem.code == "mixed-orientations"
    assert "odd.dcm has orientation 0\\1\\0\\0\\0\\-1, the other slices 1\\0\\0\\0\\1\\0" in problem.found


def test_a_series_with_two_full_orientations_is_two_volumes(tmp_path: Path) -> None:
    dicom.write_series(tmp_path, slices=4, prefix="a")
    dicom.write_series(tmp_path, slices=5, prefix="s", orientation=dicom.SAGITTAL, origin=(30, 0, 0))
    index = scan(tmp_path)
    assert sorted(series.grid.shape[0] for series in index.series) == [4, 5]
    assert len({series.uid for series in index.series}) == 2


def two_orientations(folder: Path, *, named: list[str]) -> ImageIndex:
    """A series with axial and sagittal slices, and regions that name some of its instances."""
    dicom.write_series(folder, slices=6, prefix="a")
    turned = lambda number, file: setattr(file, "SOPInstanceUID", f"1.2.3.8.{number}")  # noqa: E731
    dicom.write_series(folder, slices=5, prefix="s", orientation=dicom.SAGITTAL, origin=(30, 0, 0), edit=turned)

    def names(file: FileDataset) -> None:
        (series,) = file.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence
        series.ContourImageSequence = [dicom.item(ReferencedSOPInstanceUID=uid) for uid in named]

    dicom.write_regions(folder / "regions.dcm", {"GTV": [dicom.square(-2, 1, -17.0)]}, edit=names)
    return scan(folder)


def test_turned_slices_of_a_series_with_regions_are_refused_as_mixed(tmp_path: Path) -> None:
    for number, named in enumerate([[], ["1.2.3.7.1", "1.2.3.8.1"], ["9.9.9"]]):
        index = two_orientations(tmp_path / str(number), named=named)
        assert index.series == ()
        (refused,) = index.refused
        assert (refused.uid, refused.problem.code) == ("1.2.3", "mixed-orientations")
        assert "2 orientations: 6 slices 1\\0\\0\\0\\1\\0; 5 slices 0\\1\\0\\0\\0\\-1" in refused.problem.found
        assert "the regions of regions.dcm were drawn on the whole series" in refused.problem.found


def test_regions_that_name_the_instances_of_one_of_two_volumes_are_drawn_on_it(tmp_path: Path) -> None:
    index = two_orientations(tmp_path, named=["1.2.3.7.2", "1.2.3.7.3"])
    (regions,) = index.region_sets
    assert (regions.series_uid, regions.volume_uid) == ("1.2.3", "1.2.3#orientation 1\\0\\0\\0\\1\\0")
    assert regions.volume_uid in {series.uid for series in index.series}
    assert len(index.series) == 2


def test_a_tilted_gantry_is_refused_with_its_angle(tmp_path: Path) -> None:
    def sheared(number: int, file: FileDataset) -> None:
        file.ImagePositionPatient = [0, number * 3.0 * float(np.tan(np.radians(15))), 3.0 * number]

    dicom.write_series(tmp_path, edit=sheared)
    problem = refusal(scan(tmp_path))
    assert problem.code == "gantry-tilt"
    assert "tilted by 15.0 degrees" in problem.found


def test_a_slice_that_was_moved_sideways_is_refused(tmp_path: Path) -> None:
    dicom.write_series(
        tmp_path,
        edit=lambda number, file: setattr(file, "ImagePositionPatient", [5 if number == 3 else 0, 0, 3.0 * number]),
    )
    problem = refusal(scan(tmp_path))
    assert problem.code == "slices-shifted"
    assert "5.00 mm aside" in problem.found


def test_slices_of_different_size_are_refused(tmp_path: Path) -> None:
    dicom.write_series(tmp_path, slices=5)
    small = dicom.image_file(np.zeros((9, 12), np.int16), position=(-4, -5, -5), uid="1.2.3.97")
    dicom.save(small, tmp_path / "small.dcm")
    problem = refusal(scan(tmp_path))
    assert problem.code == "slice-sizes-differ"
    assert "small.dcm" in problem.found


def test_localizer_among_the_slices_is_set_aside_and_the_volume_kept(tmp_path: Path) -> None:
    dicom.write_series(tmp_path)
    scout = dicom.image_file(np.zeros((30, 30), np.int16), orientation=dicom.SAGITTAL, uid="1.2.3.96")
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    dicom.save(scout, tmp_path / "scout.dcm")
    index = scan(tmp_path)
    assert only(index).grid.shape[0] == 6
    assert [problem.code for problem in index.set_aside] == ["set-aside"]
    assert "localizer" in index.set_aside[0].found
    assert "scout.dcm" in index.set_aside[0].found


@pytest.mark.parametrize(
    ("sop_class", "reason"),
    [("1.2.840.10008.5.1.4.1.1.7", "secondary capture"), ("1.2.840.10008.5.1.4.1.1.1.1", "radiograph")],
)
def test_images_that_are_no_volume_are_set_aside(tmp_path: Path, sop_class: str, reason: str) -> None:
    dicom.write_series(tmp_path, slices=4, edit=lambda _, file: setattr(file, "SOPClassUID", sop_class))
    index = scan(tmp_path)
    assert index.series == ()
    assert index.refused == ()
    assert reason in index.set_aside[0].found


def test_two_slices_are_set_aside_as_too_few(tmp_path: Path) -> None:
    dicom.write_series(tmp_path, slices=2)
    index = scan(tmp_path)
    assert index.series == ()
    assert index.refused == ()
    assert "fewer than 3 slices: 2 found" in index.set_aside[0].found


def test_modality_that_contradicts_the_sop_class_is_refused(tmp_path: Path) -> None:
    dicom.write_series(tmp_path, edit=lambda _, file: setattr(file, "Modality", "MR"))
    problem = refusal(scan(tmp_path))
    assert problem.code == "modality-disagrees"
    assert "SOP class of CT images but states the modality MR" in problem.found


def test_a_slice_without_position_is_refused_by_name(tmp_path: Path) -> None:
    def lost(number: int, file: FileDataset) -> None:
        if number == 0:
            del file.ImagePositionPatient

    dicom.write_series(tmp_path, edit=lost)
    problem = refusal(scan(tmp_path))
    assert problem.code == "geometry-missing"
    assert "003.bin has no ImagePositionPatient" in problem.found


def test_a_rescale_slope_of_zero_is_refused(tmp_path: Path) -> None:
    dicom.write_series(tmp_path, edit=lambda _, file: setattr(file, "RescaleSlope", "0"))
    assert refusal(scan(tmp_path)).code == "rescale-zero"


def test_files_of_one_series_in_two_frames_of_reference_are_refused(tmp_path: Path) -> None:
    def moved(number: int, file: FileDataset) -> None:
        if number > 2:
            file.FrameOfReferenceUID = "1.2.3.222"

    dicom.write_series(tmp_path, edit=moved)
    assert refusal(scan(tmp_path)).code == "frames-of-reference-differ"


def test_a_value_too_long_for_its_type_is_read_and_mentioned_once(tmp_path: Path) -> None:
    dicom.write_series(tmp_path)
    for path in tmp_path.iterdir():  # pydicom does not write such a value: make the short one longer
        data = path.read_bytes()
        at = data.index(b"\x10\x00\x10\x00PN")
        longer = b"\x08\x00\x50\x00SH\x14\x00" + b"A" * 20
        path.write_bytes(data[:at].replace(b"\x08\x00\x60\x00CS", longer + b"\x08\x00\x60\x00CS") + data[at:])
    series = only(scan(tmp_path))
    assert [note.code for note in series.notes] == ["dicom-departs"]
    assert series.notes[0].found == "a value is longer than its type SH allows"


def test_two_patients_with_one_id_are_refused_naming_both(tmp_path: Path) -> None:
    dicom.write_series(tmp_path / "a", series="1.2.3")
    dicom.write_series(
        tmp_path / "b", series="1.2.4", edit=lambda _, file: setattr(file, "PatientBirthDate", "19610203")
    )
    index = scan(tmp_path)
    assert index.series == ()
    assert [entry.problem.code for entry in index.refused] == ["patient-id-shared", "patient-id-shared"]
    problem = index.refused[0].problem
    assert problem.subject == "patient P1"
    assert "a/003.bin (study 1.2.3.1) and b/003.bin (study 1.2.4.1)" in problem.found
    assert "birth date" in problem.found
    assert "1950" not in str(problem)


def test_a_name_written_in_two_ways_is_one_patient(tmp_path: Path) -> None:
    dicom.write_series(tmp_path / "a", edit=lambda _, file: setattr(file, "PatientName", "Doe^Jane"))
    dicom.write_series(tmp_path / "b", series="1.2.4", edit=lambda _, file: setattr(file, "PatientName", "DOE^JANE^"))
    assert len(scan(tmp_path).series) == 2


@pytest.mark.parametrize(
    ("attribute", "other", "told"), [("PatientSex", "M", "sex"), ("PatientName", "Roe^Richard", "name")]
)
def test_people_who_differ_in(tmp_path: Path, attribute: str, other: str, told: str) -> None:
    dicom.write_series(tmp_path / "a")
    dicom.write_series(tmp_path / "b", series="1.2.4", edit=lambda _, file: setattr(file, attribute, other))
    problem = scan(tmp_path).refused[0].problem
    assert problem.code == "patient-id-shared"
    assert problem.found.endswith(f"differ in the patient's {told}")


def test_a_middle_name_left_out_is_one_patient(tmp_path: Path) -> None:
    dicom.write_series(tmp_path / "a", edit=lambda _, file: setattr(file, "PatientName", "Doe^Jane^Maria"))
    dicom.write_series(tmp_path / "b", series="1.2.4", edit=lambda _, file: setattr(file, "PatientName", "Doe^Jane"))
    assert len(scan(tmp_path).series) == 2


def test_what_a_file_leaves_empty_says_nothing(tmp_path: Path) -> None:
    def anonymous(_: int, file: FileDataset) -> None:
        file.PatientName = file.PatientBirthDate = file.PatientSex = ""

    dicom.write_series(tmp_path / "a")
    dicom.write_series(tmp_path / "b", series="1.2.4", edit=anonymous)
    assert len(scan(tmp_path).series) == 2


def test_one_series_under_two_patient_ids_is_refused_for_both(tmp_path: Path) -> None:
    dicom.write_series(tmp_path / "a", patient="P1")
    dicom.write_series(tmp_path / "b", patient="P2")
    index = scan(tmp_path)
    assert [(entry.patient_id, entry.problem.code) for entry in index.refused] == [
        ("P1", "series-of-two-patients"),
        ("P2", "series-of-two-patients"),
    ]


def test_a_series_without_patient_id_is_set_aside_and_makes_no_patient(tmp_path: Path) -> None:
    dicom.write_series(tmp_path / "known", series="1.2.4")
    dicom.write_series(tmp_path / "nobody", edit=lambda _, file: setattr(file, "PatientID", "  "))
    nobody = lambda file: setattr(file, "PatientID", "")  # noqa: E731
    dicom.write_regions(tmp_path / "regions.dcm", {"GTV": [dicom.square(-2, 1, -17.0)]}, edit=nobody)
    index = scan(tmp_path)
    assert index.patients == ("P1",)
    assert [(one.code, one.subject) for one in index.set_aside] == [
        ("patient-id-missing", "series 1.2.3"),
        ("patient-id-missing", "series 1.2.9"),
    ]
    assert "6 of its files (such as nobody/003.bin) have no PatientID" in index.set_aside[0].found


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    from prognoscope.sources import Located, assemble, inspect, list_files

    dicom.write_series(tmp_path / "a")
    dicom.write_series(tmp_path / "b", series="1.2.4", modality="MR")
    dicom.write_regions(tmp_path / "rs.dcm", {"GTV": [dicom.square(0, 2, -20.0)]})
    located = []
    for file in list_files(tmp_path):
        found = inspect(tmp_path / file.path)
        assert found.instance is not None
        located.append(Located(file.path, found.instance, found.sha256))
    assert assemble(located) == assemble(located[::-1])


def test_an_instance_survives_its_json_form(tmp_path: Path) -> None:
    from prognoscope.sources import Instance, inspect

    dicom.write_series(tmp_path, modality="PT", edit=lambda _, file: setattr(file, "Units", "GML"))
    dicom.write_regions(tmp_path / "rs.dcm", {"GTV ä": [dicom.square(0, 2, -20.0)]})
    for path in tmp_path.iterdir():
        instance = inspect(path).instance
        assert instance is not None
        assert Instance.from_json(instance.to_json()) == instance
        assert path.name not in instance.to_json()
