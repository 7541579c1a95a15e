"""The catalogue's database: SQLite in the store's folder, or PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.exc import DatabaseError, DBAPIError, NoSuchModuleError, OperationalError

from prognoscope.core.problems import Refused, refuse

BUSY_SECONDS = 120
ROWS_PER_STATEMENT = 500
CACHE_KIB, MAPPED_BYTES = 64 << 10, 1 << 30  # SQLite's own 2 MiB make a search of a large catalogue read it twice

LOG_PAGES = 8 << 10  # 32 MiB: hashes are spread over their index, and a page that waits is written once for many rows


class Database:
    """Transactions on the catalogue. A transaction that writes takes its lock at once, so that writers queue up."""

    def __init__(self, url: str) -> None:
        """Describe the database at a URL; nothing is opened yet.

        Raises
        ------
        Refused
            `postgres-missing` when the driver that the URL names is not installed.
        """
        self.url = url
        try:
            self.engine = _engine(url)
        except (ModuleNotFoundError, NoSuchModuleError) as cause:
            raise refuse(
                "postgres-missing",
                subject="catalogue",
                found=f"the driver of its URL is not installed ({cause})",
                remedy='install it: pip install "prognoscope[postgres]"',
            ) from cause

    @property
    def is_sqlite(self) -> bool:
        """Whether the catalogue is a file in the store's folder."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the catalogue."""
        with self._problems(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are kept together, or not at all.

        Raises
        ------
        Refused
            `catalogue-failed` when the disk is full or failing, or another writer held it for two minutes.
        """
        with self._problems(), self.engine.connect() as connection:
            writer = connection.execution_options(prognoscope_writes=True)
            with writer.begin():
                yield writer

    def upsert(
        self, connection: Connection, table: Table, rows: Iterable[Mapping[str, object]], *, keys: tuple[str, ...]
    ) -> None:
        """Insert rows, replacing those with the same keys."""
        self._insert(connection, table, rows, keys, replace=True)

    def insert_new(
        self, connection: Connection, table: Table, rows: Iterable[Mapping[str, object]], *, keys: tuple[str, ...]
    ) -> None:
        """Insert rows, leaving those with the same keys as they are."""
        self._insert(connection, table, rows, keys, replace=False)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def _insert(
        self,
        connection: Connection,
        table: Table,
        rows: Iterable[Mapping[str, object]],
        keys: tuple[str, ...],
        *,
        replace: bool,
    ) -> None:
        batch = list(rows)
        if not batch:
            return
        statement: Any = _insert_into(table, sqlite=self.is_sqlite)
        changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
        if replace and changed:
            statement = statement.on_conflict_do_update(index_elements=list(keys), set_=changed)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        connection.execute(statement, batch)

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as cause:
            raise _problem(cause, self.engine) from cause


def _insert_into(table: Table, *, sqlite: bool) -> Any:
    """An insertion that can say what becomes of rows that are there; the other dialect need not be imported."""
    if sqlite:
        from sqlalchemy.dialects import sqlite as lite

        return lite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", _begin)
    return engine


def _durable(connection: Any, _record: object) -> None:
    # Transactions are begun by `_begin`; left alone, the driver would begin them late and writers would collide.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    connection.execute(f"PRAGMA mmap_size={MAPPED_BYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("prognoscope_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _problem(cause: DBAPIError, engine: Engine) -> Refused:
    subject = engine.url.render_as_string(hide_password=True)
    told = str(cause.orig).split("\n", 1)[0]
    if isinstance(cause, OperationalError):
        return refuse(
            "catalogue-failed",
            subject=subject,
            found=told,
            remedy="free space, check the disk and the database's server, or wait for the other writer; "
            "what was acknowledged is kept, and the same command goes on from there",
        )
    if isinstance(cause, DatabaseError) and "not a database" in told:
        return unreadable(subject)
    return refuse(
        "catalogue-contradicts",
        subject=subject,
        found=told,
        remedy="run `prognoscope verify`; nothing of this step was kept",
    )


def unreadable(subject: str) -> Refused:
    """The problem of a catalogue that is none."""
    return refuse(
        "store-unreadable",
        subject=subject,
        found="it is not a catalogue that this version can read",
        remedy="give another folder with --store, or bring this one back from a backup",
    )


def is_reachable(database: Database) -> bool:
    """Whether a connection to the database can be made."""
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError:
        return False
    return True
