"""One DICOM dataset through the standard's table, sequences, private blocks and repeating groups included.

An element that nothing happens to stays as its bytes were read. What happened to equal bytes once is not worked out
again: slices of a series share nearly all their elements.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, field

from pydicom import Dataset, Sequence
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag

from prognoscope.core.problems import refuse
from prognoscope.deidentify.actions import ACTIONS, TEXT, WRITTEN, Context
from prognoscope.deidentify.encode import Shared
from prognoscope.deidentify.identity import Identity, Remembered, dictionary_vr, gather
from prognoscope.deidentify.plain import BINARY, FORMATS, as_bytes, says_more, well_formed
from prognoscope.deidentify.private import kept_private
from prognoscope.deidentify.profile import BASIC_CODE, Action, Options, keyword, rulebook, standard
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.quiet import quiet
from prognoscope.deidentify.text import Cleaner

DEEPEST = 16
_LONGEST_REMEMBERED = 2048
_PIXELS, _PATIENT_NAME, _METHOD_CODES = 0x7FE0, 0x00100010, 0x00120064
_PIXEL_ELEMENTS = frozenset({0x0001, 0x0002, 0x0008, 0x0009, 0x0010})  # offsets, and pixels in three number formats
_ACTIONS = dict(ACTIONS)
_ALWAYS_REMOVED = frozenset({0x04000500, 0x00080300})  # encrypted originals, and the description of private blocks
# In an item whose values are all replaced, codes stay: they are taken from public lists.
_CODES = frozenset({0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00080120})
_CLASS_WORDS = ("ClassUID", "SchemeUID", "SyntaxUID", "ContextUID", "ResourceUID", "ExtensionCreatorUID", "TypeUID")
_LISTED = frozenset(str(code) for code in range(113100, 113113))  # CID 7050, de-identification methods

Log = Counter[tuple[str, str, Action]]


@dataclass(eq=False)
class Study:
    """What the objects of one study share while they are de-identified: who is in it, and what was worked out.

    `encoded` has an entry for each element that more than one object may hold, and its bytes once they are known;
    `texts` has the decoded texts of clean elements.
    """

    project: Project
    options: Options
    identity: Identity
    remembered: dict[tuple[object, ...], tuple[Action | None, object]] = field(default_factory=dict)
    cleaners: dict[str, Cleaner] = field(default_factory=dict)
    signatures: dict[object, tuple[DataElement, ...]] = field(default_factory=dict)
    encoded: Shared = field(default_factory=dict)
    texts: Remembered = field(default_factory=dict)

    def cleaner(self, patient: str) -> Cleaner:
        """Return the text cleaner for a patient of the study, who has a date shift of their own."""
        if patient not in self.cleaners:
            known = self.identity | Identity(ids=frozenset({patient} - {""}))
            shift = self.project.shift_days(patient) if self.options.retain_dates else None
            self.cleaners[patient] = Cleaner(known, shift)
        return self.cleaners[patient]


def deidentify_dataset(
    dataset: Dataset, project: Project, options: Options, *, identity: Identity | None = None
) -> tuple[Dataset, Log]:
    """Apply Table E.1-1 of PS3.15 under the options to a dataset, in place.

    Parameters
    ----------
    dataset
        As read, without its file meta information; it is changed.
    project
        Gives pseudonyms, UIDs and date shifts.
    options
        What is done beyond the basic profile. Pixels are another matter (`pixels.py`).
    identity
        What the other objects of the study say about people; what this one says is added.

    Returns
    -------
    The dataset, and how often each action was taken by tag: `(tag, keyword, action)`.

    Raises
    ------
    Refused
        `dicom-nesting` when sequences lie deeper than 16 within each other.
    """
    with quiet():
        known = gather(dataset, options) | (identity or Identity())
        return deidentify_in_study(dataset, Study(project, options, known))


def deidentify_in_study(dataset: Dataset, study: Study) -> tuple[Dataset, Log]:
    """As `deidentify_dataset`, for one of many objects of a study whose identity is gathered already."""
    patient = str(dataset.get("PatientID") or "").strip()
    context = Context(
        project=study.project,
        options=study.options,
        book=rulebook(study.options),
        cleaner=study.cleaner(patient),
        patient=patient or str(dataset.get("StudyInstanceUID", "")),
        sop_class=str(dataset.get("SOPClassUID", "")),
    )
    log: Log = Counter()
    earlier = _earlier_codes(dataset)
    _level(dataset, context, study, log, depth=0)
    for element in _signature(context, study, earlier):
        dataset[element.tag] = element
    return dataset, log


def _level(dataset: Dataset, context: Context, study: Study, log: Log, *, depth: int) -> None:
    if depth > DEEPEST:
        raise refuse(
            "dicom-nesting",
            subject="dataset",
            found=f"sequences lie more than {DEEPEST} deep within each other",
            remedy="check the object with its maker; it was not passed on",
        )
    safe = kept_private(dataset, context.cleaner) if context.options.retain_safe_private else frozenset()
    for tag, held in list(dataset.items()):
        number = int(tag)
        if number & 0x10000:
            if tag not in safe:
                _drop(dataset, tag, log, "(private)")
        elif _outside(number):
            _drop(dataset, tag, log, keyword(number))
        elif number >> 16 != _PIXELS:
            _element(dataset, tag, held, context, study, log, depth)


def _element(
    dataset: Dataset,
    tag: BaseTag,
    held: DataElement | RawDataElement,
    context: Context,
    study: Study,
    log: Log,
    depth: int,
) -> None:
    number = int(tag)
    vr = held.VR if held.VR not in (None, "UN") else dictionary_vr(number)
    action = context.book.action(number, sop_class=context.sop_class, within=context.within)
    action = action or _unlisted(number, vr, context)
    if vr[:2] in BINARY and action in (None, "K") and says_more(held.value, context.cleaner):
        action = "X"
    elif vr in FORMATS and not well_formed(as_bytes(held), vr):
        # Words stand where a number or a date belongs.
        action = "D" if action == "C" else "Z" if action in (None, "K", "U") else action
    if action is None:
        return
    if vr == "SQ":
        _sequence(dataset, tag, action, context, study, log, depth)
        return
    key = None
    if isinstance(held, RawDataElement) and held.value is not None and len(held.value) <= _LONGEST_REMEMBERED:
        inside = bool(context.within) and number == _PATIENT_NAME
        key = (number, vr, held.value, action, context.patient, inside, str(dataset.original_character_set))
        if key in study.remembered:
            _put(dataset, tag, *study.remembered[key], log)
            return
    element = _decoded(held, dataset)
    result = _ACTIONS[action](element, context)
    # Listed attributes are counted whatever came out; of the others only those that changed.
    counted = action if result is not element or context.book.actions.get(number) else None
    outcome = _SAME if result is element else result
    if key is not None:
        study.remembered[key] = (counted, outcome)
        if isinstance(outcome, DataElement):
            study.encoded[id(outcome)] = {}
    _put(dataset, tag, counted, outcome, log)


_SAME = object()


def _decoded(held: DataElement | RawDataElement, dataset: Dataset) -> DataElement:
    """Return the element with its value decoded; the dataset keeps the bytes as they were read."""
    if isinstance(held, DataElement):
        return held
    return convert_raw_data_element(held, encoding=dataset.original_character_set, ds=dataset)


def _put(dataset: Dataset, tag: BaseTag, counted: Action | None, outcome: object, log: Log) -> None:
    if counted is not None:
        log[_tag_text(tag), keyword(tag), counted] += 1
    if outcome is None:
        del dataset[tag]
    elif isinstance(outcome, DataElement):
        dataset[tag] = outcome


def _sequence(
    dataset: Dataset, tag: BaseTag, action: Action, context: Context, study: Study, log: Log, depth: int
) -> None:
    if context.book.actions.get(tag) or tag in _ALWAYS_REMOVED:
        log[_tag_text(tag), keyword(tag), action] += 1
    if action == "X":
        del dataset[tag]
    elif action == "Z":
        dataset[tag] = DataElement(tag, "SQ", Sequence())
    else:
        inner = context.inside(keyword(tag), dummies=action == "D")
        for item in dataset[tag].value:
            _level(item, inner, study, log, depth=depth + 1)


def _unlisted(tag: int, vr: str, context: Context) -> Action | None:
    """Action for a standard attribute that the table doesn't list; None leaves its bytes alone."""
    if tag in _ALWAYS_REMOVED or vr == "UN" or dictionary_vr(tag) == "UN":
        return "X"  # an attribute that no dictionary explains can't be judged
    if vr in TEXT and dictionary_vr(tag) not in TEXT:
        return "X"  # words where the dictionary has none: a retired group, or something that hides
    if vr == "UI":
        return None if any(word in keyword(tag) for word in _CLASS_WORDS) else "U"
    if vr == "PN" or (context.dummies and vr in TEXT | {"DA", "DT", "TM"} and vr != "CS" and tag not in _CODES):
        return "D"
    if vr in ("DA", "DT"):
        return "C"
    if vr in TEXT:
        return "C" if vr in WRITTEN else "K"
    return "K" if vr == "SQ" else None


def _outside(tag: int) -> bool:
    """Whether an element has no place in what leaves: group lengths, commands, directories, curves and overlays."""
    group = tag >> 16
    if group == _PIXELS:
        return tag & 0xFFFF not in _PIXEL_ELEMENTS
    return tag & 0xFFFF == 0 or group < 8 or 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF or group == 0xFFFA


def _drop(dataset: Dataset, tag: BaseTag, log: Log, name: str) -> None:
    del dataset[tag]
    text = f"({tag.group:04X},xxxx)" if tag.group & 1 or tag.group >= 0x5000 else _tag_text(tag)
    log[text, name, "X"] += 1


def _earlier_codes(dataset: Dataset) -> dict[str, str]:
    """Methods that an earlier de-identification wrote, as far as they are the standard's; its sequence is taken out."""
    found = {}
    for item in dataset.get(_METHOD_CODES, DataElement(_METHOD_CODES, "SQ", [])).value or ():
        code, scheme, meaning = (_plain_text(item, tag) for tag in (0x00080100, 0x00080102, 0x00080104))
        if scheme == "DCM" and code in _LISTED:
            found[code] = meaning
    dataset.pop(_METHOD_CODES, None)
    return found


def _plain_text(item: Dataset, tag: int) -> str:
    """Text of an element without decoding it in place: codes are plain letters."""
    held = item.get_item(tag)
    value = held.value if held is not None else ""
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value or "")).strip("\0 ")


def _signature(context: Context, study: Study, earlier: dict[str, str]) -> tuple[DataElement, ...]:
    """What says that identity was removed, and how: (0010,0010), (0010,0020), (0012,0062) to 0064, (0028,0303)."""
    key = (context.patient, *sorted(earlier.items()))
    if key not in study.signatures:
        pseudonym = context.project.patient(context.patient)
        codes = {**earlier, **dict(context.options.codes())}
        written = Dataset()
        written.PatientID = written.PatientName = pseudonym
        written.PatientIdentityRemoved = "YES"
        written.DeidentificationMethod = [f"DICOM PS3.15 {standard().edition} Annex E", BASIC_CODE[1]]
        written.DeidentificationMethodCodeSequence = Sequence([_code(value, codes[value]) for value in sorted(codes)])
        written.LongitudinalTemporalInformationModified = "MODIFIED" if context.options.retain_dates else "REMOVED"
        study.signatures[key] = tuple(written)
        study.encoded |= {id(element): {} for element in written}
    return study.signatures[key]


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "DCM"
    item.CodeMeaning = meaning
    return item


@functools.lru_cache(maxsize=8192)
def _tag_text(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
