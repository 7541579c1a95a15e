"""What is known of a file on disk without reading it again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileState:
    """Size, modification time and SHA-256 of a file when it was last hashed."""

    size: int
    mtime_ns: int
    sha256: str
