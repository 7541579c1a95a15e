"""What has no words by its nature: numbers, dates and bytes. Where words stand in them, they are no numbers."""

from __future__ import annotations

import functools
import re

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.multival import MultiValue

from prognoscope.deidentify.text import Cleaner

BINARY = frozenset({"OB", "OW", "OD", "OF", "OL", "OV", "UN"})
MOST_SEARCHED = 1 << 22
_RUN = re.compile(rb"[ -~\x80-\xff]{4,}")
_WIDE_RUN = re.compile(rb"(?:[ -~]\0){4,}")
# Characters of each value representation (PS3.5 6.2), with the colons and dots of older editions.
FORMATS: dict[str, re.Pattern[bytes]] = {
    "DS": re.compile(rb"[0-9+\-eE. \\\0]*"),
    "IS": re.compile(rb"[0-9+\-eE. \\\0]*"),
    "TM": re.compile(rb"[0-9.:\- \\\0]*"),
    "DA": re.compile(rb"[0-9.:/\- \\\0]*"),
    "DT": re.compile(rb"[0-9.:+\- \\\0]*"),
    "AS": re.compile(rb"[0-9DWMY \\\0]*"),
    "UI": re.compile(rb"[0-9. \\\0]*"),
}


def as_bytes(held: DataElement | RawDataElement) -> bytes | None:
    """Bytes of an element as read, or its value written out."""
    if isinstance(held, RawDataElement) or held.value is None:
        return held.value
    many = held.value if isinstance(held.value, MultiValue | list) else [held.value]
    return "\\".join(str(one) for one in many).encode("utf-8", "replace")


@functools.lru_cache(maxsize=65_536)
def well_formed(value: bytes | None, vr: str) -> bool:
    """Whether the bytes of a number, a date, a time, an age or a UID hold nothing else."""
    return value is None or FORMATS[vr].fullmatch(value) is not None


def says_more(value: object, cleaner: Cleaner) -> bool:
    """Whether words in the bytes of a binary element (a colour profile, a waveform) name someone of the study."""
    if not isinstance(value, bytes) or len(value) > MOST_SEARCHED:
        return False
    runs = [run.decode("latin-1") for run in _RUN.findall(value)]
    runs += [run.decode("utf-16-le") for run in _WIDE_RUN.findall(value)]
    return any(cleaner.clean(run, free=False) != run for run in runs)
