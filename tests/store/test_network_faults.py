"""A PACS, a server or a sender that does not do as it should: what can be had is had, and the rest is told."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydicom.uid import UID

from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.jobs import network
from prognoscope.jobs.arrivals import nameless_arrival
from prognoscope.jobs.ingest import IngestReport, ingest
from prognoscope.jobs.listener import Intake, listening
from prognoscope.jobs.quarantine import list_quarantine
from prognoscope.jobs.query import query
from prognoscope.jobs.verify import verify
from prognoscope.sources import pacs
from prognoscope.store import Arrival, Store, Tray
from tests.make.network import Answer, Pacs, answering, listed, multipart, read, serving
from tests.make.store import encoded, slice_bytes

pytest.importorskip("pynetdicom", reason="the extra `pacs` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pynetdicom's sockets

ONE, TWO, THREE = ([slice_bytes("P1", number, series=series) for number in range(4)] for series in (1, 2, 3))
FILES = [*ONE, *TWO, *THREE]


@pytest.fixture(autouse=True)
def _sockets() -> Iterator[None]:
    """Let go of the sockets that pynetdicom leaves open before the next test is blamed for them."""
    yield
    gc.collect()


def series_uid(files: Sequence[bytes]) -> str:
    return str(read(files[0]).SeriesInstanceUID)


def sop_uid(data: bytes) -> str:
    return str(read(data).SOPInstanceUID)


def codes(report: IngestReport) -> list[str]:
    return [problem.code for problem in report.quarantined]


def held(store: Path) -> list[str]:
    return [one.problem.code for one in list_quarantine(store)]


# -- a PACS ------------------------------------------------------------------------------------------------------


def test_a_series_of_which_the_pacs_sends_half_stops_no_other_and_is_completed_later(tmp_path: Path) -> None:
    with serving(half := Pacs(FILES, sends={series_uid(ONE): ONE[:3]})) as address:
        report = ingest(address, store=tmp_path / "store")
        assert (dict(report.new), codes(report), report.unfetched) == ({"dicom": 11}, ["pacs-incomplete"], 1)
        assert report.quarantined[0].subject == f"series {series_uid(ONE)} of {address}"
        assert report.quarantined[0].found == "1 of its 4 instances did not come"
        half.sends = {}
        half.asked.clear()
        report = ingest(address, store=tmp_path / "store")
        assert (dict(report.new), report.unchanged, report.unfetched) == ({"dicom": 1}, 11, 0)
        assert half.asked == [("IMAGE", 1)]
        assert "pacs-incomplete" not in held(tmp_path / "store")


def test_an_association_that_breaks_off_in_one_series_stops_no_other(tmp_path: Path) -> None:
    with serving(Pacs(FILES, aborts=(series_uid(ONE),))) as address:
        report = ingest(address, store=tmp_path / "store")
    assert (dict(report.new), report.unfetched) == ({"dicom": 8}, 1)
    assert [code for code in codes(report) if code.startswith("pacs-")] == ["pacs-failed"]


def test_what_was_not_asked_for_is_not_taken(tmp_path: Path) -> None:
    foreign = [slice_bytes("OTHER", number) for number in range(3)]
    with serving(Pacs(FILES, sends={series_uid(ONE): [*ONE, *foreign]})) as address:
        report = ingest(address, store=tmp_path / "store")
    assert (dict(report.new), report.unfetched, codes(report)) == ({"dicom": 12}, 1, ["not-asked-for"])
    assert query("patient = OTHER", store=tmp_path / "store").counts.instances == 0
    assert verify(tmp_path / "store").orphans == ()


def test_a_pacs_that_lists_no_instances_is_asked_for_whole_series(tmp_path: Path) -> None:
    with serving(plain := Pacs(FILES, lists_instances=False)) as address:
        assert dict(ingest(address, store=tmp_path / "store").new) == {"dicom": 12}
        assert ingest(address, store=tmp_path / "store").known == 12
    assert plain.asked == [("SERIES", 0)] * 6


def test_an_ingest_that_was_interrupted_fetches_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "INSTANCES_AT_ONCE", 3)
    fetch = network.fetch
    done: list[network.Request] = []

    def interrupted(request: network.Request) -> object:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(request)
        return fetch(request)

    with serving(whole := Pacs(FILES)) as address:
        monkeypatch.setattr(network, "fetch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ingest(address, store=tmp_path / "store")
        monkeypatch.setattr(network, "fetch", fetch)
        whole.asked.clear()
        report = ingest(address, store=tmp_path / "store")
    assert (dict(report.new), report.unchanged) == ({"dicom": 5}, 7)
    assert whole.asked == [("IMAGE", 1), ("IMAGE", 3), ("IMAGE", 1)]
    assert query("", store=tmp_path / "store").counts.instances == 12


def test_a_verifying_ingest_fetches_everything_again_and_mends_what_was_lost(tmp_path: Path) -> None:
    with serving(Pacs(ONE)) as address:
        ingest(address, store=tmp_path / "store")
        for path in (tmp_path / "store/artefacts").rglob("*"):
            if path.is_file():
                path.unlink()
        assert ingest(address, store=tmp_path / "store").unchanged == 4
        assert ingest(address, store=tmp_path / "store", verify=True).restored == 4
    assert verify(tmp_path / "store").problems == ()


def test_nothing_that_matches_is_told(tmp_path: Path) -> None:
    with serving(Pacs(FILES)) as address:
        report = ingest(f"{address}?PatientID=NOBODY", store=tmp_path / "store")
    assert report.hints == (f"no series there matches {address}?PatientID=NOBODY",)


def test_a_pacs_that_goes_away_ends_the_ingest_and_what_came_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = network.fetch
    done: list[network.Request] = []

    def away(request: network.Request) -> object:
        if done:
            raise refuse("pacs-unreachable", subject="it", found="it is gone", remedy="wait")
        done.append(request)
        return fetch(request)

    monkeypatch.setattr(network, "fetch", away)
    with serving(Pacs(FILES)) as address, pytest.raises(Refused) as refused:
        ingest(address, store=tmp_path / "store")
    assert refused.value.problem.code == "pacs-unreachable"
    assert query("", store=tmp_path / "store").counts.instances == 4


@pytest.mark.parametrize("address", ["ftp://host/x", "dicom://A@host:104", "file:///data"])
def test_an_address_of_another_kind_is_no_missing_folder(tmp_path: Path, address: str) -> None:
    with pytest.raises(Refused) as refused:
        ingest(address, store=tmp_path / "store")
    assert refused.value.problem.code == "address-unknown"


def test_the_scheme_of_an_address_may_stand_in_capital_letters(tmp_path: Path) -> None:
    with serving(Pacs(ONE)) as address:
        assert dict(ingest(address.replace("pacs:", "PACS:"), store=tmp_path / "store").new) == {"dicom": 4}


# -- a DICOMweb server ---------------------------------------------------------------------------------------------


def web(retrieve: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """A server that lists two series and answers requests for files as it is told."""

    def answer(path: str) -> Answer:
        place = path.partition("?")[0]
        if "offset=0" in path and place.endswith(("/series", "/instances")):
            within = [data for data in [*ONE, *TWO] if place.endswith("/series") or series_uid([data]) in place]
            return listed(within, place.rpartition("/")[2])
        return (200, {"Content-Type": "application/dicom+json"}, b"[]") if "offset=" in path else retrieve(place)

    return answer


def asked_for(place: str) -> list[bytes]:
    """The files that a path means."""
    return [data for data in [*ONE, *TWO] if place.endswith((series_uid([data]), sop_uid(data)))]


def test_both_series_of_a_server_that_answers_well(tmp_path: Path) -> None:
    with answering(web(lambda place: multipart(asked_for(place)))) as address:
        assert dict(ingest(address, store=tmp_path / "store").new) == {"dicom": 8}
        assert ingest(address, store=tmp_path / "store").unchanged == 8


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_series_that_a_server_will_not_give_stops_no_other(tmp_path: Path, status: int) -> None:
    def retrieve(place: str) -> Answer:
        return (status, {}, b"no") if series_uid(ONE) in place else multipart(asked_for(place))

    with answering(web(retrieve)) as address:
        report = ingest(address, store=tmp_path / "store")
    assert (dict(report.new), report.unfetched, codes(report)) == ({"dicom": 4}, 1, ["dicomweb-incomplete"])
    assert report.quarantined[0].found.startswith("4 of its instances did not come")
    assert str(status) in report.quarantined[0].found


def test_an_answer_that_breaks_off_is_completed_one_by_one(tmp_path: Path) -> None:
    def retrieve(place: str) -> Answer:
        files = asked_for(place)
        status, headers, body = multipart(files)
        return (status, headers, body[: len(body) // 2]) if len(files) > 1 else (status, headers, body)

    with answering(web(retrieve)) as address:
        report = ingest(address, store=tmp_path / "store")
    assert (dict(report.new), report.unfetched) == ({"dicom": 8}, 0)


def test_a_part_that_is_no_dicom_costs_only_itself(tmp_path: Path) -> None:
    def retrieve(place: str) -> Answer:
        return multipart([b"not DICOM" if data == ONE[1] else data for data in asked_for(place)])

    with answering(web(retrieve)) as address:
        report = ingest(address, store=tmp_path / "store")
    assert (dict(report.new), report.unfetched) == ({"dicom": 7}, 1)
    assert "dicomweb-incomplete" in codes(report)


@pytest.mark.parametrize(
    "answer",
    [
        (401, {}, b"who are you?"),
        (302, {"Location": "/dicom-web/series"}, b""),
        (200, {"Content-Type": "text/html"}, b"<html>log in</html>"),
        (200, {"Content-Type": "application/dicom+json"}, b"[1, 2]"),
        (200, {"Content-Type": "application/dicom+json"}, b'[{"0020000D": {"vr": "UI", "Value": ["1.2"]}}]'),
        (200, {"Content-Type": "application/dicom+json"}, b'[{"0020000E": {"vr": "??", "Value": [{}]}}]'),
    ],
    ids=["401", "redirected for ever", "a page", "numbers", "no series UID", "no VR"],
)
def test_a_search_that_is_answered_with_something_else(tmp_path: Path, answer: Answer) -> None:
    with answering(lambda _: answer) as address, pytest.raises(Refused) as refused:
        ingest(address, store=tmp_path / "store")
    assert refused.value.problem.code == "dicomweb-failed"


def test_a_server_that_knows_no_pages_is_not_asked_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.sources.dicomweb.PAGE", 2)

    def answer(path: str) -> Answer:
        place = path.partition("?")[0]
        if not place.endswith(("/series", "/instances")):
            return multipart(asked_for(place))
        within = [data for data in [*ONE, *TWO] if place.endswith("/series") or series_uid([data]) in place]
        return listed(within, place.rpartition("/")[2])

    with answering(answer) as address:
        report = ingest(address, store=tmp_path / "store")
    assert (dict(report.new), report.files) == ({"dicom": 8}, 8)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Refused) as refused:
        ingest(f"http://127.0.0.1:{port}/dicom-web", store=tmp_path / "store")
    assert refused.value.problem.code == "dicomweb-unreachable"


# -- a listener ----------------------------------------------------------------------------------------------------


def send(port: int, files: Sequence[bytes]) -> str:
    """Send files to a listener; return why it took not all, or nothing."""
    try:
        pacs.send_files(pacs.Node("ANY", "127.0.0.1", port), files)
    except Refused as refused:
        return refused.problem.found
    return ""


def test_a_file_that_trips_the_listener_up_is_not_acknowledged_and_the_next_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong: a receipt means that the file is kept, and nothing silences the listener."""
    recognise = nameless_arrival

    def tripping(data: bytes, filled: object) -> object:
        if sop_uid(data) == sop_uid(ONE[0]):
            raise UnicodeError("a fault of ours")
        return recognise(data, filled)  # type: ignore[arg-type]

    monkeypatch.setattr("prognoscope.jobs.listener.nameless_arrival", tripping)
    with listening(tmp_path / "store", port=0, told=lambda _: None, refused=lambda _: None) as port:
        assert "status 0xC211" in send(port, ONE[:1])
        assert send(port, ONE[1:]) == ""
        with ThreadPoolExecutor(8) as senders:
            ends = list(senders.map(lambda data: send(port, [data]), [ONE[0], *TWO, *ONE[1:]]))
    assert ends[0] != ""
    with Store(tmp_path / "store") as opened:
        came = set(opened.repository.known_files("listener PROGNOSCOPE"))
    kept = {sop_uid(data) for data, end in zip([ONE[0], *TWO, *ONE[1:]], ends, strict=True) if not end}
    assert kept <= came
    assert sop_uid(ONE[0]) not in came


def test_a_bad_file_among_those_that_wait_together_makes_nobody_believe_in_a_receipt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tripping(data: bytes, filled: Tray) -> Arrival:
        if sop_uid(data) == sop_uid(ONE[0]):
            raise UnicodeError("a fault of ours")
        return nameless_arrival(data, filled)

    monkeypatch.setattr("prognoscope.jobs.listener.nameless_arrival", tripping)
    with Store(tmp_path / "store") as store, ThreadPoolExecutor(4) as senders:
        intake = Intake(store, "listener", told=lambda _: None)
        with intake._turn:
            ends = [senders.submit(intake.receive, data) for data in ONE]
            while len(intake._waiting) < len(ONE):
                time.sleep(0.01)
        acknowledged = {sop_uid(data) for data, end in zip(ONE, ends, strict=True) if end.exception() is None}
        assert acknowledged == set(store.repository.known_files("listener"))
    assert len(acknowledged) >= 2  # the bad one has none, and at most one was its leader
    assert sop_uid(ONE[0]) not in acknowledged


def test_a_disk_that_is_full_is_told_to_the_sender_and_to_the_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[Problem] = []

    def full(*_: object, **__: object) -> object:
        raise refuse("cannot-write", subject="store", found="the disk is full", remedy="make room")

    with listening(tmp_path / "store", port=0, told=lambda _: None, refused=problems.append) as port:
        with monkeypatch.context() as patch:
            patch.setattr("prognoscope.jobs.listener.keep_files", full)
            assert "status 0xA700" in send(port, ONE[:1])
        assert send(port, ONE[:1]) == ""
    assert [problem.code for problem in problems] == ["cannot-write"]
    assert verify(tmp_path / "store").problems == ()


def test_an_association_that_is_aborted_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    from pynetdicom import AE

    told: list[int] = []
    with listening(tmp_path / "store", port=0, told=told.append, refused=lambda _: None) as port:
        entity = AE("ABORTS")
        data = read(ONE[0])
        entity.add_requested_context(data.SOPClassUID, data.file_meta.TransferSyntaxUID)
        association = entity.associate("127.0.0.1", port)
        assert association.send_c_store(data).Status == 0
        association.abort()
        with socket.create_connection(("127.0.0.1", port)) as rude:
            rude.sendall(b"\x01\x00\xff\xff\xff\xffnot an association")
        assert send(port, ONE[1:]) == ""
    assert sum(told) == 4
    assert verify(tmp_path / "store").problems == ()


def test_two_senders_of_one_instance_with_other_contents_are_both_kept_and_one_is_in_quarantine(
    tmp_path: Path,
) -> None:
    other = slice_bytes("P1", 0, value=500)
    assert sop_uid(other) == sop_uid(ONE[0])
    barrier = threading.Barrier(2)

    def push(data: bytes) -> str:
        barrier.wait()
        return send(port, [data])

    with (
        listening(tmp_path / "store", port=0, told=lambda _: None, refused=lambda _: None) as port,
        ThreadPoolExecutor(2) as senders,
    ):
        assert list(senders.map(push, [ONE[0], other])) == ["", ""]
    assert held(tmp_path / "store") == ["instance-differs"]
    found = verify(tmp_path / "store")
    assert (found.artefacts, found.problems, found.orphans) == (2, (), ())


def test_a_class_that_only_its_manufacturer_knows_is_taken(tmp_path: Path) -> None:
    private = read(ONE[0])
    private.SOPClassUID = UID("1.3.46.670589.11.0.0.12.1")
    with listening(tmp_path / "store", port=0, told=lambda _: None, refused=lambda _: None) as port:
        assert send(port, [encoded(private)]) == ""


def test_a_listener_that_ends_while_files_come_has_kept_all_that_it_acknowledged(tmp_path: Path) -> None:
    files = [slice_bytes("MANY", number) for number in range(60)]
    acknowledged: list[bytes] = []

    def push(part: Sequence[bytes]) -> None:
        for data in part:
            if send(port, [data]):
                return
            acknowledged.append(data)

    with (
        ThreadPoolExecutor(4) as senders,
        listening(tmp_path / "store", port=0, told=lambda _: None, refused=lambda _: None) as port,
    ):
        for start in range(4):
            senders.submit(push, files[start::4])
        while len(acknowledged) < 5:
            time.sleep(0.01)
    with Store(tmp_path / "store") as opened:
        came = set(opened.repository.known_files("listener PROGNOSCOPE"))
    assert {sop_uid(data) for data in acknowledged} <= came
    assert verify(tmp_path / "store").problems == ()
