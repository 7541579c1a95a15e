"""Free text that stays in a clean object, at any depth: somebody has to read it before it is passed on."""

from __future__ import annotations

import functools
import re

from pydicom import Dataset

from prognoscope.deidentify.actions import TEXT, WRITTEN
from prognoscope.deidentify.identity import Remembered, dictionary_vr, values_of, without_names
from prognoscope.deidentify.profile import Options, keyword, rulebook

FREE = re.compile(r"\S+\s+\S+\s+\S+")  # three words and more
LONGEST_SHOWN = 1000  # characters of one text
# Values that are kept as they are, and that tell a place or a machine.
_TELLING = frozenset(
    {"InstitutionName", "StationName", "DeviceSerialNumber", "ProtocolName", "InstitutionalDepartmentName"}
)


def kept_texts(dataset: Dataset, options: Options, remembered: Remembered) -> tuple[tuple[str, str], ...]:
    """Return `(keyword, text)` of the free text in a clean dataset and its sequences, each once, in order.

    Parameters
    ----------
    remembered
        Values of elements of other objects, which are not decoded again; filled as new ones are met.
    """
    found: dict[tuple[str, str], None] = {}
    _walk(dataset, options, remembered, found)
    return tuple(found)


def _walk(dataset: Dataset, options: Options, remembered: Remembered, found: dict[tuple[str, str], None]) -> None:
    for tag, held in list(dataset.items()):
        number = int(tag)
        vr = held.VR if held.VR not in (None, "UN") else dictionary_vr(number)
        if vr == "SQ":
            for item in () if without_names(number) else dataset[tag].value:
                _walk(item, options, remembered, found)
        elif vr in TEXT and _free(number, vr, options):
            for text in values_of(dataset, held, remembered):
                if text not in ("REMOVED", "[removed]"):
                    found[keyword(number), text[:LONGEST_SHOWN]] = None


@functools.lru_cache(maxsize=8192)
def _free(tag: int, vr: str, options: Options) -> bool:
    action = rulebook(options).actions.get(tag)
    if tag & 0x10000 or tag >> 16 == 0x0012 or vr in ("CS", "AE", "AS"):
        return False  # private elements that stay are listed ones; group 0012 says how identity was removed
    return action == "C" or keyword(tag) in _TELLING or (action is None and vr in WRITTEN)
