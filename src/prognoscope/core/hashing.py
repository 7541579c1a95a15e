"""SHA-256 of files, values and tables, the same on every machine.

numpy, pandas and pydantic are imported where one of their values is hashed: who hashes files need not wait for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 1 << 20


def of_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes, read in chunks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def of_value(value: object) -> str:
    """SHA-256 of a plain value, settings or a structure of them, in canonical JSON."""
    return of_bytes(canonical_json(value).encode())


def of_frame(frame: pd.DataFrame) -> str:
    """SHA-256 of a table: column names, types, index and values, missing ones included."""
    from pandas.util import hash_pandas_object

    digest = hashlib.sha256(canonical_json([[str(name), str(frame[name].dtype)] for name in frame]).encode())
    rows = hash_pandas_object(frame, index=True, categorize=False)
    digest.update(rows.to_numpy(dtype="uint64").astype("<u8").tobytes())
    return digest.hexdigest()


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no blanks; two equal values give the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain, allow_nan=False)


def _plain(value: object) -> Any:
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    import numpy as np
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
