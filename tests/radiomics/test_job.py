"""Radiomics as a user runs it: files in, rows out, and on from where it stopped."""

from __future__ import annotations

import csv
import functools
import io
import json
import math
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

from prognoscope.core.problems import Refused
from prognoscope.jobs import radiomics as job
from prognoscope.radiomics import RadiomicsSettings, extract
from prognoscope.radiomics.warm import compile_kernels
from tests.make.radiomics import lesion

FEW = RadiomicsSettings(families=("morphology", "statistics"))


def write_pair(folder: Path, name: str, *, seed: int = 1, moved_mm: float = 0.0) -> None:
    volume, mask = lesion(seed=seed)
    for kind, voxels, shift in (("image", volume.voxels, 0.0), ("mask", mask.voxels.astype(np.uint8), moved_mm)):
        affine = np.diag([1.0, 1.0, 1.0, 1.0])
        affine[0, 3] = shift
        made = nibabel.Nifti1Image(voxels.T, affine)  # type: ignore[no-untyped-call]
        nibabel.save(made, folder / f"{name}_{kind}.nii.gz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        write_pair(tmp_path, f"case{number}", seed=number)
    return tmp_path


def test_a_folder_of_pairs_is_measured_in_order(folder: Path) -> None:
    measured = job.measure_cases(job.find_cases(folder, modality="CT"), FEW)
    assert [case.id for case in measured] == ["case1", "case2", "case3"]
    expected = extract(*lesion(seed=2), FEW, modality="CT")
    assert {f.name: f.value for f in measured[1].features} == pytest.approx({f.name: f.value for f in expected})


def test_a_list_names_images_labels_and_modalities(folder: Path) -> None:
    (folder / "list.csv").write_text(
        "id,image,mask,modality,label\n007,case1_image.nii.gz,case1_mask.nii.gz,MR,1\n8,case2_image.nii.gz,case2_mask.nii.gz,,\n"
    )
    first, second = job.find_cases(folder / "list.csv", modality="CT")
    assert (first.id, first.modality, first.label) == ("007", "MR", 1)
    assert (second.id, second.modality, second.label) == ("8", "CT", None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("id,image\n1,a\n", "manifest-column"),
        ("id,image,mask,sex\n", "manifest-column"),
        ("id,image,mask,label\n1,a,b,one\n", "manifest-label"),
        ("id,image,mask,label\n1,a,b,²\n", "manifest-label"),
        ("id,image,mask,label\n1,a,b,1.5\n", "manifest-label"),
        ("id,image,mask\n1,a,b\n1,c,d\n", "case-twice"),
        ("id,image,mask\n", "cases-missing"),
        ("id,image,mask\n1,a\n", "manifest-incomplete"),
        ("id,image,mask\n ,a,b\n", "manifest-incomplete"),
        ("id,image,mask\n1, ,b\n", "manifest-incomplete"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(Refused, match=code):
        job.find_cases(tmp_path / "list.csv")


def test_an_image_alone_is_no_list_and_what_is_not_there_is_no_folder(folder: Path) -> None:
    with pytest.raises(Refused, match="manifest-unreadable"):
        job.find_cases(folder / "case1_image.nii.gz")
    with pytest.raises(Refused, match="file-missing"):
        job.find_cases(folder / "nowhere")


def test_an_image_without_mask_is_refused_by_name(folder: Path) -> None:
    (folder / "case2_mask.nii.gz").unlink()
    with pytest.raises(Refused, match=r"case2_image.*mask-missing"):
        job.find_cases(folder)


def test_one_bad_case_does_not_spoil_the_others(folder: Path) -> None:
    write_pair(folder, "case2", moved_mm=5)
    measured = job.measure_cases(job.find_cases(folder), FEW)
    assert [case.problem is None for case in measured] == [True, False, True]
    assert measured[1].problem is not None
    assert measured[1].problem.code == "grids-differ"


def test_a_run_goes_on_where_the_last_one_stopped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, read = tmp_path / "store", []
    measure = job.measure_case

    def counted(case: job.Case, settings: RadiomicsSettings) -> job.MeasuredCase:
        read.append(case.id)
        return measure(case, settings)

    monkeypatch.setattr(job, "measure_case", counted)
    cases = job.find_cases(folder)
    job.measure_cases(cases[:2], FEW, store=store)
    first = job.measure_cases(cases, FEW, store=store)
    assert read == ["case1", "case2", "case3"]
    assert job.measure_cases(cases, FEW, store=store) == first
    os.utime(folder / "case2_mask.nii.gz", ns=(1, 1))
    job.measure_cases(cases, FEW, store=store)
    assert read[3:] == ["case2"]
    job.measure_cases(cases[:1], RadiomicsSettings(families=("statistics",)), store=store)
    assert read[4:] == ["case1"]


def test_what_is_kept_is_never_half_written(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Refused, match="disk full") as refused:
        job.measure_cases(job.find_cases(folder), FEW, store=tmp_path / "store")
    assert refused.value.problem.code == "results-unwritable"
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", ["", "{", '{"id": 1}', "[]", '{"id": "a", "modality": "CT", "features": [{}]}'])
def test_what_is_kept_but_spoilt_is_measured_anew(folder: Path, tmp_path: Path, content: str) -> None:
    store = tmp_path / "store"
    first = job.measure_cases(job.find_cases(folder), FEW, store=store)
    for kept in store.rglob("*.json"):
        kept.write_text(content)
    assert job.measure_cases(job.find_cases(folder), FEW, store=store) == first
    assert all("features" in path.read_text() and len(path.read_text()) > 100 for path in store.rglob("*.json"))


def test_values_without_number_survive_being_kept(tmp_path: Path) -> None:
    write_pair(tmp_path, "one")
    settings = RadiomicsSettings.model_validate({"families": ["statistics"], "resegmentation": {"range": [900, None]}})
    for _ in range(2):
        (case,) = job.measure_cases(job.find_cases(tmp_path), settings, store=tmp_path / "store")
        assert all(math.isnan(feature.value) and feature.reason for feature in case.features)


@pytest.mark.parametrize(("name", "modality"), [("ct", "CT"), ("pet", "PT"), ("mr", "MR")])
def test_ready_settings_have_a_name_and_a_modality(name: str, modality: str) -> None:
    assert isinstance(job.read_settings(name), RadiomicsSettings)
    assert job.modality_of(name) == modality


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bin: 32", "did you mean “bins”"),
        ("bins: many", "bins: Input should be a valid integer"),
        ("interpolation: {spacing: 1}", "spacing"),
        ("bins: [", "not YAML"),
    ],
)
def test_a_wrong_settings_file_is_refused_with_the_key(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(Refused, match=told) as refused:
        job.read_settings(tmp_path / "settings.yaml")
    assert refused.value.problem.code == "settings-invalid"


def test_settings_that_do_not_exist_suggest_the_nearest_name() -> None:
    with pytest.raises(Refused, match="did you mean pet"):
        job.read_settings("pett")


def command(*words: object) -> tuple[int, str, str]:
    import typer

    from prognoscope.cli.radiomics import radiomics

    app = typer.Typer()
    app.command()(radiomics)
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_prints_a_line_for_each_feature(folder: Path) -> None:
    status, out, _ = command(
        folder / "case1_image.nii.gz", folder / "case1_mask.nii.gz", "--modality", "CT", "--jobs", 1
    )
    assert status == 0
    assert len(out.splitlines()) == 169
    assert out.splitlines()[0].split()[0::2] == ["morph_volume", "mm3"]


def test_the_command_prints_a_row_for_each_case(folder: Path) -> None:
    run = functools.partial(command, folder, "--jobs", 1, "--settings", "mr")
    status, out, _ = run("--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0
    assert [row["id"] for row in rows] == ["case1", "case2", "case3"]
    assert len(rows[0]) == 2 + 169
    status, out, _ = run("--json")
    document = json.loads(out)
    assert document["schema"] == 1
    assert [case["id"] for case in document["cases"]] == ["case1", "case2", "case3"]
    assert float(rows[0]["stat_mean"]) == next(
        f["value"] for f in document["cases"][0]["features"] if f["name"] == "stat_mean"
    )


def test_the_command_tells_a_problem_and_exits_with_1(folder: Path) -> None:
    write_pair(folder, "case2", moved_mm=5)
    status, out, told = command(folder, "--jobs", 1, "--csv")
    assert status == 1
    assert len(out.splitlines()) == 4
    assert "grids-differ" in told


def test_kernels_are_compiled_once_and_it_is_said() -> None:
    said: list[str] = []
    compile_kernels(said.append)
    assert not compile_kernels(said.append)
    assert len(said) <= 1


@pytest.mark.real_data
@pytest.mark.skipif("PROGNOSCOPE_DATA" not in os.environ, reason="PROGNOSCOPE_DATA is not set: no sarcoma data")
def test_dicom_with_contours_is_measured_like_nifti_with_a_mask() -> None:
    data = Path(os.environ["PROGNOSCOPE_DATA"])
    dicom = job.Case("dicom", data / "sts/STS_002/PET/image", data / "sts/STS_002/PET/mask")
    nifti = job.Case(
        "nifti", data / "lesions/STS_002_PET_image.nii.gz", data / "lesions/STS_002_PET_mask.nii.gz", modality="PT"
    )
    from_dicom, from_nifti = job.measure_cases([dicom, nifti], FEW)
    assert from_dicom.problem is None
    assert from_dicom.modality == "PT"
    a, b = ({f.name: f.value for f in case.features} for case in (from_dicom, from_nifti))
    assert a["stat_max"] == pytest.approx(b["stat_max"])
    assert a["morph_vol_approx"] == pytest.approx(b["morph_vol_approx"], rel=0.02)


def test_a_label_that_a_table_writes_as_a_fraction_of_nothing_is_that_label(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("id,image,mask,label\n1,a,b,2.0\n2,a,b,\n")
    assert [case.label for case in job.find_cases(tmp_path / "list.csv")] == [2, None]


@pytest.mark.parametrize("name", ["scan.nrrd", "scan.mha", "scan.hdr"])
def test_a_format_that_is_not_read_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"NRRD0004" + bytes(200))
    measured = job.measure_case(job.Case("1", tmp_path / name, tmp_path / name), RadiomicsSettings())
    assert measured.problem is not None
    assert measured.problem.code == "format-not-read"
    assert name in measured.problem.subject


def test_a_suffix_in_capitals_is_the_same_format(tmp_path: Path) -> None:
    for name in ("A_image.NII.GZ", "A_mask.Nii.gz"):
        (tmp_path / name).write_bytes(b"")
    (case,) = job.find_cases(tmp_path)
    assert (case.id, case.image.name, case.mask.name) == ("A", "A_image.NII.GZ", "A_mask.Nii.gz")


def test_a_mask_in_another_folder_is_no_pair_and_sub_folders_tell_cases_apart(tmp_path: Path) -> None:
    for name in ("P1/ct_image.nii", "P1/ct_mask.nii", "P2/ct_image.nii", "P2/ct_mask.nii", "one.nii", "one_mask.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = job.find_cases(tmp_path)
    assert [case.id for case in found] == ["P1/ct", "P2/ct", "one"]
    assert all(case.image.parent == case.mask.parent for case in found)
    (tmp_path / "P1" / "ct_mask.nii").rename(tmp_path / "P2" / "pet_mask.nii")
    with pytest.raises(Refused, match=r"P1.*ct_image.*no ct_mask beside it"):
        job.find_cases(tmp_path)
