"""Files without an identity of their own: NIfTI images and pictures, linked by tables and names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table and the columns."""
    op.create_table(
        "links",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("image", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("date", sa.String(length=10), nullable=True),
        sa.Column("body_part", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "patient_id", "image"),
    )
    op.create_index("links_patient", "links", ["patient_id"], unique=False)
    op.add_column("instances", sa.Column("damaged", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("series_modality_folded", "series", [sa.text("lower(modality)")])
    op.create_index("series_patient_folded", "series", [sa.text("lower(patient_id)")])
    op.add_column("series", sa.Column("view", sa.Text(), nullable=False, server_default=""))
    op.add_column("series", sa.Column("photometric", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("series", sa.Column("licence", sa.Text(), nullable=False, server_default=""))
