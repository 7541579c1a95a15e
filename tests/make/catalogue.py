"""Rows of a catalogue, written past the repository: what a search must find whoever wrote it."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from prognoscope.store.catalogue import NAMES, REGIONS, SERIES, VALUES
from prognoscope.store.records import folded

TEXTS = (
    *("description", "body_part", "protocol", "sex", "manufacturer", "scanner", "centre", "unit"),
    *("source", "role", "quality"),
)


def add_patient(connection: Connection, number: int, name: str) -> None:
    """Give a patient a number."""
    connection.execute(insert(NAMES).values(number=number, name=name))


def add_series(connection: Connection, patient: int, uid: str, *, study: int = 0, **told: str | float | None) -> None:
    """Add an image volume of a patient whose number is known; a study of its own unless one is given."""
    name = connection.exec_driver_sql(f"SELECT name FROM names WHERE number = {patient:d}").scalar()
    row: dict[str, object] = dict.fromkeys(TEXTS, "") | {
        "key": f"key {uid}", "patient_id": name, "study_uid": f"study {study or uid}", "uid": uid, "series_uid": uid,
        "modality": "CT", "date": None, "age": None, "slices": 1, "spacing": None, "instances": 1, "bytes": 7_000,
        "state": "usable", "patient": patient, "study": study or 10_000 + patient,
    }  # fmt: skip
    connection.execute(insert(SERIES).values(row | told))


def add_region(connection: Connection, patient: int, series_uid: str, name: str) -> None:
    """Add a region that was drawn on a series."""
    row = {
        "region_set": f"set {series_uid}", "name": name, "folded": folded(name), "patient_id": "", "document": "{}",
        "series_uid": series_uid, "frame_of_reference": "", "patient": patient,
    }  # fmt: skip
    connection.execute(insert(REGIONS).values(row))


def add_cell(
    connection: Connection,
    patient: int,
    name: str,
    text: str,
    number: float | None = None,
    *,
    row: int = 0,
    unit: str = "",
) -> None:
    """Add a value that a table tells of a patient."""
    cell = {
        "table_sha256": "t", "row": patient * 10 + row, "name": name, "patient_id": "", "text": text,
        "folded": folded(text), "number": number, "unit": unit, "known_at": "", "patient": patient,
    }  # fmt: skip
    connection.execute(insert(VALUES).values(cell))
