"""Patients and studies by number, and which content of a file is the one that its source has now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of numbers and the columns, fill them, and exchange the indexes that searches use."""
    op.create_table(
        "names",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("names_name", "names", ["name"], unique=True)
    for table, column in (
        ("series", "patient"),
        ("series", "study"),
        ("regions", "patient"),
        ("patient_values", "patient"),
    ):
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("arrivals", sa.Column("current", sa.Boolean(), nullable=False, server_default=sa.true()))
    _fill()
    for name, table in (
        ("series_modality", "series"),
        ("series_patient", "series"),
        ("series_modality_folded", "series"),
        ("regions_patient", "regions"),
        ("values_number", "patient_values"),
        ("values_text", "patient_values"),
        ("values_patient", "patient_values"),
    ):
        op.drop_index(name, table_name=table)
    op.create_index("series_sorted", "series", ["patient_id", "modality", "uid"])
    op.create_index("regions_number", "regions", ["patient", "series_uid", "folded"])
    op.create_index("values_number", "patient_values", ["name", "number", "patient"])
    op.create_index("values_text", "patient_values", ["name", "folded", "patient"])
    op.create_index("values_patient", "patient_values", ["patient"])


def _fill() -> None:
    connection = op.get_bind()
    names = sa.table("names", sa.column("number"), sa.column("name"))
    series = sa.table("series", *map(sa.column, ("patient_id", "study_uid", "patient", "study", "modality")))
    others = [sa.table(name, sa.column("patient_id"), sa.column("patient")) for name in ("regions", "patient_values")]
    known = sa.union(*(sa.select(column) for column in (series.c.patient_id, series.c.study_uid)), *(
        sa.select(table.c.patient_id) for table in others
    )).subquery()  # fmt: skip
    connection.execute(names.insert().from_select(["name"], sa.select(known.c[0]).order_by(known.c[0])))

    def number(column: sa.ColumnElement[str]) -> sa.ScalarSelect[int]:
        return sa.select(names.c.number).where(names.c.name == column).scalar_subquery()

    connection.execute(
        series.update().values(
            patient=number(series.c.patient_id),
            study=number(series.c.study_uid),
            modality=sa.func.upper(series.c.modality),
        )
    )
    for table in others:
        connection.execute(table.update().values(patient=number(table.c.patient_id)))
    _tell_what_is_current(connection)


def _tell_what_is_current(connection: sa.Connection) -> None:
    """Until now the content with the newest time of change counted."""
    arrivals = sa.table(
        "arrivals", *map(sa.column, ("source", "path", "sha256", "mtime_ns")), sa.column("current", sa.Boolean())
    )
    values = sa.table("patient_values", sa.column("table_sha256"))
    newer = arrivals.alias()
    later = sa.tuple_(newer.c.mtime_ns, newer.c.sha256) > sa.tuple_(arrivals.c.mtime_ns, arrivals.c.sha256)
    same = (newer.c.source == arrivals.c.source) & (newer.c.path == arrivals.c.path)
    connection.execute(arrivals.update().where(sa.exists().where(same, later)).values(current=False))
    came_in = arrivals.c.sha256 == values.c.table_sha256
    superseded = sa.exists().where(came_in) & ~sa.exists().where(came_in, arrivals.c.current)
    connection.execute(values.delete().where(superseded))
