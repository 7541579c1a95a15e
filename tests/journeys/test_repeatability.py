"""`prognoscope run` with perturbed contours: what another contour changes is left out, in every fold anew."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from prognoscope.core.problems import Refused
from prognoscope.demo import write_cohort
from prognoscope.study.demo import STUDY
from prognoscope.study.run import RunResult, run_study
from prognoscope.work import local_map

pytestmark = pytest.mark.slow
SMALL = {"folds": 3, "repeats": 1, "inner": 2, "resamples": 200, "refits": 20}
DOCS = (Path(__file__).parents[2] / "docs" / "study-file.md").read_text(encoding="utf-8")
(EXAMPLE,) = YAML(typ="safe", pure=True).load(
    DOCS.partition("## Features that survive another contour")[2].partition("```yaml\n")[2].partition("```")[0]
)["predictors"]
CONTOURS = EXAMPLE["perturbations"] | {"count": 4}  # fewer, for time
FEATURES = 23 + 18 + 25 + 16
SARCOMAS = Path(__file__).parents[2] / "studies" / "sts-lung-metastasis.yaml"


def write(folder: Path, name: str = "study.yaml", **changes: Any) -> Path:
    """Write the demo's study with the docs' example as its image's predictor, changed."""
    values = YAML(typ="safe", pure=True).load(STUDY.replace("SEED", "1"))
    plain = {key: value for key, value in EXAMPLE.items() if key not in ("perturbations", "keep")}
    image = plain | changes
    predictors = [*values["predictors"][:3], image]
    values |= {"predictors": predictors, "models": {"try": ["elastic-net-logistic"]}, "validate": SMALL}
    YAML(typ="safe", pure=True).dump(values, folder / name)
    return folder / name


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repeatability")
    write_cohort(folder / "cohort", patients=24, seed=3)
    write(folder, perturbations=CONTOURS, keep=EXAMPLE["keep"])
    return folder


@pytest.fixture(scope="module")
def finished(place: Path) -> RunResult:
    return run_study(place / "study.yaml", out=place / "out", store=place / "store")


def rows(result: RunResult) -> list[dict[str, str]]:
    with (result.out / "repeatability.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_feature_has_its_agreement_and_how_often_it_was_left_out(finished: RunResult) -> None:
    found = rows(finished)
    assert len(found) == FEATURES
    assert {row["contours"] for row in found} == {"4"}
    by_name = {row["feature"]: row for row in found}
    assert float(by_name["CT.GTV.morph_volume"]["icc"]) > float(by_name["CT.GTV.stat_kurt"]["icc"])
    assert all(not row["icc"] or float(row["low"]) <= float(row["icc"]) <= float(row["high"]) for row in found)
    left_out = [row for row in found if float(row["left_out"]) > 0]
    assert 0 < len(left_out) < len(found)
    told = finished.evaluation["repeatability"]
    assert told["left_out_in_every_fold"] + told["left_out_in_some_folds"] == len(left_out)
    assert told["rules"] == [{"contours": 4, "icc_at_least": 0.75, "by": "low"}]


def test_the_report_says_what_was_left_out_and_by_which_rule(finished: RunResult) -> None:
    page = (finished.out / "report.html").read_text()
    assert "Features left out because another contour changes them" in page
    assert "the low end of the 95 % interval of ICC(1,1) over 4 perturbed contours" in page
    told = finished.evaluation["repeatability"]
    assert f"{told['left_out_in_every_fold']} were left out in every fold" in page
    some = next(row for row in rows(finished) if float(row["left_out"]) > 0)
    assert some["feature"] in page


def test_no_model_uses_what_was_left_out_in_every_fold(finished: RunResult) -> None:
    page = (finished.out / "report.html").read_text()
    used = page[page.index("The predictors that the models used") :].split("</table>")[0]
    always = [row["feature"] for row in rows(finished) if row["left_out"] == "1"]
    assert always
    assert not [name for name in always if f"<code>{name}</code>" in used]


def test_the_contours_are_measured_once_and_another_rule_measures_nothing(place: Path, finished: RunResult) -> None:
    seen: list[str] = []

    def telling(function: Any, items: Any, *, label: str) -> Any:
        seen.append(label)
        return map(function, items)

    other = write(place, "other.yaml", perturbations=CONTOURS, keep={"icc_at_least": 0.9, "by": "estimate"})
    result = run_study(other, out=place / "other", store=place / "store", mapper=telling)
    assert set(seen) == {"folds", "refits"}
    assert result.evaluation["repeatability"]["rules"][0]["by"] == "estimate"


def test_two_workers_give_the_same_bytes(place: Path, finished: RunResult) -> None:
    again = run_study(place / "study.yaml", out=place / "again", store=place / "second", mapper=local_map(jobs=2))
    for name in ("repeatability.csv", "predictions.csv", "features.parquet", "report.html"):
        assert (again.out / name).read_bytes() == (finished.out / name).read_bytes(), name


def test_without_a_rule_the_agreement_is_told_and_nothing_is_left_out(place: Path, finished: RunResult) -> None:
    described = write(place, "described.yaml", perturbations=CONTOURS)
    result = run_study(described, out=finished.out.parent / "described", store=place / "store")
    assert [row["icc"] for row in rows(result)] == [row["icc"] for row in rows(finished)]
    assert {row["left_out"] for row in rows(result)} == {""}
    plain = run_study(write(place, "plain.yaml"), out=result.out, store=place / "store")
    assert plain.evaluation["repeatability"] is None
    assert not (plain.out / "repeatability.csv").exists(), "a file of the run before would be believed"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"keep": {"icc_at_least": 0.75}}, "describe them under `perturbations:`"),
        ({"perturbations": {"count": 5}}, "they move nothing"),
        ({"perturbations": {"count": 1, "roughness_mm": 1}}, "greater than or equal to 2"),
        ({"perturbations": CONTOURS, "keep": {"icc_at_leest": 0.75}}, "did you mean “icc_at_least”?"),
        ({"perturbations": CONTOURS, "keep": {"icc_at_least": 75}}, "less than 1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_with_its_line(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused) as refused:
        run_study(write(tmp_path, **changes), out=tmp_path / "out")
    assert told in str(refused.value)
    assert "line " in str(refused.value)


def test_lesions_that_perturbing_destroys_are_noted_and_their_patients_stay(place: Path) -> None:
    shrunk = {"count": 2, "growth_mm": [-9, -8]}
    result = run_study(
        write(place, "shrunk.yaml", perturbations=shrunk, keep={"icc_at_least": 0.5}),
        out=place / "shrunk",
        store=place / "store",
    )
    told = [note for note in result.notes if note.code == "contours-not-rated"]
    assert told
    assert len(result.flow.included) + len(result.flow.exclusions) == result.flow.considered
    assert {one.subject.split(",")[0].removeprefix("patient ") for one in told} <= set(result.flow.included)


@pytest.mark.real_data
def test_sarcomas_in_pet_lose_the_features_that_their_contour_decides(real_data: Path, tmp_path: Path) -> None:
    values = YAML(typ="safe", pure=True).load(SARCOMAS.read_text())
    image = {"image": "PT", "region": "GTV_Mass*", "measure": {"radiomics": {"families": ["morphology", "statistics"]}}}
    image |= {"perturbations": {"count": 4, "growth_mm": [-4, 4], "roughness_mm": 2}, "keep": {"icc_at_least": 0.75}}
    values["data"] |= {"images": str(real_data / "sts"), "table": str(real_data / "sts" / "clinical.csv")}
    values |= {"predictors": [image], "models": {"try": ["elastic-net-logistic"]}, "validate": SMALL}
    YAML(typ="safe", pure=True).dump(values, tmp_path / "sarcoma.yaml")
    result = run_study(tmp_path / "sarcoma.yaml", out=tmp_path / "out")
    by_name = {row["feature"].rpartition(".")[2]: row for row in rows(result)}
    assert len(by_name) == 23 + 18
    # The maximum lies within the lesion whatever its edge; the minimum lies at the edge.
    assert by_name["stat_max"]["left_out"] == "0"
    assert float(by_name["stat_max"]["low"]) > 0.9 > float(by_name["stat_min"]["icc"])
    assert float(by_name["stat_min"]["left_out"]) > 0
