"""The checklist TRIPOD+AI, filled from a folder of results: what is proved, what is left to a person, what refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from prognoscope.cli.app import app
from prognoscope.core.hashing import of_file
from prognoscope.core.problems import Refused
from prognoscope.jobs.checklist import tripod_ai
from prognoscope.jobs.tripod_ai import ITEMS
from prognoscope.jobs.tripod_evidence import RULES
from prognoscope.validation import evaluation_document
from tests.make.evaluation import evaluation

USED = {
    "question": "Who dies within a year?",
    "data": {"centre": "centre"},
    "eligible": [{"column": "age", "at_least": 18, "at_most": None, "unit": "year", "missing": "exclude"}],
    "outcome": {"column": "died", "words": "death within a year"},
    "models": {"try": {"elastic-net-logistic": {}, "random-forest": {}}},
    "validate": {"folds": 5, "repeats": 5},
    "success": [],
}


def write(folder: Path, documents: dict[str, Any]) -> None:
    for name, document in documents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder as `run` leaves it."""
    figures = {
        "schema": 1,
        "study": "example",
        **evaluation_document(evaluation()),
        "predictors": {"clinical": 3, "imaging": 40},
        "flow": {
            "considered": 60,
            "included": 51,
            "excluded": [{"step": "eligibility", "reason": "too-young", "n": 9}],
        },
        "bundle_blocked": "",
    }
    outputs = {"evaluation.json": figures, "report.html": "<p>", "bundle/card.json": {"outcome": "death within a year"}}
    write(tmp_path, outputs)
    hashes = {name: of_file(tmp_path / name) for name in outputs}
    run = {
        "schema": 1,
        "as_used": USED,
        "versions": {"prognoscope": "0.1.0"},
        "outputs": hashes,
        "data": {"images": {}},
    }
    write(tmp_path, {"run.json": run})
    return tmp_path


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder as `validate --out` leaves it."""
    table = {"name": "predictions.csv", "sha256": "0" * 64, "columns": {"risk": "p", "outcome": "died"}}
    write(tmp_path, {"evaluation.json": {"schema": 1, "table": table, **evaluation_document(evaluation())}})
    return tmp_path


def by_number(folder: Path) -> dict[str, Any]:
    return {row.number: row for row in tripod_ai(folder).rows}


def test_the_items_are_those_of_the_paper() -> None:
    # Collins et al. 2024, table 2: 27 items, 52 with their parts; D, E and D;E as printed there.
    numbers = [item.number for item in ITEMS]
    assert len(numbers) == len(set(numbers)) == 52
    assert sorted({int(re.match(r"\d+", number)[0]) for number in numbers}) == list(range(1, 28))  # type: ignore[index]
    only = {kind: [item.number for item in ITEMS if item.applies == kind] for kind in ("development", "evaluation")}
    assert only["development"] == ["9a", "12a", "12b", "12c", "15", "22", "27a", "27b"]
    assert only["evaluation"] == ["12f", "12g", "20c", "24"]
    assert set(RULES) <= set(numbers)


def test_what_a_study_proves_is_shown_with_its_figures_and_where_they_stand(study: Path) -> None:
    rows = by_number(study)
    assert rows["12c"].status == "shown"
    assert "elastic-net-logistic, random-forest" in rows["12c"].found
    assert rows["20a"].found == "60 considered, 51 took part; excluded: 9 by eligibility (too-young)."
    assert "evaluation.json: flow" in rows["20a"].evidence
    assert rows["6b"].found == "Eligible: age at least 18 year."
    assert rows["8a"].found.startswith("death within a year: ")


def test_what_no_file_can_prove_is_left_to_a_person(study: Path) -> None:
    rows = by_number(study)
    for number in ("1", "3c", "6a", "17", "18a", "19", "27c"):
        assert rows[number].status == "attest"
        assert rows[number].person
        assert not rows[number].evidence
    assert rows["23a"].status == "in part"
    assert rows["23a"].person == "performance in key groups"


def test_items_of_evaluation_do_not_apply_to_a_development_and_the_reverse(study: Path, tmp_path_factory: Any) -> None:
    assert by_number(study)["12g"].status == "not applicable"
    folder = tmp_path_factory.mktemp("given")
    write(folder, {"evaluation.json": {"table": {"columns": {"risk": "p"}}, **evaluation_document(evaluation())}})
    rows = by_number(folder)
    assert rows["22"].status == "not applicable"
    assert rows["12g"].found == "The risks are the column p."
    assert rows["20c"].status == "attest"


def test_groups_that_were_examined_complete_the_item_on_performance(given: Path) -> None:
    document = json.loads((given / "evaluation.json").read_text())
    document["groups"] = [
        {"attribute": "sex", "level": "F", "n": 30, "events": 8, "metrics": {}},
        {"attribute": "sex", "level": "X", "n": 3, "events": 1, "metrics": {}, "reason": "suppressed"},
    ]
    write(given, {"evaluation.json": document})
    rows = by_number(given)
    assert rows["23a"].status == "shown"
    assert rows["14"].found == "Figures by sex, 2 groups, 1 suppressed as too small."


def test_the_page_has_every_item_and_escapes_what_comes_from_data(study: Path) -> None:
    document = json.loads((study / "run.json").read_text())
    document["as_used"]["question"] = "<script>alert(1)</script>"
    write(study, {"run.json": document})
    text = tripod_ai(study).page.read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    for item in ITEMS:
        assert f'<td class="item">{item.number}</td>' in text
    assert 'href="report.html#participants"' in text
    assert 'href="evaluation.json"' in text


def test_results_that_were_edited_after_the_run_prove_nothing(study: Path) -> None:
    text = (study / "evaluation.json").read_text()
    (study / "evaluation.json").write_text(text.replace('"considered": 60', '"considered": 59'))
    with pytest.raises(Refused, match="results-changed"):
        tripod_ai(study)


def test_an_output_that_is_gone_is_named(study: Path) -> None:
    (study / "report.html").unlink()
    with pytest.raises(Refused, match=r"report\.html: the run wrote it, and it is gone"):
        tripod_ai(study)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("{", "results-unreadable"),
        ("[]", "results-unreadable"),
        ('{"schema": 2}', "results-unreadable"),
        ('{"schema": 1}', "results-unreadable"),
        ("[" * 100_000, "results-unreadable"),
        ("\udcff", "results-unreadable"),
    ],
    ids=["half a file", "a list", "a later schema", "nothing in it", "too deep", "no text"],
)
def test_a_file_that_is_no_evaluation_is_refused(tmp_path: Path, content: str, code: str) -> None:
    (tmp_path / "evaluation.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(Refused, match=code):
        tripod_ai(tmp_path)


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="results-missing"):
        tripod_ai(tmp_path / "nowhere")


def test_the_command_prints_the_items_a_tally_and_one_document(study: Path) -> None:
    runner = CliRunner()
    text = runner.invoke(app, ["checklist", "tripod-ai", str(study)])
    assert text.exit_code == 0
    assert "to state: the approval, and consent or its waiver" in text.stdout
    assert "not applicable\npage: " in text.stdout
    document = json.loads(runner.invoke(app, ["checklist", "tripod-ai", str(study), "--json"]).stdout)
    assert document["schema"] == 1
    assert [row["number"] for row in document["items"]] == [item.number for item in ITEMS]


def test_a_set_kept_apart_makes_a_development_an_evaluation_too(study: Path) -> None:
    changed(study, held_out={"plan": "external", "column": "centre", "n": 20, "only_learnt_from": 31})
    rows = by_number(study)
    assert "evaluation on a set kept apart (external by centre, 20 held out and 31 only learnt from)" in rows["4"].found
    assert rows["12g"].found == "By the predictor of the bundle."
    assert rows["16"].status == rows["20c"].status == "attest"
    assert rows["12c"].status == "shown"


def test_sites_held_out_and_thresholds_by_costs_complete_their_items(study: Path) -> None:
    changed(
        study,
        held_out={"plan": "leave-one-site-out"},
        sites=[{"level": "A"}, {"level": "B"}],
        alerts={"threshold": 0.2},
    )
    rows = by_number(study)
    assert rows["23b"].found == "Each of 2 sites was predicted by models learnt at the others."
    assert rows["12d"].status == rows["15"].status == "shown"
    assert "leave one site out" in rows["12a"].found


def changed(folder: Path, **more: Any) -> None:
    """Give a study other results, as its run would have written them."""
    document = json.loads((folder / "evaluation.json").read_text()) | more
    write(folder, {"evaluation.json": document})
    run = json.loads((folder / "run.json").read_text())
    run["outputs"]["evaluation.json"] = of_file(folder / "evaluation.json")
    write(folder, {"run.json": run})
