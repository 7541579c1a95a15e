"""Whoever edits, deletes, exchanges or cuts off entries of the audit log is found out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.audit import read_log, verify_log
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.verify import verify
from prognoscope.store import Store
from tests.make.store import write_hospital

ENTRIES = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Store(tmp_path) as store:
        for number in range(ENTRIES):
            store.audit_note("export", f"query {number}", {"files": number})
    return tmp_path


def tamper(folder: Path, *statements: str) -> None:
    """Change the log as someone would who has the file and knows about the triggers."""
    connection = sqlite3.connect(folder / "catalogue.sqlite")
    for trigger in ("audit_no_update", "audit_no_delete"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def codes(folder: Path) -> set[str]:
    return {problem.code for problem in verify_log(folder).problems}


def test_an_untouched_log_is_whole(folder: Path) -> None:
    found = verify_log(folder)
    assert (found.entries, found.problems) == (ENTRIES, ())
    assert [entry.record for entry in read_log(folder, newest=2)] == ["query 4", "query 5"]


def test_the_database_itself_refuses_to_change_an_entry(folder: Path) -> None:
    connection = sqlite3.connect(folder / "catalogue.sqlite")
    for statement in ("UPDATE audit SET who = 'nobody'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("column", ["at", "who", "action", "record", "detail", "previous", "hash"])
def test_an_edited_entry(folder: Path, column: str) -> None:
    tamper(folder, f"UPDATE audit SET {column} = {column} || '0' WHERE number = 3")
    assert "audit-entry-changed" in codes(folder)


def test_a_deleted_entry(folder: Path) -> None:
    tamper(folder, "DELETE FROM audit WHERE number = 3")
    assert codes(folder) == {"audit-entry-missing"}


def test_a_deleted_entry_with_the_others_numbered_anew(folder: Path) -> None:
    tamper(folder, "DELETE FROM audit WHERE number = 3", "UPDATE audit SET number = number - 1 WHERE number > 3")
    assert {"audit-entry-changed", "audit-chain-broken", "audit-cut-off"} <= codes(folder)


def test_two_exchanged_entries(folder: Path) -> None:
    steps = [(3, 99), (4, 3), (99, 4)]
    tamper(folder, *(f"UPDATE audit SET number = {after} WHERE number = {before}" for before, after in steps))
    assert {"audit-entry-changed", "audit-chain-broken"} <= codes(folder)


@pytest.mark.parametrize("kept", [0, 1, ENTRIES - 1])
def test_an_end_that_was_cut_off(folder: Path, kept: int) -> None:
    tamper(folder, f"DELETE FROM audit WHERE number > {kept}")
    assert codes(folder) == {"audit-cut-off"}


def go_on(folder: Path) -> None:
    """Work with the store as if nothing had happened."""
    with Store(folder) as store:
        for number in range(3):
            store.audit_note("export", f"later {number}")


def test_a_cut_end_is_still_told_when_the_log_has_grown_beyond_it(folder: Path) -> None:
    tamper(folder, f"DELETE FROM audit WHERE number > {ENTRIES - 1}")
    go_on(folder)
    assert codes(folder) == {"audit-rewritten"}


def test_a_log_with_all_hashes_made_anew_is_still_told_after_further_entries(folder: Path) -> None:
    with Store(folder) as store:
        entries = list(store.audit.entries())
    before, steps = "0" * 64, []
    for entry in entries:
        edited = replace(entry, previous=before, record="harmless" if entry.number == 2 else entry.record)
        before = edited.computed()
        steps.append(
            f"UPDATE audit SET record = '{edited.record}', previous = '{edited.previous}', hash = '{before}' "
            f"WHERE number = {entry.number}"
        )
    tamper(folder, *steps)
    go_on(folder)
    assert codes(folder) == {"audit-rewritten"}


def test_a_deleted_head_is_not_made_again(folder: Path) -> None:
    tamper(folder, "DELETE FROM audit WHERE number > 4")
    (folder / "audit-head.json").unlink()
    go_on(folder)
    assert codes(folder) == {"audit-head-missing"}


@pytest.mark.parametrize("forged", [False, True], ids=["head deleted", "head set to the start"])
def test_a_log_that_was_emptied_together_with_its_head(tmp_path: Path, forged: bool) -> None:
    write_hospital(tmp_path / "hospital", patients=1)
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    tamper(tmp_path / "store", "DELETE FROM audit")
    head = tmp_path / "store/audit-head.json"
    if forged:
        head.write_text('{"number": 0, "hash": "%s"}' % ("0" * 64))
    else:
        head.unlink()
    assert codes(tmp_path / "store") == {"audit-cut-off"} | (set() if forged else {"audit-head-missing"})


def test_an_object_that_was_taken_away_with_every_row_of_it(tmp_path: Path) -> None:
    """The log still says that it came in."""
    write_hospital(tmp_path / "hospital", patients=1)
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    name = sorted(path for path in (tmp_path / "store/artefacts").rglob("*") if path.is_file())[0]
    sha256 = name.parent.name + name.name
    rows = [f"DELETE FROM {table} WHERE sha256 = '{sha256}'" for table in ("objects", "instances", "arrivals")]
    connection = sqlite3.connect(tmp_path / "store/catalogue.sqlite")
    for statement in rows:
        connection.execute(statement)
    connection.commit()
    connection.close()
    name.unlink()
    (problem,) = verify(tmp_path / "store").problems
    assert (problem.code, problem.subject) == ("object-gone", f"artefact {sha256}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE instances SET patient_id = 'P666' WHERE rowid = 1",
        "UPDATE instances SET series_uid = '1.2.3' WHERE rowid = 1",
        "DELETE FROM instances WHERE rowid = 1",
    ],
)
def test_a_catalogue_that_says_of_a_file_what_it_does_not(tmp_path: Path, statement: str) -> None:
    write_hospital(tmp_path / "hospital", patients=1)
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    connection = sqlite3.connect(tmp_path / "store/catalogue.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()
    (problem,) = verify(tmp_path / "store").problems
    assert problem.code == "instance-contradicts"
    assert "P000" in problem.found


def test_an_object_that_the_log_knows_nothing_of(tmp_path: Path) -> None:
    write_hospital(tmp_path / "hospital", patients=1)
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    tamper(tmp_path / "store", "UPDATE audit SET detail = replace(detail, 'objects', 'things')")
    assert {one.code for one in verify(tmp_path / "store").problems} == {"object-unlogged", "audit-entry-changed"}


def test_a_cut_end_with_its_head_is_found_by_a_head_that_was_written_down(folder: Path) -> None:
    written = verify_log(folder).head
    tamper(folder, "DELETE FROM audit WHERE number > 4")
    (folder / "audit-head.json").write_text('{"number": 0, "hash": "%s"}' % ("0" * 64))
    with Store(folder) as store:
        store.audit.anchor()
    assert codes(folder) == set()
    assert [one.code for one in verify_log(folder, head=written).problems] == ["audit-cut-off"]


def test_a_log_that_was_written_again_from_the_start(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    with Store(other) as store:
        for number in range(ENTRIES):
            store.audit_note("export", f"harmless {number}")
    (folder / "catalogue.sqlite-wal").unlink(missing_ok=True)
    (folder / "catalogue.sqlite").write_bytes((other / "catalogue.sqlite").read_bytes())
    assert codes(folder) == {"audit-rewritten"}


def test_a_missing_head(folder: Path) -> None:
    (folder / "audit-head.json").unlink()
    assert codes(folder) == {"audit-head-missing"}


@pytest.mark.parametrize("head", ["6", "x:y", "6:abc"])
def test_a_head_that_is_none(folder: Path, head: str) -> None:
    refuses: Callable[[], object] = lambda: verify_log(folder, head=head)  # noqa: E731
    with pytest.raises(Refused) as refused:
        refuses()
    assert refused.value.problem.code == "head-unreadable"
