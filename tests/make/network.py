"""A PACS and a DICOMweb server that answer as they are told, wrongly too."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import pydicom
from pydicom.dataset import Dataset

STUDY_ROOT_FIND, STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3"
SUCCESS, PENDING, UNABLE = 0x0000, 0xFF00, 0xA900


def read(data: bytes) -> Dataset:
    """A file as a data set."""
    return pydicom.dcmread(BytesIO(data))


@dataclass(slots=True)
class Pacs:
    """What a PACS has, and how it answers.

    Attributes
    ----------
    files
        What it lists.
    sends
        Series → the files that it sends for it; by default those that it lists.
    lists_instances
        Whether it answers questions for instances.
    aborts
        Series for which it breaks the association off.
    asked
        Level and number of instances of each retrieval.
    """

    files: Sequence[bytes]
    sends: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    lists_instances: bool = True
    aborts: tuple[str, ...] = ()
    asked: list[tuple[str, int]] = field(default_factory=list)

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        """Answer a C-FIND."""
        question = event.identifier
        level = question.QueryRetrieveLevel
        if level == "IMAGE" and not self.lists_instances:
            yield UNABLE, None
            return
        key = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}[level]
        seen = set()
        for data in map(read, self.files):
            asked = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
            if any(question.get(name) and question.get(name) != data.get(name) for name in asked):
                continue
            if data.get(key) not in seen:
                seen.add(data.get(key))
                answer = Dataset()
                for name in (*asked, "SOPInstanceUID", "SOPClassUID", "Modality"):
                    if name in question or name == key:
                        setattr(answer, name, data.get(name))
                yield PENDING, answer

    def get(self, event: Any) -> Iterator[Any]:
        """Answer a C-GET."""
        question = event.identifier
        wanted = question.get("SOPInstanceUID")
        names = [wanted] if isinstance(wanted, str) else list(wanted or ())
        self.asked.append((question.QueryRetrieveLevel, len(names)))
        series = question.SeriesInstanceUID
        if series in self.aborts:
            event.assoc.abort()
            return
        own = [data for data in map(read, self.files) if data.SeriesInstanceUID == series]
        sent = [read(data) for data in self.sends[series]] if series in self.sends else own
        sent = [data for data in sent if not names or data.SOPInstanceUID in names or data not in own]
        yield len(sent)
        for data in sent:
            yield PENDING, data


@contextmanager
def serving(pacs: Pacs) -> Iterator[str]:
    """Let a PACS answer while the block runs; the value is its address."""
    from pynetdicom import AE, StoragePresentationContexts, evt

    entity = AE("PACS")
    entity.add_supported_context(STUDY_ROOT_FIND)
    entity.add_supported_context(STUDY_ROOT_GET)
    for context in StoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax), scp_role=True, scu_role=True)
    handlers: list[Any] = [(evt.EVT_C_FIND, pacs.find), (evt.EVT_C_GET, pacs.get)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield f"pacs://PACS@127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


Answer = tuple[int, Mapping[str, str], bytes]  # status, headers, body


@contextmanager
def answering(answer: Callable[[str], Answer]) -> Iterator[str]:
    """Answer HTTP while the block runs: path with question → answer; the value is the service's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *told: Any) -> None:
            del told

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def listed(files: Sequence[bytes], level: str) -> Answer:
    """The answer to a search for `series` or `instances`."""
    key = {"series": "SeriesInstanceUID", "instances": "SOPInstanceUID"}[level]
    found = {}
    for data in map(read, files):
        answer = Dataset()
        for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality"):
            setattr(answer, name, data.get(name))
        found[data.get(key)] = answer.to_json_dict()
    return 200, {"Content-Type": "application/dicom+json"}, json.dumps(list(found.values())).encode()


def multipart(files: Sequence[bytes]) -> Answer:
    """DICOM files as the parts of one answer."""
    parts = [b"--edge\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for data in files]
    kind = 'multipart/related; type="application/dicom"; boundary=edge'
    return 200, {"Content-Type": kind}, b"".join(parts) + b"--edge--\r\n"
