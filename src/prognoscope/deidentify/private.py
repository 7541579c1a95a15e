"""Private elements: removed, but for those the standard lists as safe where that option is on.

`standard/safe_private.json` is Table E.3.10-1 of DICOM PS3.15. A listed element still loses its place when it holds
anything that is known to identify someone.
"""

from __future__ import annotations

import functools
import json
import re
from importlib import resources

from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.tag import BaseTag, Tag

from prognoscope.deidentify.plain import FORMATS, as_bytes, well_formed
from prognoscope.deidentify.text import Cleaner

_LINKED = frozenset({"SQ", "UI"})  # listed, yet a UID would lead back to the original, and items may hold anything
_WORDS = re.compile(rb"[ -~]{4,}[\0 ]?")
_TEXT = frozenset({"AE", "CS", "DS", "IS", "LO", "LT", "SH", "ST", "UC", "UT"})


@functools.cache
def safe_elements() -> dict[tuple[str, int, int], str]:
    """Value representation by private creator, group and element within the block (its low byte)."""
    text = resources.files(__package__).joinpath("standard", "safe_private.json").read_text(encoding="utf-8")
    return {
        (row["creator"], int(row["group"], 16), int(row["element"], 16)): row["vr"]
        for row in json.loads(text)["elements"]
    }


def kept_private(dataset: Dataset, cleaner: Cleaner) -> frozenset[BaseTag]:
    """Tags of the private elements of one level that may stay: listed ones, and the creators of their blocks."""
    safe = safe_elements()
    kept: set[BaseTag] = set()
    for tag in [tag for tag in list(dataset.keys()) if tag.group & 1 and tag.element > 0xFF]:
        creator_tag = Tag(tag.group, tag.element >> 8)
        if creator_tag not in dataset:
            continue
        creator = str(dataset[creator_tag].value).strip()
        vr = safe.get((creator, tag.group, tag.element & 0xFF))
        if vr is not None and _says_nothing(dataset, tag, vr, cleaner):
            kept |= {tag, creator_tag}
    return frozenset(kept)


def _says_nothing(dataset: Dataset, tag: BaseTag, vr: str, cleaner: Cleaner) -> bool:
    held = dataset.get_item(tag)
    if held is None or vr in _LINKED:
        return False
    if vr in FORMATS and not well_formed(as_bytes(held), vr):
        return False
    if isinstance(held, DataElement):
        text = str(held.value)
        return cleaner.clean(text, free=False) == text
    data = held.value or b""
    if vr in _TEXT:
        text = data.decode("latin-1")
        return cleaner.clean(text, free=False) == text
    return not _WORDS.fullmatch(data)  # numbers in binary form, all of whose bytes would be letters by chance
