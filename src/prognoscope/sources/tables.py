"""Tables of records (CSV, XLSX, Parquet) → frames of text; nothing is guessed away while reading.

Every cell is text as written, without outer blanks, or None. Identifiers keep their zeros; numbers and dates are made
from text where a study says that a column holds them (`values`).
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prognoscope.core.numbers import equal_number
from prognoscope.core.problems import Refused, refuse

DELIMITERS = (",", ";", "\t", "|")
LARGEST_BYTES = 2 << 30
LARGEST_INFLATED, ALWAYS_INFLATED = 2 << 30, 64 << 20
PLAUSIBLE_RATIO = 50  # a workbook's XML shrinks to a tenth, one cell repeated without end to a thousandth
MOST_CELLS_OF_SHEET = 5_000_000
SAMPLE_LINES = 50
END = "\0end"  # a last line of our own, which an open quotation mark swallows
Row = list[str]
Columns = Sequence[Sequence[str]]  # the cells of a table; none where it has no row


def read_table(path: Path, *, missing: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path
        A CSV (comma, semicolon, tab or bar; UTF-8, UTF-16 with its mark, or Windows-1252), XLSX or Parquet file.
    missing
        Further texts that mean "not recorded", besides the empty one; `["--", "N/A"]`. A number also means its equals:
        `-9` stands for `-9.0`.

    Returns
    -------
    All columns text (`object`) with None where missing; a plain index from 0; columns in the file's order.

    Raises
    ------
    Refused
        `table-missing`, `table-unreadable`, `table-empty`, `table-format`, `table-ragged` with the line,
        `column-name-twice`, `table-too-large`, `table-sheets`.
    """
    readers: dict[str, Callable[[bytes, str], tuple[Row, Columns]]] = {
        "zip": _read_workbook,
        "parquet": _read_parquet,
        "text": _read_text,
    }
    subject = path.as_posix()
    data = _bytes(path)
    names, columns = readers[_kind(data, subject)](data, subject)
    header = _header(names, subject)
    words = {"", *(word.strip() for word in missing)}
    numbers = [word for word in words if equal_number(word, word)]
    cells = {}
    for name, column in zip(header, columns or [()] * len(header), strict=True):
        texts = list(map(str.strip, column))
        different = set(texts)
        gone = words & different
        gone |= {text for text in different for word in numbers if equal_number(text, word)}
        cells[name] = [None if text in gone else text for text in texts] if gone else texts
    return pd.DataFrame(cells, dtype=object, columns=header)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise _too_large(path.as_posix())
        return path.read_bytes()
    except FileNotFoundError as error:
        raise refuse(
            "table-missing", subject=path.as_posix(), found="there is no such file", remedy="check the path"
        ) from error
    except OSError as error:
        raise refuse(
            "table-unreadable",
            subject=path.as_posix(),
            found=f"the file cannot be read ({error.strerror})",
            remedy="check the path and the file's rights",
        ) from error


def _too_large(subject: str) -> Refused:
    return refuse(
        "table-too-large",
        subject=subject,
        found=f"the table needs more than {LARGEST_BYTES >> 30} GiB",
        remedy="leave out what the study does not need",
    )


def _kind(data: bytes, subject: str) -> str:
    if not data.strip():
        raise refuse("table-empty", subject=subject, found="the file is empty", remedy="export the table again")
    if data[:4] == b"PK\x03\x04":
        return "zip"
    if data[:4] == b"PAR1":
        return "parquet"
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise _format(subject, "it is a workbook of the old Excel format (.xls), or one with a password")
    if data[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" in data[:65536]:
        raise _format(subject, "it is neither text nor XLSX nor Parquet")
    return "text"


def _format(subject: str, found: str) -> Refused:
    return refuse("table-format", subject=subject, found=found, remedy="save the table as CSV, XLSX or Parquet")


def _header(names: Row, subject: str) -> Row:
    header = [name.strip() or f"column_{number}" for number, name in enumerate(names, start=1)]
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        at = [str(number) for number, name in enumerate(header, start=1) if name == twice[0]]
        raise refuse(
            "column-name-twice",
            subject=subject,
            found=f"columns {' and '.join(at)} are both named {twice[0]!r}",
            remedy="rename one of them",
        )
    return header


def _read_text(data: bytes, subject: str) -> tuple[Row, Columns]:
    text = decode(data)
    delimiter = _delimiter(text)
    rows: list[Row] = []
    names: Row | None = None
    reader = csv.reader(chain(io.StringIO(text, newline=""), ("\n", END)), delimiter=delimiter, strict=False)
    try:
        for row in reader:
            if row == [END]:
                return names or [], list(zip(*rows, strict=True))
            if names is None:
                names = row if any(cell.strip() for cell in row) else None
            elif row and len(row) != len(names):
                raise refuse(
                    "table-ragged",
                    subject=f"{subject}, line {reader.line_num}",
                    found=f"{len(row)} cells, the header has {len(names)}",
                    remedy="quote cells that contain the delimiter, or complete the line",
                )
            elif any(row) and not "".join(row).isspace():
                rows.append(row)
    except csv.Error as error:
        raise _format(f"{subject}, line {reader.line_num}", f"the line cannot be split into cells ({error})") from error
    raise _format(subject, "a quotation mark that opens is never closed")


def decode(data: bytes) -> str:
    """Text of a file: by its byte order mark, else UTF-8, else Windows-1252, which Excel writes."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    """The delimiter that splits the first lines most evenly into most cells."""
    sample = text[: 1 << 16].splitlines()[:SAMPLE_LINES]

    def quality(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        same = sum(count == counts[0] for count in counts) / len(counts) if counts else 0.0
        return (same if counts and counts[0] > 1 else 0.0, counts[0] if counts else 0)

    return max(DELIMITERS, key=quality)


# What the reader of workbooks gives for one whose parts are missing, cut off, encrypted or no XML.
BROKEN_WORKBOOK = (
    *(zipfile.BadZipFile, zlib.error, SyntaxError, OSError, EOFError, LookupError, ValueError, TypeError),
    *(AttributeError, NotImplementedError, RuntimeError, OverflowError),
)


def _read_workbook(data: bytes, subject: str) -> tuple[Row, Columns]:
    import openpyxl  # only workbooks need it
    from openpyxl.utils.exceptions import InvalidFileException

    _check_archive(data, subject)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            sheets = [(sheet.title, _sheet(sheet, subject)) for sheet in book.worksheets]
        except (InvalidFileException, *BROKEN_WORKBOOK) as error:
            raise _format(subject, f"the workbook cannot be read ({error})") from error
    filled = [(title, rows) for title, rows in sheets if rows]
    if not filled:
        raise refuse("table-empty", subject=subject, found="no sheet has a cell", remedy="export the table again")
    if len(filled) > 1:
        raise refuse(
            "table-sheets",
            subject=subject,
            found=f"{len(filled)} sheets hold data ({', '.join(title for title, _ in filled)})",
            remedy="save the sheet you mean as a file of its own",
        )
    rows = filled[0][1]
    return rows[0], list(zip(*rows[1:], strict=True))


def _check_archive(data: bytes, subject: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _format(subject, f"the workbook is damaged ({error})") from error
    if "[Content_Types].xml" not in names:
        raise _format(subject, "it is a zip archive, not a workbook")
    if size > min(LARGEST_INFLATED, max(ALWAYS_INFLATED, PLAUSIBLE_RATIO * len(data))):
        raise refuse(
            "table-too-large",
            subject=subject,
            found=f"the workbook of {len(data) >> 10:,} KiB unpacks to {size >> 20:,} MiB, which no table does",
            remedy="save it as CSV, if it is one",
        )


def _sheet(sheet: Any, subject: str) -> list[Row]:
    sheet.reset_dimensions()  # the width that a file claims would be filled up with empty cells
    filled: list[Row] = []
    cells = 0
    for row in sheet.iter_rows():
        cells += max(len(row), 1)
        if cells > MOST_CELLS_OF_SHEET:
            found = f"a sheet has more than {MOST_CELLS_OF_SHEET:,} cells, which takes minutes to read"
            raise refuse("table-too-large", subject=subject, found=found, remedy="save the table as CSV or Parquet")
        texts = [_cell(cell) for cell in row]
        if any(texts):
            filled.append(texts)
        if len(filled) == 1:
            _header(filled[0], subject)  # one that cannot be used is told before the other rows are read
    width = max((number for row in filled for number, text in enumerate(row, start=1) if text), default=0)
    return [[*row[:width], *[""] * (width - len(row))] for row in filled]


def _cell(cell: object) -> str:
    value = getattr(cell, "value", None)
    form = str(getattr(cell, "number_format", "") or "")
    if isinstance(value, int) and not isinstance(value, bool) and len(form) > 1 and not form.strip("0"):
        return str(value).zfill(len(form))  # an identifier shown as 007 is stored as 7
    return written(value)


def written(value: object) -> str:
    """A cell's value as text: whole numbers without a point, dates in ISO form, nothing as the empty text."""
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def _read_parquet(data: bytes, subject: str) -> tuple[Row, Columns]:
    try:
        frame = pd.read_parquet(io.BytesIO(data), dtype_backend="pyarrow")
    except (ValueError, OSError, KeyError, TypeError, NotImplementedError) as error:
        raise _format(subject, f"the Parquet file cannot be read ({str(error)[:200]})") from error
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    columns = [_texts(frame.iloc[:, number]) for number in range(frame.shape[1])]
    return [str(name) for name in frame.columns], columns


def _texts(column: pd.Series) -> list[str]:
    """The cells as text, each different value written once: clinical columns repeat few of them."""
    try:
        codes, values = pd.factorize(column)
    except (TypeError, NotImplementedError):  # lists and records of a nested column cannot be told apart
        return [written(value) for value in column.tolist()]
    different = np.array([*(written(value) for value in values.tolist()), written(None)], dtype=object)
    return list(different[codes])  # the code of a missing cell is -1, the last
