"""The commands as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from prognoscope.cli import deidentify, keys
from tests.make.deidentify import an_object, save

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(deidentify.deidentify)
app.command()(keys.keys)


@pytest.fixture(autouse=True)
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGNOSCOPE_KEY_FILE", str(tmp_path / "keys" / "project.key"))


def type_in(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout


def test_a_folder_is_cleaned_and_the_counts_are_printed(tmp_path: Path) -> None:
    save(an_object(), tmp_path / "in" / "doe.dcm")
    code, out = type_in("deidentify", str(tmp_path / "in"), str(tmp_path / "out"), "--jobs", "1")
    assert code == 0
    assert "1 files of 1 patients clean, 0 held back" in out
    assert "edition 2024b" in out
    assert "DOE" not in out
    assert "4711" not in out


def test_options_change_the_profile(tmp_path: Path) -> None:
    save(an_object(), tmp_path / "in" / "doe.dcm")
    folders = (str(tmp_path / "in"), str(tmp_path / "out"))
    code, out = type_in("deidentify", *folders, "--profile", "research", "--remove-dates", "--json", "--jobs", "1")
    assert code == 0
    document = json.loads(out)
    assert document["schema"] == 1
    assert document["options"]["retain_dates"] is False
    assert document["options"]["retain_device"] is True


def test_a_problem_is_exit_1(tmp_path: Path) -> None:
    code, out = type_in("deidentify", str(tmp_path / "none"), str(tmp_path / "out"), "--jobs", "1")
    assert (code, out) == (1, "")


def test_keys_are_made_shown_and_lead_back(tmp_path: Path) -> None:
    save(an_object(), tmp_path / "in" / "doe.dcm")
    key = str(tmp_path / "a.key")
    code, made = type_in("keys", "new", key)
    assert code == 0
    assert type_in("keys", "show", key) == (0, made)
    assert type_in("keys", "new", key)[0] == 1
    type_in("deidentify", str(tmp_path / "in"), str(tmp_path / "out"), "--key", key, "--jobs", "1")
    code, out = type_in("keys", "people", key, "--table", str(tmp_path / "out.private" / "pseudonyms.enc"), "--json")
    assert code == 0
    assert list(json.loads(out)["people"].values()) == ["4711-8"]
