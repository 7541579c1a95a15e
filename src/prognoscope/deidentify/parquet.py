"""Parquet tables: cleaned as text like any table, and written anew with numbers as numbers.

Nothing of the file's metadata goes along: whoever wrote it may have put people into it.
"""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.tables import LARGEST_TABLE_BYTES, CleanSheet, Sheet

PARQUET = ".parquet"


def read_parquet(path: Path) -> Sheet:
    """Read a Parquet table, all cells as text; a named index becomes its first columns.

    Raises
    ------
    Refused
        `table-unreadable` also when cells hold lists, records or bytes; `file-too-large`, by its size when unpacked.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            if sum(group.total_byte_size for group in groups) > LARGEST_TABLE_BYTES:
                raise refuse(
                    "file-too-large",
                    subject="file",
                    found=f"a table of more than {LARGEST_TABLE_BYTES >> 20} MiB unpacked",
                    remedy="split it by patients",
                )
            frame = file.read().to_pandas(integer_object_nulls=True, timestamp_as_object=True)
    except (ValueError, OSError, TypeError, KeyError, NotImplementedError) as error:
        raise _unreadable(f"it can't be read as Parquet ({type(error).__name__})") from error
    if frame.index.names != [None]:
        frame = frame.reset_index()
    text = {str(name): [_text(cell, str(name)) for cell in frame[name].tolist()] for name in frame.columns}
    return Sheet(pd.DataFrame(text, columns=list(text), dtype=str), ",")


def written_parquet(sheet: CleanSheet) -> bytes:
    """Return a clean table as Parquet: columns of numbers as numbers, all others as text, empty cells as missing."""
    import pandas as pd

    frame = sheet.frame.replace("", None)
    for name in [name for name, role, _ in sheet.columns if role in ("number", "age")]:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if numbers.isna().equals(frame[name].isna()):
            frame[name] = numbers
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
    return stream.getvalue()


def _text(cell: object, column: str) -> str:
    if cell is None or (
        isinstance(cell, float | dt.datetime) and cell != cell
    ):  # what is missing is not equal to itself
        return ""
    if isinstance(cell, dt.datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == dt.time() else f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, str | int | float | dt.date | dt.time):
        return str(cell)
    raise _unreadable(f"column {column} holds no plain values ({type(cell).__name__})")


def _unreadable(found: str) -> Refused:
    return refuse("table-unreadable", subject="file", found=found, remedy="save it as CSV with one header row")
