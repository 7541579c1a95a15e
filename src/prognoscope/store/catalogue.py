"""The tables of the catalogue."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Float, Integer, LargeBinary, MetaData, String, Table, Text

METADATA = MetaData()

# What a file's bytes were when it was last hashed; trusted while size and time stay the same.
FILES = Table(
    "files",
    METADATA,
    Column("path", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

# Small results, one per patient, file or fold, by the hash of everything they depend on.
MEMOS = Table(
    "memos",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("step", String(80), nullable=False),
    Column("value", LargeBinary, nullable=False),
)

# Outputs of a stage: at the same time its cache and its provenance.
RESULTS = Table(
    "results",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("stage", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("settings", Text, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("outputs", Text, nullable=False),
    Column("program", String(80), nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("seconds", Float, nullable=False),
)

# How often something was done to a cohort: settings tried, uses of an external set.
COUNTS = Table(
    "counts",
    METADATA,
    Column("cohort", String(64), primary_key=True),
    Column("what", String(80), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
)
