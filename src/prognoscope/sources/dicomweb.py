"""A DICOMweb server: QIDO (search), WADO (fetch) and STOW (send), PS3.18; the protocol is dicomweb-client's."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.pacs import FILTERS, Found

TOKEN = "PROGNOSCOPE_DICOMWEB_TOKEN"  # noqa: S105 - the name of the variable, not a token
PAGE = 500
TIMES, WAIT_MS = 3, 500  # a server that is busy is asked again, after 1 s and after 2 s
AS_IT_IS = (("application/dicom", "*"),)  # in the transfer syntax that the server has
UNREADABLE = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, NotImplementedError, EOFError,
    struct.error, InvalidDicomError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WebServer:
    """A DICOMweb server: the address of its service, and what is asked of it (attribute → value)."""

    url: str
    filters: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """How it is told apart from other sources."""
        return self.url


def parse_server(address: str) -> WebServer:
    """Read `https://host/dicom-web?PatientID=…`; refuses `dicomweb-address`."""
    parts = urlsplit(address)
    filters = tuple(parse_qsl(parts.query))
    unknown = [name for name, _ in filters if name not in FILTERS]
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.password or unknown:
        raise refuse(
            "dicomweb-address",
            subject=f"{parts.scheme}://{parts.hostname or ''}",
            found=f"{unknown[0]} cannot be asked for" if unknown else "it is no plain address of a DICOMweb service",
            remedy=f"write https://host/dicom-web?PatientID=… (possible: {', '.join(FILTERS)}); a token goes into the "
            f"variable {TOKEN}",
        )
    return WebServer(urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")), filters)


def search_series(server: WebServer) -> tuple[Found, ...]:
    """List the series that match the server's filters with their instances (QIDO), sorted.

    Raises
    ------
    Refused
        `dicomweb-unreachable`, `dicomweb-failed`. A server that answers no question for instances is one that lists
        none.
    """
    client = _client(server)
    found = _asked(
        server, lambda: list(map(_found, _paged(client.search_for_series, search_filters=dict(server.filters))))
    )
    listed = [replace(one, instances=_instances(server, client, one)) for one in found]
    return tuple(sorted(listed, key=lambda one: (one.patient_id, one.study_uid, one.series_uid)))


def _found(data: Dataset) -> Found:
    return Found(
        str(data.get("PatientID", "")),
        str(data.StudyInstanceUID),
        str(data.SeriesInstanceUID),
        str(data.get("Modality", "")),
        str(data.get("SeriesDescription", "")),
    )


def _instances(server: WebServer, client: Any, one: Found) -> tuple[tuple[str, str], ...]:
    where = {"study_instance_uid": one.study_uid, "series_instance_uid": one.series_uid}
    try:
        found = _asked(server, lambda: list(map(_named, _paged(client.search_for_instances, **where))))
    except Refused as refused:
        if refused.problem.code == "dicomweb-unreachable":
            raise
        return ()
    return tuple(sorted(set(found)))


def _named(data: Dataset) -> tuple[str, str]:
    return str(data.SOPInstanceUID), str(data.get("SOPClassUID", ""))


def _paged(search: Any, **options: Any) -> Iterator[Dataset]:
    """All answers to a search, page by page; a server that knows no pages gives the first one again."""
    first, offset = None, 0
    while page := search(**options, limit=PAGE, offset=offset):
        if page[0] == first:
            return
        yield from map(Dataset.from_json, page)
        first, offset = page[0], offset + len(page)
        if len(page) < PAGE:
            return


def fetch_series(server: WebServer, series: Found) -> Iterator[bytes]:
    """Yield the files of a series, or of it the instances listed (WADO), as the server has them, compressed or not.

    Where the answer breaks off, the instances that it lacks are asked for one by one, past those that cannot be had.

    Raises
    ------
    Refused
        `dicomweb-unreachable`, `dicomweb-failed`, `dicomweb-incomplete`; what was yielded until then is sound.
    """
    client = _client(server)
    came: set[str] = set()
    if not series.part:
        whole = partial(client.iter_series, series.study_uid, series.series_uid, media_types=AS_IT_IS)
        try:
            arriving = _asked(server, whole)
            while (data := _asked(server, lambda: next(arriving, None))) is not None:
                name, file = _asked(server, partial(_encoded, data))
                came.add(name)
                yield file
        except Refused as refused:
            if refused.problem.code == "dicomweb-unreachable" or not series.instances:
                raise
    yield from _one_by_one(server, client, series, [name for name, _ in series.instances if name not in came])


def _one_by_one(server: WebServer, client: Any, series: Found, names: Sequence[str]) -> Iterator[bytes]:
    refused: list[Refused] = []
    for name in names:
        one_of_it = partial(client.retrieve_instance, series.study_uid, series.series_uid, name)
        try:
            data = _asked(server, partial(one_of_it, media_types=AS_IT_IS))
            _, file = _asked(server, partial(_encoded, data))
        except Refused as one:
            if one.problem.code == "dicomweb-unreachable":
                raise
            refused.append(one)
            continue
        yield file
    if refused:
        raise refuse(
            "dicomweb-incomplete",
            subject=f"series {series.series_uid} of {server.url}",
            found=f"{len(refused)} of its instances did not come: {refused[0].problem.found}",
            remedy="ask again: what came is kept, only the rest is fetched",
        )


def _encoded(data: Dataset) -> tuple[str, bytes]:
    out = BytesIO()
    data.save_as(out, enforce_file_format=True)
    return str(data.get("SOPInstanceUID", "")), out.getvalue()


def send_files(server: WebServer, files: Sequence[bytes]) -> None:
    """Send DICOM files to a server (STOW); refuses `dicomweb-failed`, also when it took only some."""
    data = [pydicom.dcmread(BytesIO(one)) for one in files]
    answer = _asked(server, lambda: _client(server).store_instances(data))
    failed = answer.get("FailedSOPSequence") if answer is not None else None
    if failed:
        raise refuse(
            "dicomweb-failed",
            subject=server.url,
            found=f"it did not take {len(failed)} of {len(data)} files",
            remedy="look into its log and send again",
        )


def _client(server: WebServer) -> Any:
    try:
        from dicomweb_client.api import DICOMwebClient
    except ModuleNotFoundError as cause:
        raise refuse(
            "pacs-missing",
            subject="DICOMweb",
            found="dicomweb-client is not installed",
            remedy='install it: pip install "prognoscope[pacs]"',
        ) from cause
    token = os.environ.get(TOKEN)
    client = DICOMwebClient(url=server.url, headers={"Authorization": f"Bearer {token}"} if token else None)
    client.set_http_retry_params(max_attempts=TIMES, wait_exponential_multiplier=WAIT_MS)
    return client


def _asked(server: WebServer, call: Callable[[], Any]) -> Any:
    """What a call of the client's gives; a server may answer anything, which its reader then trips over."""
    from requests.exceptions import ConnectionError as NoConnection  # dicomweb-client brings all three
    from requests.exceptions import RequestException
    from retrying import RetryError
    from urllib3.exceptions import MaxRetryError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what is odd in a header is told when the file is read
            return call()
    except (RequestException, RetryError, *UNREADABLE) as cause:
        away = isinstance(cause, NoConnection) and isinstance(cause.args[0], MaxRetryError)
        raise refuse(
            "dicomweb-unreachable" if away else "dicomweb-failed",
            subject=server.url,
            found=f"{'it cannot be reached' if away else 'it did not answer as it should'} ({_told(cause)})",
            remedy="check the address, the token and the server's log; what came is kept",
        ) from cause


def _told(cause: Exception) -> str:
    return str(cause)[:200] or type(cause).__name__
