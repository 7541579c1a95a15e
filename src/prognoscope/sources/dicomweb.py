"""A DICOMweb server: QIDO (search), WADO (fetch) and STOW (send), PS3.18; the protocol is dicomweb-client's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import pydicom
from pydicom.dataset import Dataset

from prognoscope.core.problems import refuse
from prognoscope.sources.pacs import FILTERS, Found

TOKEN = "PROGNOSCOPE_DICOMWEB_TOKEN"  # noqa: S105 - the name of the variable, not a token
PAGE = 500


@dataclass(frozen=True, slots=True)
class WebServer:
    """A DICOMweb server: the address of its service, and what is asked of it (attribute → value)."""

    url: str
    filters: tuple[tuple[str, str], ...] = ()


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
    """List the series that match the server's filters (QIDO), sorted; refuses `dicomweb-failed`."""
    found: list[Found] = []
    client = _client(server)
    while True:
        page = _asked(
            server, client.search_for_series, search_filters=dict(server.filters), limit=PAGE, offset=len(found)
        )
        for entry in page:
            data = Dataset.from_json(entry)
            found.append(
                Found(
                    str(data.get("PatientID", "")),
                    str(data.StudyInstanceUID),
                    str(data.SeriesInstanceUID),
                    str(data.get("Modality", "")),
                    str(data.get("SeriesDescription", "")),
                )
            )
        if len(page) < PAGE:
            return tuple(sorted(found, key=lambda one: (one.patient_id, one.study_uid, one.series_uid)))


def fetch_series(server: WebServer, series: Found) -> Iterator[bytes]:
    """Yield the files of a series (WADO); refuses `dicomweb-failed`."""
    data = _asked(server, _client(server).retrieve_series, series.study_uid, series.series_uid)
    for one in data:
        out = BytesIO()
        one.save_as(out, enforce_file_format=True)
        yield out.getvalue()


def send_files(server: WebServer, files: Sequence[bytes]) -> None:
    """Send DICOM files to a server (STOW); refuses `dicomweb-failed`, also when it took only some."""
    data = [pydicom.dcmread(BytesIO(one)) for one in files]
    answer = _asked(server, _client(server).store_instances, data)
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
    return DICOMwebClient(url=server.url, headers={"Authorization": f"Bearer {token}"} if token else None)


def _asked(server: WebServer, call: Any, *arguments: Any, **options: Any) -> Any:
    from requests.exceptions import RequestException  # dicomweb-client brings it

    try:
        return call(*arguments, **options)
    except (RequestException, ValueError, KeyError) as cause:
        raise refuse(
            "dicomweb-failed",
            subject=server.url,
            found=f"it did not answer as it should ({str(cause)[:200]})",
            remedy="check the address, the token and the server's log; what came is kept",
        ) from cause
