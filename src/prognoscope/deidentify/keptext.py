"""Free text that stays in a clean object, at any depth: somebody has to read it before it is passed on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pydicom import Dataset

from prognoscope.deidentify.actions import TEXT, WRITTEN
from prognoscope.deidentify.elements import dictionary_vr, items_of
from prognoscope.deidentify.encode import Shared
from prognoscope.deidentify.identity import Remembered, values_of, without_names
from prognoscope.deidentify.profile import Options, keyword, rulebook

FREE = re.compile(r"\S+\s+\S+\s+\S+")  # three words and more
LONGEST_SHOWN = 1000  # characters of one text
# Values that are kept as they are, and that tell a place or a machine.
_TELLING = frozenset(
    {"InstitutionName", "StationName", "DeviceSerialNumber", "ProtocolName", "InstitutionalDepartmentName"}
)


@dataclass(eq=False)
class Kept:
    """Texts that stay, by what holds them, so that equal elements of many objects are read once.

    `texts` has those of an element by its bytes, `items` those of a sequence that several objects share by its `id`.
    """

    options: Options
    texts: Remembered = field(default_factory=dict)
    items: dict[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    free: dict[tuple[int, str | None], str] = field(default_factory=dict)


def kept_texts(dataset: Dataset, kept: Kept, shared: Shared) -> tuple[tuple[str, str], ...]:
    """Return `(keyword, text)` of the free text in a clean dataset and its sequences, each once, in order.

    Parameters
    ----------
    kept
        What was read of other objects under the same options; filled as new elements are met.
    shared
        Elements that several objects share.
    """
    found: dict[tuple[str, str], None] = {}
    for tag, held in list(dataset.items()):
        number = int(tag)
        kind = kept.free.get((number, held.VR))
        if kind is None:
            kind = kept.free[number, held.VR] = _kind(number, held.VR, kept.options)
        if kind == "items":
            if id(held) not in kept.items:
                inside = dict.fromkeys(
                    entry for item in items_of(dataset, held) for entry in kept_texts(item, kept, shared)
                )
                if id(held) in shared:
                    kept.items[id(held)] = tuple(inside)
                found.update(inside)
            else:
                found.update(dict.fromkeys(kept.items[id(held)]))
        elif kind:
            for text in values_of(dataset, held, kept.texts):
                if text not in ("REMOVED", "[removed]"):
                    found[kind, text[:LONGEST_SHOWN]] = None
    return tuple(found)


def _kind(number: int, written_vr: str | None, options: Options) -> str:
    """Keyword of an element of free text, `items` for a sequence, nothing for all else."""
    vr = written_vr if written_vr not in (None, "UN") else dictionary_vr(number)
    if vr == "SQ":
        return "" if without_names(number) else "items"
    action = rulebook(options).actions.get(number)
    # Private elements that stay are listed ones; group 0012 says how identity was removed.
    if vr not in TEXT or vr in ("CS", "AE", "AS") or number & 0x10000 or number >> 16 == 0x0012:
        return ""
    free = action == "C" or keyword(number) in _TELLING or (action is None and vr in WRITTEN)
    return keyword(number) if free else ""
