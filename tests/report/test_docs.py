"""`docs/report.md` says what the page does."""

from __future__ import annotations

import re
from pathlib import Path

from prognoscope.report.sentences import LABELS, lead
from tests.make.evaluation import evaluation, without_curves
from tests.make.report import content

TEXT = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")


def test_every_verdict_is_explained() -> None:
    for label in LABELS.values():
        assert f"| {label} |" in TEXT


def test_the_sentence_quoted_is_the_one_the_page_makes() -> None:
    made = evaluation(0.7, clinical=0.64, half=0.14)
    quoted = " ".join(line.removeprefix("> ") for line in TEXT.splitlines() if line.startswith("> "))
    assert quoted == lead(made, "signal")


def test_every_part_has_the_name_that_it_has_on_the_page() -> None:
    from prognoscope.report.page import STUDY_SECTIONS

    headings = re.findall(r"^## \d · (.+)$", TEXT, flags=re.MULTILINE)
    assert headings == [section.heading for section in STUDY_SECTIONS]


def test_the_example_in_python_runs() -> None:
    example = re.findall(r"```python\n(.+?)```", TEXT, flags=re.DOTALL)
    assert len(example) == 1
    names = {"content": content(without_curves(evaluation())), "evaluation": without_curves(evaluation())}
    exec(example[0], names)
    assert "EuroSCORE II" in str(names["html"])
