"""What came in, what was made from it, and the proof."""

from prognoscope.store.artefacts import write_whole
from prognoscope.store.store import FileState, Store
from prognoscope.store.tables import from_parquet, to_parquet

__all__ = ["FileState", "Store", "from_parquet", "to_parquet", "write_whole"]
