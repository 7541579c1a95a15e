"""Numbers of records in the unit that a study asks for. Factors: UCUM 2.1, and the tables of NIST SP 811."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognoscope.cohort.units import converted


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        (120, "mm[Hg]", "kPa", 15.998684),
        (120, "mmHg", "mm[Hg]", 120),
        (98.6, "[degF]", "Cel", 37),
        (37, "Cel", "[degF]", 98.6),
        (154.32358, "[lb_av]", "kg", 70),
        (1, "mg/dL", "g/L", 0.01),
        (1, "mg/dl", "mg/L", 10),
        (5, "µg/mL", "mg/L", 5),
        (5, "mcg/mL", "ug/mL", 5),
        (90, "umol/L", "mmol/L", 0.09),
        (250, "10*3/uL", "10*9/L", 250),
        (36, "{beats}/min", "/min", 36),
        (80, "bpm", "/min", 80),
        (30, "kg/m2", "g/cm2", 3),
        (3, "wk", "d", 21),
        (45, "%", "1", 0.45),
        (7, "score of ours", "score of ours", 7),
    ],
)
def test_the_same_quantity_in_another_unit(value: float, unit: str, wanted: str, expected: float) -> None:
    assert converted(value, unit, wanted) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        ("mg/dL", "mmol/L"),
        ("", "mg/dL"),
        ("mg", "mg/dL"),
        ("kg", "Cel"),
        ("wibble", "mg"),
        ("mg//", "mg"),
        ("[IU]", "mg"),
    ],
)
def test_what_is_not_surely_the_same_quantity_is_not_converted(unit: str, wanted: str) -> None:
    assert converted(1, unit, wanted) is None


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_unit_or_none(unit: str, wanted: str) -> None:
    there = converted(3.0, unit, wanted)
    back = None if there is None else converted(there, wanted, unit)
    assert there is None or back == pytest.approx(3.0)
