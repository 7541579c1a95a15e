"""What searches read, and triggers that say which of it is to be written again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

CHUNK = 2048
SEARCHED = ("series", "regions", "patient_values")
SQLITE_TRIGGER = """
    CREATE TRIGGER stale_{table}_{what} AFTER {what} ON {table} BEGIN
      INSERT INTO stale SELECT {row}.patient / {chunk}, 0
      WHERE NOT EXISTS (SELECT 1 FROM stale WHERE chunk = {row}.patient / {chunk} AND writer = 0);
    END"""
# By transaction: the mark of another may be taken away, by whoever refreshes, before this one's changes can be seen.
POSTGRESQL_FUNCTION = """
    CREATE FUNCTION prognoscope_note_stale() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO stale SELECT DISTINCT patient / {chunk}, txid_current() FROM changed
      WHERE NOT EXISTS (SELECT 1 FROM stale WHERE chunk = patient / {chunk} AND writer = txid_current());
      RETURN NULL;
    END $$"""
POSTGRESQL_TRIGGER = """
    CREATE TRIGGER stale_{table}_{what}_{row} AFTER {what} ON {table} REFERENCING {row} TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION prognoscope_note_stale()"""
CHANGES = (("insert", "new"), ("delete", "old"), ("update", "new"))


def upgrade() -> None:
    """Make the tables, note everything that is there as changed, and drop the indexes that searches used."""
    op.create_table(
        "facets",
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("field", "chunk"),
    )
    op.create_index("facets_chunk", "facets", ["chunk"])
    op.create_table(
        "stale",
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("writer", sa.BigInteger(), nullable=False),
    )
    op.create_index("stale_chunk", "stale", ["chunk", "writer"])
    for name, table in (
        ("series_patient_folded", "series"),
        ("regions_folded", "regions"),
        ("values_number", "patient_values"),
    ):
        op.drop_index(name, table_name=table)
    op.create_index("series_patient", "series", ["patient"])
    for table in SEARCHED:
        searched = sa.table(table, sa.column("patient"))
        changed = sa.select(searched.c.patient.op("/")(CHUNK), sa.literal(0)).distinct()
        op.execute(
            sa.insert(sa.table("stale", *map(sa.column, ("chunk", "writer")))).from_select(["chunk", "writer"], changed)
        )
    _watch()


def _watch() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in SEARCHED:
            for what, row in CHANGES:
                op.execute(SQLITE_TRIGGER.format(table=table, what=what, row=row, chunk=CHUNK))
            _watch_moves(table)
        return
    op.execute(POSTGRESQL_FUNCTION.format(chunk=CHUNK))
    for table in SEARCHED:
        for what, row in (*CHANGES, ("update", "old")):
            op.execute(POSTGRESQL_TRIGGER.format(table=table, what=what, row=row))


def _watch_moves(table: str) -> None:
    """What is said of one patient may become another's: the chunk that it leaves changes too."""
    moved = SQLITE_TRIGGER.format(table=table, what="move", row="old", chunk=CHUNK)
    op.execute(moved.replace("AFTER move ON", "AFTER UPDATE OF patient ON"))
