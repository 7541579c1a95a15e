"""The project's key, and the table that leads back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.deidentify import Project, PseudonymTable, create_key, fingerprint, load_table, read_key, save_table
from prognoscope.jobs.keys import new_key, open_project, show_people


def test_a_key_is_read_as_it_was_made(tmp_path: Path) -> None:
    created = create_key(tmp_path / "a.key")
    assert read_key(tmp_path / "a.key") == created


def test_a_key_is_for_its_owner_only(tmp_path: Path) -> None:
    create_key(tmp_path / "a.key")
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_key(tmp_path / "a.key")
    with pytest.raises(Refused, match="key-exists"):
        create_key(tmp_path / "a.key")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    create_key(tmp_path / "a.key")
    (tmp_path / "a.key").chmod(0o644)
    with pytest.raises(Refused, match="key-open"):
        read_key(tmp_path / "a.key")


@pytest.mark.parametrize(
    "text", ["", "hello", "prognoscope project key 1\n", "prognoscope project key 1\nAAAA\n", "\0\xff"]
)
def test_a_damaged_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.key"
    path.touch(mode=0o600)
    path.write_text(text, encoding="latin-1")
    with pytest.raises(Refused, match="key-damaged"):
        read_key(path)


def test_a_key_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="key-missing"):
        read_key(tmp_path / "none.key")


def test_a_key_does_not_show_itself() -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    project = Project(secret)
    assert "0123456789" not in repr(project)
    assert "0123456789" not in fingerprint(project)


def test_the_users_own_key_is_made_at_its_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROGNOSCOPE_KEY_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    first, new = open_project(None)
    again, still_new = open_project(None)
    assert (new, still_new) == (True, False)
    assert first == again


def test_a_key_that_is_named_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="key-missing"):
        open_project(tmp_path / "typo.key")


def test_the_table_leads_back_and_shows_nothing_without_the_key(tmp_path: Path) -> None:
    project = create_key(tmp_path / "a.key")
    save_table(PseudonymTable({"P1": "DOE-4711"}, {"a.dcm": "doe.dcm"}), tmp_path / "t.enc", project)
    assert b"DOE" not in (tmp_path / "t.enc").read_bytes()
    assert stat.S_IMODE((tmp_path / "t.enc").stat().st_mode) == 0o600
    assert show_people(tmp_path / "a.key", tmp_path / "t.enc") == {"P1": "DOE-4711"}


def test_the_table_of_another_project_is_refused(tmp_path: Path) -> None:
    save_table(PseudonymTable(), tmp_path / "t.enc", Project(b"x" * 32))
    with pytest.raises(Refused, match="pseudonyms-key"):
        load_table(tmp_path / "t.enc", Project(b"y" * 32))


def test_new_key_names_file_and_fingerprint(tmp_path: Path) -> None:
    named = new_key(tmp_path / "a.key")
    assert named == {"file": str(tmp_path / "a.key"), "fingerprint": fingerprint(read_key(tmp_path / "a.key"))}


def test_a_short_secret_makes_no_project() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Project(b"short")
