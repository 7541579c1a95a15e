"""Who stands alone in a table; the counts of the sarcoma table are those that pandas gives."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from prognoscope.deidentify.tablerisk import risk_of
from prognoscope.deidentify.tables import CleanSheet

PEOPLE = pd.DataFrame(
    {
        "age": ["61", "61", "47", "33", ""],
        "sex": ["F", "F", "F", "M", "M"],
        "histology": ["leiomyosarcoma", "leiomyosarcoma", "liposarcoma", "liposarcoma", "liposarcoma"],
        "note": ["fell from a ladder", "", "", "", ""],
    }
)
SHEET = CleanSheet(PEOPLE, ",", (("age", "age", 0), ("sex", "text", 0), ("histology", "text", 0), ("note", "text", 0)))


def test_combinations_are_counted_over_rows_that_have_all_of_them() -> None:
    found = {tuple(row["values"]): (row["people"], row["alone"]) for row in risk_of(SHEET)["singled_out"]}
    assert found == {("sex",): (5, 0), ("age",): (4, 2), ("age", "sex"): (4, 2), ("age", "sex", "histology"): (4, 2)}


def test_values_that_few_share_are_listed() -> None:
    rare = risk_of(SHEET)["rare_values"]
    assert {"name": "sex", "value": "M", "people": 2} in rare
    assert {"name": "histology", "value": "liposarcoma", "people": 3} in rare


def test_cells_that_people_wrote_are_listed() -> None:
    assert risk_of(SHEET)["texts"] == [{"name": "note", "text": "fell from a ladder", "rows": 1}]


@pytest.mark.real_data
@pytest.mark.skipif(not os.environ.get("PROGNOSCOPE_DATA"), reason="PROGNOSCOPE_DATA is not set")
def test_age_and_sex_single_out_33_of_the_51_sarcoma_patients() -> None:
    frame = pd.read_csv(Path(os.environ["PROGNOSCOPE_DATA"]) / "sts" / "clinical.csv", dtype=str, keep_default_na=False)
    sheet = CleanSheet(frame[["age", "sex"]], ",", (("age", "age", 0), ("sex", "text", 0)))
    assert risk_of(sheet)["singled_out"][-1]["alone"] == 33
