"""FHIR R4 documents (bundles, single resources, NDJSON, also gzipped) → dated facts of patients.

Read as plain JSON: what a hospital exports is wider than what any validator of today accepts for R4. Each kind of
resource that is understood is one short function; the others are counted by name.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prognoscope.core.problems import Refused, refuse

GZIP = b"\x1f\x8b"
INFLATED_BYTES = 1 << 30
Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known of a patient: its name, its value as text and as a number with unit, and when it was known."""

    patient_id: str
    name: str
    text: str
    number: float | None = None
    unit: str = ""
    known_at: str = ""


@dataclass(frozen=True, slots=True)
class FhirDocument:
    """The facts of a document, how many resources of each type it has, and those of types that are not understood."""

    facts: tuple[Fact, ...]
    counts: tuple[tuple[str, int], ...]
    not_understood: tuple[tuple[str, int], ...]


def looks_like_fhir(data: bytes) -> bool:
    """Whether bytes (gzipped or not) begin as a FHIR document in JSON does."""
    head = _inflated(data, 1 << 16, subject="", whole=False) if data.startswith(GZIP) else data[: 1 << 16]
    return head.lstrip()[:1] == b"{" and b'"resourceType"' in head


def read_fhir(data: bytes, *, subject: str) -> FhirDocument:
    """Read a document.

    Raises
    ------
    Refused
        `fhir-unreadable` for what is no JSON, is nested too deep or holds no resource; `fhir-too-large`.
    """
    if data.startswith(GZIP):
        data = _inflated(data, INFLATED_BYTES, subject=subject, whole=True)
    resources, names = _resources(data, subject)
    counts = Counter(str(one.get("resourceType", "none")) for one in resources)
    facts: list[Fact] = []
    for one in resources:
        reader = READERS.get(str(one.get("resourceType")))
        if reader:
            owner = _owner(one, names)
            try:
                facts += [fact for fact in reader(one, owner) if owner and fact.text]
            except (AttributeError, TypeError, KeyError, IndexError):
                counts[f"{one.get('resourceType')} (malformed)"] += 1
    unknown = {name: number for name, number in counts.items() if name not in READERS}
    return FhirDocument(tuple(facts), tuple(sorted(counts.items())), tuple(sorted(unknown.items())))


def _inflated(data: bytes, most: int, *, subject: str, whole: bool) -> bytes:
    engine = zlib.decompressobj(31)
    try:
        found = engine.decompress(data, most)
    except zlib.error as cause:
        if not whole:
            return b""
        raise _unreadable(subject, f"it cannot be inflated ({cause})") from cause
    if whole and engine.unconsumed_tail:
        raise refuse(
            "fhir-too-large", subject=subject, found=f"it inflates to more than {most >> 20} MiB", remedy="split it"
        )
    return found


def _resources(data: bytes, subject: str) -> tuple[list[Resource], dict[str, str]]:
    """Every resource, those of bundles in their order; and the patient that a `urn:` of a bundle stands for."""
    found: list[Resource] = []
    names: dict[str, str] = {}
    for document in _documents(data, subject):
        for entry in document.get("entry") or () if document.get("resourceType") == "Bundle" else ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict):
                found.append(resource)
                if entry.get("fullUrl") and resource.get("id"):
                    names[str(entry["fullUrl"])] = str(resource["id"])
        if document.get("resourceType") != "Bundle":
            found.append(document)
    if not any("resourceType" in one for one in found):
        raise _unreadable(subject, "it holds no resource")
    return found, names


def _documents(data: bytes, subject: str) -> Iterator[Resource]:
    try:
        text = data.decode("utf-8-sig")
        try:
            documents = [json.loads(text)]
        except json.JSONDecodeError:
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as cause:
        raise _unreadable(subject, f"it is not JSON that can be read ({str(cause)[:100]})") from cause
    for document in documents:
        if not isinstance(document, dict):
            raise _unreadable(subject, "a document in it is no JSON object")
        yield document


def _unreadable(subject: str, found: str) -> Refused:
    return refuse("fhir-unreadable", subject=subject, found=found, remedy="export it again as FHIR R4 in JSON")


def _owner(resource: Resource, names: Mapping[str, str]) -> str:
    if resource.get("resourceType") == "Patient":
        return str(resource.get("id", ""))
    reference = resource.get("subject") or resource.get("patient") or {}
    target = str(reference.get("reference", "")) if isinstance(reference, dict) else ""
    if target in names:
        return names[target]
    return target.rpartition("Patient/")[2].partition("/")[0] if "Patient/" in target else ""


def _said(concept: Any) -> str:
    """A coded concept in words: its text, else the first coding's display or code."""
    if not isinstance(concept, dict):
        return ""
    codings = concept.get("coding") or [{}]
    return str(concept.get("text") or codings[0].get("display") or codings[0].get("code") or "")


def _when(resource: Resource, *names: str) -> str:
    for name in names:
        value = resource.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            return str(value.get("start") or value.get("end") or "")
    return ""


def _patient(one: Resource, owner: str) -> Iterator[Fact]:
    yield Fact(owner, "sex", str(one.get("gender", "")))
    yield Fact(owner, "birth_date", str(one.get("birthDate", "")))
    died = one.get("deceasedDateTime") or one.get("deceasedBoolean")
    if died is not None:
        yield Fact(owner, "deceased", str(died).lower() if isinstance(died, bool) else str(died))
    for identifier in one.get("identifier") or ():
        yield Fact(owner, "identifier", str(identifier.get("value", "")))


def _observation(one: Resource, owner: str) -> Iterator[Fact]:
    when = _when(one, "effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")
    for part in (one, *(one.get("component") or ())):
        yield from _value(part, owner, _said(part.get("code")), when)


def _value(part: Resource, owner: str, name: str, when: str) -> Iterator[Fact]:
    quantity = part.get("valueQuantity")
    if isinstance(quantity, dict) and isinstance(quantity.get("value"), (int, float)):
        sign = str(quantity.get("comparator", ""))
        unit = str(quantity.get("code") or quantity.get("unit") or "")
        number = None if sign else float(quantity["value"])  # "< 5" is no number
        yield Fact(owner, name, f"{sign}{quantity['value']}", number, unit, when)
    elif "valueCodeableConcept" in part:
        yield Fact(owner, name, _said(part["valueCodeableConcept"]), known_at=when)
    else:
        for kind in ("valueString", "valueBoolean", "valueInteger", "valueDateTime"):
            if kind in part:
                value = part[kind]
                number = float(value) if kind == "valueInteger" else None
                yield Fact(owner, name, str(value), number, known_at=when)


def _coded(name: str, concept: str, *times: str) -> Callable[[Resource, str], Iterator[Fact]]:
    def read(one: Resource, owner: str) -> Iterator[Fact]:
        yield Fact(owner, name, _said(one.get(concept)), known_at=_when(one, *times))

    return read


def _imaging(one: Resource, owner: str) -> Iterator[Fact]:
    when = _when(one, "started")
    for identifier in one.get("identifier") or ():
        if str(identifier.get("value", "")).startswith("urn:oid:"):
            yield Fact(owner, "imaging study", str(identifier["value"])[8:], known_at=when)
    for series in one.get("series") or ():
        yield Fact(owner, "imaging modality", str((series.get("modality") or {}).get("code", "")), known_at=when)


def _report(one: Resource, owner: str) -> Iterator[Fact]:
    when = _when(one, "issued", "effectiveDateTime", "effectivePeriod")
    yield Fact(owner, "report", _said(one.get("code")), known_at=when)
    yield Fact(owner, "conclusion", str(one.get("conclusion", "")), known_at=when)


def _encounter(one: Resource, owner: str) -> Iterator[Fact]:
    kind = one.get("class") or {}
    yield Fact(owner, "encounter", str(kind.get("display") or kind.get("code") or ""), known_at=_when(one, "period"))


READERS: Mapping[str, Callable[[Resource, str], Iterator[Fact]]] = {
    "Patient": _patient,
    "Encounter": _encounter,
    "Condition": _coded("condition", "code", "recordedDate", "onsetDateTime", "onsetPeriod"),
    "Observation": _observation,
    "Procedure": _coded("procedure", "code", "performedDateTime", "performedPeriod"),
    "MedicationAdministration": _coded(
        "medication", "medicationCodeableConcept", "effectiveDateTime", "effectivePeriod"
    ),
    "MedicationRequest": _coded("medication request", "medicationCodeableConcept", "authoredOn"),
    "MedicationStatement": _coded(
        "medication statement", "medicationCodeableConcept", "effectiveDateTime", "dateAsserted"
    ),
    "DiagnosticReport": _report,
    "ImagingStudy": _imaging,
}
