"""`prognoscope init`: a folder becomes a study file that runs, or that says which line a person must write."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.study.file import read_study
from prognoscope.study.init import WrittenStudy, init_study
from tests.make import dicom

OBVIOUS = "patient_id,age,grade,treatment_days,dead\n" + "".join(
    f"{number:03},{40 + number},{'Low' if number % 2 else 'High'},{number},{number % 3 // 2}\n" for number in range(30)
)


def written(folder: Path, table: str, *, name: str = "table.csv", encoding: str = "utf-8") -> WrittenStudy:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / name).write_bytes(table.encode(encoding))
    return init_study(folder / "data", out=folder / "study.yaml")


def test_a_table_with_one_obvious_outcome_gives_a_file_that_is_valid_as_it_stands(tmp_path: Path) -> None:
    result = written(tmp_path, OBVIOUS)
    assert result.missing == ()
    study = read_study(result.path)
    assert study.table == tmp_path / "data" / "table.csv"
    assert study.study.outcome.model_dump(exclude_none=True)["column"] == "dead"
    assert [one.result_name for one in study.study.clinical] == ["age", "grade"]


def test_what_looks_known_too_late_is_left_to_the_person(tmp_path: Path) -> None:
    text = written(tmp_path, OBVIOUS).path.read_text()
    assert "# - {column: treatment_days" in text
    assert "known later?" in text


def test_several_candidates_are_listed_with_their_values(tmp_path: Path) -> None:
    table = "id,relapse,dead\n" + "".join(f"p{number},{number % 2},{number % 3 // 2}\n" for number in range(20))
    result = written(tmp_path, table)
    assert len(result.missing) == 1
    text = result.path.read_text()
    assert "#   relapse: 0, 1" in text
    assert "outcome: {column: WRITE_THE_COLUMN" in text


def test_words_that_mean_unknown_are_proposed(tmp_path: Path) -> None:
    table = OBVIOUS.replace(",45,", ",NA,").replace(",47,", ",NA,")
    assert "missing: [NA]" in written(tmp_path, table).path.read_text()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path, encoding: str) -> None:
    result = written(tmp_path, OBVIOUS.replace(",", ";"), encoding=encoding)
    assert read_study(result.path).study.data.patient == "patient_id"


def test_column_names_that_yaml_would_misread_are_quoted(tmp_path: Path) -> None:
    table = OBVIOUS.replace("age,", "Age: at {scan} #1,").replace("grade,", "yes,")
    study = read_study(written(tmp_path, table).path)
    assert [one.column for one in study.study.clinical] == ["Age: at {scan} #1", "yes"]


def test_a_file_that_exists_is_kept_unless_forced(tmp_path: Path) -> None:
    written(tmp_path, OBVIOUS)
    with pytest.raises(Refused, match="file-exists"):
        written(tmp_path, OBVIOUS)
    assert init_study(tmp_path / "data", out=tmp_path / "study.yaml", force=True).path.exists()


@pytest.mark.parametrize(("name", "code"), [("nowhere", "folder-missing"), (".", "no-table")])
def test_a_folder_without_data_is_refused(tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        init_study(tmp_path / name, out=tmp_path / "study.yaml")


def test_regions_on_series_become_predictors(tmp_path: Path) -> None:
    rows = OBVIOUS.splitlines()
    for row in rows[1:4]:
        patient = row.split(",")[0]
        folder = tmp_path / "data" / patient
        series = f"1.2.3.{int(patient) + 1}"
        dicom.write_series(folder, patient=patient, series=series)
        ring = [dicom.square(-2, 1, -17.0)]
        path, frame = folder / "regions.dcm", f"{series}.2"
        dicom.write_regions(path, {"GTV_CT": ring}, patient=patient, drawn_on=series, frame=frame)
    result = written(tmp_path, OBVIOUS)
    study = read_study(result.path)
    assert [(one.image, one.region) for one in study.study.imaging] == [("CT", "GTV*")]
    assert "3 of 3 patients" in result.path.read_text()
