"""FHIR records (JSON, one document or one a line) with the images' pseudonyms and date shifts.

Works on the structure that all resources share, so that a type nobody thought of is cleaned too: names, contacts,
addresses, identifiers, narratives, photos and attachments go; ids and references are renamed consistently; dates
move or go; other text is cleaned as free text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.dates import shift_dt
from prognoscope.deidentify.identity import Identity
from prognoscope.deidentify.profile import Options
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.text import Cleaner, tidy
from prognoscope.deidentify.words import alternatives

RECORDS = (".json", ".ndjson")
LARGEST_DOCUMENT_BYTES = 512 << 20
_REMOVED = frozenset(
    {"telecom", "address", "contact", "photo", "identifier", "birthDate", "data", "div", "fullUrl", "authorString"}
)
# References whose words name a person; what they say is searched for in all texts of the document.
_PERSONS = frozenset(
    {
        *("actor", "asserter", "attester", "author", "beneficiary", "enterer", "generalPractitioner", "individual"),
        *(
            "informationSource",
            "interpreter",
            "patient",
            "performer",
            "practitioner",
            "provider",
            "receiver",
            "recipient",
        ),
        *("recorder", "requester", "resultsInterpreter", "sender", "source", "subject", "verifiedBy", "witness"),
    }
)
_NAMED = frozenset({"Patient", "Person", "Practitioner", "RelatedPerson"})  # whose `name` is a person's
_PLAIN = frozenset({"system", "code", "version", "resourceType", "use", "status", "unit", "type", "profile", "class"})
_TITLE = re.compile(rf"^{alternatives('titles')}\b\.?\s+", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?([T ].*)?")
_REFERENCE = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/.*)?|urn:(?:uuid|oid):(.+)")


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose record is being cleaned: the cleaner, the days to move dates by (None takes them out), and whether the
    resource describes a person, whose extensions may hold names.
    """

    cleaner: Cleaner
    shift: int | None
    people: Mapping[str, Identity]
    options: Options
    named: bool


def clean_record(path: Path, *, people: Mapping[str, Identity], project: Project, options: Options) -> bytes:
    """Read FHIR resources and return them without identity, in the form they came in.

    Raises
    ------
    Refused
        `record-unreadable`, `file-too-large`.
    """
    if path.stat().st_size > LARGEST_DOCUMENT_BYTES:
        raise refuse(
            "file-too-large",
            subject="file",
            found=f"records of more than {LARGEST_DOCUMENT_BYTES >> 20} MiB",
            remedy="split them",
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = text.splitlines() if path.suffix.lower() == ".ndjson" else [text]
        resources = [json.loads(line) for line in lines if line.strip()]
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"it is no JSON ({type(error).__name__})") from error
    if not resources or not all(isinstance(one, dict) and "resourceType" in one for one in resources):
        raise _unreadable("it holds no FHIR resource")
    known, others = dict(people), set[str]()
    for one in resources:
        _meet(one, "", known, others)
    everyone = Identity(names=frozenset(others))
    known = {patient: identity | everyone for patient, identity in known.items()} | {"": everyone}
    cleaned = [_resource(one, known, project, options) for one in resources]
    return "".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in cleaned).encode()


def _meet(value: Any, key: str, known: dict[str, Identity], others: set[str]) -> None:
    """Learn the names of the patients of a document, and of the others in it, before any of its texts is cleaned."""
    if isinstance(value, list):
        for one in value:
            _meet(one, key, known, others)
    elif isinstance(value, dict):
        if value.get("resourceType") in _NAMED - {"Patient"}:
            others.update(_names(value))
        if key in _PERSONS and isinstance(value.get("display"), str):
            others.add(_TITLE.sub("", value["display"]))
        if value.get("resourceType") == "Patient" and value.get("id"):
            identity = known.get(str(value["id"]), Identity())
            known[str(value["id"])] = identity | Identity(names=frozenset(_names(value)))
        for name, one in value.items():
            _meet(one, name, known, others)


def _resource(
    resource: dict[str, Any], people: Mapping[str, Identity], project: Project, options: Options
) -> dict[str, Any]:
    patient = _patient(resource)
    own = Identity(names=frozenset(_names(resource)), ids=frozenset({patient} - {""}))
    shift = project.shift_days(patient) if options.retain_dates and patient else None
    known = people.get(patient, people.get("", Identity()))
    named = resource.get("resourceType") in _NAMED
    owner = _Owner(Cleaner(known | own, shift), shift, people, options, named)
    cleaned: dict[str, Any] = _value(resource, "", owner, project)
    return cleaned


def _patient(resource: dict[str, Any]) -> str:
    """Return the id of the patient that a resource is about; empty when there is none."""
    if resource.get("resourceType") == "Patient":
        return str(resource.get("id", ""))
    for key in ("subject", "patient", "beneficiary", "individual"):
        reference = resource.get(key)
        if isinstance(reference, dict) and (match := _REFERENCE.fullmatch(str(reference.get("reference", "")))):
            return match.group(2) or match.group(3) or ""
    return ""


def _names(resource: dict[str, Any]) -> list[str]:
    found = []
    for name in resource.get("name") or () if resource.get("resourceType") in _NAMED else ():
        if isinstance(name, dict):
            given = " ".join(str(word) for word in name.get("given") or ())
            found.append(f"{name.get('family', '')}^{given}")
    return found


def _value(value: Any, key: str, owner: _Owner, project: Project) -> Any:
    if isinstance(value, dict):
        if key and "resourceType" in value:  # within a bundle, and perhaps another patient's
            return _resource(value, owner.people, project, owner.options)
        kept = {name: one for name, one in value.items() if not _goes(name, key, value, owner)}
        pairs = ((name, _value(one, name, owner, project)) for name, one in kept.items())
        left = {name: one for name, one in pairs if one not in ("", None, {}, [])}
        return {} if set(left) == {"url"} else left  # an extension without its value
    if isinstance(value, list):
        some = [_value(one, key, owner, project) for one in value]
        return [one for one in some if one not in ("", None, {})]
    return _text(value, key, owner, project) if isinstance(value, str) else value


def _goes(name: str, key: str, value: Mapping[str, Any], owner: _Owner) -> bool:
    """Whether a member of an object is left out whatever it says."""
    if name == "url":  # of an attachment; the one of an extension says what it means
        return not any(other.startswith(("value", "extension")) for other in value)
    if name == "display":  # of a reference; the one of a code stands in a public list
        return key in _PERSONS or "reference" in value
    if name == "name":
        return value.get("resourceType") in _NAMED
    return name in _REMOVED or (owner.named and name == "valueString")


def _text(text: str, key: str, owner: _Owner, project: Project) -> str:
    if key == "id":
        return project.patient(text)
    if key == "reference":
        match = _REFERENCE.fullmatch(text)
        if match is None:
            return ""
        name = project.patient(match.group(2) or match.group(3))
        return f"{match.group(1)}/{name}" if match.group(1) else f"urn:uuid:{name}"
    if match := _DATE.fullmatch(text):
        return _moved(match, owner.shift)
    return text if key in _PLAIN or key == "url" else tidy(owner.cleaner.clean(text, free=True), mark=True)


def _moved(match: re.Match[str], shift: int | None) -> str:
    year, month, day, rest = match.groups()
    moved = shift_dt(f"{year}{month}{day or ''}", shift) if shift is not None else None
    if moved is None:
        return ""
    return f"{moved[:4]}-{moved[4:6]}" + (f"-{moved[6:8]}" if day else "") + (rest or "")


def _unreadable(found: str) -> Refused:
    return refuse("record-unreadable", subject="file", found=found, remedy="export FHIR resources as JSON or NDJSON")
