"""The conformance job: what counts as met, and data that is not complete."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from prognoscope.core.measures import Feature
from prognoscope.core.problems import Refused
from prognoscope.jobs import conformance as job
from prognoscope.jobs.conformance import CASES, ConformanceReport, Failure, Score, agrees, conformance, reference_tag


@pytest.mark.parametrize(
    ("found", "value", "tolerance", "met"),
    [
        (1494.6, "1490", 0.0, True),  # three digits are given
        (1495.1, "1490", 0.0, False),
        (125256.0, "125256", 0.0, True),  # a count has all of its digits
        (125257.0, "125256", 0.0, False),
        (0.11149, "0.111", 0.0, True),
        (0.1116, "0.111", 0.0, False),
        (0.1116, "0.111", 0.001, True),
        (-0.5004, "-0.5", 0.0, True),
        (-0.506, "-0.5", 0.0, False),
        (0.0, "0", 0.0, True),
        (6.9649e9, "6.96e+09", 0.0, True),
        (6.98e9, "6.96e+09", 1e7, False),
        (math.nan, "1", 10.0, False),
        (math.inf, "1", 10.0, False),
    ],
)
def test_a_number_agrees_in_as_many_digits_as_the_reference_shows(
    found: float, value: str, tolerance: float, met: bool
) -> None:
    assert agrees(found, value, tolerance) is met


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("morph_volume", "morph_volume"),
        ("fbn32.ih_mean", "ih_mean"),
        ("fbs25.cm_energy", "cm_energy_3D_comb"),
        ("fbs25.cm_energy_2D_avg", "cm_energy_2D_avg"),
        ("fbn32.szm_sze", "szm_sze_3D"),
        ("fbn32.ngt_busyness_2_5D", "ngt_busyness_2_5D"),
        ("log_3mm.stat_mean", "stat_mean"),
    ],
)
def test_features_are_found_under_the_reference_tags(name: str, tag: str) -> None:
    assert reference_tag(name) == tag


def test_every_part_of_the_standard_has_its_cases() -> None:
    assert len(CASES) == 6 + 5 + 33 + 18
    assert len(set(CASES)) == len(CASES)


def test_a_folder_without_the_data_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        conformance(tmp_path)
    assert refused.value.problem.code == "ibsi-data-missing"
    assert "digital_phantom.csv" in refused.value.problem.found


def test_passed_and_total_are_sums_over_the_scores_of_a_part() -> None:
    failure = Failure("features", "A", "cm_energy_2D_avg", 0.37, math.nan, 0.004)
    report = ConformanceReport(
        (Score("features", "A", 345, 346), Score("features", "C", 210, 210), Score("response map", "1.a.1", 1, 1)),
        (failure,),
    )
    assert (report.passed, report.total) == (556, 557)
    assert report.of("features") == (555, 556)
    assert report.of("features", ["C"]) == (210, 210)


needs_data = pytest.mark.skipif(
    "PROGNOSCOPE_DATA" not in os.environ, reason="PROGNOSCOPE_DATA is not set: no IBSI data"
)


@pytest.mark.real_data
@needs_data
def test_a_feature_that_is_no_longer_measured_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(os.environ["PROGNOSCOPE_DATA"]) / "ibsi"
    monkeypatch.setattr(job, "_measured", lambda *_: (Feature("stat_mean", 2.15, "intensity"),))
    score, failures = job.check(folder, ("features", "digital_phantom"))
    assert (score.passed, score.total) == (1, 482)
    assert len(failures) == 481
    assert all(math.isnan(failure.found) for failure in failures)


@pytest.mark.real_data
@needs_data
def test_a_table_that_has_lost_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(os.environ["PROGNOSCOPE_DATA"]) / "ibsi"
    whole = job._table
    monkeypatch.setattr(job, "_table", lambda path, delimiter: whole(path, delimiter)[:-1])
    with pytest.raises(Refused, match="ibsi-data-incomplete"):
        job.check(folder, ("features", "digital_phantom"))
