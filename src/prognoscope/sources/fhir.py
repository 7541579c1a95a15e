"""FHIR R4 documents (bundles, single resources, NDJSON, also gzipped) → dated facts of patients.

Read as plain JSON: what a hospital exports is wider than what any validator of today accepts for R4. Each kind of
resource that is understood is one short function; the others are counted by name.
"""

from __future__ import annotations

import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prognoscope.core.facts import Fact
from prognoscope.core.problems import Refused, refuse

GZIP = b"\x1f\x8b"
INFLATED_BYTES, ALWAYS_BYTES = 1 << 30, 64 << 20
PLAUSIBLE_RATIO = 100  # records shrink to a tenth, not to a thousandth
Resource = Mapping[str, Any]
Medications = Mapping[str, Any]  # concepts of the document's Medication resources, by their ID


Reader = Callable[[Resource, str, Medications], Iterator[Fact]]


@dataclass(frozen=True, slots=True)
class FhirDocument:
    """What a document says.

    Attributes
    ----------
    facts
        In the order of the document.
    counts
        `(type, number)` of all its resources.
    not_understood
        Of those, the ones of types that are not read.
    silent
        Those that are read but gave no fact, by type and reason: void (not done, not yet done, not confirmed, refuted,
        entered in error), of no patient, without a value, or malformed.
    """

    facts: tuple[Fact, ...]
    counts: tuple[tuple[str, int], ...]
    not_understood: tuple[tuple[str, int], ...]
    silent: tuple[tuple[str, int], ...]


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
        most = min(INFLATED_BYTES, max(ALWAYS_BYTES, PLAUSIBLE_RATIO * len(data)))
        data = _inflated(data, most, subject=subject, whole=True)
    silent: Counter[str] = Counter()
    resources, names = _resources(data, subject, silent)
    counts = Counter(str(one.get("resourceType", "none")) for one in resources)
    medications = {str(one.get("id")): one.get("code") for one in resources if one.get("resourceType") == "Medication"}
    facts: list[Fact] = []
    for one in resources:
        if str(one.get("resourceType")) in READERS:
            found, why = _facts(one, names, medications)
            facts += found
            if why:
                silent[f"{one['resourceType']}: {why}"] += 1
    unknown = {name: number for name, number in counts.items() if name not in READERS}
    return FhirDocument(
        tuple(facts), tuple(sorted(counts.items())), tuple(sorted(unknown.items())), tuple(sorted(silent.items()))
    )


def _facts(one: Resource, names: Mapping[str, str], medications: Medications) -> tuple[list[Fact], str]:
    """The facts of a resource, or why it gives none."""
    try:
        owner = _owner(one, names)
        if _void(one):
            return [], "void"
        if not owner:
            return [], "no patient"
        found = [fact for fact in READERS[one["resourceType"]](one, owner, medications) if fact.name and fact.text]
    except (AttributeError, TypeError, KeyError, IndexError, ValueError, OverflowError):
        return [], "malformed"
    return found, "" if found else "no value"


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


def _resources(data: bytes, subject: str, silent: Counter[str]) -> tuple[list[Resource], dict[str, str]]:
    """Every resource, those of bundles (in each other too) in their order; and the ID that a full URL stands for."""
    found: list[Resource] = []
    names: dict[str, str] = {}
    waiting = _documents(data, subject, silent)[::-1]
    while waiting:
        document = waiting.pop()
        if document.get("resourceType") != "Bundle":
            found.append(document)
            continue
        entries = [entry for entry in document.get("entry") or () if isinstance(entry, dict)]
        inner = [_entered(entry, names) for entry in entries if isinstance(entry.get("resource"), dict)]
        waiting += inner[::-1]
    if not any("resourceType" in one for one in found):
        raise _unreadable(subject, "it holds no resource")
    return found, names


def _entered(entry: Resource, names: dict[str, str]) -> Resource:
    """The resource of a bundle's entry; one that the server has yet to number is called by its full URL."""
    resource, url = entry["resource"], str(entry.get("fullUrl") or "")
    if not url:
        return dict(resource)
    names[url] = str(resource.get("id") or url.rpartition(":")[2].rpartition("/")[2])
    return {**resource, "id": names[url]}


def _documents(data: bytes, subject: str, silent: Counter[str]) -> list[Resource]:
    """The document, or those of each line; a line that is none is counted, unless it is the first."""
    try:
        text = data.decode("utf-8-sig")
        try:
            return [_document(text)]
        except json.JSONDecodeError:
            first, *lines = [line for line in text.splitlines() if line.strip()] or [""]
            found = [_document(first)]
    except (ValueError, TypeError, RecursionError) as cause:
        raise _unreadable(subject, f"it is not JSON that can be read ({str(cause)[:100]})") from cause
    for line in lines:
        try:
            found.append(_document(line))
        except (ValueError, TypeError, RecursionError):
            silent["line: malformed"] += 1
    return found


def _document(text: str) -> Resource:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise TypeError("a document in it is no JSON object")
    return document


def _unreadable(subject: str, found: str) -> Refused:
    return refuse("fhir-unreadable", subject=subject, found=found, remedy="export it again as FHIR R4 in JSON")


def _owner(resource: Resource, names: Mapping[str, str]) -> str:
    if resource.get("resourceType") == "Patient":
        return str(resource.get("id", ""))
    reference = resource.get("subject") or resource.get("patient") or {}
    target = str(reference.get("reference", "")) if isinstance(reference, dict) else ""
    if target in names:
        return names[target]
    if "Patient/" in target:
        return target.rpartition("Patient/")[2].partition("/")[0]
    identifier = reference.get("identifier") if isinstance(reference, dict) and not target else None
    return str(identifier.get("value", "")) if isinstance(identifier, dict) else ""


def _said(concept: Any) -> str:
    """A coded concept in words: its text, else the first coding's display or code."""
    if not isinstance(concept, dict):
        return ""
    codings = concept.get("coding") or [{}]
    return str(concept.get("text") or codings[0].get("display") or codings[0].get("code") or "")


def _concept(owner: str, name: str, concept: Any, when: str) -> Iterator[Fact]:
    """A coded concept as a fact in words, and each of its codes that the words are not."""
    said = _said(concept)
    yield Fact(owner, name, said, known_at=when)
    for coding in (concept or {}).get("coding") or ():
        code = str(coding.get("code", ""))
        if code and code != said:
            yield Fact(owner, f"{name} code", code, known_at=when)


def _text(value: object) -> str:
    """A value that must be text, or is absent; anything else is malformed."""
    if not isinstance(value, str | None):
        raise TypeError(f"{type(value).__name__} where text belongs")
    return value or ""


def _when(resource: Resource, *names: str, of_period: tuple[str, str] = ("start", "end")) -> str:
    for name in names:
        value = resource.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            return str(next((value[part] for part in of_period if value.get(part)), ""))
    return ""


def _when_issued(one: Resource) -> str:
    """When a result was there to be read: a culture is known days after the specimen was taken."""
    when = ("issued", "effectiveDateTime", "effectivePeriod", "effectiveInstant")
    return _when(one, *when, of_period=("end", "start"))


def _patient(one: Resource, owner: str, _: Medications) -> Iterator[Fact]:
    yield Fact(owner, "sex", _text(one.get("gender")))
    yield Fact(owner, "birth_date", _text(one.get("birthDate")))
    died = one.get("deceasedDateTime")
    if died is None:
        died = one.get("deceasedBoolean")
    if died is not None:
        yield Fact(owner, "deceased", str(died).lower() if isinstance(died, bool) else str(died))
    for identifier in one.get("identifier") or ():
        kinds = [str(coding.get("code", "")) for coding in (identifier.get("type") or {}).get("coding") or ()]
        of_person = not any(kinds) or any(kind in PERSONAL for kind in kinds)
        yield Fact(owner, "identifier" if of_person else f"identifier {kinds[0]}", _text(identifier.get("value")))


def _observation(one: Resource, owner: str, _: Medications) -> Iterator[Fact]:
    when = _when_issued(one)
    for part in (one, *(one.get("component") or ())):
        yield from _value(part, owner, _said(part.get("code")), when)


def _value(part: Resource, owner: str, name: str, when: str) -> Iterator[Fact]:
    if isinstance(part.get("valueQuantity"), dict):
        yield from _quantity(part["valueQuantity"], owner, name, when)
    elif "valueCodeableConcept" in part:
        yield from _concept(owner, name, part["valueCodeableConcept"], when)
    elif "valuePeriod" in part:
        yield Fact(owner, name, _when(part, "valuePeriod"), known_at=when)
    else:
        for kind in ("valueString", "valueBoolean", "valueInteger", "valueDateTime", "valueTime"):
            if kind in part:
                value = part[kind]
                number = float(value) if kind == "valueInteger" else None
                text = str(value).lower() if isinstance(value, bool) else str(value).strip()
                yield Fact(owner, name, text, number, known_at=when)


def _quantity(quantity: Mapping[str, Any], owner: str, name: str, when: str) -> Iterator[Fact]:
    value = quantity.get("value")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        sign = str(quantity.get("comparator", ""))
        unit = str(quantity.get("code") or quantity.get("unit") or "")
        number = None if sign or not math.isfinite(value) else float(value)  # "< 5" is no number
        yield Fact(owner, name, f"{sign}{value}", number, unit, when)


def _coded(name: str, *times: str) -> Reader:
    def read(one: Resource, owner: str, _: Medications) -> Iterator[Fact]:
        yield from _concept(owner, name, one.get("code"), _when(one, *times))

    return read


def _medication(name: str, *times: str) -> Reader:
    """Which substance, by a concept or by a reference to a Medication of the same document; and how much of it."""

    def read(one: Resource, owner: str, known: Medications) -> Iterator[Fact]:
        when = _when(one, *times)
        reference = one.get("medicationReference") or {}
        contained = {f"#{inner.get('id')}": inner.get("code") for inner in one.get("contained") or ()}
        target = str(reference.get("reference", ""))
        concept = one.get("medicationCodeableConcept") or contained.get(target) or known.get(target.rpartition("/")[2])
        yield from _concept(owner, name, concept or {"text": reference.get("display")}, when)
        dose = (one.get("dosage") or {}).get("dose") if isinstance(one.get("dosage"), dict) else None
        if isinstance(dose, dict):
            yield from _quantity(dose, owner, f"dose of {_said(concept)}", when)

    return read


def _imaging(one: Resource, owner: str, _: Medications) -> Iterator[Fact]:
    """The studies and series by the UIDs that the images bear, so that both can be found together."""
    when = _when(one, "started")
    for identifier in one.get("identifier") or ():
        if str(identifier.get("value", "")).startswith("urn:oid:"):
            yield Fact(owner, "imaging study", str(identifier["value"])[8:], known_at=when)
    for series in one.get("series") or ():
        yield Fact(owner, "imaging series", str(series.get("uid", "")), known_at=when)
        yield Fact(owner, "imaging modality", str((series.get("modality") or {}).get("code", "")), known_at=when)
        yield Fact(owner, "imaging body site", str((series.get("bodySite") or {}).get("display", "")), known_at=when)


def _report(one: Resource, owner: str, known: Medications) -> Iterator[Fact]:
    when = _when_issued(one)
    yield from _concept(owner, "report", one.get("code"), when)
    yield Fact(owner, "conclusion", str(one.get("conclusion", "")), known_at=when)
    for concept in one.get("conclusionCode") or ():
        yield from _concept(owner, "conclusion", concept, when)
    for inner in one.get("contained") or ():
        if inner.get("resourceType") == "Observation" and not _void(inner):
            yield from _observation(inner, owner, known)


def _encounter(one: Resource, owner: str, _: Medications) -> Iterator[Fact]:
    kind = one.get("class") or {}
    yield Fact(owner, "encounter", str(kind.get("display") or kind.get("code") or ""), known_at=_when(one, "period"))


def _void(one: Resource) -> bool:
    """Whether a resource says that something has not happened, is not (or not surely) so, or was written by mistake."""
    verified = (one.get("verificationStatus") or {}).get("coding") or ()
    told = [one.get("status"), one.get("intent"), *(coding.get("code") for coding in verified)]
    return one.get("doNotPerform") is True or any(word in VOID for word in told)


VOID = (
    *("entered-in-error", "not-done", "not-taken", "cancelled", "refuted"),
    *("preparation", "planned", "intended", "draft", "registered", "proposal", "plan", "option"),
    *("unconfirmed", "provisional", "differential"),
)
# HL7 v2 table 0203, the types of identifiers that name a person (not a visit, an account, a driver's licence).
PERSONAL = ("MR", "MRT", "PI", "PT", "PE", "U", "ANON", "RI")
READERS: Mapping[str, Reader] = {
    "Patient": _patient,
    "Encounter": _encounter,
    "Condition": _coded("condition", "recordedDate", "onsetDateTime", "onsetPeriod"),
    "Observation": _observation,
    "Procedure": _coded("procedure", "performedDateTime", "performedPeriod"),
    "MedicationAdministration": _medication("medication", "effectiveDateTime", "effectivePeriod"),
    "MedicationRequest": _medication("medication request", "authoredOn"),
    "MedicationStatement": _medication("medication statement", "effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "DiagnosticReport": _report,
    "ImagingStudy": _imaging,
}
