"""The study file: every mistake is named with its line before any work starts."""

from __future__ import annotations

import csv
import runpy
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.study.file import read_study
from prognoscope.study.reference import sections
from tests.make import studies

TEXT = """\
question: Who dies?
data:
  table: table.csv
outcome: {column: dead, event: 1}
predictors:
  - {column: age, unit: year, known_at: time_zero}
models: {try: [elastic-net-logistic]}
"""


def problem_of(folder: Path, text: str) -> str:
    path = folder / "study.yaml"
    path.write_text(text)
    with pytest.raises(Refused) as refused:
        read_study(path)
    return str(refused.value)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("  table:", "  tabel:", "line 3: data: tabel: unknown key “tabel”; did you mean “table”?"),
        ("event: 1}", "evnet: 1}", "line 4: outcome: evnet: unknown key “evnet”; did you mean “event”?"),
        ("known_at", "known_when", "line 6: predictors: known_when: unknown key “known_when”"),
        (
            "time_zero}",
            "yesterday}",
            "line 6: predictors: known_at: input should be 'time_zero', 'later' or 'undeclared'",
        ),
        ("[elastic-net-logistic]", "[elastic-net-logistik]", "did you mean “elastic-net-logistic”?"),
        ("[elastic-net-logistic]", "[elastic-net-cox]", "elastic-net-cox does not serve a binary outcome"),
        ("logistic]}", "logistic], choose: outer}", "line 7: models: choose: unknown choice “outer”"),
        ("question: Who dies?\n", "", "question: this key is missing"),
        ("outcome: {column: dead, event: 1}\n", "", "outcome: this key is missing"),
        ("known_at: time_zero", "known_at: later", "age is known only after time zero"),
        ("column: age", "column: dead", "line 6: predictors: column: dead tells the outcome"),
        ("column: age", "column: patient_id", "line 6: predictors: column: patient_id names the patients"),
        ("models:", "success: [{metric: aucc, at_least: 0.6}]\nmodels:", "did you mean “auc”?"),
        ("models:", "success: [{metric: c_index, at_least: 0.6}]\nmodels:", "line 7: success: metric: unknown metric"),
        ("models:", "name: ../../elsewhere\nmodels:", "line 7: name: it becomes the name of a folder"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, before: str, after: str, told: str) -> None:
    assert told in problem_of(tmp_path, TEXT.replace(before, after))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    told = problem_of(tmp_path, TEXT.replace("  table:", "  tabel:").replace("event: 1", "evnet: 1"))
    assert "line 3" in told
    assert "line 4" in told


def test_an_unknown_model_is_told_beside_mistakes_of_form(tmp_path: Path) -> None:
    told = problem_of(tmp_path, TEXT.replace("  table:", "  tabel:").replace("-logistic]", "-logistik]"))
    assert "line 3" in told
    assert "did you mean “elastic-net-logistic”?" in told


def test_settings_of_a_model_are_checked_by_the_models_own_class(tmp_path: Path) -> None:
    told = problem_of(tmp_path, TEXT.replace("[elastic-net-logistic]", "{elastic-net-logistic: {penaltie: 3}}"))
    assert "line 7: models: try: elastic-net-logistic: penaltie: unknown key “penaltie”" in told


def test_settings_of_a_measure_are_checked_by_the_measures_own_class(tmp_path: Path) -> None:
    image = "  - {image: CT, region: GTV, measure: {radiomics: {bin: 32}}}\n"
    told = problem_of(tmp_path, TEXT.replace("models:", image + "models:").replace("  table:", "  images: .\n  table:"))
    assert "line 8" in told
    assert "did you mean “bins”?" in told


def test_yaml_that_does_not_parse_names_the_line(tmp_path: Path) -> None:
    assert "study.yaml, line 5" in problem_of(tmp_path, TEXT.replace("event: 1}", "event: 1"))
    assert "line 2" in problem_of(tmp_path, "question: a\nquestion: b\n")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "[study-file]" in problem_of(tmp_path, text)


def test_a_missing_file_and_binary_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="study-file-missing"):
        read_study(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(Refused, match="not UTF-8 text"):
        read_study(tmp_path / "binary.yaml")


def test_aliases_that_unfold_without_end_and_bottomless_nesting_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "unfold to more than" in problem_of(tmp_path, "\n".join(lines) + "\n")
    assert "[study-file]" in problem_of(tmp_path, "question: " + "[" * 5000 + "\n")


def test_an_empty_environment_variable_is_an_unset_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOWHERE", "")
    assert "NOWHERE is not set" in problem_of(tmp_path, TEXT.replace("table.csv", "${NOWHERE}/table.csv"))


def test_an_unset_environment_variable_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    assert "line 3: the environment variable NOWHERE is not set" in problem_of(
        tmp_path, TEXT.replace("table.csv", "${NOWHERE}/table.csv")
    )


def test_a_set_environment_variable_leads_to_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEWHERE", str(tmp_path))
    path = studies.write(tmp_path, studies.binary(data={"table": "${SOMEWHERE}/table.csv"}))
    assert read_study(path).table == tmp_path / "table.csv"


def test_what_is_left_out_is_written_down_in_full(tmp_path: Path) -> None:
    used = read_study(studies.write(tmp_path, studies.binary(validate={"repeats": 2}))).as_used()
    assert used["validate"] == {
        "plan": {"cross-validation": {"column": None}},
        "folds": 5,
        "repeats": 2,
        "inner": 3,
        "resamples": 2000,
        "refits": 100,
        "subgroups": [],
        "learning_curve": False,
        "override": {},
    }
    assert used["models"]["try"]["elastic-net-logistic"]


def test_the_form_as_used_is_a_study_file_again(tmp_path: Path) -> None:
    used = read_study(studies.write(tmp_path, studies.survival())).as_used()
    again = read_study(studies.write(tmp_path, used, name="again.yaml"))
    assert again.as_used() == used


@pytest.mark.parametrize(
    ("written", "meant"), [("[-9, NA]", ("-9", "NA")), ("999", ("999",)), ("unknown", ("unknown",))]
)
def test_numbers_may_mean_unknown(tmp_path: Path, written: str, meant: tuple[str, ...]) -> None:
    (tmp_path / "study.yaml").write_text(
        TEXT.replace("  table: table.csv\n", f"  table: table.csv\n  missing: {written}\n")
    )
    assert read_study(tmp_path / "study.yaml").study.data.missing == meant


def test_two_predictors_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = [{"column": "age", "unit": "year"}, {"column": "marker", "name": "age"}]
    path = studies.write(tmp_path, studies.binary(predictors=twice))
    with pytest.raises(Refused, match="two predictors are named age"):
        read_study(path)


def test_a_criterion_of_success_needs_a_bound(tmp_path: Path) -> None:
    path = studies.write(tmp_path, studies.binary(success=[{"metric": "auc"}]))
    with pytest.raises(Refused, match="needs a bound"):
        read_study(path)


def test_the_studies_that_ship_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGNOSCOPE_DATA", "/nowhere")
    shipped = sorted((Path(__file__).parents[2] / "studies").glob("*.yaml"))
    assert [path.stem for path in shipped] == ["sts-lung-metastasis", "sts-survival"]
    for path in shipped:
        assert len(read_study(path).candidates) >= 2


@pytest.mark.real_data
def test_the_table_of_the_sarcoma_studies_is_made_from_the_published_sheet(real_data: Path) -> None:
    script = Path(__file__).parents[2] / "studies" / "sts_clinical.py"
    rows = runpy.run_path(str(script))["clinical_table"](real_data / "sts" / "INFOclinical_STS.xlsx")
    with (real_data / "sts" / "clinical.csv").open(encoding="utf-8", newline="") as file:
        assert rows == list(csv.reader(file))


def test_every_key_of_a_study_file_is_in_the_docs_with_its_meaning() -> None:
    page = (Path(__file__).parents[2] / "docs" / "study-file.md").read_text(encoding="utf-8")
    parts = {part.split("\n", maxsplit=1)[0].split(":")[0]: part for part in page.split("\n## ")}
    assert {"data", "eligible", "outcome", "predictors", "models", "validate", "subgroups", "decision"} <= set(parts)
    missing = []
    for title, settings in sections():
        part = next(own for own in page.split("\n## ") if own.startswith(f"{title}\n"))
        for name, field in settings.model_fields.items():
            row = next((line for line in part.splitlines() if line.startswith(f"| `{field.alias or name}` |")), "")
            if not row or not (field.description or row.split("|")[3].strip()):
                missing.append(f"{title}: {name}")
    assert missing == []
