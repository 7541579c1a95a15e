"""Patterns of names: `*` and `?`, and nothing else."""

from __future__ import annotations

import pytest

from prognoscope.core.patterns import matches


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("GTV_Mass_PET", "GTV*", True),
        ("GTV_Mass_PET", "*PET", True),
        ("xGTV", "GTV*", False),
        ("GTV1", "GTV?", True),
        ("GTV", "GTV?", False),
        ("GTV[1]", "GTV[1]", True),
        ("GTV1", "GTV[1]", False),
        ("GTV.1 (old)+", "GTV.1 (old)+", True),
        ("GTVx1", "GTV.1", False),
        ("gtv", "GTV", False),
        ("two\nlines", "two*", True),
        ("", "*", True),
    ],
)
def test_a_name_fits_a_pattern_or_not(name: str, pattern: str, fits: bool) -> None:
    assert matches(name, pattern) is fits
