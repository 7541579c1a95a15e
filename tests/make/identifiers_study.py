"""One study while it is written: its patient, its UIDs, and what has been said in it so far."""

from __future__ import annotations

import random

from tests.make.identifiers_key import AnswerKey
from tests.make.invented import Person

ROOT = "1.2.826.0.1.3680043.10.424."
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.22",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
}
KEPT_WORDS = "Lesion in left lung, Hodgkin lymphoma and Parkinson disease"


class Study:
    """One study being written: its UIDs, and the answer key to which its objects add."""

    def __init__(self, person: Person, random_: random.Random, key: AnswerKey, options: frozenset[str]) -> None:
        self.person, self.random, self.key, self.options = person, random_, key, options
        self.uid = self.new_uid()
        self.frame = self.new_uid()
        self.series = {modality: self.new_uid() for modality in CLASSES}
        self.instances: dict[str, list[str]] = {}

    def new_uid(self) -> str:
        return ROOT + str(self.random.getrandbits(60))
