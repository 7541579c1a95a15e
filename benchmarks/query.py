"""A cohort query over one million catalogued instances, on SQLite and, where it is installed, on PostgreSQL.

Claim: under 100 ms. Rows are generated: 8,000 patients, 16,000 series, a million instances, eight table columns.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from prognoscope.store import Store
from prognoscope.store.catalogue import INSTANCES, REGIONS, SERIES, VALUES
from prognoscope.store.search import Search

PATIENTS, SERIES_EACH, INSTANCES_TOTAL = 8_000, 2, 1_000_000
QUERIES = (
    "modality = PT and body_part ~ thigh and age >= 18 and roi ~ GTV*",
    "grade = high and not scanner ~ acme",
    "age < 40 or crp > 180",
)
PARTS = ("left thigh", "right calf", "pelvis", "left arm")


def fill(store: Store) -> None:
    """Generate the rows."""
    series, regions, values = [], [], []
    for number in range(PATIENTS):
        patient = f"P{number:06d}"
        for position, modality in enumerate(("PT", "MR")[:SERIES_EACH]):
            uid = f"1.2.3.{number}.{position}"
            series.append(row(patient, uid, modality, number))
            regions.append(
                {
                    "region_set": f"{number:032d}{position:032d}",
                    "name": f"GTV_{modality}",
                    "document": "{}",
                    "folded": f"gtv_{modality.lower()}",
                    "patient_id": patient,
                    "series_uid": uid,
                    "frame_of_reference": "",
                }
            )
        cells = {"site": (PARTS[number % 4], None), "grade": (("Low", "High")[number % 2], None)}
        cells |= {"age": (str(number % 90), float(number % 90)), "crp": (str(number % 200), float(number % 200))}
        cells |= {f"more_{i}": (str(number * i), float(number * i)) for i in range(4)}
        for name, (told, value) in cells.items():
            values.append(
                {
                    "table_sha256": "t",
                    "row": number,
                    "name": name,
                    "patient_id": patient,
                    "text": told,
                    "folded": told.lower(),
                    "number": value,
                    "unit": "",
                    "known_at": "",
                }
            )
    each = INSTANCES_TOTAL // len(series)
    with store.database.writing() as connection:
        for table, rows in ((SERIES, series), (REGIONS, regions), (VALUES, values)):
            for start in range(0, len(rows), 2000):
                connection.execute(table.insert(), rows[start : start + 2000])
    for start in range(0, len(series), 200):
        with store.database.writing() as connection:
            connection.execute(INSTANCES.insert(), [
                {"sha256": f"{start + n:032d}{i:032d}", "sop_uid": f"{one['series_uid']}.{i}", "header": "{}" * 300,
                 "series_uid": one["series_uid"], "patient_id": one["patient_id"]}
                for n, one in enumerate(series[start : start + 200]) for i in range(each + (start == 0 and n == 0))
            ])  # fmt: skip


def row(patient: str, uid: str, modality: str, number: int) -> dict[str, object]:
    """One series."""
    return {
        "key": f"{uid:>064}", "patient_id": patient, "study_uid": f"1.2.3.{number}", "uid": uid, "series_uid": uid,
        "modality": modality, "description": "whole body", "body_part": "EXTREMITY",
        "protocol": "", "date": "2020-01-02",
        "age": None if number % 3 else float(number % 90), "sex": "FM"[number % 2], "manufacturer": "Acme",
        "scanner": f"Scan {number % 7}", "centre": f"C{number % 11}", "unit": "SUV", "slices": 62, "spacing": 3.0,
        "instances": 62, "bytes": 62 * 30_000, "source": "/data", "state": "usable", "role": "", "quality": "",
    }  # fmt: skip


def measure(store: Store, name: str) -> bool:
    """Time each query: the counts, as the command shows them first."""
    with store.database.reading() as connection:
        total = connection.execute(text("SELECT count(*) FROM instances")).scalar()
        connection.execute(text("ANALYZE"))
        connection.commit()
    search, fine = Search(store.database), True
    for query in QUERIES:
        times = []
        for _ in range(7):
            began = time.perf_counter()
            counts = search.counts(query)
            times.append(1000 * (time.perf_counter() - began))
        middle = statistics.median(times)
        fine &= middle < 100
        print(f"{name}, {total:,} instances: {middle:6.1f} ms  {counts.series:6} series  {query}")
    return fine


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        fill(store)
        fine = measure(store, "SQLite")
    if len(sys.argv) > 1:  # the URL of an empty PostgreSQL database
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "store.toml").write_text(f'catalogue = "{sys.argv[1]}"\n')
            with Store(Path(folder)) as store:
                fill(store)
                fine &= measure(store, "PostgreSQL")
    print("under 100 ms: " + ("yes" if fine else "NO"))


if __name__ == "__main__":
    main()
