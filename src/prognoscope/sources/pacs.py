"""A PACS over the DICOM network: C-ECHO, C-FIND, C-GET, C-MOVE, C-STORE, and a listener for what is sent to us.

PS3.4 annexes B (storage), C (query and retrieve) and A (verification); the protocol itself is pynetdicom's.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pydicom
from pydicom.dataset import Dataset

from prognoscope.core.problems import Refused, refuse

if TYPE_CHECKING:
    from pynetdicom.association import Association

# PS3.6 table A-1: verification, and the study root's models of query and retrieve.
VERIFICATION = "1.2.840.10008.1.1"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
OWN_TITLE = "PROGNOSCOPE"
SUCCESS, PENDING, OUT_OF_RESOURCES = 0x0000, (0xFF00, 0xFF01), 0xA700
ENDED_WITH_FAILURES = 0xB000  # of a retrieval: it was gone through, and some instances did not come
MOST_CONTEXTS = 128  # PS3.8 9.3.2.2: the contexts of an association have odd numbers up to 255
COMMENT = 64  # PS3.7 annex C: characters of an error comment
TITLE = re.compile(r"[^\\\s][^\\]{0,15}")
FILTERS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "StudyDate", "AccessionNumber")
SECONDS = 60
AGAIN = (
    "ask again: what came is kept, only the rest is fetched; what stays away may come by DICOMweb, "
    "or when the PACS sends it to `prognoscope listen`"
)


@dataclass(frozen=True, slots=True)
class Node:
    """A DICOM application: title, host, port, and what is asked of it (attribute → value)."""

    title: str
    host: str
    port: int
    filters: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """How it is told apart from other sources."""
        return f"pacs://{self.title}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Found:
    """A series that a PACS or a server has.

    `instances` are `(SOP instance, SOP class)`, empty where it lists none; with `part` these are asked for alone.
    """

    patient_id: str
    study_uid: str
    series_uid: str
    modality: str
    description: str
    instances: tuple[tuple[str, str], ...] = ()
    part: bool = False


def parse_node(address: str) -> Node:
    """Read `pacs://TITLE@host:port?PatientID=…&Modality=…`.

    Raises
    ------
    Refused
        `pacs-address`.
    """
    try:
        parts = urlsplit(address)
        port = parts.port or 104
    except ValueError:
        parts, port = urlsplit(""), 0
    title = parts.username or ""
    filters = tuple(parse_qsl(parts.query))
    unknown = [name for name, _ in filters if name not in FILTERS]
    if parts.scheme != "pacs" or not TITLE.fullmatch(title) or not parts.hostname or unknown:
        raise refuse(
            "pacs-address",
            subject=address,
            found=f"{unknown[0]} cannot be asked for" if unknown else "it does not name a title, a host and a port",
            remedy=f"write pacs://TITLE@host:port?PatientID=…; possible are {', '.join(FILTERS)}",
        )
    return Node(title, parts.hostname, port, filters)


def echo(node: Node, *, own_title: str = OWN_TITLE) -> None:
    """Ask whether a node answers (C-ECHO); refuses `pacs-unreachable`, `pacs-failed`."""
    with _association(node, own_title, [VERIFICATION]) as association:
        _check(association.send_c_echo(), node, "C-ECHO")


def find_series(node: Node, *, own_title: str = OWN_TITLE) -> tuple[Found, ...]:
    """List the series that match the node's filters with their instances (C-FIND, study root), sorted.

    Raises
    ------
    Refused
        As `echo` does. A PACS that answers no question for instances is one that lists none.
    """
    with _association(node, own_title, [FIND]) as association:
        studies = _answers(association, node, "STUDY", dict(node.filters), ("StudyInstanceUID", "PatientID"))
        found = []
        for study in studies:
            keys = dict(node.filters) | {"StudyInstanceUID": study["StudyInstanceUID"]}
            wanted = ("SeriesInstanceUID", "Modality", "SeriesDescription")
            for series in _answers(association, node, "SERIES", keys, wanted):
                uid, modality, description = (series[name] for name in wanted)
                found.append(Found(study["PatientID"], study["StudyInstanceUID"], uid, modality, description))
        listed = [replace(one, instances=_instances(association, node, one)) for one in found]
    return tuple(sorted(listed, key=lambda one: (one.patient_id, one.study_uid, one.series_uid)))


def _instances(association: Association, node: Node, series: Found) -> tuple[tuple[str, str], ...]:
    keys = {"StudyInstanceUID": series.study_uid, "SeriesInstanceUID": series.series_uid}
    try:
        answers = _answers(association, node, "IMAGE", keys, ("SOPInstanceUID", "SOPClassUID"))
    except Refused:
        if not association.is_established:
            raise
        return ()
    return tuple(sorted({(one["SOPInstanceUID"], one["SOPClassUID"]) for one in answers}))


def get_series(node: Node, series: Found, receive: Callable[[bytes], None], *, own_title: str = OWN_TITLE) -> None:
    """Fetch a series, or of it the instances listed (C-GET); `receive` gets each file before its receipt is confirmed.

    Each file comes as the PACS has it, compressed or not, wherever the PACS says which classes the series holds; so do
    classes that only its manufacturer knows.

    Raises
    ------
    Refused
        `pacs-unreachable`, `pacs-failed`, `pacs-incomplete` when some instances did not come; what `receive` refused,
        after the others.
    """
    from pynetdicom import evt

    refused: list[Refused] = []

    def keep(data: bytes) -> None:
        try:
            receive(data)
        except Refused as one:
            refused.append(one)
            raise

    classes = sorted({sop_class for _, sop_class in series.instances} - {""})
    handlers = [(evt.EVT_C_STORE, _handler(keep))]
    try:
        with _association(node, own_title, [GET], handlers=handlers, storage=_contexts(classes)) as association:
            _retrieve(association.send_c_get(_wanted(series), GET), node, series, "C-GET")
    except Refused:
        if not refused:
            raise
    if refused:
        raise refused[0]


def _contexts(classes: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Storage classes with the transfer syntaxes that may be chosen among: each compressed one is a choice of its own.

    Where an association has no room for all of them, the classes come first, and then the syntaxes most in use.
    """
    from pynetdicom import ALL_TRANSFER_SYNTAXES, DEFAULT_TRANSFER_SYNTAXES, StoragePresentationContexts

    known = [str(context.abstract_syntax) for context in StoragePresentationContexts]
    plain = [str(syntax) for syntax in DEFAULT_TRANSFER_SYNTAXES]
    packed = [str(syntax) for syntax in ALL_TRANSFER_SYNTAXES if syntax not in DEFAULT_TRANSFER_SYNTAXES]
    contexts = [(one, plain) for one in classes or known]
    contexts += [(one, [syntax]) for syntax in packed for one in classes]
    return contexts[: MOST_CONTEXTS - 1]


def move_series(node: Node, series: Found, *, destination: str, own_title: str = OWN_TITLE) -> None:
    """Ask a PACS to send a series to a listener that it knows by its title (C-MOVE); refuses as `get_series` does."""
    with _association(node, own_title, [MOVE]) as association:
        _retrieve(association.send_c_move(_wanted(series), destination, MOVE), node, series, "C-MOVE")


def send_files(node: Node, files: Sequence[bytes], *, own_title: str = OWN_TITLE) -> int:
    """Send DICOM files to a node (C-STORE); return how many it took; refuses as `echo` does."""
    from pynetdicom import AE

    data = [pydicom.dcmread(BytesIO(one)) for one in files]
    entity = AE(ae_title=own_title)
    for sop_class, syntax in sorted({(str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID)) for one in data}):
        entity.add_requested_context(sop_class, syntax)
    with _opened(entity, node, [], []) as association:
        for one in data:
            _check(association.send_c_store(one), node, "C-STORE")
    return len(data)


@contextmanager
def listener(*, title: str, port: int, receive: Callable[[bytes], None], host: str = "127.0.0.1") -> Iterator[int]:
    """Take what others send (C-STORE, C-ECHO) while the block runs; the value is the port.

    `receive` gets each file's bytes; only when it returns is the sender told that the file was stored, and when it
    refuses, that it was not.
    """
    entity = _entity(title)
    from pynetdicom import _config, evt

    _config.UNRESTRICTED_STORAGE_SERVICE = True  # every class is taken, those that only their manufacturer knows too
    entity.add_supported_context(VERIFICATION)
    entity.maximum_associations = 64
    try:
        server = entity.start_server((host, port), block=False, evt_handlers=[(evt.EVT_C_STORE, _handler(receive))])
    except OSError as cause:
        raise refuse(
            "port-unusable",
            subject=f"{host}:{port}",
            found=f"nobody can listen there ({cause.strerror or cause})",
            remedy="choose another --port, or end the program that has it; --host must be an address of this machine",
        ) from cause
    assert server is not None
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()


def _handler(receive: Callable[[bytes], None]) -> Callable[[Any], int | Dataset]:
    def store(event: Any) -> int | Dataset:
        try:
            # The envelope is ours and the same for every sender: one instance sent by eight is one content.
            receive(event.encoded_dataset())
        except Refused as refused:
            answer = Dataset()
            answer.Status, answer.ErrorComment = OUT_OF_RESOURCES, refused.problem.code[:COMMENT]
            return answer
        return SUCCESS

    return store


def _entity(title: str) -> Any:
    try:
        from pynetdicom import AE
    except ModuleNotFoundError as cause:
        raise refuse(
            "pacs-missing",
            subject="DICOM network",
            found="pynetdicom is not installed",
            remedy='install it: pip install "prognoscope[pacs]"',
        ) from cause
    entity = AE(ae_title=title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = SECONDS
    return entity


@contextmanager
def _association(
    node: Node,
    own_title: str,
    classes: Sequence[str],
    *,
    handlers: Sequence[Any] = (),
    storage: Sequence[tuple[str, list[str]]] = (),
) -> Iterator[Association]:
    entity = _entity(own_title)
    for sop_class in classes:
        entity.add_requested_context(sop_class)
    for sop_class, syntaxes in storage:
        entity.add_requested_context(sop_class, syntaxes)
    roles = []
    if storage:
        from pynetdicom import build_role

        roles = [build_role(sop_class, scp_role=True) for sop_class in sorted({name for name, _ in storage})]
    with _opened(entity, node, handlers, roles) as association:
        yield association


@contextmanager
def _opened(entity: Any, node: Node, handlers: Sequence[Any], roles: Sequence[Any]) -> Iterator[Association]:
    association = entity.associate(
        node.host, node.port, ae_title=node.title, evt_handlers=list(handlers), ext_neg=list(roles)
    )
    if not association.is_established:
        raise refuse(
            "pacs-unreachable",
            subject=node.name,
            found="it refused the association" if association.is_rejected else "no connection can be made",
            remedy="check title, host and port, and that the PACS knows ours (ask its administrator)",
        )
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _answers(
    association: Association, node: Node, level: str, keys: Mapping[str, str], wanted: Sequence[str]
) -> list[dict[str, str]]:
    """What is wanted of each answer to a C-FIND, as text; one that does not name itself, by the first, says nothing."""
    question = Dataset()
    question.QueryRetrieveLevel = level
    for name in wanted:
        setattr(question, name, "")
    for name, value in keys.items():
        setattr(question, "ModalitiesInStudy" if (level, name) == ("STUDY", "Modality") else name, value)
    found = []
    for status, answer in association.send_c_find(question, FIND):
        code = status.get("Status", -1) if status else -1
        if code in PENDING and answer is not None:
            found.append({name: _text(answer, name) for name in wanted})
        elif code != SUCCESS:
            raise _failed(node, "C-FIND", code)
    return [one for one in found if one[wanted[0]]]


def _text(answer: Dataset, name: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what is odd is told when the file itself is read
        return str(answer.get(name) or "")


def _wanted(series: Found) -> Dataset:
    question = Dataset()
    question.QueryRetrieveLevel = "IMAGE" if series.part else "SERIES"
    question.StudyInstanceUID, question.SeriesInstanceUID = series.study_uid, series.series_uid
    if series.part:
        question.SOPInstanceUID = [name for name, _ in series.instances]
    return question


def _retrieve(responses: Any, node: Node, series: Found, what: str) -> None:
    failed = 0
    for status, _ in responses:  # to the end: what comes after an instance that failed comes all the same
        code = status.get("Status", -1) if status else -1
        failed = int(status.get("NumberOfFailedSuboperations", failed) or failed) if status else failed
        if code not in (SUCCESS, ENDED_WITH_FAILURES, *PENDING) and not failed:
            raise _failed(node, what, code)
    if failed:
        raise refuse(
            "pacs-incomplete",
            subject=f"series {series.series_uid} of {node.name}",
            found=f"{failed} of its instances did not come",
            remedy=AGAIN,
        )


def _check(status: Dataset, node: Node, what: str) -> None:
    code = status.get("Status", -1) if status else -1
    if code != SUCCESS:
        raise _failed(node, what, code)


def _failed(node: Node, what: str, code: int) -> Refused:
    answer = f"{what} ended with status 0x{code:04X}" if code >= 0 else f"{what}: the connection was lost"
    return refuse(
        "pacs-failed", subject=node.name, found=answer, remedy="look into the log of the PACS; what came is kept"
    )
