"""The docs say what the code does: keys, codes, commands, public names."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "prognoscope"
DOCS = ROOT / "docs"


def codes() -> set[str]:
    """Every code of a problem that is written in the source."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("refuse", "Problem") and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def test_every_problem_has_its_cause_and_cure_in_the_docs() -> None:
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (DOCS / "problems.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert codes() - listed == set()


def test_a_code_is_kebab_case() -> None:
    assert [code for code in codes() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []


def test_generated_pages_are_those_that_the_code_makes() -> None:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, page in generate.PAGES.items():
        assert (DOCS / name).read_text(encoding="utf-8") == page(), f"{name}: run `make reference`"


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    assert not re.search(r"/(root|work|home/\w+|tmp/w)/", page.read_text(encoding="utf-8"))
