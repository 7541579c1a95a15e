"""Sources that are addresses: a PACS or a DICOMweb server, not a place on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from prognoscope.core.problems import refuse

NETWORK = ("pacs", "http", "https")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def is_address(source: Path | str) -> bool:
    """Whether a source is the address of a PACS or a DICOMweb server; refuses `address-unknown` for one of others."""
    found = SCHEME.match(str(source))
    if found and found[1].lower() not in NETWORK:
        raise refuse(
            "address-unknown",
            subject=str(source),
            found=f"nothing can be asked by {found[1]}",
            remedy="write pacs://TITLE@host:port for a PACS, https://host/… for a DICOMweb server, or a folder's path",
        )
    return bool(found)
