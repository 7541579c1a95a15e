"""What a folder has no more: told by what could be looked into, and by nothing else."""

from __future__ import annotations

from prognoscope.core.problems import Problem
from prognoscope.jobs.departed import departed
from prognoscope.sources import FoundFile

KNOWN = ["a/x.csv", "b/y.csv", "c.zip", "c.zip!/t.csv", "c.zip!/u.csv", "x!/f.csv"]


def files(*paths: str) -> list[FoundFile]:
    return [FoundFile(path, 1, 1) for path in paths]


def test_a_file_that_is_not_listed_is_gone_and_a_folder_named_like_an_archive_is_none() -> None:
    assert departed(KNOWN, files("c.zip", "x!/f.csv"), [], [], set()) == ("a/x.csv", "b/y.csv")


def test_nothing_is_gone_from_a_folder_that_could_not_be_read() -> None:
    unreadable = [Problem("folder-unreadable", "a", "it cannot be read", "")]
    assert departed(KNOWN, files("c.zip", "x!/f.csv"), unreadable, [], set()) == ("b/y.csv",)
    assert departed(KNOWN, files("c.zip"), [Problem("folder-unreadable", ".", "", "")], [], set()) == ()


def test_an_archive_that_is_gone_takes_its_members_along() -> None:
    listed = files("a/x.csv", "b/y.csv", "x!/f.csv")
    assert departed(KNOWN, listed, [], [], set()) == ("c.zip", "c.zip!/t.csv", "c.zip!/u.csv")


def test_members_are_gone_only_from_an_archive_that_was_opened() -> None:
    listed = files("a/x.csv", "b/y.csv", "c.zip", "x!/f.csv")
    assert departed(KNOWN, listed, [], [], set()) == ()
    assert departed(KNOWN, listed, [], files("c.zip"), {"c.zip!/u.csv"}) == ("c.zip!/t.csv",)


def test_nothing_is_gone_where_nothing_is_left() -> None:
    assert departed(KNOWN, [], [], [], set()) == ()
