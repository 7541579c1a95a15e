"""Sources that are addresses: a PACS or a DICOMweb server, not a place on this machine."""

from __future__ import annotations

from pathlib import Path

NETWORK = ("pacs://", "http://", "https://")


def is_address(source: Path | str) -> bool:
    """Whether a source is the address of a PACS or a DICOMweb server."""
    return str(source).startswith(NETWORK)
