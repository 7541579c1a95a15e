"""Workbooks (XLSX): each sheet is cleaned as a table and written into a new workbook of values.

Formulas leave their results; comments, pictures, names of ranges and the document's properties are left out.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.identity import Identity, merged
from prognoscope.deidentify.parquet import PARQUET, read_parquet
from prognoscope.deidentify.tables import CleanSheet, Sheet, read_sheet
from prognoscope.deidentify.text import Cleaner, tidy

WORKBOOK = ".xlsx"
TABLES = (".csv", ".tsv", WORKBOOK, PARQUET)
LARGEST_UNPACKED_BYTES = 1 << 30
_LONGEST_TITLE = 31  # Excel's limit
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip archive
_BROKEN = (zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError, SyntaxError, OSError)


def read_sheets(path: Path) -> list[tuple[str, Sheet]]:
    """Read a table: the sheets of a workbook with their titles, or a delimited or Parquet one with an empty title.

    Raises
    ------
    Refused
        `table-unreadable`, `file-too-large`.
    """
    if path.suffix.lower() == PARQUET:
        return [("", read_parquet(path))]
    if path.suffix.lower() != WORKBOOK:
        return [("", read_sheet(path))]
    import openpyxl  # when there is a workbook, and not before
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED_BYTES:
                raise refuse(
                    "file-too-large",
                    subject="file",
                    found=f"a workbook of more than {LARGEST_UNPACKED_BYTES >> 30} GiB unpacked",
                    remedy="split it by patients",
                )
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = [(sheet.title, _sheet(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]
        book.close()
    except (InvalidFileException, *_BROKEN) as error:
        raise _unreadable(f"it can't be read as a workbook ({type(error).__name__})") from error
    filled = [(title, sheet) for title, sheet in sheets if len(sheet.frame.columns)]
    if not filled:
        raise _unreadable("its sheets are empty")
    return filled


def written_workbook(sheets: Sequence[tuple[str, CleanSheet]], people: Mapping[str, Identity]) -> bytes:
    """Return clean sheets as a workbook, the same bytes for the same cells; what people know goes from the titles."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator, book.properties.created = "Prognoscope", dt.datetime(*_EPOCH)
    cleaner = Cleaner(merged(people.values()))
    for number, (title, sheet) in enumerate(sheets, start=1):
        clean = tidy(cleaner.clean(title, free=True), mark=False)
        page = book.create_sheet((clean or f"Sheet {number}")[:_LONGEST_TITLE])
        numbers = [role in ("number", "age") for _, role, _ in sheet.columns]
        page.append(list(sheet.frame.columns))
        for row in sheet.frame.itertuples(index=False):
            page.append([_cell(value, number) for value, number in zip(row, numbers, strict=True)])
    stream = io.BytesIO()
    book.save(stream)
    return _without_times(stream.getvalue())


def _sheet(rows: object) -> Sheet:
    import pandas as pd

    table = [[_text(cell) for cell in row] for row in rows]  # type: ignore[attr-defined]
    table = [row for row in table if any(row)]
    if not table:
        return Sheet(pd.DataFrame(), ",")
    width = max(len(row) for row in table)
    head, *body = [[*row, *[""] * (width - len(row))] for row in table]
    titles = [title or f"column {place}" for place, title in enumerate(head, start=1)]
    return Sheet(pd.DataFrame(body, columns=titles, dtype=str), ",")


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == dt.time() else f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _cell(value: str, number: bool) -> str | float | None:
    if not value:
        return None
    if (
        number
        and value.replace(".", "", 1).lstrip("+-").isdigit()
        and str(float(value)).rstrip("0").rstrip(".") == value
    ):
        return int(value) if value.lstrip("+-").isdigit() else float(value)
    return value


def _without_times(data: bytes) -> bytes:
    """Return the archive with one time for all its entries, its own time of change included."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "docProps/core.xml":
                start, stop = content.index(b"<dcterms:modified"), content.index(b"</dcterms:modified>")
                content = content[:start] + content[stop + len(b"</dcterms:modified>") :]
            new.writestr(zipfile.ZipInfo(entry.filename, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _unreadable(found: str) -> Refused:
    return refuse("table-unreadable", subject="file", found=found, remedy="save it as CSV with one header row")
