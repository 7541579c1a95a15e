"""A cohort query over one million catalogued instances, on SQLite and, where a server is named, on PostgreSQL.

Claim: under 100 ms whatever is asked: and, or, not, lists, wildcards at either end, numbers, dates, unknown values,
nothing and everything. Rows are generated in two shapes: a department of tomography (8,000 patients, 16,000 series of
63 images) and one of radiographs (50,000 patients, 100,000 series of 10), each with a region a series and eight columns
of a table. They are written past the store, so that the first query brings what is searched up to date, which is timed
apart; an ingest has done so before it ends.

Run: python benchmarks/query.py [URL of an empty PostgreSQL database]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from prognoscope.store import Store
from prognoscope.store.catalogue import INSTANCES, NAMES, REGIONS, SERIES, VALUES

REPEATS, ALLOWED_MS = 15, 100
QUERIES = (
    "modality = PT and body_part ~ thigh and age >= 18 and roi ~ GTV*",
    "grade = high and not scanner ~ acme",
    "age < 40 or crp > 180",
    "patient = P004711",
    "",
    "modality != PT or sex = F",
    "roi ~ *PT and not roi ~ *MR",
    "roi is unknown",
    "not (grade = high or crp < 50) and roi ~ GTV_PT",
    "not (modality = PT and age >= 18)",
    "body_part !~ thigh and site ~ *calf",
    "date >= 2019-06 and date <= 2021 and slices >= 5",
    "crp > 100 and more_1 < 20000 and grade = low and age is known",
    "more_2 is unknown or more_3 > 3000",
    "scanner ~ *an?3 and centre in (C1, C2, C3)",
    "age in (20, 30, 40) and description ~ body",
    "study = 1.2.3.100",
    "state = refused",
)
OWNER = "('P' || substr(CAST(1000000 + {0} AS TEXT), 2))"
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows}) "


@dataclass(frozen=True, slots=True)
class Shape:
    """How many patients there are, with two series each, of how many instances."""

    words: str
    patients: int
    instances: int


SHAPES = (Shape("tomographies", 8_000, 63), Shape("radiographs", 50_000, 10))


def fill(store: Store, shape: Shape) -> None:
    """Generate the rows inside the database: nothing is sent to it row by row."""
    series = shape.patients * 2
    name = f"CASE WHEN i < {shape.patients} THEN {OWNER.format('i')} ELSE '1.2.3.' || (i - {shape.patients}) END"
    insert(store, NAMES.name, {"number": "i + 1", "name": name}, series)
    owner = OWNER.format("(i / 2)")
    uid = "('1.2.3.' || (i / 2) || '.' || (i % 2))"
    modality = "CASE i % 2 WHEN 0 THEN 'PT' ELSE 'MR' END"
    age = "CASE WHEN (i / 2) % 3 = 0 THEN CAST((i / 2) % 90 AS FLOAT) END"
    columns = {
        "key": uid, "patient_id": owner, "study_uid": "('1.2.3.' || (i / 2))", "uid": uid, "series_uid": uid,
        "modality": modality, "description": "'whole body'", "body_part": "'EXTREMITY'", "protocol": "''",
        "date": "'2020-01-02'", "age": age, "sex": "CASE (i / 2) % 2 WHEN 0 THEN 'F' ELSE 'M' END",
        "manufacturer": "'Acme'", "scanner": "('Scan ' || ((i / 2) % 7))", "centre": "('C' || ((i / 2) % 11))",
        "unit": "'SUV'", "slices": str(shape.instances), "spacing": "3.0", "instances": str(shape.instances),
        "bytes": str(shape.instances * 30_000), "source": "'/data'", "state": "'usable'", "role": "''",
        "quality": "''", "patient": "1 + i / 2", "study": f"{1 + shape.patients} + i / 2",
    }  # fmt: skip
    columns |= {column.name: "''" for column in SERIES.columns if column.name not in columns}
    insert(store, SERIES.name, columns, series)
    insert(store, REGIONS.name, {
        "region_set": uid, "name": f"('GTV_' || {modality})", "folded": f"lower('GTV_' || {modality})",
        "patient_id": owner, "series_uid": uid, "frame_of_reference": "''", "document": "'{}'",
        "patient": "1 + i / 2",
    }, series)  # fmt: skip
    image = f"(i / {shape.instances})"
    insert(store, INSTANCES.name, {
        "sha256": "('sha ' || i)", "sop_uid": "('1.2.3.4.' || i)", "header": "'" + "{}" * 300 + "'",
        "series_uid": f"('1.2.3.' || ({image} / 2) || '.' || ({image} % 2))",
        "patient_id": OWNER.format(f"({image} / 2)"),
    }, series * shape.instances)  # fmt: skip
    site = "CASE i % 4 WHEN 0 THEN 'left thigh' WHEN 1 THEN 'right calf' WHEN 2 THEN 'pelvis' ELSE 'left arm' END"
    _cells(store, shape, "site", site, "NULL")
    _cells(store, shape, "grade", "CASE i % 2 WHEN 0 THEN 'low' ELSE 'high' END", "NULL")
    for name, number in {"age": "i % 90", "crp": "i % 200", **{f"more_{n}": f"i * {n}" for n in range(4)}}.items():
        _cells(store, shape, name, f"CAST({number} AS TEXT)", f"CAST({number} AS FLOAT)")


def _cells(store: Store, shape: Shape, name: str, told: str, number: str) -> None:
    insert(store, VALUES.name, {
        "table_sha256": "'t'", "row": "i", "name": f"'{name}'", "patient_id": OWNER.format("i"),
        "text": told, "folded": told, "number": number, "unit": "''", "known_at": "''",
        "patient": "i + 1",
    }, shape.patients)  # fmt: skip


def insert(store: Store, table: str, columns: dict[str, str], rows: int) -> None:
    """Insert rows 0, 1, … of a table, each column an expression of the row's number `i`."""
    names, told = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    with store.database.writing() as connection:
        connection.execute(text(f'INSERT INTO "{table}" ({names}) {NUMBERS.format(rows=rows)} SELECT {told} FROM n'))


def measure(store: Store, name: str) -> bool:
    """Time each query as the command answers it: the counts, then the first twenty volumes."""
    with store.database.reading() as connection:
        total = connection.execute(text("SELECT count(*) FROM instances")).scalar()
    began = time.perf_counter()
    store.search.counts("")
    size = "SELECT sum(length(data)) FROM facets"
    with store.database.reading() as connection:
        packed = connection.execute(text(size)).scalar()
    took = time.perf_counter() - began
    print(f"{name}: brought up to date in {took:.1f} s (once, after every row was written anew), {packed / 1e6:.1f} MB")
    fine = True
    for query in QUERIES:
        times, used = [], []
        for _ in range(REPEATS):
            began, spent = time.perf_counter(), time.process_time()
            counts = store.search.counts(query)
            store.search.hits(query, most=20)
            times.append(1000 * (time.perf_counter() - began))
            used.append(1000 * (time.process_time() - spent))
        middle = statistics.median(times)
        fine &= middle < ALLOWED_MS
        told = f"{middle:6.1f} ms (best {min(times):.1f}; of the processor {statistics.median(used):.1f})"
        print(f"{name}, {total:,} instances: {told}  {counts.series:6} series  {query or '(everything)'}")
    return fine


def main() -> None:
    fine = True
    for shape in SHAPES:
        for name, url in (("SQLite", ""), ("PostgreSQL", sys.argv[1] if len(sys.argv) > 1 else "")):
            if name == "PostgreSQL" and not url:
                print("PostgreSQL: no server was named")
                continue
            with tempfile.TemporaryDirectory() as folder:
                if url:
                    (Path(folder) / "store.toml").write_text(f'catalogue = "{url}"\n')
                with Store(Path(folder)) as store:
                    began = time.perf_counter()
                    fill(store, shape)
                    print(f"{name}, {shape.words}: filled in {time.perf_counter() - began:.0f} s")
                    fine &= measure(store, f"{name}, {shape.words}")
                    if url:
                        with store.database.writing() as connection:
                            connection.execute(text("DROP SCHEMA public CASCADE"))
                            connection.execute(text("CREATE SCHEMA public"))
    print(f"under {ALLOWED_MS} ms: " + ("yes" if fine else "NO"))


if __name__ == "__main__":
    main()
