"""Frozen cohorts: a name stands for one content, whatever comes in afterwards and whoever asks again."""

from __future__ import annotations

from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.history import as_lines, history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.query import query
from prognoscope.store import Snapshot, Store
from tests.make.store import write_hospital, write_patient


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write_hospital(tmp_path / "hospital", patients=2)
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    return tmp_path / "store"


def more(store: Path) -> None:
    write_patient(store.parent / "hospital", "P009", value=9000)
    ingest(store.parent / "hospital", store=store)


def freeze(store: Path, text: str, name: str) -> Snapshot:
    frozen = query(text, store=store, snapshot=name).snapshot
    assert frozen is not None
    return frozen


def refused(store: Path, text: str, name: str) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        freeze(store, text, name)
    return caught.value.problem.code, caught.value.problem.found


def test_the_same_again_is_the_same_snapshot(store: Path) -> None:
    assert freeze(store, "modality = CT", "cohort") == freeze(store, "modality = CT", "cohort")


def test_a_name_is_not_given_to_another_content(store: Path) -> None:
    first = freeze(store, "modality = CT", "cohort")
    more(store)
    code, found = refused(store, "modality = CT", "cohort")
    assert code == "snapshot-exists"
    assert found.endswith("other contents came in since")
    with Store(store) as opened:
        assert opened.snapshots.find("cohort") == first
    assert freeze(store, "modality = CT", "later").patients == 3


def test_a_name_is_not_given_to_another_query(store: Path) -> None:
    freeze(store, "modality = CT", "cohort")
    code, found = refused(store, "patient = P000", "cohort")
    assert code == "snapshot-exists"
    assert found.endswith("it asked “modality = CT”")


@pytest.mark.parametrize("name", ["two\nlines", " ", "x" * 101, "bell\a"], ids=["newline", "blank", "long", "bell"])
def test_a_name_is_a_short_line(store: Path, name: str) -> None:
    assert refused(store, "modality = CT", name)[0] == "snapshot-name"


def test_a_study_that_asks_another_query_has_another_snapshot_and_comes_back_to_the_first(store: Path) -> None:
    with Store(store) as opened:
        first = opened.snapshots.freeze_for("sarcoma", "modality = CT")
        second = opened.snapshots.freeze_for("sarcoma", "patient = P000")
        assert (first.name, second.name) == ("sarcoma", "sarcoma 2")
    more(store)
    with Store(store) as opened:
        assert opened.snapshots.freeze_for("sarcoma", "modality = CT") == first
        assert opened.snapshots.freeze_for("sarcoma", "patient = P000") == second


def test_two_studies_of_one_query_each_keep_their_own(store: Path) -> None:
    with Store(store) as opened:
        opened.snapshots.freeze_for("early", "modality = CT")
    more(store)
    with Store(store) as opened:
        assert opened.snapshots.freeze_for("late", "modality = CT").patients == 3
        assert opened.snapshots.freeze_for("early", "modality = CT").patients == 2


def test_history_knows_a_snapshot_by_its_name(store: Path) -> None:
    frozen = freeze(store, "patient = P001", "cohort")
    lines = as_lines(history("cohort", store=store))
    assert lines[0] == f"snapshot cohort {frozen.id[:12]}"
    assert any("hospital, P001/1/0" in line for line in lines)
    assert not any("P000" in line for line in lines)
