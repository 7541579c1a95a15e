"""What came in, what was made from it, and the proof."""

from prognoscope.store.artefacts import Artefacts, write_whole
from prognoscope.store.audit import AuditCheck, Entry, parse_head
from prognoscope.store.quarantine import Held, Quarantine
from prognoscope.store.records import (
    Arrival,
    Cell,
    InstanceRecord,
    PatientRecords,
    SeriesRecord,
    TableRecord,
)
from prognoscope.store.repository import Admitted, KnownFile, Repository
from prognoscope.store.staging import Tray, tray
from prognoscope.store.store import FileState, Store
from prognoscope.store.tables import from_parquet, to_parquet

__all__ = [
    "Admitted",
    "Arrival",
    "Artefacts",
    "AuditCheck",
    "Cell",
    "Entry",
    "FileState",
    "Held",
    "InstanceRecord",
    "KnownFile",
    "PatientRecords",
    "Quarantine",
    "Repository",
    "SeriesRecord",
    "Store",
    "TableRecord",
    "Tray",
    "from_parquet",
    "parse_head",
    "to_parquet",
    "tray",
    "write_whole",
]
