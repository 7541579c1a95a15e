"""Every command: a sentence of help, an example that parses, and an answer before a person waits."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from prognoscope.cli.app import COMMANDS, GROUPS, app

RUNNER = CliRunner()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_help_begins_with_a_sentence_and_ends_with_an_example(command: object) -> None:
    name = command.__name__.replace("_", "-")  # type: ignore[attr-defined]
    shown = RUNNER.invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    paragraphs = [" ".join(part.split()) for part in shown.output.strip().split("\n\n")]
    assert paragraphs[0].startswith("Usage: ")
    assert paragraphs[1].endswith(".")
    assert paragraphs[-1].startswith("Example: prognoscope ")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_the_example_calls_this_command(command: object) -> None:
    words = shlex.split(command.example)  # type: ignore[attr-defined]
    assert words[:2] == ["prognoscope", command.__name__.replace("_", "-")]  # type: ignore[attr-defined]


def test_every_verb_of_the_house_is_there() -> None:
    names = {command.__name__ for command in COMMANDS} | set(GROUPS)
    assert names >= {"run", "predict", "init", "demo", "radiomics", "conformance", "validate", "samplesize"}


def test_wrong_usage_exits_with_2_and_a_problem_with_1() -> None:
    assert RUNNER.invoke(app, ["run"]).exit_code == 2
    refused = RUNNER.invoke(app, ["run", "nowhere.yaml"])
    assert refused.exit_code == 1
    assert "what to do" in refused.stderr
    assert refused.stdout == ""


def test_help_imports_no_scientific_library() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom prognoscope.cli.app import app\n"
        "CliRunner().invoke(app, ['--help'])\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'sklearn', 'numba', 'pydicom', 'matplotlib', 'sqlalchemy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_importing_the_package_imports_no_scientific_library() -> None:
    code = "import sys, prognoscope\nprint(sorted({'numpy', 'pandas', 'scipy', 'numba'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_public_names_are_those_that_the_docs_promise() -> None:
    import prognoscope

    assert prognoscope.__all__ == ["__version__", "predict", "run"]
    assert callable(prognoscope.run)
    assert callable(prognoscope.predict)
