"""The tables of the catalogue; `migrations/` brings a database to them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    true,
)

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

# What a value that is no artefact (a frame, a cohort) was made from: `made` and `source` are hashes.
LINEAGE = Table(
    "lineage",
    METADATA,
    Column("made", String(64), primary_key=True),
    Column("role", String(200), primary_key=True),
    Column("source", String(64), primary_key=True),
    Index("lineage_source", "source"),
)

# Where data came from: a folder, an archive, a PACS; with the licence that its owner states.
SOURCES = Table(
    "sources",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("licence", Text, nullable=False),
    Column("first", String(32), nullable=False),
    Column("last", String(32), nullable=False),
)

# Bytes that came in and were acknowledged, each once.
OBJECTS = Table(
    "objects",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("batch", String(32), nullable=False),
    Column("created", String(32), nullable=False),
)

# Which file of which source held an object; a changed file has a row for each content it had, and `current` is the one
# that came in last.
ARRIVALS = Table(
    "arrivals",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("batch", String(32), nullable=False),
    Column("current", Boolean, nullable=False, server_default=true()),
    Index("arrivals_sha256", "sha256"),
)

# Artefacts that a writer is about to put in place; what a killed writer left here and nowhere else is removed.
PENDING = Table(
    "pending",
    METADATA,
    Column("batch", String(32), primary_key=True),
    Column("names", Text, nullable=False),
)

# One DICOM file each: its header as the reader told it.
INSTANCES = Table(
    "instances",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("sop_uid", String(64), nullable=False),
    Column("series_uid", String(64), nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("header", Text, nullable=False),
    Column("damaged", Boolean, nullable=False, server_default=false()),
    Index("instances_sop_uid", "sop_uid", unique=True),
    Index("instances_patient", "patient_id"),
)

# Patients whose series must be put together again because files came in.
WAITING = Table("waiting", METADATA, Column("patient_id", Text, primary_key=True))

# Patients and studies by number: in searches `patient` and `study` stand for `patient_id` and `study_uid`.
NAMES = Table(
    "names",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Index("names_name", "name", unique=True),
)

# Image volumes. `state` is usable, refused or released.
SERIES = Table(
    "series",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("patient_id", Text, nullable=False),
    Column("study_uid", String(64), nullable=False),
    Column("uid", Text, nullable=False),
    Column("series_uid", String(64), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("description", Text, nullable=False),
    Column("body_part", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("date", String(10), nullable=True),
    Column("age", Float, nullable=True),
    Column("sex", String(16), nullable=False),
    Column("manufacturer", Text, nullable=False),
    Column("scanner", Text, nullable=False),
    Column("centre", Text, nullable=False),
    Column("unit", String(16), nullable=False),
    Column("slices", Integer, nullable=False),
    Column("spacing", Float, nullable=True),
    Column("instances", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("role", String(80), nullable=False),
    Column("quality", String(12), nullable=False),
    Column("view", Text, nullable=False, server_default=""),
    Column("photometric", String(32), nullable=False, server_default=""),
    Column("licence", Text, nullable=False, server_default=""),
    Column("patient", Integer, nullable=False, server_default="0"),
    Column("study", Integer, nullable=False, server_default="0"),
    Index("series_sorted", "patient_id", "modality", "uid"),
    Index("series_uid", "series_uid"),
    Index("series_patient", "patient"),
)

# Files that do not say themselves whose they are (NIfTI, pictures), with what a table or their name says of them.
# `image` is the hash of the image that a mask belongs to; empty for images.
LINKS = Table(
    "links",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("patient_id", Text, primary_key=True),
    Column("image", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("description", Text, nullable=False),
    Column("view", Text, nullable=False),
    Column("date", String(10), nullable=True),
    Column("body_part", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("told_by", Text, nullable=False),
    Index("links_patient", "patient_id"),
)

# The same volumes in full, as the study reads them; apart, so that a search does not read them.
VOLUMES = Table(
    "volumes",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("document", Text, nullable=False),
)

# Regions of interest, one row each; `folded` is the name as it is searched.
REGIONS = Table(
    "regions",
    METADATA,
    Column("region_set", String(64), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("folded", Text, nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("series_uid", String(64), nullable=False),
    Column("frame_of_reference", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("patient", Integer, nullable=False, server_default="0"),
    Index("regions_number", "patient", "series_uid", "folded"),
)

# Tables of records that came in.
TABLES = Table(
    "tables",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("source", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("patient_column", Text, nullable=False),
    Column("columns", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("batch", String(32), nullable=False),
)

# Their cells, so that patients can be found by them, of the tables that are current; `number` where the whole column
# holds numbers. `patient` is whose images they go with, `patient_id` what the table calls the person.
VALUES = Table(
    "patient_values",
    METADATA,
    Column("table_sha256", String(64), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("patient_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("number", Float, nullable=True),
    Column("unit", String(32), nullable=False),
    Column("known_at", Text, nullable=False),
    Column("patient", Integer, nullable=False, server_default="0"),
    Index("values_text", "name", "folded", "patient"),
    Index("values_patient", "patient"),
)

# The same once more as searches read it (`facets.py`), by field and by chunk of patients' numbers.
PATIENTS_PER_CHUNK = 2048
FACETS = Table(
    "facets",
    METADATA,
    Column("field", Text, primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Index("facets_chunk", "chunk"),
)

# Chunks whose facets are to be written again, and the transaction that changed something of them (0 in SQLite, which
# has one writer at a time): triggers note them.
STALE = Table(
    "stale",
    METADATA,
    Column("chunk", Integer, nullable=False),
    Column("writer", BigInteger, nullable=False),
    Index("stale_chunk", "chunk", "writer"),
)

# What cannot be trusted, with its reason; released with a reason or not at all.
QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("what", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("code", String(80), nullable=False),
    Column("found", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("created", String(32), nullable=False),
    Column("released", String(32), nullable=False),
    Column("released_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("quarantine_code", "code"),
    Index("quarantine_sha256", "sha256"),
)

# Cohorts as they were when they were frozen; the content is an artefact.
SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("query", Text, nullable=False),
    Column("created", String(32), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("patients", Integer, nullable=False),
    Column("series", Integer, nullable=False),
    Column("instances", Integer, nullable=False),
)

# Who did what to which record; each entry holds the hash of the one before.
AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(80), nullable=False),
    Column("record", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
