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
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.multival import MultiValue

from prognoscope.deidentify.profile import Options, rulebook, standard

_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "UR"})
_MANY = 1 << 16
_PIXELS = 0x7FE0
Remembered = dict[tuple[int, bytes, str], tuple[str, ...]]
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
        met.names |= identity.names
        met.ids |= identity.ids
        met.days |= identity.days
    return met.identity()


def gather(dataset: Dataset, options: Options, remembered: Remembered | None = None) -> Identity:
    """Collect what a dataset and its sequences say about people; nothing is changed or decoded in place.

    Parameters
    ----------
    remembered
        Values of elements of other objects, which are not decoded again; filled as new ones are met.
    """
    met = _Met()
    _walk(dataset, _identifying(options), met, {} if remembered is None else remembered)
    return met.identity()


@dataclass(slots=True)
class _Met:
    """What was met so far."""

    names: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    days: set[str] = field(default_factory=set)

    def identity(self) -> Identity:
        return Identity(frozenset(self.names), frozenset(self.ids), frozenset(self.days))


def _walk(dataset: Dataset, identifying: frozenset[int], met: _Met, remembered: Remembered) -> None:
    for tag, held in list(dataset.items()):
        number = int(tag)
        if number & 0x10000 or number >> 16 == _PIXELS:
            continue
        vr = held.VR if held.VR not in (None, "UN") else dictionary_vr(number)
        if vr == "PN":
            met.names.update(values_of(dataset, held, remembered))
        elif vr == "SQ" and not without_names(number):
            for item in dataset[tag].value:
                _walk(item, identifying, met, remembered)
        elif number in identifying and vr in _TEXT:
            met.ids.update(values_of(dataset, held, remembered))
        elif vr in ("DA", "DT"):
            met.days.update(text[:8] for text in values_of(dataset, held, remembered) if text[:8].isdigit())


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


@functools.lru_cache(maxsize=8192)
def dictionary_vr(tag: int) -> str:
    """Value representation from the data dictionary; `UN` where it has none."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


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
