"""All reference data of IBSI chapter 2 (github.com/theibsi/ibsi_2_reference_data, CC0 1.0).

`conformance` runs them and must notice what is missing; here it is held that nothing was left out and that the
documentation shows what the command prints.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prognoscope.cli.conformance import table
from prognoscope.core.work import serial_map
from prognoscope.jobs.conformance import CASES, Case, ConformanceReport, check, conformance
from prognoscope.radiomics.reference_filters import FILTERED, RESPONSE_MAPS

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif("PROGNOSCOPE_DATA" not in os.environ, reason="PROGNOSCOPE_DATA is not set: no IBSI data"),
]


def folder() -> Path:
    return Path(os.environ["PROGNOSCOPE_DATA"]) / "ibsi"


def test_there_is_a_test_for_each_reference_map() -> None:
    maps = {path.name.removesuffix("-ValidCRM.nii") for path in (folder() / "reference_response_maps").glob("*.nii")}
    assert {test.number.replace(".", "_") for test in RESPONSE_MAPS} == maps
    assert len(maps) == len(RESPONSE_MAPS) == 33


@pytest.mark.parametrize("number", [test.number for test in RESPONSE_MAPS])
def test_every_voxel_of_a_response_map_is_within_one_percent_of_its_range(number: str) -> None:
    score, failures = check(folder(), ("response map", number))
    assert failures == ()
    assert (score.passed, score.total) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILTERED)
def test_every_statistic_of_a_filtered_image_is_within_its_tolerance(name: str) -> None:
    score, failures = check(folder(), ("filtered features", name))
    assert failures == ()
    # One of the 324 rows of the reference has no value.
    assert score.passed == score.total == (17 if name == "8.B" else 18)


@pytest.mark.slow
def test_the_documentation_shows_what_the_command_prints() -> None:
    page = Path(__file__).parents[2] / "docs" / "conformance.md"
    report = conformance(folder(), serial_map)
    assert table(report) in page.read_text(encoding="utf-8")
    assert (report.passed, report.total) == (2460, 2460)
    assert report.of("features") == (1804, 1804)
    assert report.of("image description") == (300, 300)
    assert report.of("response map") == (33, 33)
    assert report.of("filtered features") == (323, 323)


def test_a_wrong_response_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.jobs.conformance.respond", lambda voxels, spacing, choice: voxels)
    case: Case = ("response map", "2.a")
    score, failures = check(folder(), case)
    assert score.passed == 0
    assert failures[0].found > failures[0].tolerance
    assert not ConformanceReport((score,), failures).passed
    assert case in CASES
