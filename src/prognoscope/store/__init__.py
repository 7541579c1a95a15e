"""What came in, what was made from it, and the proof."""

from prognoscope.store.store import FileState, Store

__all__ = ["FileState", "Store"]
