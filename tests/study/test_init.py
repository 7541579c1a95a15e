"""`prognoscope init`: a folder becomes a study file that runs, or that says which line a person must write."""

from __future__ import annotations

import csv
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from prognoscope.cohort import SurvivalOutcome
from prognoscope.core.problems import Refused
from prognoscope.study.file import read_study
from prognoscope.study.init import WrittenStudy, init_study, json_text, quoted
from prognoscope.study.likely import EVENT, LATER
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
    rows = "".join(f"p{number},{40 + number},{number % 2},{number % 3 // 2}\n" for number in range(20))
    table = "id,age,relapse,dead\n" + rows
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


def followed(*, events: tuple[str, str] = ("0", "1"), extra: str = "", number: int = 60) -> str:
    """A table with a time and an event: half are followed 1,000 days or longer."""
    draw = random.Random(1)
    lines = [f"pid,age,rfstime,status{extra and ','}{extra}"]
    for row in range(number):
        more = f",{draw.randint(-5, 9)}" if extra else ""
        lines.append(f"{row},{40 + row % 30},{500 + 17 * row},{events[draw.random() < 0.6]}{more}")
    return "\n".join(lines) + "\n"


def test_a_time_beside_the_event_makes_a_time_to_event_with_a_horizon_from_the_data(tmp_path: Path) -> None:
    result = written(tmp_path, followed())
    outcome = read_study(result.path).study.outcome
    assert result.missing == ()
    assert isinstance(outcome, SurvivalOutcome)
    assert (outcome.time, outcome.event.column, outcome.event.is_, outcome.event.censored, outcome.horizon) == (
        ("rfstime", "status", "1", ("0",), 1095)  # the median is 1001.5 days, three years are near
    )
    assert "half were followed 1001.5 days or longer, at most 1503" in result.path.read_text()
    assert "that the unit is the day is a guess" in result.path.read_text()


def test_the_unit_of_a_time_is_read_from_its_name(tmp_path: Path) -> None:
    table = followed().replace("rfstime", "survival_months")
    for row in range(60):
        table = table.replace(f",{500 + 17 * row},", f",{row + 1},")
    outcome = read_study(written(tmp_path, table).path).study.outcome
    assert isinstance(outcome, SurvivalOutcome)
    assert (outcome.unit, round(outcome.horizon / 30.4375)) == ("month", 36)


def test_days_to_a_scan_are_no_follow_up(tmp_path: Path) -> None:
    table = followed(extra="days_diagnosis_to_mri").replace("rfstime", "tumour_size")
    text = written(tmp_path, table).path.read_text()
    assert 'outcome: {column: status, event: "1"}' in text
    assert "time: days_diagnosis_to_mri" not in text


def test_an_event_of_three_values_is_a_candidate_and_no_predictor(tmp_path: Path) -> None:
    table = followed(events=("0", "2")).replace(",0\n", ",1\n", 3)
    result = written(tmp_path, table)
    text = result.path.read_text()
    line = next(number for number, one in enumerate(text.splitlines(), 1) if one.startswith("outcome:"))
    assert result.missing == (f"line {line}: which value of status is the event, and which mean none",)
    assert "#   status: 0, 1, 2 (time: rfstime)" in text
    assert "  - {column: status" not in text
    read_study(result.path)


def test_several_rows_of_one_patient_are_told_with_the_line(tmp_path: Path) -> None:
    table = followed() + followed().split("\n", 1)[1]
    result = written(tmp_path, table)
    told = "120 rows of 60 patients, and `run` refuses several rows of one"
    assert result.missing == (f"line 5: keep one row per patient in table.csv: it has {told}",)
    assert "table.csv: 120 rows belong to 60 patients" in result.found
    assert result.path.read_text().splitlines()[4] == f"  patient: pid   # {told}"


def test_other_tables_broken_ones_and_nifti_files_are_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_text("x,y\n1,2\n")
    (data / "broken.csv").write_text("x,x\n1,2\n")
    (data / "lesion.nii.gz").write_bytes(b"no image")
    found = written(tmp_path, followed()).found
    assert "other tables, not used: a.csv" in found
    assert "not read: broken.csv: columns 1 and 2 are both named 'x'" in found
    assert any(line.startswith("1 NIfTI files (such as lesion.nii.gz)") for line in found)


def test_one_table_alone_is_enough_and_its_neighbours_are_not_looked_at(tmp_path: Path) -> None:
    in_folder = written(tmp_path, OBVIOUS).path.read_text()
    (tmp_path / "data" / "broken.csv").write_text("x,x\n1,2\n")
    alone = init_study(tmp_path / "data" / "table.csv", out=tmp_path / "alone.yaml")
    assert alone.path.read_text() == in_folder
    assert alone.found == ("table.csv: 30 rows, 5 columns, patient IDs in patient_id",)


@pytest.mark.parametrize(
    ("name", "content"), [("table.csv", b""), ("scan.dcm", b"\0" * 128 + b"DICM"), ("no.csv", None)]
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Refused, match=name):
        init_study(tmp_path / name, out=tmp_path / "study.yaml")
    assert not (tmp_path / "study.yaml").exists()


def test_without_any_table_the_broken_ones_are_told(tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_text("x,x\n1,2\n")
    with pytest.raises(Refused, match=r"no table .*; broken.csv: columns 1 and 2 are both named 'x'"):
        init_study(tmp_path, out=tmp_path / "study.yaml")


def test_a_table_that_names_nobody_and_predicts_nothing_still_gives_a_file_that_reads(tmp_path: Path) -> None:
    result = written(tmp_path, "days,text\n" + "".join(f"{row},note {row}\n" for row in range(40)))
    assert [one.split(": ", 1)[0] for one in result.missing] == ["line 15", "line 21"]
    study = read_study(result.path).study
    assert study.data.model_dump()["patient"] == {"each": "row"}
    assert [one.column for one in study.clinical] == ["WRITE_THE_PREDICTOR"]


WORDS = (
    "null",
    "true",
    ".5",
    "yes",
    "1e3",
    "~",
    "-",
    "0x1F",
    "2024-01-31",
    'GTV "old"',
    "back\\slash",
    "a: b",
    "x # y",
)


@given(st.text(max_size=30))
@settings(max_examples=300, deadline=None)
@example("\x85")
@example("\u2028")
@example("\x7f\ufeff\U0001f600")
@example(" blanks ")
def test_any_text_in_quotes_is_read_back_as_it_was(text: str) -> None:
    for written_as in (quoted(text), json_text(text)):
        assert YAML(typ="rt", pure=True).load(f"- {{a: {written_as}}}")[0]["a"] == text


def test_words_that_yaml_takes_for_something_else_are_quoted() -> None:
    for word in WORDS:
        assert YAML(typ="rt", pure=True).load(f"- {{a: {quoted(word)}}}")[0]["a"] == word
        assert isinstance(YAML(typ="rt", pure=True).load(f"[{quoted(word)}]")[0], str)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
@example("two\nlines: }")
@example("null")
@example("1e3")
def test_any_name_of_a_column_is_read_back_from_the_study_file(name: str) -> None:
    column = name.strip()
    assume(column and column not in ("pid", "age", "rfstime", "status"))
    assume(not LATER.search(column) and not EVENT.search(column))
    rows = list(csv.reader(followed().splitlines()))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        folder.mkdir()
        with (folder / "table.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([[*row, name if at == 0 else at % 3] for at, row in enumerate(rows)])
        study = read_study(init_study(folder, out=Path(place) / "study.yaml").path).study
    named = [one.column for one in study.clinical]
    assert named in (["age", column], ["age"])  # a name like `centre` is a circumstance
