"""A PACS is asked and sends: Debian's Orthanc with its DICOMweb plugin, and DCMTK's storescu."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.deidentified import ingest_deidentified
from prognoscope.jobs.ingest import assemble_store, ingest
from prognoscope.jobs.listener import listening
from prognoscope.jobs.query import query
from prognoscope.jobs.verify import verify
from prognoscope.sources import dicomweb, pacs
from tests.make.deidentify import PROJECT
from tests.make.store import slice_bytes, write_patient

pytest.importorskip("pynetdicom", reason="the extra `pacs` is not installed")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
SLICES = 5


@dataclass(frozen=True)
class Orthanc:
    dicom: int
    http: int

    @property
    def pacs(self) -> str:
        return f"pacs://ORTHANC@127.0.0.1:{self.dicom}"

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.http}/dicom-web"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    program = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
    if not Path(program).exists() or not PLUGIN.exists():
        pytest.skip("Debian's orthanc and orthanc-dicomweb are not installed")
    home = tmp_path_factory.mktemp("orthanc")
    server = Orthanc(free_port(), free_port())
    settings = {
        "StorageDirectory": str(home / "storage"),
        "IndexDirectory": str(home / "storage"),
        "DicomAet": "ORTHANC",
        "DicomPort": server.dicom,
        "HttpPort": server.http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowGet": True,
        "DicomCheckCalledAet": False,
        "Plugins": [str(PLUGIN)],
        "DicomModalities": {"us": ["PROGNOSCOPE", "127.0.0.1", 11199]},
    }
    (home / "orthanc.json").write_text(json.dumps(settings))
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([program, str(home / "orthanc.json")], stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{server.http}/system")
            pacs.send_files(pacs.parse_node(server.pacs), [slice_bytes("NET1", number) for number in range(SLICES)])
            yield server
        finally:
            process.terminate()
            process.wait(30)


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer")


@pytest.mark.system
def test_a_series_is_found_and_fetched_from_the_pacs(orthanc: Orthanc, tmp_path: Path) -> None:
    pacs.echo(pacs.parse_node(orthanc.pacs))
    report = ingest(f"{orthanc.pacs}?PatientID=NET1&Modality=CT", store=tmp_path / "store")
    assert (dict(report.new), report.patients) == ({"dicom": SLICES}, 1)
    assert query("patient = NET1", store=tmp_path / "store").counts.instances == SLICES
    assert dict(ingest(f"{orthanc.pacs}?PatientID=NET1", store=tmp_path / "store").new) == {}
    assert dict(ingest(f"{orthanc.pacs}?PatientID=NOBODY", store=tmp_path / "store").new) == {}


@pytest.mark.system
def test_the_same_series_by_dicomweb_is_known_already(orthanc: Orthanc, tmp_path: Path) -> None:
    ingest(f"{orthanc.pacs}?PatientID=NET1", store=tmp_path / "store")
    report = ingest(f"{orthanc.web}?PatientID=NET1", store=tmp_path / "store")
    assert (dict(report.new), report.known, report.quarantined) == ({}, SLICES, ())


@pytest.mark.system
@pytest.mark.parametrize("way", ["pacs", "web"])
def test_what_a_pacs_or_server_sends_enters_without_identity(orthanc: Orthanc, tmp_path: Path, way: str) -> None:
    address = f"{getattr(orthanc, way)}?PatientID=NET1"
    report, done = ingest_deidentified(address, store=tmp_path / "store", profile="research", project=PROJECT)
    assert (dict(report.new), report.patients, done.held_back) == ({"dicom": SLICES}, 1, ())
    assert query(f"patient = {PROJECT.patient('NET1')}", store=tmp_path / "store").counts.instances == SLICES
    places = [tmp_path / name for name in ("store", "store.incoming", "store.private")]
    kept = b"".join(path.read_bytes() for place in places for path in place.rglob("*") if path.is_file())
    assert b"NET1" not in kept
    assert not (tmp_path / "store.private" / "arriving").exists()


@pytest.mark.system
def test_files_are_sent_and_found_by_dicomweb(orthanc: Orthanc) -> None:
    server = dicomweb.parse_server(f"{orthanc.web}?PatientID=STOW1")
    dicomweb.send_files(server, [slice_bytes("STOW1", number) for number in range(3)])
    (series,) = dicomweb.search_series(server)
    assert len(list(dicomweb.fetch_series(server, series))) == 3


@pytest.mark.system
def test_the_pacs_moves_a_series_to_our_listener(orthanc: Orthanc, tmp_path: Path) -> None:
    node = pacs.parse_node(f"{orthanc.pacs}?PatientID=NET1")
    (series,) = pacs.find_series(node)
    with listening(tmp_path / "store", port=11199, told=lambda _: None, refused=lambda _: None):
        pacs.move_series(node, series, destination="PROGNOSCOPE")
    assert assemble_store(tmp_path / "store") == 1
    assert query("patient = NET1", store=tmp_path / "store").counts.instances == SLICES


@pytest.mark.system
def test_eight_senders_push_one_study_and_it_is_kept_once(tmp_path: Path) -> None:
    storescu = shutil.which("storescu")
    if storescu is None:
        pytest.skip("Debian's dcmtk is not installed")
    write_patient(tmp_path / "study", "SEND1", slices=SLICES)
    files = sorted(str(path) for path in (tmp_path / "study/SEND1/1").iterdir())
    with listening(tmp_path / "store", port=free_port(), told=lambda _: None, refused=lambda _: None) as port:
        command = [storescu, "-aec", "PROGNOSCOPE", "127.0.0.1", str(port), *files]
        with ThreadPoolExecutor(8) as senders:
            ends = list(senders.map(lambda _: subprocess.run(command, capture_output=True).returncode, range(8)))
    assert ends == [0] * 8
    assert assemble_store(tmp_path / "store") == 1
    assert query("", store=tmp_path / "store").counts.instances == SLICES
    found = verify(tmp_path / "store")
    assert (found.artefacts, found.problems, found.orphans) == (SLICES, (), ())


def test_what_came_over_the_network_is_what_lies_in_a_folder(tmp_path: Path) -> None:
    """Another envelope around the same instance is nothing new."""
    write_patient(tmp_path / "folder", "SAME", slices=3)
    ingest(tmp_path / "folder", store=tmp_path / "store")
    with listening(tmp_path / "store", port=free_port(), told=lambda _: None, refused=lambda _: None) as port:
        pacs.send_files(pacs.Node("ANY", "127.0.0.1", port), [slice_bytes("SAME", number) for number in range(3)])
    assert query("", store=tmp_path / "store").counts.instances == 3
    assert verify(tmp_path / "store").orphans == ()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pynetdicom leaves its socket open
def test_a_port_that_another_program_has(tmp_path: Path) -> None:
    with (
        listening(tmp_path / "store", port=free_port(), told=lambda _: None, refused=lambda _: None) as port,
        pytest.raises(Refused) as refused,
        listening(tmp_path / "other", port=port, told=lambda _: None, refused=lambda _: None),
    ):
        pass
    assert refused.value.problem.code == "port-unusable"
    assert refused.value.problem.subject == f"127.0.0.1:{port}"


def test_a_file_that_is_sent_again_replaces_the_artefact_that_was_lost(tmp_path: Path) -> None:
    """A receipt means that the bytes are there, not that they were."""
    files = [slice_bytes("LOST", number) for number in range(3)]
    for turn in ("first", "again"):
        with listening(tmp_path / "store", port=free_port(), told=lambda _: None, refused=lambda _: None) as port:
            pacs.send_files(pacs.Node("ANY", "127.0.0.1", port), files)
        if turn == "first":
            shutil.rmtree(tmp_path / "store/artefacts")
            assert len(verify(tmp_path / "store").problems) == 3
    assert verify(tmp_path / "store").problems == ()


def test_what_a_listener_keeps_is_found_while_it_listens_and_after_it_was_stopped(tmp_path: Path) -> None:
    """SIGTERM is how a service is stopped."""
    port = free_port()
    command = [sys.executable, "-m", "prognoscope", "listen", "--port", str(port), "--store", str(tmp_path / "store")]
    listener = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert listener.stderr is not None
        assert "listening" in listener.stderr.readline()
        files = [slice_bytes("SEND2", number) for number in range(SLICES)]
        pacs.send_files(pacs.Node("PROGNOSCOPE", "127.0.0.1", port), files)
        for _ in range(300):
            if query("", store=tmp_path / "store").counts.instances == SLICES:
                break
            time.sleep(0.2)
        assert query("patient = SEND2", store=tmp_path / "store").counts.instances == SLICES
        pacs.send_files(
            pacs.Node("PROGNOSCOPE", "127.0.0.1", port), [slice_bytes("SEND3", number) for number in range(3)]
        )
        assert any("not put together yet" in hint for hint in query("", store=tmp_path / "store").hints)
        listener.terminate()
        assert listener.wait(60) == 0
    finally:
        listener.kill()
        listener.communicate()
    assert query("patient = SEND3", store=tmp_path / "store").counts.instances == 3


@pytest.mark.parametrize("address", ["pacs://host", "pacs://A@host:99999", "pacs://A@host:104?PatientName=x"])
def test_an_address_that_names_no_pacs(address: str) -> None:
    with pytest.raises(Refused) as refused:
        pacs.parse_node(address)
    assert refused.value.problem.code == "pacs-address"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pynetdicom leaves its socket open
def test_a_pacs_that_does_not_answer() -> None:
    with pytest.raises(Refused) as refused:
        pacs.echo(pacs.Node("NOBODY", "127.0.0.1", free_port()))
    assert refused.value.problem.code == "pacs-unreachable"
