"""A table becomes a matrix by its schema alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.core.table import Column, Table
from prognoscope.training.encoding import encode, features_of, unknown_levels, with_levels

COLUMNS = (
    Column("age", "number", unit="year"),
    Column("smoker", "boolean"),
    Column("grade", "category", levels=("Low", "Intermediate", "High"), ordered=True),
    Column("sex", "category"),
    Column("histology", "category"),
)
FRAME = pd.DataFrame(
    {
        "age": [50.0, np.nan, 61.5],
        "smoker": pd.Series([True, None, False], dtype=object, index=["a", "b", "c"]),
        "grade": ["High", "Low", None],
        "sex": ["Male", None, "Female"],
        "histology": ["lipo", "MFH", None],
    },
    index=["a", "b", "c"],
)


def test_each_type_of_column_becomes_the_numbers_that_its_schema_says() -> None:
    frame = pd.concat([FRAME, FRAME.iloc[:1].assign(histology="other").rename(index={"a": "d"})])
    columns = with_levels(Table(frame, COLUMNS))
    names = [feature.name for feature in features_of(columns)]
    assert names == ["age", "smoker", "grade", "sex", "histology = MFH", "histology = lipo", "histology = other"]
    nan = np.nan
    expected = [
        [50.0, 1, 2, 1, 0, 1, 0],
        [nan, nan, 0, nan, 1, 0, 0],
        [61.5, 0, nan, 0, nan, nan, nan],
        [50.0, 1, 2, 1, 0, 0, 1],
    ]
    np.testing.assert_array_equal(encode(frame, columns), expected)


def test_levels_that_are_not_declared_are_those_of_the_table_in_alphabetical_order() -> None:
    levels = {column.name: column.levels for column in with_levels(Table(FRAME, COLUMNS))}
    assert levels["sex"] == ("Female", "Male")
    assert levels["grade"] == ("Low", "Intermediate", "High")
    assert levels["age"] == ()


def test_a_level_that_nobody_had_counts_as_missing_and_is_told() -> None:
    columns = with_levels(Table(FRAME, COLUMNS))
    fresh = FRAME.assign(sex=pd.Series(["Male", "Other", None], index=FRAME.index))
    assert np.isnan(encode(fresh, columns)[1, 3])
    assert unknown_levels(fresh["sex"], columns[3]).tolist() == [False, True, False]


def test_a_column_that_is_absent_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"column age.*predictor-missing"):
        encode(FRAME.drop(columns="age"), with_levels(Table(FRAME, COLUMNS)))


def test_text_in_a_number_column_is_refused_with_the_value() -> None:
    odd = FRAME.assign(age=pd.Series(["50", "old", None], index=FRAME.index))
    with pytest.raises(Refused, match=r"column age.*holds old.*predictor-type"):
        encode(odd, COLUMNS[:1])


def test_an_infinite_number_is_refused() -> None:
    with pytest.raises(Refused, match=r"column age.*holds -?inf.*predictor-type"):
        encode(FRAME.assign(age=[1.0, np.inf, 2.0]), COLUMNS[:1])


def test_free_text_is_refused_as_a_predictor() -> None:
    table = Table(FRAME[["sex"]], (Column("sex", "text"),))
    with pytest.raises(Refused, match="text-predictor"):
        with_levels(table)


def test_a_table_without_rows_gives_a_matrix_without_rows() -> None:
    columns = with_levels(Table(FRAME, COLUMNS))
    assert encode(FRAME.iloc[:0], columns).shape == (0, len(features_of(columns)))
