"""The examples on the page of validation run as they stand."""

import re
from pathlib import Path

import pytest

import prognoscope.validation

PAGE = (Path(__file__).parents[2] / "docs" / "validation.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(EXAMPLES[number], "docs/validation.md", "exec"), {})
    assert "True" in capsys.readouterr().out


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


def test_every_function_that_the_page_lists_exists() -> None:
    table = PAGE[PAGE.index("| to | call |") :]
    named = set(re.findall(r"`([a-z_0-9]+)`", table))
    assert named - set(prognoscope.validation.__all__) == set()
