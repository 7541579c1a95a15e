"""The action codes of PS3.15 Table E.1-1a, each a small function from an element to what stands in its place.

Sequences are not here: an action on a sequence decides what happens to its items (`dataset.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.uid import UID

from prognoscope.deidentify.dates import Shift, shift_da, shift_dt
from prognoscope.deidentify.profile import Options, Rulebook
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.text import OLDEST_AGE_YEARS, Cleaner, tidy

TEXT = frozenset({"AE", "AS", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"})
WRITTEN = frozenset({"LT", "ST", "UT", "UC"})  # text of which people write much
_UNREADABLE = frozenset({"PN", "OB", "OW", "UN"})
_LONGEST = {"AE": 16, "CS": 16, "SH": 16, "LO": 64, "ST": 1024, "LT": 10240}
_PATIENT_ID, _PATIENT_NAME, _PATIENT_AGE = 0x00100020, 0x00100010, 0x00101010

DUMMIES: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), "REMOVED"),
        "AS": "000Y",
        "DA": "19000101",
        "DT": "19000101000000",
        "TM": "000000",
        "UR": "urn:removed",
        "DS": "0",
        "IS": "0",
        **dict.fromkeys(("FD", "FL"), 0.0),
        **dict.fromkeys(("SL", "SS", "SV", "UL", "US", "UV", "AT"), 0),
        **dict.fromkeys(("OB", "UN"), b"\0\0"),
        **dict.fromkeys(("OW", "OF", "OL", "OD", "OV"), b"\0" * 8),
    }
)


@dataclass(frozen=True, eq=False)
class Context:
    """All that an action may need to know beside its element.

    Attributes
    ----------
    project, options, book
        The project's pseudonyms, the options in force and the standard's table under them.
    cleaner
        Takes identity out of texts, knowing the people of the study.
    patient
        The original patient ID of the object.
    sop_class
        Its SOP Class UID.
    within
        Keyword of the sequence that holds the element; empty at the root.
    dummies
        Whether the element lies in a sequence whose values are all to be replaced (action D on a sequence).
    """

    project: Project
    options: Options
    book: Rulebook
    cleaner: Cleaner
    patient: str
    sop_class: str
    within: str = ""
    dummies: bool = False

    @property
    def shift(self) -> Shift:
        """Days added to dates; None where dates are removed."""
        return self.cleaner.shift

    def inside(self, keyword: str, *, dummies: bool) -> Context:
        """Return the context of the items of a sequence."""
        return replace(self, within=keyword, dummies=self.dummies or dummies)


def remove(element: DataElement, context: Context) -> DataElement | None:  # noqa: ARG001 - one signature for all
    """X: the element is absent."""
    return None


def empty(element: DataElement, context: Context) -> DataElement | None:
    """Z: the element has no value, but for patient ID and name, which get the pseudonym (a dummy is allowed)."""
    if element.tag in (_PATIENT_ID, _PATIENT_NAME):
        return dummy(element, context)
    return _with(element, None)


def dummy(element: DataElement, context: Context) -> DataElement | None:
    """D: a value of the same kind that says nothing; UIDs and patient IDs stay consistent."""
    if element.tag == _PATIENT_ID:
        return _with(element, context.project.patient(str(element.value or context.patient)))
    if element.tag == _PATIENT_NAME and not context.within:
        return _with(element, context.project.patient(context.patient))
    if element.VR == "UI":
        return renumber(element, context)
    return _with(element, DUMMIES.get(element.VR))


def renumber(element: DataElement, context: Context) -> DataElement | None:
    """U: another UID, the same one for the same original; UIDs that the standard itself defines stay."""
    if element.is_empty:
        return element
    many = _values(element)
    return _with(element, [uid if _defined(str(uid)) else context.project.uid(str(uid)) for uid in many])


def keep(element: DataElement, context: Context) -> DataElement | None:
    """K: as it is, but for what is known to identify someone; ages of 90 years and more become 90."""
    if element.tag == _PATIENT_AGE:
        return _capped_age(element)
    return _cleaned_text(element, context, free=False) if element.VR in TEXT else element


def clean(element: DataElement, context: Context) -> DataElement | None:
    """C: dates moved by the shift, text without identity; names and bytes, which can't be cleaned, replaced."""
    if element.VR in ("DA", "DT"):
        return _moved_date(element, context)
    if element.VR in _UNREADABLE:
        return dummy(element, context)
    return _cleaned_text(element, context, free=element.VR not in ("AE", "CS")) if element.VR in TEXT else element


ACTIONS: tuple[tuple[str, Callable[[DataElement, Context], DataElement | None]], ...] = (
    ("D", dummy),
    ("Z", empty),
    ("X", remove),
    ("K", keep),
    ("C", clean),
    ("U", renumber),
)


def _defined(uid: str) -> bool:
    """Whether the standard itself gives the UID a meaning (PS3.6 Annex A)."""
    return UID(uid).name != uid


def _moved_date(element: DataElement, context: Context) -> DataElement | None:
    if context.shift is None:
        return dummy(element, context)
    if element.is_empty:
        return element
    move = shift_da if element.VR == "DA" else shift_dt
    moved = [move(str(value), context.shift) for value in _values(element)]
    if any(value is None for value in moved):
        return dummy(element, context)  # not a date: whatever it is, it can't be moved
    return _with(element, moved)


def _cleaned_text(element: DataElement, context: Context, *, free: bool) -> DataElement | None:
    if element.is_empty:
        return element
    before = [str(value) for value in _values(element)]
    after = [
        tidy(context.cleaner.clean(value, free=free), mark=element.VR in WRITTEN)[: _LONGEST.get(element.VR)]
        for value in before
    ]
    return element if after == before else _with(element, after)


def _capped_age(element: DataElement) -> DataElement:
    value = str(element.value or "")
    years = int(value[:3]) if value[:3].isdigit() and value.endswith("Y") else 0
    return _with(element, f"{OLDEST_AGE_YEARS:03d}Y") if years >= OLDEST_AGE_YEARS else element


def _values(element: DataElement) -> list[Any]:
    return list(element.value) if isinstance(element.value, MultiValue | list) else [element.value]


def _with(element: DataElement, value: object) -> DataElement:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return DataElement(element.tag, element.VR, value)
