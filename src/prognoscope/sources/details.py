"""What a DICOM header tells that searching needs and grouping does not: body part, protocol, age and sex."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from prognoscope.core.problems import Refused
from prognoscope.sources.attributes import Attributes, tag_and_vr
from prognoscope.sources.outline import outline

WANTED = frozenset(
    tag_and_vr(keyword)[0]
    for keyword in (
        *("SpecificCharacterSet", "BodyPartExamined", "ProtocolName", "PatientAge", "PatientSex", "PatientBirthDate"),
        *("AcquisitionDate", "SeriesDate", "StudyDate"),
    )
)
ABSENT = frozenset({"", "NONE", "N/A", "UNKNOWN"})
YEARS_PER = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
OLDEST_YEARS = 130


@dataclass(frozen=True, slots=True)
class Details:
    """Body part, protocol, age in years (None when unknown) and sex as written."""

    body_part: str = ""
    protocol: str = ""
    age_years: float | None = None
    sex: str = ""


def read_details(data: bytes, *, subject: str) -> Details:
    """Read the details of one DICOM file; what cannot be read is absent."""
    try:
        header = Attributes.of(outline(data, WANTED, subject=subject))
        return Details(
            body_part=_told(header, "BodyPartExamined"),
            protocol=_told(header, "ProtocolName"),
            age_years=_age(header),
            sex=_told(header, "PatientSex"),
        )
    except Refused:
        return Details()


def _told(header: Attributes, keyword: str) -> str:
    text = header.text(keyword)
    return "" if text.upper() in ABSENT else text


def _age(header: Attributes) -> float | None:
    """PatientAge (PS3.5 6.2: three digits and D, W, M or Y), else the time from birth to the acquisition."""
    text = header.text("PatientAge").upper()
    if len(text) == 4 and text[:3].isdigit() and text[3] in YEARS_PER:
        years = round(int(text[:3]) * YEARS_PER[text[3]], 2)
        return years if years <= OLDEST_YEARS else None
    born = _date(header.text("PatientBirthDate"))
    taken = next(
        (day for word in ("AcquisitionDate", "SeriesDate", "StudyDate") if (day := _date(header.text(word)))), None
    )
    years = (taken - born).days / 365.25 if born and taken else -1.0
    return round(years, 2) if 0 <= years <= OLDEST_YEARS else None


def _date(text: str) -> date | None:
    if len(text) != 8 or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
