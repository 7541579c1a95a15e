"""What came in, what was made from it, and the proof."""

from prognoscope.store.artefacts import Artefacts, write_whole
from prognoscope.store.audit import AuditCheck, Entry, parse_head
from prognoscope.store.descriptions import Placed
from prognoscope.store.links import Link, NamedFile, Unowned
from prognoscope.store.provenance import Step, history
from prognoscope.store.quarantine import Held, Quarantine
from prognoscope.store.records import (
    Arrival,
    Cell,
    FrozenTable,
    InstanceRecord,
    PatientRecords,
    SeriesRecord,
    TableRecord,
)
from prognoscope.store.repository import Admitted, KnownFile, Repository
from prognoscope.store.search import Counts, Hit, Told
from prognoscope.store.snapshots import Difference, Frozen, Snapshot
from prognoscope.store.staging import Tray, tray
from prognoscope.store.store import Store
from prognoscope.store.tables import from_parquet, to_parquet
from prognoscope.store.verification import Verified, verify_artefacts

__all__ = [
    "Admitted",
    "Arrival",
    "Artefacts",
    "AuditCheck",
    "Cell",
    "Counts",
    "Difference",
    "Entry",
    "Frozen",
    "FrozenTable",
    "Held",
    "Hit",
    "InstanceRecord",
    "KnownFile",
    "Link",
    "NamedFile",
    "PatientRecords",
    "Placed",
    "Quarantine",
    "Repository",
    "SeriesRecord",
    "Snapshot",
    "Step",
    "Store",
    "TableRecord",
    "Told",
    "Tray",
    "Unowned",
    "Verified",
    "from_parquet",
    "history",
    "parse_head",
    "to_parquet",
    "tray",
    "verify_artefacts",
    "write_whole",
]
