"""What records tell of patients, one value at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known of a patient: its name, its value as text and as a number with unit, and when it was known."""

    patient_id: str
    name: str
    text: str
    number: float | None = None
    unit: str = ""
    known_at: str = ""
