"""The map in this process and in local processes: same results, one thread, no orphan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from prognoscope.core.problems import Refused, refuse
from prognoscope.work import cluster_map, local_map


def square(value: int) -> int:
    return value * value


def threads(_: int) -> list[int]:
    np.linalg.solve(np.eye(3), np.ones(3))
    return [library["num_threads"] for library in threadpool_info()]


def refuse_three(value: int) -> int:
    if value == 3:
        raise refuse("three", subject="item 3", found="it is three", remedy="take another")
    return value


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    assert list(local_map(jobs=jobs)(square, list(range(20)), label="squares")) == [value**2 for value in range(20)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_numerical_library_has_one_thread(jobs: int) -> None:
    for found in local_map(jobs=jobs)(threads, list(range(6)), label="threads"):
        assert found
        assert set(found) == {1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_refusal_in_a_worker_arrives_with_its_problem(jobs: int) -> None:
    with pytest.raises(Refused) as refused:
        list(local_map(jobs=jobs)(refuse_three, list(range(8)), label="items"))
    assert refused.value.problem.subject == "item 3"


def test_progress_is_told_from_nothing_to_all() -> None:
    told: list[tuple[str, int, int]] = []
    mapper = local_map(jobs=1, progress=lambda label, done, total: told.append((label, done, total)))
    list(mapper(square, [1, 2], label="squares"))
    assert told == [("squares", 0, 2), ("squares", 1, 2), ("squares", 2, 2)]


def test_an_empty_map_gives_nothing() -> None:
    assert list(local_map(jobs=2)(square, [], label="none")) == []


# A shell that starts the tests in the background lets them ignore interrupts; the script must not inherit that.
SCRIPT = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from prognoscope.work import local_map
def main():
    try:
        for _ in local_map(jobs=2)(time.sleep, [60] * 6, label="sleep"):
            pass
    except KeyboardInterrupt:
        print("interrupted", flush=True)
if __name__ == "__main__":
    main()
"""


def children(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            yield int(stat.parent.name)


def running(process: int) -> bool:
    """Whether a process is there and is no zombie that its new parent has not yet reaped."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def started(tmp_path: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A process that maps over sleeping workers, in a group of its own, and its children."""
    script = tmp_path / "sleep.py"
    script.write_text(SCRIPT)
    with (tmp_path / "told").open("wb") as told:
        process = subprocess.Popen([sys.executable, script], stderr=told, stdout=told, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list(children(process.pid))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    return process, list(children(process.pid))


def wait_until_gone(processes: list[int], *, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := [one for one in processes if running(one)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see processes")


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize("after_seconds", [0.0, 0.3, 3.0])
def test_an_interrupt_ends_at_once_in_silence_and_leaves_no_process(
    tmp_path: Path, after_seconds: float, group: bool
) -> None:
    process, workers = started(tmp_path)
    time.sleep(after_seconds)  # workers that start, that import, that work
    workers = [*workers, *children(process.pid)]
    (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    process.wait(timeout=20)
    assert wait_until_gone(workers, seconds=3) == []
    # Ctrl-C in a terminal reaches the whole group; only the process that was started says so.
    assert (tmp_path / "told").read_text() == "interrupted\n"


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path, number: int) -> None:
    process, _ = started(tmp_path)
    time.sleep(3)
    workers = list(children(process.pid))
    assert len(workers) >= 2
    process.send_signal(number)
    process.wait(timeout=20)
    assert wait_until_gone(workers, seconds=3) == []


def test_a_cluster_that_does_not_answer_is_a_problem() -> None:
    pytest.importorskip("distributed")
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": "0.5s"}), pytest.raises(Refused) as refused:
        cluster_map(address="tcp://127.0.0.1:9")
    assert refused.value.problem.code == "cluster-unreachable"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_results_in_order() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        mapper = cluster_map(address=cluster.scheduler_address)
        assert list(mapper(square, list(range(10)), label="squares")) == [value**2 for value in range(10)]
