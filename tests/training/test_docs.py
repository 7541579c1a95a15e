"""The examples of the page on learning run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

from prognoscope.training import MODELS, PLANS, Model, Plan

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def test_the_examples_run_from_top_to_bottom() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 4
    exec(compile("\n".join(blocks), str(PAGE), "exec"), {"__name__": "example"})


def test_each_model_and_each_of_its_settings_is_on_the_page() -> None:
    rows = {
        line.split("`")[1]: line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    }
    offers: tuple[Model | Plan, ...] = (*MODELS, *PLANS)
    for offer in offers:
        told = set(re.findall(r"`([a-z0-9_]+)`", rows[offer.name].split("|", 2)[2]))
        assert told == set(offer.settings.model_fields), offer.name


def test_each_problem_is_listed_with_cause_and_cure() -> None:
    folder = PAGE.parent
    source = Path(__file__).parents[2] / "src" / "prognoscope" / "training"
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(source.glob("*.py")))
    raised = set(re.findall(r"refuse\(\s*\"([a-z0-9-]+)\"", text)) | set(re.findall(r"code=\"([a-z0-9-]+)\"", text))
    listed = re.findall(
        r"^\| `([a-z0-9-]+)` \|", (folder / "problems.d" / "training.md").read_text(), flags=re.MULTILINE
    )
    assert set(listed) == raised
    assert listed == sorted(listed)
