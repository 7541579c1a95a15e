"""One DICOM dataset through the standard's table, sequences, private blocks and repeating groups included.

An element that nothing happens to stays as its bytes were read. What happened to equal bytes once is not worked out
again: slices of a series share nearly all their elements.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset, Sequence
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag

from prognoscope.core.problems import refuse
from prognoscope.deidentify.actions import ACTIONS, TEXT, WRITTEN, Context
from prognoscope.deidentify.elements import dictionary_vr, items_of, text_of
from prognoscope.deidentify.encode import Shared
from prognoscope.deidentify.identity import Identity, gather
from prognoscope.deidentify.keptext import Kept
from prognoscope.deidentify.plain import BINARY, FORMATS, as_bytes, says_more, well_formed
from prognoscope.deidentify.private import kept_private
from prognoscope.deidentify.profile import BASIC_CODE, Action, Options, keyword, rulebook, standard
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.quiet import quiet
from prognoscope.deidentify.text import Cleaner

DEEPEST = 16
SAME = object()  # an element that stays as its bytes were read
Done = tuple[Iterable["Step"], Any]  # what was done, and the element in its place: None, another one, or the same
Memory = dict[tuple[int, str | None, bytes | None], Done]
_LONGEST_REMEMBERED = 4096
_PIXELS, _METHOD_CODES = 0x7FE0, 0x00120064
_PIXEL_ELEMENTS = frozenset({0x0001, 0x0002, 0x0008, 0x0009, 0x0010})  # offsets, and pixels in three number formats
_ACTIONS = dict(ACTIONS)
_ALWAYS_REMOVED = frozenset({0x04000500, 0x00080300})  # encrypted originals, and the description of private blocks
# In an item whose values are all replaced, codes stay: they are taken from public lists.
_CODES = frozenset({0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00080120})
_DESCRIPTIONS = ("Description", "Comment", "Comments", "Label", "Text", "Title", "History", "Reason", "Notes")
_CLASS_WORDS = ("ClassUID", "SchemeUID", "SyntaxUID", "ContextUID", "ResourceUID", "ExtensionCreatorUID", "TypeUID")
_LISTED = frozenset(str(code) for code in range(113100, 113113))  # CID 7050, de-identification methods

Step = tuple[str, str, Action]  # tag, keyword and what was done
Log = Counter[Step]


@dataclass(eq=False)
class Study:
    """What the objects of one study share while they are de-identified: who is in it, and what was worked out.

    `memories` has, by where elements stand, what became of each by its bytes; `encoded` an entry for each element
    that more than one object may hold, and its bytes once they are known; `kept` the texts of clean elements.
    """

    project: Project
    options: Options
    identity: Identity
    memories: dict[tuple[object, ...], Memory] = field(default_factory=dict)
    cleaners: dict[str, Cleaner] = field(default_factory=dict)
    signatures: dict[object, tuple[DataElement, ...]] = field(default_factory=dict)
    encoded: Shared = field(default_factory=dict)

    @functools.cached_property
    def kept(self) -> Kept:
        """Texts that stayed in the objects seen so far."""
        return Kept(self.options)

    def cleaner(self, patient: str) -> Cleaner:
        """Return the text cleaner for a patient of the study, who has a date shift of their own."""
        if patient not in self.cleaners:
            known = self.identity | Identity(ids=frozenset({patient} - {""}))
            shift = self.project.shift_days(patient) if self.options.retain_dates else None
            self.cleaners[patient] = Cleaner(known, shift)
        return self.cleaners[patient]

    def memory(self, context: Context, charset: str) -> Memory:
        """What became of elements that stand where the context says, with text in a character set."""
        place = (context.patient, context.sop_class, context.within, context.dummies, charset)
        return self.memories.setdefault(place, {})


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
    patient = text_of(dataset, "PatientID")
    context = Context(
        project=study.project,
        options=study.options,
        book=rulebook(study.options),
        cleaner=study.cleaner(patient),
        patient=patient or text_of(dataset, "StudyInstanceUID"),
        sop_class=text_of(dataset, "SOPClassUID"),
    )
    earlier = _earlier_codes(dataset)
    steps = _level(dataset, context, study, depth=0)
    for element in _signature(context, study, earlier):
        dataset[element.tag] = element
    return dataset, Counter(steps)


def _level(dataset: Dataset, context: Context, study: Study, *, depth: int) -> list[Step]:
    """Apply the table to the elements of one level, in place; return what was done."""
    if depth > DEEPEST:
        raise refuse(
            "dicom-nesting",
            subject="dataset",
            found=f"sequences lie more than {DEEPEST} deep within each other",
            remedy="check the object with its maker; it was not passed on",
        )
    steps: list[Step] = []
    safe = kept_private(dataset, context.cleaner) if context.options.retain_safe_private else frozenset()
    memory = study.memory(context, str(dataset.original_character_set))
    for tag, held in list(dataset.items()):
        number = int(tag)
        if number & 0x10000:
            if tag not in safe:
                _drop(dataset, tag, steps, "(private)")
        elif _outside(number):
            _drop(dataset, tag, steps, keyword(number))
        elif number >> 16 != _PIXELS:
            done, outcome = _remembered(dataset, held, context, study, memory, depth)
            steps += done
            if outcome is None:
                del dataset[tag]
            elif outcome is not SAME:
                dataset[tag] = outcome
    return steps


def _remembered(
    dataset: Dataset,
    held: DataElement | RawDataElement,
    context: Context,
    study: Study,
    memory: Memory,
    depth: int,
) -> Done:
    """What is done with an element, worked out once for equal bytes in the same place."""
    if not isinstance(held, RawDataElement) or (held.value and len(held.value) > _LONGEST_REMEMBERED):
        return _element(dataset, held, context, study, depth)
    key = (int(held.tag), held.VR, held.value)
    if key not in memory:
        done = _element(dataset, held, context, study, depth)
        memory[key] = done
        if isinstance(done[1], DataElement):
            study.encoded[id(done[1])] = {}
    return memory[key]


def _element(dataset: Dataset, held: DataElement | RawDataElement, context: Context, study: Study, depth: int) -> Done:
    number = int(held.tag)
    vr = held.VR if held.VR not in (None, "UN") else dictionary_vr(number)
    action = context.book.action(number, sop_class=context.sop_class, within=context.within)
    action = action or _unlisted(number, vr, context)
    if vr[:2] in BINARY and action in (None, "K") and says_more(held.value, context.cleaner):
        action = "X"
    elif vr in FORMATS and not well_formed(as_bytes(held), vr):
        # Words stand where a number or a date belongs.
        action = "D" if action == "C" else "Z" if action in (None, "K", "U") else action
    if action is None:
        return (), SAME
    step = (_tag_text(number), keyword(number), action)
    if vr == "SQ":
        return _sequence(dataset, held, step, context, study, depth)
    element = _decoded(held, dataset)
    result = _ACTIONS[action](element, context)
    # Listed attributes are counted whatever came out; of the others only those that changed.
    counted = result is not element or bool(context.book.actions.get(number))
    return (step,) if counted else (), SAME if result is element else result


def _decoded(held: DataElement | RawDataElement, dataset: Dataset) -> DataElement:
    """Return the element with its value decoded; the dataset keeps the bytes as they were read."""
    if isinstance(held, DataElement):
        return held
    return convert_raw_data_element(held, encoding=dataset.original_character_set, ds=dataset)


def _sequence(
    dataset: Dataset, held: DataElement | RawDataElement, step: Step, context: Context, study: Study, depth: int
) -> Done:
    number, action = int(held.tag), step[2]
    steps = [step] if context.book.actions.get(number) or number in _ALWAYS_REMOVED else []
    if action == "X":
        return steps, None
    if action == "Z":
        return steps, DataElement(held.tag, "SQ", Sequence())
    inner = context.inside(keyword(number), dummies=action == "D")
    items = items_of(dataset, held)
    for item in items:
        steps += _level(item, inner, study, depth=depth + 1)
    return steps, DataElement(held.tag, "SQ", Sequence(items))


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
        return "C" if vr in WRITTEN or (vr in ("LO", "SH") and _written_by_people(tag)) else "K"
    return "K" if vr == "SQ" else None


@functools.lru_cache(maxsize=8192)
def _written_by_people(tag: int) -> bool:
    """Whether short text is a description by its keyword, and not a code, a version or a model."""
    return keyword(tag).endswith(_DESCRIPTIONS)


def _outside(tag: int) -> bool:
    """Whether an element has no place in what leaves: group lengths, commands, directories, curves and overlays."""
    group = tag >> 16
    if group == _PIXELS:
        return tag & 0xFFFF not in _PIXEL_ELEMENTS
    return tag & 0xFFFF == 0 or group < 8 or 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF or group == 0xFFFA


def _drop(dataset: Dataset, tag: BaseTag, steps: list[Step], name: str) -> None:
    del dataset[tag]
    number = int(tag)
    group = number >> 16
    steps.append((f"({group:04X},xxxx)" if group & 1 or group >= 0x5000 else _tag_text(number), name, "X"))


def _earlier_codes(dataset: Dataset) -> dict[str, str]:
    """Methods that an earlier de-identification wrote, as far as they are the standard's; its sequence is taken out."""
    held = dataset.get_item(_METHOD_CODES)
    if held is None:
        return {}
    found = {}
    for item in items_of(dataset, held):
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
