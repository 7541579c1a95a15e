"""Three patients in a catalogue, what queries find of them, and changes past the repository."""

from __future__ import annotations

import sqlalchemy as sa

from prognoscope.store import Store
from prognoscope.store.catalogue import SERIES, VALUES
from tests.make.catalogue import add_cell, add_patient, add_region, add_series

ANNAS, GRADE = VALUES.c.patient == 1, VALUES.c.name == "grade"
ANOTHER = {"table_sha256": "t", "row": 9, "name": "grade", "patient_id": "", "text": "", "unit": "", "known_at": ""}

# Who has a high grade after a change, where it was Anna before.
CHANGES: tuple[tuple[sa.Executable, list[str]], ...] = (
    (sa.insert(VALUES).values(**ANOTHER, folded="high", patient=2), ["Anna", "Bert"]),
    (sa.update(VALUES).where(ANNAS, GRADE).values(folded="low"), []),
    (sa.update(VALUES).where(ANNAS, GRADE).values(patient=5000), ["Äda"]),
    (sa.delete(VALUES).where(ANNAS, GRADE), []),
    (sa.delete(SERIES).where(SERIES.c.patient == 1), []),
    (sa.update(SERIES).where(SERIES.c.patient == 1).values(state="quarantined"), []),
)
QUERIES: tuple[tuple[str, list[str]], ...] = (
    ("", ["Anna", "Bert", "Äda"]),
    ("modality = pt", ["Anna"]),
    ("modality != PT", ["Bert", "Äda"]),
    ("modality in (CT, D*)", ["Bert", "Äda"]),
    ("body_part ~ thigh", ["Anna", "Bert"]),  # Bert's stands in a table
    ("body_part ~ über", ["Äda"]),
    ("body_part = ÜBERSICHT", ["Äda"]),
    ("body_part is unknown", []),  # a table tells Bert's
    ("scanner ~ a_*", ["Anna"]),
    ("scanner = a%", []),  # no sign but * and ? is a pattern
    ("scanner = [a]_1", []),
    ("age >= 18", ["Anna", "Äda"]),
    ("age < 18", ["Bert"]),
    ("not age >= 18", ["Bert"]),
    ("age in (41, 12)", ["Anna", "Bert"]),
    ("date = 2020", ["Bert"]),
    ("date <= 2020-03", ["Bert"]),
    ("date > 2020-03", []),
    ("date != 2020", ["Anna", "Äda"]),
    ("date is unknown", ["Anna", "Äda"]),
    ("sex = female", ["Bert"]),
    ("stadium = 2", ["Anna"]),  # numbers in one table, words in another
    ("Stadium in (2, iia)", ["Anna", "Bert"]),
    ("STADIUM ~ i", ["Bert"]),
    ("stadium > 1", ["Anna"]),
    ("table.state = ny", ["Anna"]),
    ("state = usable", ["Anna", "Bert", "Äda"]),
    ("table.state is unknown", ["Bert", "Äda"]),
    ("roi ~ gtv*", ["Anna"]),
    ("region = liver", ["Anna"]),
    ("not roi ~ *mass", ["Bert", "Äda"]),
    ("roi is unknown", ["Bert", "Äda"]),
    ("crp > 100", ["Bert"]),  # any of several values
    ("crp < 100 and crp > 100", ["Bert"]),
    ("grade = high or crp is known", ["Anna", "Bert"]),
    ("patient = äda", ["Äda"]),
    ("instances >= 5 and not (modality = PT or age < 5)", ["Bert"]),
)


def fill(store: Store) -> None:
    """Anna has a PET with contours and a table's row; Bert a CT of unknown age; Äda nothing but an X-ray."""
    with store.database.writing() as connection:
        for number, name in ((1, "Anna"), (2, "Bert"), (5000, "Äda")):
            add_patient(connection, number, name)
        add_series(connection, 1, "1.1", modality="PT", body_part="THIGH", age=41.0, instances=10, scanner="A_1")
        add_region(connection, 1, "1.1", "GTV_Mass")
        add_region(connection, 1, "1.1", "Liver")
        add_series(connection, 2, "2.1", modality="CT", body_part="", age=None, date="2020-03-31", instances=5)
        add_series(connection, 5000, "3.1", modality="DX", body_part="Übersicht", age=70.0, date=None, instances=1)
        add_cell(connection, 1, "grade", "High")
        add_cell(connection, 1, "STADIUM", "2", 2.0)
        add_cell(connection, 2, "Stadium", "IIA")
        add_cell(connection, 1, "state", "NY")
        add_cell(connection, 2, "Sex", "Female")
        add_cell(connection, 2, "Age", "12", 12.0)
        add_cell(connection, 2, "site", "left thigh")
        add_cell(connection, 2, "crp", "7", 7.0, row=1)
        add_cell(connection, 2, "crp", "200", 200.0, row=2)
        add_cell(connection, 5000, "grade", "Low")


def found(store: Store, query: str) -> list[str]:
    """Patients that a query finds, in the order of the list; counted alike."""
    hits = store.search.hits(query)
    assert store.search.counts(query).series == len(hits)
    return [hit.patient_id for hit in hits]
