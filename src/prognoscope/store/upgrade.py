"""A catalogue of any earlier version becomes one of this version; a newer one is left alone."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from prognoscope.core.problems import Refused, refuse
from prognoscope.store.database import Database, unreadable

HEAD = "0005"
FOLDER = Path(__file__).parent / "migrations"


def bring_up_to_date(database: Database) -> None:
    """Make the tables of the catalogue, or those that an older one lacks.

    Raises
    ------
    Refused
        `store-newer` when a later version of Prognoscope wrote it, `store-unreadable` when it is no catalogue,
        `catalogue-failed` when the database cannot be reached.
    """
    try:
        with database.reading() as connection:
            known = _revision(connection)
        if known == HEAD:
            return
        with database.writing() as connection:
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(7046116)"))
            _upgrade(connection, _revision(connection))
    except DatabaseError as cause:
        raise unreadable(database.engine.url.render_as_string(hide_password=True)) from cause


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: Connection, known: str | None) -> None:
    if known == HEAD:
        return
    from alembic import command  # slow to import, and needed once in the life of a store
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as cause:
        raise _newer(known) from cause


def _newer(known: str | None) -> Refused:
    return refuse(
        "store-newer",
        subject="catalogue",
        found=f"it is of revision {known}, this version of Prognoscope knows up to {HEAD}",
        remedy="install the newer version that wrote it",
    )
