"""What a study says about a person: the strings that may appear nowhere in what leaves.

They are gathered from every object of a study before the first one is written, because a name in the description of
one series may stand as Patient's Name only in another.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue

from prognoscope.deidentify.profile import Options, rulebook, standard

_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "UR"})
_MANY = 1 << 16
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
    """

    names: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def __or__(self, other: Identity) -> Identity:
        return Identity(self.names | other.names, self.ids | other.ids)


def merged(identities: Iterable[Identity]) -> Identity:
    """Return everything that several objects know together."""
    names: set[str] = set()
    ids: set[str] = set()
    for identity in identities:
        names |= identity.names
        ids |= identity.ids
    return Identity(frozenset(names), frozenset(ids))


def gather(dataset: Dataset, options: Options) -> Identity:
    """Collect what a dataset and its sequences say about people; nothing is changed or decoded in place."""
    names: set[str] = set()
    ids: set[str] = set()
    _walk(dataset, _identifying(options), names, ids)
    return Identity(frozenset(names), frozenset(ids))


def _walk(dataset: Dataset, identifying: frozenset[int], names: set[str], ids: set[str]) -> None:
    for tag in list(dataset.keys()):
        if tag.group & 1 or tag.group == 0x7FE0:
            continue
        held = dataset.get_item(tag)
        vr = held.VR if held is not None and held.VR not in (None, "UN") else _vr(tag)
        if vr == "PN":
            names.update(_values(dataset, tag))
        elif vr == "SQ" and tag not in _WITHOUT_NAMES:
            for item in dataset[tag].value:
                _walk(item, identifying, names, ids)
        elif tag in identifying and vr in _TEXT and not _too_long(held):
            ids.update(_values(dataset, tag))


def _values(dataset: Dataset, tag: int) -> list[str]:
    value = dataset[tag].value
    many = value if isinstance(value, MultiValue | list) else [value]
    return [text for text in (re.sub(r"\s+", " ", str(one)).strip("\0 ") for one in many if one) if text]


def _too_long(held: object) -> bool:
    return isinstance(held, RawDataElement) and held.value is not None and len(held.value) > _MANY


def _vr(tag: int) -> str | None:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return None


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
