"""What all tests share: the real data, and a switch that turns a skipped test into a failure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = "PROGNOSCOPE_DATA"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail when any test is skipped")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get(DATA):
        return
    skip = pytest.mark.skip(reason=f"{DATA} is not set; the README says where the real data is")
    for item in items:
        if "real_data" in item.keywords:
            item.add_marker(skip)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter is not None else 0
    if session.config.getoption("--no-skips") and skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\n{skipped} tests were skipped, and --no-skips was given")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data."""
    return Path(os.environ[DATA])
