"""What a study says about a person: the strings that may appear nowhere in what leaves.

They are gathered from every object of a study before the first one is written, because a name in the description of
one series may stand as Patient's Name only in another.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.multival import MultiValue

from prognoscope.deidentify.elements import dictionary_vr, items_of
from prognoscope.deidentify.profile import Options, rulebook, standard
from prognoscope.deidentify.words import CLINICAL_NOUNS, IMAGING, ORDINARY, PLACES

_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "UR"})
_MANY = 1 << 16
_PIXELS = 0x7FE0
_LONGEST_REMEMBERED = 4096  # bytes of a sequence
Remembered = dict[tuple[int, bytes, str], tuple[str, ...]]
Said = dict[tuple[int, bytes, str], "Identity"]
_PLACES = frozenset({0x00080080, 0x00080081, 0x00101040})  # institution, its address, the patient's
_WITHOUT_NAMES = frozenset({0x30060039, 0x52009230})  # contours and frames: long, and numbers only
# Values with these options describe more than they identify; they are cleaned, and clean nothing else.
_DESCRIBING = frozenset({"clean_descriptors", "clean_structured_content", "retain_characteristics"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Identifiers of the people, places and orders of one study.

    Attributes
    ----------
    names
        Person names as DICOM writes them (`DOE^JANE`) or in words.
    ids
        Patient IDs, accession numbers, addresses, institutions and what else the standard removes, as written.
    days
        Days on which something was done or somebody was born, as `YYYYMMDD`.
    """

    names: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    days: frozenset[str] = frozenset()

    def __or__(self, other: Identity) -> Identity:
        return Identity(self.names | other.names, self.ids | other.ids, self.days | other.days)


def merged(identities: Iterable[Identity]) -> Identity:
    """Return everything that several objects know together."""
    met = _Met()
    for identity in identities:
        met.add(identity)
    return met.identity()


def gather(dataset: Dataset, options: Options, said: Said | None = None) -> Identity:
    """Collect what a dataset and its sequences say about people; nothing is changed or decoded in place.

    Parameters
    ----------
    said
        What elements of other objects say, which are not decoded again; filled as new ones are met.
    """
    met = _Met()
    _walk(dataset, _kinds(options), met, {} if said is None else said)
    return met.identity()


@dataclass(slots=True)
class _Met:
    """What was met so far."""

    names: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    days: set[str] = field(default_factory=set)

    def add(self, identity: Identity) -> None:
        self.names |= identity.names
        self.ids |= identity.ids
        self.days |= identity.days

    def identity(self) -> Identity:
        return Identity(frozenset(self.names), frozenset(self.ids), frozenset(self.days))


def _walk(dataset: Dataset, kinds: _Kinds, met: _Met, said: Said) -> None:
    charset = str(dataset.original_character_set)
    for tag, held in list(dataset.items()):
        number = int(tag)
        kind = kinds[number, held.VR]
        if not kind:
            continue
        if not isinstance(held, RawDataElement) or len(held.value or b"") > _LONGEST_REMEMBERED:
            met.add(_told(dataset, held, kind, kinds, said))
        elif held.value:
            key = (number, held.value, charset)
            if key not in said:
                said[key] = _told(dataset, held, kind, kinds, said)
            met.add(said[key])


def _told(dataset: Dataset, held: DataElement | RawDataElement, kind: str, kinds: _Kinds, said: Said) -> Identity:
    """Return what one element says."""
    if kind == "items":
        met = _Met()
        for item in items_of(dataset, held):
            _walk(item, kinds, met, said)
        return met.identity()
    texts = values_of(dataset, held, {})
    if kind == "places":
        return Identity(names=frozenset(own for text in texts for own in _own_words(text)), ids=frozenset(texts))
    if kind == "days":
        return Identity(days=frozenset(text[:8] for text in texts if text[:8].isdigit()))
    return Identity(names=frozenset(texts)) if kind == "names" else Identity(ids=frozenset(texts))


def _own_words(place: str) -> list[str]:
    """Words of an institution's name or an address that it shares with few others."""
    words = re.findall(r"[^\W\d_]{5,}", place)
    return [word for word in words if word.lower() not in PLACES | IMAGING | ORDINARY | CLINICAL_NOUNS]


class _Kinds(dict[tuple[int, str | None], str]):
    """What of identity an element holds, by tag and VR: names, ids, places, days, items with any of it, or nothing."""

    def __init__(self, identifying: frozenset[int]) -> None:
        super().__init__()
        self.identifying = identifying

    def __missing__(self, key: tuple[int, str | None]) -> str:
        self[key] = _kind(*key, self.identifying)
        return self[key]


@functools.cache
def _kinds(options: Options) -> _Kinds:
    return _Kinds(_identifying(options))


def _kind(number: int, written_vr: str | None, identifying: frozenset[int]) -> str:
    if number & 0x10000 or number >> 16 == _PIXELS:
        return ""
    vr = written_vr if written_vr not in (None, "UN") else dictionary_vr(number)
    if vr == "PN":
        return "names"
    if vr == "SQ":
        return "" if without_names(number) else "items"
    if vr in _TEXT and number in identifying:
        return "places" if number in _PLACES else "ids"
    return "days" if vr in ("DA", "DT") else ""


def without_names(tag: int) -> bool:
    """Whether a sequence is long and holds numbers only: contours and frames."""
    return tag in _WITHOUT_NAMES


def values_of(dataset: Dataset, held: DataElement | RawDataElement, remembered: Remembered) -> tuple[str, ...]:
    """Texts of an element, trimmed, the empty ones left out; the dataset keeps the bytes as they were read."""
    if isinstance(held, DataElement):
        return _texts(held.value)
    if held.value is None or len(held.value) > _MANY:
        return ()
    key = (int(held.tag), held.value, str(dataset.original_character_set))
    if key not in remembered:
        element = convert_raw_data_element(held, encoding=dataset.original_character_set, ds=dataset)
        remembered[key] = _texts(element.value)
    return remembered[key]


def _texts(value: object) -> tuple[str, ...]:
    many = value if isinstance(value, MultiValue | list) else [value]
    return tuple(text for text in (re.sub(r"\s+", " ", str(one)).strip("\0 ") for one in many if one) if text)


@functools.cache
def _identifying(options: Options) -> frozenset[int]:
    """Tags whose text identifies: the standard removes or replaces it under these options, and it isn't descriptive."""
    actions = rulebook(options).actions
    return frozenset(
        int(rule.tag, 16)
        for rule in standard().rules
        if not rule.tag.startswith(("50XX", "60XX", "private"))
        and not _DESCRIBING & {name for name, _ in rule.options}
        and actions[int(rule.tag, 16)] not in ("K", "C", "U")
    )
