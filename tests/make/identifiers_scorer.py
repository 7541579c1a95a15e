"""Asks a de-identified folder the questions of an answer key. Imports nothing from the de-identifier."""

from __future__ import annotations

import datetime as dt
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from tests.make.identifiers_key import AnswerKey, Check

SHORTEST_NEEDLE = 5  # bytes; shorter strings are found by chance


@dataclass(frozen=True)
class Score:
    """Questions asked and answered right, by action and by surface, and each wrong answer in words."""

    asked: Counter[tuple[str, str]]
    right: Counter[tuple[str, str]]
    wrong: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def percent(self) -> float:
        return 100 * sum(self.right.values()) / sum(self.asked.values())

    def by(self, place: int) -> dict[str, tuple[int, int]]:
        """Right answers and questions by action (0) or surface (1)."""
        table: dict[str, tuple[int, int]] = {}
        for pair, count in sorted(self.asked.items()):
            right, asked = table.get(pair[place], (0, 0))
            table[pair[place]] = (right + self.right[pair], asked + count)
        return table


def score(folder: Path, key: AnswerKey) -> Score:
    """Score what was written below a folder; an object that is missing answers every question wrong."""
    files = {path: dcmread(path) for path in sorted(folder.rglob("*.dcm"))}
    results = {int(dataset.InstanceNumber): dataset for dataset in files.values()}
    judge = _Judge(key, results)
    asked: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    wrong = []
    for check in key.checks:
        asked[check.action, check.surface] += 1
        if check.instance in results and judge.answers(check, results[check.instance]):
            right[check.action, check.surface] += 1
        else:
            wrong.append(
                f"{check.instance}: {check.action} at {'/'.join(check.where)} ({check.surface}): {check.text!r}"
            )
    return Score(asked, right, tuple(wrong), search(folder, key))


def search(folder: Path, key: AnswerKey) -> tuple[str, ...]:
    """Planted strings that stand in any byte, or in the path, of a written file."""
    needles = defaultdict(list)
    for secret in sorted({secret for some in key.secrets.values() for secret in some}):
        if len(secret.encode()) >= SHORTEST_NEEDLE:
            needles[_codes(secret.encode()[:SHORTEST_NEEDLE])[0]].append(secret)
    beginnings = np.array(sorted(needles), dtype=np.uint64)
    found = []
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        heap = path.read_bytes() + str(path.relative_to(folder)).encode()
        codes = np.unique(_codes(heap))
        places = np.minimum(np.searchsorted(beginnings, codes), len(beginnings) - 1)
        for begun in codes[beginnings[places] == codes]:
            found += [f"{one} in {path.relative_to(folder)}" for one in needles[begun] if one.encode() in heap]
    return tuple(found)


def _codes(heap: bytes) -> NDArray[np.uint64]:
    """Each five bytes that stand together in a heap, as one number."""
    values = np.frombuffer(heap, np.uint8).astype(np.uint64)
    count = len(values) - SHORTEST_NEEDLE + 1
    codes = np.zeros(max(count, 0), np.uint64)
    for place in range(SHORTEST_NEEDLE):
        codes = codes << np.uint64(8) | values[place : place + count]
    return codes


class _Judge:
    """Knows what is consistent over all objects: UIDs, patient IDs and the date shift of each patient."""

    def __init__(self, key: AnswerKey, results: Mapping[int, Dataset]) -> None:
        self.key = key
        self.uids: dict[str, set[str]] = defaultdict(set)
        self.ids: dict[str, set[str]] = defaultdict(set)
        self.owners: dict[str, set[str]] = defaultdict(set)
        self.shifts: dict[str, Counter[int]] = defaultdict(Counter)
        self.patients = {}
        for check in key.checks:
            if check.action == "patient ID consistent":
                self.patients[check.instance] = check.text
        for check in key.checks:
            if check.instance in results:
                self._note(check, results[check.instance])

    def _note(self, check: Check, dataset: Dataset) -> None:
        if check.action not in ("UID consistent", "patient ID consistent", "date shifted"):
            return
        value = _value(dataset, check.where)
        if check.action == "UID consistent" and value is not None:
            self.uids[check.text].add(value)
        elif check.action == "patient ID consistent" and value is not None:
            self.ids[check.text].add(value)
            self.owners[value].add(check.text)
        elif check.action == "date shifted" and value is not None and (days := _days(check.text, value)) is not None:
            self.shifts[self.patients[check.instance]][days] += 1

    def answers(self, check: Check, dataset: Dataset) -> bool:
        if check.action in ("pixels hidden", "pixels retained"):
            return self._pixels(check, dataset)
        value = _value(dataset, check.where)
        text = check.text
        match check.action:
            case "tag retained":
                return value is not None
            case "text not null":
                return bool(value)
            case "text retained":
                return value is not None and text in value
            case "text removed":
                return value is None or text not in value
            case "date shifted":
                usual = self.shifts[self.patients[check.instance]].most_common(1)
                return bool(value) and bool(usual) and usual[0][0] != 0 and _days(text, value or "") == usual[0][0]
            case "UID changed":
                return bool(value) and value != text
            case "UID consistent":
                return bool(value) and len(self.uids[text]) == 1
            case "patient ID consistent":
                return bool(value) and value != text and len(self.ids[text]) == 1 and len(self.owners[value or ""]) == 1
        raise AssertionError(check.action)

    def _pixels(self, check: Check, dataset: Dataset) -> bool:
        if check.where[-1].startswith("bit "):
            return self._bit_cleared(check, dataset, int(check.where[-1].removeprefix("bit ")))
        top, left, bottom, right = check.box
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bytes that were planted behind the pixels
            before = _middle(dcmread(self.key.originals[check.instance]))[top:bottom, left:right]
            after = _middle(dataset)[top:bottom, left:right]
        if check.action == "pixels retained":
            return bool(np.array_equal(before, after))
        bright = before > np.median(before) * 2
        return float(np.mean(after[bright] == before[bright])) < 0.02

    def _bit_cleared(self, check: Check, dataset: Dataset, bit: int) -> bool:
        """Whether what was drawn into one bit of the stored 16-bit samples is gone."""
        before, after = (
            np.frombuffer(one.PixelData, "<u2") >> bit & 1
            for one in (dcmread(self.key.originals[check.instance]), dataset)
        )
        return bool(before.any()) and not after[before == 1].any()


def _middle(dataset: Dataset) -> NDArray[Any]:
    """Pixels of an object, of the middle frame where it is a film."""
    pixels: NDArray[Any] = dataset.pixel_array
    frames = int(dataset.get("NumberOfFrames") or 1)
    return pixels[frames // 2] if frames > 1 else pixels


def _value(dataset: Dataset, where: Iterable[str]) -> str | None:
    """Text of the element at a path, through the first items of sequences; None where it is absent."""
    *path, last = where
    for step in path:
        items = dataset.get(step)
        if not items:
            return None
        dataset = items[0]
    if last.startswith("("):
        tag = int(last[1:5] + last[6:10], 16)
        return str(dataset[tag].value) if tag in dataset else None
    element = dataset.get(last) if last in dataset else None
    if last not in dataset:
        return None
    if dataset[last].VR == "SQ":
        return str([str(item) for item in dataset[last].value]) if dataset[last].value else ""
    return "" if element is None else str(element)


def _days(before: str, after: str) -> int | None:
    try:
        first, second = (dt.datetime.strptime(text[:8], "%Y%m%d") for text in (before, after))
    except ValueError:
        return None
    return (second - first).days if before[8:] == after[8:] else None
