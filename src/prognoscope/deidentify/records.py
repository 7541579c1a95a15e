"""FHIR records (JSON, one document or one a line) with the images' pseudonyms and date shifts.

Works on the structure that all resources share, so that a type nobody thought of is cleaned too: names, contacts,
addresses, identifiers, narratives, photos and attachments go; ids and references are renamed consistently; dates
move or go; other text is cleaned as free text.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.dates import shift_dt
from prognoscope.deidentify.identity import Identity
from prognoscope.deidentify.keptext import FREE, LONGEST_SHOWN
from prognoscope.deidentify.profile import Options
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.text import Cleaner, tidy
from prognoscope.deidentify.words import alternatives

RECORDS = (".json", ".ndjson", ".json.gz", ".ndjson.gz")
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
_PUBLIC = frozenset({"display", "reference"})  # what stands in public lists needs no reading
_TITLE = re.compile(rf"^{alternatives('titles')}\b\.?\s+", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?([T ].*)?")
_REFERENCE = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/.*)?|urn:(?:uuid|oid):(.+)")


@dataclass(frozen=True, slots=True)
class Community:
    """Who appears in the records of a folder, whichever file says it.

    Attributes
    ----------
    people
        What is known of each patient, by the images' patient ID or, without images, by the resource's id; under the
        empty ID what is known of practitioners and relatives.
    patient_ids
        The images' patient ID by the id of a Patient resource that has it among its identifiers.
    """

    people: Mapping[str, Identity]
    patient_ids: Mapping[str, str]

    def patient(self, resource_id: str) -> str:
        """Return the ID that the pseudonym of a Patient resource follows from."""
        return self.patient_ids.get(resource_id, resource_id)


@dataclass(frozen=True, slots=True)
class CleanRecord:
    """Records without identity as bytes, their number, and the free text that stayed: `(place, text)`."""

    data: bytes
    resources: int
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose record is being cleaned: the cleaner, and the kind of resource, whose extensions may hold names."""

    cleaner: Cleaner
    kind: str


@dataclass(frozen=True, eq=False)
class _Work:
    """What the resources of a file share while they are cleaned."""

    community: Community
    project: Project
    options: Options
    cleaners: dict[str, Cleaner] = field(default_factory=dict)
    texts: dict[tuple[str, str], None] = field(default_factory=dict)

    def cleaner(self, patient: str) -> Cleaner:
        if patient not in self.cleaners:
            everyone = self.community.people.get("", Identity())
            known = self.community.people.get(patient, everyone) | everyone | Identity(ids=frozenset({patient} - {""}))
            shift = self.project.shift_days(patient) if self.options.retain_dates and patient else None
            self.cleaners[patient] = Cleaner(known, shift)
        return self.cleaners[patient]


def meet(paths: Sequence[Path], people: Mapping[str, Identity]) -> Community:
    """Learn who appears in records before any of them is cleaned: Patient resources often have a file of their own.

    Parameters
    ----------
    paths
        Of all files of records; those that can't be read are left out here, and refused when their turn comes.
    people
        What the images know, by patient ID.
    """
    known, others, patient_ids = dict(people), set[str](), dict[str, str]()
    for path in paths:
        try:
            for one in _read(path):
                _meet(one, "", known, others, patient_ids)
        except (Refused, RecursionError):
            continue
    return Community({**known, "": Identity(names=frozenset(others))}, patient_ids)


def clean_record(path: Path, *, community: Community, project: Project, options: Options) -> CleanRecord:
    """Read FHIR resources and return them without identity, in the form they came in.

    Raises
    ------
    Refused
        `record-unreadable`, `file-too-large`.
    """
    resources = _read(path)
    work = _Work(community, project, options)
    try:
        cleaned = [_resource(one, work) for one in resources]
    except RecursionError as error:
        raise _unreadable("it is nested without end") from error
    text = "".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in cleaned)
    return CleanRecord(text.encode(), len(cleaned), tuple(work.texts))


def _unpacked(path: Path) -> bytes:
    """Bytes of a document, unpacked where its name says that it is packed."""
    packed = path.name.lower().endswith(".gz")
    with gzip.open(path) if packed else path.open("rb") as stream:
        data = stream.read(LARGEST_DOCUMENT_BYTES + 1)
    if len(data) > LARGEST_DOCUMENT_BYTES:
        raise refuse(
            "file-too-large",
            subject="file",
            found=f"records of more than {LARGEST_DOCUMENT_BYTES >> 20} MiB",
            remedy="split them",
        )
    return data


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        text = _unpacked(path).decode("utf-8-sig")
        lines = text.splitlines() if ".ndjson" in path.name.lower() else [text]
        resources = [json.loads(line) for line in lines if line.strip()]
    except (ValueError, RecursionError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _unreadable(f"it is no JSON ({type(error).__name__})") from error
    if not resources or not all(isinstance(one, dict) and "resourceType" in one for one in resources):
        raise _unreadable("it holds no FHIR resource")
    return resources


def _meet(value: Any, key: str, known: dict[str, Identity], others: set[str], patient_ids: dict[str, str]) -> None:
    if isinstance(value, list):
        for one in value:
            _meet(one, key, known, others, patient_ids)
    elif isinstance(value, dict):
        if value.get("resourceType") in _NAMED - {"Patient"}:
            others.update(_names(value))
        if key in _PERSONS and isinstance(value.get("display"), str):
            others.add(_TITLE.sub("", value["display"]))
        if value.get("resourceType") == "Patient" and value.get("id"):
            _meet_patient(value, known, patient_ids)
        for name, one in value.items():
            _meet(one, name, known, others, patient_ids)


def _meet_patient(resource: dict[str, Any], known: dict[str, Identity], patient_ids: dict[str, str]) -> None:
    numbers = {str(one.get("value", "")).strip() for one in _objects(resource.get("identifier"))} - {""}
    patient = str(resource["id"])
    of_images = sorted(numbers & known.keys() - {patient})
    if of_images and patient not in known:
        patient_ids[patient] = of_images[0]
    own = Identity(frozenset(_names(resource)), frozenset(numbers | {patient}), frozenset(_birthday(resource)))
    place = patient_ids.get(patient, patient)
    known[place] = known.get(place, Identity()) | own


def _birthday(resource: dict[str, Any]) -> list[str]:
    match = _DATE.fullmatch(str(resource.get("birthDate", "")))
    return [f"{match[1]}{match[2]}{match[3]}"] if match and match[3] else []


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _resource(resource: dict[str, Any], work: _Work) -> dict[str, Any]:
    kind = str(resource.get("resourceType", ""))
    owner = _Owner(work.cleaner(work.community.patient(_patient(resource))), kind)
    cleaned: dict[str, Any] = _value(resource, "", owner, work)
    return cleaned


def _patient(resource: dict[str, Any]) -> str:
    """Return the id of the Patient resource that a resource is about; empty when there is none."""
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


def _value(value: Any, key: str, owner: _Owner, work: _Work) -> Any:
    if isinstance(value, dict):
        if key and "resourceType" in value:  # within a bundle, and perhaps another patient's
            return _resource(value, work)
        kept = {name: one for name, one in value.items() if not _goes(name, key, value, owner)}
        pairs = ((name, _value(one, name, owner, work)) for name, one in kept.items())
        left = {name: one for name, one in pairs if one not in ("", None, {}, [])}
        return {} if set(left) == {"url"} else left  # an extension without its value
    if isinstance(value, list):
        some = [_value(one, key, owner, work) for one in value]
        return [one for one in some if one not in ("", None, {})]
    if key in ("id", "reference") and value is not None:
        value = str(value)  # a number where the standard has letters is a number of the patient all the same
    return _text(value, key, owner, work) if isinstance(value, str) else value


def _goes(name: str, key: str, value: Mapping[str, Any], owner: _Owner) -> bool:
    """Whether a member of an object is left out whatever it says."""
    if name == "url":  # of an attachment; the one of an extension says what it means
        return not any(other.startswith(("value", "extension")) for other in value)
    if name == "display":  # of a reference; the one of a code stands in a public list
        return key in _PERSONS or "reference" in value
    if name == "name":
        return value.get("resourceType") in _NAMED
    if name == "text" and isinstance(value[name], dict):  # the narrative, which says all of the resource again
        return "div" in value[name]
    return name in _REMOVED or (owner.kind in _NAMED and name == "valueString")


def _text(text: str, key: str, owner: _Owner, work: _Work) -> str:
    if key == "id":
        return work.project.patient(work.community.patient(text))
    if key == "reference":
        match = _REFERENCE.fullmatch(text)
        if match is None:
            return ""
        name = work.project.patient(work.community.patient(match.group(2) or match.group(3)))
        return f"{match.group(1)}/{name}" if match.group(1) else f"urn:uuid:{name}"
    if match := _DATE.fullmatch(text):
        return _moved(match, owner.cleaner.shift)
    if key in _PLAIN or key == "url":
        return text
    clean = tidy(owner.cleaner.clean(text, free=True), mark=True)
    if key not in _PUBLIC and FREE.search(clean):
        work.texts[f"{owner.kind}.{key}", clean[:LONGEST_SHOWN]] = None
    return clean


def _moved(match: re.Match[str], shift: int | None) -> str:
    year, month, day, rest = match.groups()
    moved = shift_dt(f"{year}{month}{day or ''}", shift) if shift is not None else None
    if moved is None:
        return ""
    return f"{moved[:4]}-{moved[4:6]}" + (f"-{moved[6:8]}" if day else "") + (rest or "")


def _unreadable(found: str) -> Refused:
    return refuse("record-unreadable", subject="file", found=found, remedy="export FHIR resources as JSON or NDJSON")
