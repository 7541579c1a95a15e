"""Tables: the images' pseudonyms and date shifts, identifying columns emptied, free text cleaned row by row.

What a column holds is told by its values first (the images' patient IDs, dates) and by its name second.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.dates import WRITTEN, replace_written
from prognoscope.deidentify.identity import Identity, merged
from prognoscope.deidentify.profile import Options
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.text import OLDEST_AGE_YEARS, Cleaner, tidy
from prognoscope.deidentify.words import alternatives

if TYPE_CHECKING:
    import pandas as pd

LARGEST_TABLE_BYTES = 1 << 30
MOST_ALIKE = 0.8  # of a column's values must be dates for it to be a column of dates
_SHARED = 0.5  # of a column's values must be known patient IDs for it to be the patients' column
_SAMPLE = 2000

Role = Literal["patient", "identifier", "birth", "date", "age", "file", "number", "text"]
_PATIENT = re.compile(
    r"(patient|subject|participant|case|person|pat|study)[ _.\-]?(id|no|nr|number|code|identifier)?|pid|id"
)
_IDENTIFIER = re.compile(
    rf"(?:.*[ _.\-])?{alternatives('identifying_columns')}(?:[ _.\-]?(?:\d+|no|nr|id|number|code|name))?\.?"
)
_BIRTH = re.compile(
    r".*(birth|born|dob|geburt|gebdat|geb[_. ]dat|naissance|nacimiento|nascita|nascimento|geboorte|f[öo]delse).*"
)
_AGE = re.compile(r"(?:.*[ _.\-])?age(?:[ _.\-].*)?")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text: nothing is parsed, empty cells are empty strings."""

    frame: pd.DataFrame
    delimiter: str


@dataclass(frozen=True, slots=True)
class CleanSheet:
    """A table without identity, and what was done to each column: `(column, role, cells changed)`."""

    frame: pd.DataFrame
    delimiter: str
    columns: tuple[tuple[str, Role, int], ...]


def read_sheet(path: Path) -> Sheet:
    """Read a delimited table, all cells as text.

    Raises
    ------
    Refused
        `table-unreadable`, `file-too-large`.
    """
    import pandas as pd  # when there is a table, and not before

    if path.stat().st_size > LARGEST_TABLE_BYTES:
        raise refuse(
            "file-too-large",
            subject="file",
            found=f"a table of more than {LARGEST_TABLE_BYTES >> 20} MiB",
            remedy="split it by patients",
        )
    data = path.read_bytes()
    text = _decoded(data)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    try:
        frame = pd.read_csv(io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise _unreadable(f"it can't be read as a table ({type(error).__name__})") from error
    return Sheet(frame.astype(str), delimiter)


def _decoded(data: bytes) -> str:
    """Text in UTF-8, UTF-16 with its byte order mark, or, where it is neither, in Windows' code page."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise _unreadable("it holds bytes that are no text")
    return text


def roles_of(sheet: Sheet, *, patients: frozenset[str], files: frozenset[str]) -> dict[str, Role]:
    """Tell what each column holds.

    Parameters
    ----------
    sheet
        The table.
    patients
        Patient IDs of the images that come with it.
    files
        Names of the files that come with it.
    """
    roles = {str(name): _role(str(name), _filled(sheet.frame[name]), files) for name in sheet.frame}
    column = _patient_column(sheet.frame, roles, patients)
    if column is not None:
        roles[column] = "patient"
    return roles


def patient_column(roles: Mapping[str, Role]) -> str | None:
    """Return the column that says whose a row is, if there is one."""
    return next((name for name, role in roles.items() if role == "patient"), None)


def clean_sheet(
    sheet: Sheet,
    roles: Mapping[str, Role],
    *,
    people: Mapping[str, Identity],
    renamed: Mapping[str, str],
    project: Project,
    options: Options,
) -> CleanSheet:
    """Take identity out of a table.

    Parameters
    ----------
    roles
        Of its columns, from `roles_of`.
    people
        What is known of each patient from the images, by original ID.
    renamed
        New names of the files that the table may mention, by their old ones.
    project, options
        As for the images: the same pseudonyms, the same date shifts.

    Raises
    ------
    Refused
        `table-unreadable` when two columns have one name.
    """
    import pandas as pd

    frame = sheet.frame
    owners = _owners(frame, roles)
    cleaners = _cleaners(frame, roles, owners, people, project, options)
    columns: dict[str, list[str]] = {}
    done: list[tuple[str, Role, int]] = []
    everyone = merged(people.values())
    for name, role in roles.items():
        before = frame[name].tolist()
        after = [
            _cell(value, role, cleaners[owner], renamed, project) for value, owner in zip(before, owners, strict=True)
        ]
        title = tidy(Cleaner(everyone).clean(name, free=False), mark=False) or f"column {len(columns) + 1}"
        if title in columns:
            raise _unreadable("two columns have one name")
        columns[title] = after
        done.append((title, role, sum(old != new for old, new in zip(before, after, strict=True))))
    return CleanSheet(pd.DataFrame(columns), sheet.delimiter, tuple(done))


def written(sheet: CleanSheet) -> bytes:
    """Return the table as UTF-8 text with its own delimiter."""
    text = sheet.frame.to_csv(None, sep=sheet.delimiter, index=False, lineterminator="\n")
    return str(text).encode()


def _cell(value: str, role: Role, cleaner: Cleaner, renamed: Mapping[str, str], project: Project) -> str:
    if not value.strip() or role == "number":
        return value
    if role == "patient":
        return project.patient(value)
    if role in ("identifier", "birth"):
        return ""
    if role == "file":
        return renamed.get(value.strip(), "")
    if role == "age":
        return str(OLDEST_AGE_YEARS) if _years(value) >= OLDEST_AGE_YEARS else value
    if role == "date":
        return _date_cell(value, cleaner)
    return tidy(cleaner.clean(value, free=True), mark=" " in value.strip())


def _date_cell(value: str, cleaner: Cleaner) -> str:
    if not WRITTEN.search(value):
        return ""
    return replace_written(value, cleaner.shift, moved=str, removed=lambda _: "").strip()


def _role(name: str, values: Sequence[str], files: frozenset[str]) -> Role:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).strip().lower()
    if _BIRTH.fullmatch(plain):
        return "birth"
    if _IDENTIFIER.fullmatch(plain):
        return "identifier"
    if values and sum(value in files for value in values) >= _SHARED * len(values):
        return "file"
    if values and sum(bool(WRITTEN.match(value)) for value in values) >= MOST_ALIKE * len(values):
        return "date"
    if _AGE.fullmatch(plain) and all(_NUMBER.fullmatch(value) for value in values):
        return "age"
    return "number" if all(_NUMBER.fullmatch(value) and not _long(value) for value in values) else "text"


def _long(value: str) -> bool:
    return value.isdigit() and len(value) >= 7


def _years(value: str) -> float:
    return float(value.replace(",", ".")) if _NUMBER.fullmatch(value.strip()) else 0.0


def _patient_column(frame: pd.DataFrame, roles: Mapping[str, Role], patients: frozenset[str]) -> str | None:
    for name in roles:
        values = [value.strip() for value in _filled(frame[name])]
        if patients and values and sum(value in patients for value in values) >= _SHARED * len(values):
            return name
    named = [name for name in roles if _PATIENT.fullmatch(name.strip().lower())]
    return named[0] if named else None


def _owners(frame: pd.DataFrame, roles: Mapping[str, Role]) -> list[str]:
    column = patient_column(roles)
    return [""] * len(frame) if column is None else [value.strip() for value in frame[column].tolist()]


def _cleaners(
    frame: pd.DataFrame,
    roles: Mapping[str, Role],
    owners: Sequence[str],
    people: Mapping[str, Identity],
    project: Project,
    options: Options,
) -> dict[str, Cleaner]:
    """One cleaner a patient, which knows the images' identity and what the patient's own rows say in their columns."""
    told: dict[str, set[str]] = {owner: set() for owner in owners}
    for name in [name for name, role in roles.items() if role == "identifier"]:
        for owner, value in zip(owners, frame[name].tolist(), strict=True):
            told[owner].add(value.strip())
    everyone = merged(people.values()) if "" in told else Identity()
    cleaners = {}
    for owner, values in told.items():
        words = frozenset(value for value in values if value)
        own = frozenset({owner}) if owner else frozenset()
        known = people.get(owner, everyone) | Identity(frozenset(w for w in words if _like_name(w)), words | own)
        shift = project.shift_days(owner) if options.retain_dates and owner else None
        cleaners[owner] = Cleaner(known, shift)
    return cleaners


def _like_name(value: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d_][\w .,'’\-^]*", value)) and not any(character.isdigit() for character in value)


def _filled(column: pd.Series[str]) -> list[str]:
    return [value for value in column.head(_SAMPLE).tolist() if value.strip()]


def _delimiter(text: str) -> str:
    try:
        return csv.Sniffer().sniff(text[:65_536].splitlines()[0], delimiters=",;\t|").delimiter
    except (csv.Error, IndexError):
        return ","


def _unreadable(found: str) -> Refused:
    return refuse("table-unreadable", subject="file", found=found, remedy="save it as CSV with one header row")
