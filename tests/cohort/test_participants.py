"""Eligibility, clinical predictors and the cohort table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from prognoscope.cohort import ClinicalPredictor, Filter, characteristics, clinical_table, ineligible, number_column
from prognoscope.core.problems import Refused
from prognoscope.core.table import PATIENT, Column, Table


def rows(**columns: Sequence[str | None]) -> pd.DataFrame:
    number = len(next(iter(columns.values())))
    index = pd.Index([f"P{row:03}" for row in range(number)], name=PATIENT)
    return pd.DataFrame(columns, index=index, dtype=object)


@pytest.mark.parametrize(
    ("rule", "excluded"),
    [
        ({"at_least": 18}, ["P000", "P003"]),
        ({"above": 18}, ["P000", "P001", "P003"]),
        ({"at_most": 18}, ["P002", "P003"]),
        ({"below": 18}, ["P001", "P002", "P003"]),
        ({"at_least": 18, "missing": "keep"}, ["P000"]),
        ({"is": [17, 18]}, ["P002", "P003"]),
        ({"is_not": 18.0}, ["P001", "P003"]),
    ],
)
def test_each_operator_excludes_whom_it_should(rule: dict[str, object], excluded: list[str]) -> None:
    frame = rows(age=["17", "18", "19,5", None])
    found = ineligible(frame, (Filter.model_validate({"column": "age", **rule}),))
    assert [one.patient_id for one in found] == excluded


def test_a_patient_is_excluded_by_the_first_rule_that_fails() -> None:
    frame = rows(age=["17"], sex=["m"])
    rules = (Filter(column="age", at_least=18), Filter.model_validate({"column": "sex", "is": "f"}))
    (only,) = ineligible(frame, rules)
    assert only.problem.found == "age is “17”, the study asks for age at least 18"


def test_a_rule_on_a_column_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(Refused, match="has age") as refused:
        ineligible(rows(age=["1"]), (Filter(column="agee", at_least=1),))
    assert refused.value.problem.code == "column-missing"


def test_a_cell_that_is_no_number_is_refused_with_patient_and_column() -> None:
    with pytest.raises(Refused, match="column age, patient P001: “old” is not a number"):
        clinical_table(rows(age=["1", "old"]), (ClinicalPredictor(column="age", unit="year"),))


def test_types_are_told_from_unit_levels_and_cells() -> None:
    frame = rows(age=["61", "17"], grade=["High", None], sex=["Male", "Female"], dose=["1,5", "2"])
    predictors = (
        ClinicalPredictor(column="age", unit="year", known_at="time_zero"),
        ClinicalPredictor(column="grade", levels=("Low", "High"), known_at="time_zero"),
        ClinicalPredictor(column="sex", known_at="time_zero"),
        ClinicalPredictor(column="dose", known_at="time_zero"),
    )
    table, notes = clinical_table(frame, predictors)
    assert [(column.type, column.ordered, column.levels) for column in table.columns] == [
        ("number", False, ()),
        ("category", True, ("Low", "High")),
        ("category", False, ("Female", "Male")),
        ("number", False, ()),
    ]
    assert table.frame["dose"].tolist() == [1.5, 2.0]
    assert table.frame["grade"].tolist() == ["High", None]
    assert [note.code for note in notes] == ["constant-predictor"]  # two rows, one of them without a grade


def test_a_predictor_whose_time_is_not_declared_is_noted_and_one_known_later_refused() -> None:
    frame = rows(age=["1", "2"])
    _, notes = clinical_table(frame, (ClinicalPredictor(column="age"),))
    assert [note.code for note in notes] == ["known-at-undeclared"]
    with pytest.raises(Refused) as refused:
        clinical_table(frame, (ClinicalPredictor(column="age", known_at="after"),))
    assert refused.value.problem.code == "known-too-late"


def test_a_level_that_the_study_file_does_not_list_is_refused() -> None:
    with pytest.raises(Refused, match="“high” is not among the levels Low, High"):
        clinical_table(rows(grade=["Low", "high"]), (ClinicalPredictor(column="grade", levels=("Low", "High")),))


def test_the_cohort_table_counts_levels_and_missing_cells_by_event() -> None:
    frame = pd.DataFrame(
        {"age": [60.0, 40.0, 50.0, np.nan], "sex": ["m", "f", "f", None]},
        index=pd.Index(list("abcd"), name=PATIENT),
    )
    table = Table(frame, (Column("age", "number", unit="year"), Column("sex", "category", levels=("f", "m"))))
    age, woman, man = characteristics(table, np.array([True, True, False, False]))
    assert (age.overall, age.with_event, age.missing) == ("50 (45 to 55)", "50 (45 to 55)", 1)
    assert (woman.overall, woman.with_event, woman.without_event) == ("2 (67 %)", "1 (50 %)", "1 (100 %)")
    assert (man.without_event, woman.missing, man.missing) == ("0 (0 %)", 1, 0)


def test_a_number_that_is_only_0_or_1_is_counted_in_the_cohort_table() -> None:
    frame = pd.DataFrame(
        {"htn": [1.0, 0.0, np.nan, 1.0], "nodes": [0.0, 1.0, 2.0, 0.0], "unseen": [np.nan] * 4},
        index=pd.Index(list("abcd"), name=PATIENT),
    )
    table = Table(frame, tuple(Column(str(name), "number", unit="1") for name in frame))
    htn, nodes, unseen = characteristics(table, np.array([True, True, False, False]))
    assert (htn.level, htn.overall, htn.with_event, htn.missing) == ("1", "2 (67 %)", "1 (50 %)", 1)
    assert (nodes.level, nodes.overall) == ("", "0.5 (0 to 1.25)")
    assert (unseen.level, unseen.overall, unseen.missing) == ("", "–", 4)


def test_one_bad_cell_among_numbers_is_refused_and_does_not_make_a_category() -> None:
    cells: list[str | None] = [f"{number}.5" for number in range(30)]
    with pytest.raises(Refused, match="patient P007: “abc” is not a number"):
        clinical_table(rows(marker=[*cells[:7], "abc", *cells[8:]]), (ClinicalPredictor(column="marker"),))


def test_free_text_is_no_category() -> None:
    with pytest.raises(Refused, match="30 known cells have 30 different values") as refused:
        clinical_table(
            rows(note=[f"saw patient {number}" for number in range(30)]), (ClinicalPredictor(column="note"),)
        )
    assert refused.value.problem.code == "text-predictor"


def test_a_constant_predictor_is_noted_by_name() -> None:
    _, notes = clinical_table(rows(grade=["7", "7", None]), (ClinicalPredictor(column="grade", known_at="time_zero"),))
    assert [(note.code, note.subject) for note in notes] == [("constant-predictor", "column grade")]


def test_a_rule_about_a_boolean_holds_however_it_is_written() -> None:
    frame = rows(smoker=["True", "false", "TRUE", None])
    found = ineligible(frame, (Filter.model_validate({"column": "smoker", "is": True}),))
    assert [one.patient_id for one in found] == ["P001", "P003"]
    assert "the study asks for smoker is true" in found[0].problem.found


def test_levels_may_be_booleans_or_numbers_and_cells_are_spelt_as_they_are() -> None:
    frame = rows(smoker=["True", "false", None], grade=["1.0", "2", "1"])
    predictors = (
        ClinicalPredictor.model_validate({"column": "smoker", "levels": [False, True], "known_at": "time_zero"}),
        ClinicalPredictor.model_validate({"column": "grade", "levels": [1, 2], "known_at": "time_zero"}),
    )
    table, notes = clinical_table(frame, predictors)
    assert table.frame["smoker"].tolist() == ["true", "false", None]
    assert table.frame["grade"].tolist() == ["1", "2", "1"]
    assert notes == ()


def test_a_comma_that_may_mean_thousands_is_refused() -> None:
    dose = ClinicalPredictor(column="dose", known_at="time_zero")
    with pytest.raises(Refused, match="'1,234' may be a thousand or a decimal fraction") as refused:
        clinical_table(rows(dose=["1,234", "2", "5,678"]), (dose,))
    assert refused.value.problem.code == "number-ambiguous"
    with pytest.raises(Refused, match="P001: “1,234” is not a number where other cells have no comma") as refused:
        clinical_table(rows(dose=["2.5", "1,234", "7.25"]), (dose,))
    assert refused.value.problem.code == "not-a-number"
    with pytest.raises(Refused, match="number-ambiguous"):
        ineligible(rows(dose=["1,234", "2"]), (Filter(column="dose", at_least=2),))


def test_a_column_without_any_cell_is_read_as_numbers_that_are_missing() -> None:
    frame = pd.DataFrame({"age": [np.nan, np.nan]}, index=pd.Index(["a", "b"], name=PATIENT))
    assert np.isnan(number_column(frame, "age")).all()


def test_two_spellings_of_one_level_and_words_for_unknown_are_noted() -> None:
    frame = rows(sex=["f", "m", "F", "NA", "unknown", "Unknown", None])
    _, notes = clinical_table(frame, (ClinicalPredictor(column="sex", known_at="time_zero"),))
    assert [(note.code, note.subject) for note in notes] == [
        ("levels-alike", "column sex"),
        ("levels-alike", "column sex"),
        ("unknown-as-value", "column sex"),
    ]
    assert notes[0].found == "“F” and “f” differ only in case or blanks and count as two values"
    assert notes[2].found == "“NA” counts as a value in 3 of 6 known cells"


@pytest.mark.parametrize(
    ("cells", "noted"),
    [
        (["61", "-9", "40", "-9"], ["“-9” counts as a value in 2 of 4 known cells"]),
        (["61", "999", "40", "70"], ["“999” counts as a value in 1 of 4 known cells"]),
        (["61", "99", "40", "70"], []),  # an age
        (["-3", "-9", "4", "7"], []),  # a column with other negative values
        (["900", "999", "1200", "700"], []),
    ],
)
def test_numbers_that_often_mean_unknown_are_noted_where_they_stand_apart(cells: list[str], noted: list[str]) -> None:
    _, notes = clinical_table(rows(size=[*cells]), (ClinicalPredictor(column="size", unit="mm", known_at="time_zero"),))
    assert [note.found for note in notes] == noted
