"""Files that do not say whose they are: NIfTI images, masks and pictures, with what a table or a name says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, func, or_, select

from prognoscope.core.problems import Problem
from prognoscope.store.audit import Audit, now
from prognoscope.store.catalogue import ARRIVALS, LINKS, OBJECTS, QUARANTINE, SERIES, TABLES, VALUES, WAITING
from prognoscope.store.database import ROWS_PER_STATEMENT, Database
from prognoscope.store.people import join_people
from prognoscope.store.quarantine import quarantine_row
from prognoscope.store.records import plain

UNOWNED = ("nifti", "picture")
ASIDE = ("owner-unknown", "named-files-missing")


@dataclass(frozen=True, slots=True)
class Unowned:
    """A file that names no patient: where it came from, its content and kind."""

    path: str
    sha256: str
    kind: str


@dataclass(frozen=True, slots=True)
class Link:
    """What is known of a file that says it not itself.

    Attributes
    ----------
    image
        The content of the image that a mask belongs to; empty for an image.
    name
        What the image or the region is called.
    told_by
        The table, or `name`, that says so.
    """

    sha256: str
    patient_id: str
    image: str
    name: str
    kind: str
    modality: str = ""
    description: str = ""
    view: str = ""
    date: str | None = None
    body_part: str = ""
    licence: str = ""
    told_by: str = ""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A cell that may name a file: its table's content and path, its row and column, and the row's patient."""

    table: str
    path: str
    row: int
    column: str
    text: str
    patient_id: str


class Links:
    """The links of one store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database, self._audit = database, audit

    def unowned(self, source: str) -> tuple[Unowned, ...]:
        """Return the NIfTI files and pictures of a source, linked or not, sorted by path."""
        query = (
            select(ARRIVALS.c.path, ARRIVALS.c.sha256, OBJECTS.c.kind)
            .join(OBJECTS, OBJECTS.c.sha256 == ARRIVALS.c.sha256)
            .where(ARRIVALS.c.source == source, OBJECTS.c.kind.in_(UNOWNED))
            .order_by(ARRIVALS.c.path, ARRIVALS.c.mtime_ns)
        )
        with self._database.reading() as connection:
            return tuple(Unowned(*row) for row in connection.execute(query))

    def linked(self, names: Sequence[str]) -> frozenset[str]:
        """Return which of some contents are linked."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for part in _parts(names):
                found |= set(connection.execute(select(LINKS.c.sha256).where(LINKS.c.sha256.in_(part))).scalars())
        return frozenset(found)

    def named_files(self, source: str, endings: Iterable[str]) -> tuple[NamedFile, ...]:
        """Return the cells of a source's tables (each as it came in last) that end as file names do."""
        tables = self._tables(source)
        ends = or_(*(VALUES.c.folded.like(f"%{ending}") for ending in endings))
        columns = (VALUES.c.table_sha256, VALUES.c.row, VALUES.c.name, VALUES.c.text, VALUES.c.patient_id)
        query = select(*columns).where(VALUES.c.table_sha256.in_(list(tables)), ends)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(VALUES.c.table_sha256, VALUES.c.row, VALUES.c.name))
            return tuple(NamedFile(row[0], tables[row[0]], *row[1:]) for row in rows)

    def cells(self, table: str, names: Iterable[str]) -> Mapping[int, Mapping[str, str]]:
        """Return some columns of a table by row; `names` are in lower case, as are those of the result."""
        name = func.lower(VALUES.c.name).label("name")
        query = select(VALUES.c.row, name, VALUES.c.text)
        query = query.where(VALUES.c.table_sha256 == table, name.in_(list(names)))
        found: dict[int, dict[str, str]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.row, {})[row.name] = row.text
        return found

    def replace(self, source: str, files: Sequence[str], links: Sequence[Link], aside: Sequence[Problem]) -> None:
        """Exchange the links of some contents, and what a source holds that nobody can link.

        Everyone whose files change waits to be put together again.
        """
        with self._database.writing() as connection:
            touched = {link.patient_id for link in links}
            for part in _parts(files):
                known = select(LINKS.c.patient_id).where(LINKS.c.sha256.in_(part)).distinct()
                touched |= set(connection.execute(known).scalars())
                connection.execute(delete(LINKS).where(LINKS.c.sha256.in_(part)))
            self._database.insert_new(
                connection, LINKS, [_row(link) for link in links], keys=("sha256", "patient_id", "image")
            )
            waiting = [{"patient_id": name} for name in sorted(touched)]
            self._database.insert_new(connection, WAITING, waiting, keys=("patient_id",))
            connection.execute(
                delete(QUARANTINE).where(
                    QUARANTINE.c.source == source, QUARANTINE.c.code.in_(ASIDE), QUARANTINE.c.released == ""
                )
            )
            created = now()
            held = [
                quarantine_row(
                    "file", one.subject, sha256="", patient_id="", source=source, problem=one, created=created
                )
                for one in aside
            ]
            self._database.insert_new(connection, QUARANTINE, held, keys=("key",))
            self._audit.note(connection, "link", source, {"links": len(links), "unowned": len(aside)})
        self._audit.anchor()

    def join_people(self) -> tuple[Problem, ...]:
        """Join records to the images of the same person; see `prognoscope.store.people`."""
        return join_people(self._database, self._audit)

    def of_patients(self, patients: Sequence[str]) -> dict[str, tuple[Link, ...]]:
        """Return the links of some patients, sorted."""
        found: dict[str, list[Link]] = {patient: [] for patient in patients}
        with self._database.reading() as connection:
            for part in _parts(patients):
                query = select(LINKS).where(LINKS.c.patient_id.in_(part)).order_by(LINKS.c.image, LINKS.c.sha256)
                for row in connection.execute(query):
                    found[row.patient_id].append(Link(**row._mapping))
        return {patient: tuple(links) for patient, links in found.items()}

    def pictures(self, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the contents of series that are pictures, by the key of the series."""
        found: dict[str, tuple[str, ...]] = {}
        with self._database.reading() as connection:
            for part in _parts(keys):
                query = (
                    select(SERIES.c.key, LINKS.c.sha256)
                    .join(LINKS, (LINKS.c.patient_id == SERIES.c.patient_id) & (LINKS.c.name == SERIES.c.uid))
                    .where(SERIES.c.key.in_(part), LINKS.c.kind == "picture")
                )
                found |= {row.key: (row.sha256,) for row in connection.execute(query)}
        return found

    def _tables(self, source: str) -> dict[str, str]:
        """Path of each table that a source has now, by content."""
        query = (
            select(ARRIVALS.c.path, ARRIVALS.c.sha256)
            .join(TABLES, TABLES.c.sha256 == ARRIVALS.c.sha256)
            .where(ARRIVALS.c.source == source, ARRIVALS.c.current)
            .order_by(ARRIVALS.c.path.desc())
        )
        with self._database.reading() as connection:
            return {row.sha256: row.path for row in connection.execute(query)}


def _row(link: Link) -> dict[str, object]:
    return asdict(link) | {
        "patient_id": plain(link.patient_id),
        "name": plain(link.name),
        "modality": plain(link.modality, 16),
        "description": plain(link.description),
        "view": plain(link.view),
        "body_part": plain(link.body_part),
        "licence": plain(link.licence),
        "told_by": plain(link.told_by),
    }


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + ROWS_PER_STATEMENT] for start in range(0, len(names), ROWS_PER_STATEMENT))
