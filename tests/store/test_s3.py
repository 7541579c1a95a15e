"""Artefacts in an object store: S3's protocol, spoken by moto's server on this machine."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.history import history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.query import query
from prognoscope.jobs.verify import verify
from prognoscope.store import Store
from tests.make.store import write_hospital, write_patient

pytest.importorskip("s3fs", reason="the extra `s3` is not installed")
server = pytest.importorskip("moto.server", reason="moto, an object store for tests, is not installed")
# s3fs leaves its connections to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def _connections() -> Iterator[None]:
    """Let go of the connections that a test leaves open before the next one, of another file, is blamed for them."""
    yield
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    gc.collect()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server of its own with nothing in it."""
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket; the environment says where it is, and with which credentials, as a user's does."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    name = f"b-{abs(hash(tmp_path)):x}"
    s3().mkdir(name)
    return name


def s3() -> Any:
    """The library of the place, as new: it remembers the environment in which it was first asked."""
    kind = fsspec.get_filesystem_class("s3")
    kind.clear_instance_cache()
    return kind()


def store_in(folder: Path, url: str) -> Path:
    folder.mkdir()
    (folder / "store.toml").write_text(f'artefacts = "{url}"\n')
    return folder


def test_a_hospital_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    store = store_in(tmp_path / "store", f"s3://{bucket}/hospital")
    write_hospital(tmp_path / "hospital")
    assert dict(ingest(tmp_path / "hospital", store=store).new) == {"dicom": 15, "table": 1}
    assert dict(ingest(tmp_path / "hospital", store=store).new) == {}
    found = query("grade = high", store=store, most=None, snapshot="one", export=tmp_path / "out")
    assert [hit.patient_id for hit in found.hits] == ["P001"]
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 5
    write_patient(tmp_path / "hospital", "P003")
    assert dict(ingest(tmp_path / "hospital", store=store).new) == {"dicom": 5}
    assert len(list(history(store=store, wanted="P002").leaves())) == 5
    checked = verify(store)
    assert (checked.artefacts, checked.problems, checked.orphans) == (22, (), ())
    assert not (store / "artefacts").exists()


def test_an_object_that_is_gone_or_changed_in_the_bucket_is_told(bucket: str, tmp_path: Path) -> None:
    store = store_in(tmp_path / "store", f"s3://{bucket}/hospital")
    write_hospital(tmp_path / "hospital", patients=1)
    ingest(tmp_path / "hospital", store=store)
    files = s3()
    first, second, *_ = sorted(files.find(f"{bucket}/hospital"))
    files.rm_file(first)
    files.pipe_file(second, b"something else")
    assert sorted(one.code for one in verify(store).problems) == ["artefact-changed", "artefact-missing"]
    report = ingest(tmp_path / "hospital", store=store, verify=True)
    assert report.restored == 2
    assert verify(store).problems == ()


@pytest.mark.parametrize(
    ("url", "environment", "told"),
    [
        ("s3://no-such-bucket/x", {}, "bucket"),
        ("s3://{bucket}/x", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, "connect"),
        ("nothing://{bucket}/x", {}, "no installed library"),
    ],
)
def test_a_place_that_is_not_there(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, environment: dict[str, str], told: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    s3()
    store = store_in(tmp_path / "store", url.format(bucket=bucket))
    write_hospital(tmp_path / "hospital", patients=1)
    with pytest.raises(Refused) as refused:
        ingest(tmp_path / "hospital", store=store)
    assert told in str(refused.value).lower()
    assert refused.value.problem.code in ("place-unknown", "place-failed")


@pytest.mark.slow
def test_killed_while_it_sends_and_called_again(bucket: str, tmp_path: Path) -> None:
    store = store_in(tmp_path / "store", f"s3://{bucket}/hospital")
    write_hospital(tmp_path / "hospital", patients=40)
    command = [sys.executable, "-m", "prognoscope", "ingest", str(tmp_path / "hospital"), "--store", str(store)]
    for pause in (1.5, 3.0, 4.5):
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=os.environ
        )
        time.sleep(pause)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    assert ingest(tmp_path / "hospital", store=store).totals["dicom"] == 200
    with Store(store) as opened:
        opened.repository.recover()
    checked = verify(store)
    assert (checked.artefacts, checked.problems, checked.orphans) == (201, (), ())
