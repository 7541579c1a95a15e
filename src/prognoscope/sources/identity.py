"""Whose files these are: one patient ID for two people, one series for two patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from prognoscope.core.problems import Problem
from prognoscope.sources.dicom import Located


def shared_ids(located: Sequence[Located]) -> dict[str, Problem]:
    """Patient ID → problem, for IDs whose files describe different people."""
    by_id: dict[str, list[Located]] = defaultdict(list)
    for file in sorted(located, key=lambda file: file.path):
        by_id[file.instance.patient_id].append(file)
    found = {patient: _clash(patient, files) for patient, files in by_id.items()}
    return {patient: problem for patient, problem in found.items() if problem}


def _clash(patient: str, files: Sequence[Located]) -> Problem | None:
    for attribute, told in (("birth_date", "birth date"), ("sex", "sex"), ("name", "name")):
        seen: dict[str, Located] = {}
        for file in files:
            value = getattr(file.instance.person, attribute)
            if value:
                seen.setdefault(value, file)
        if len(seen) > 1:
            first, second = list(seen.values())[:2]
            return Problem(
                code="patient-id-shared",
                subject=f"patient {patient}",
                found=f"{first.path} (study {first.instance.study_uid}) and {second.path} "
                f"(study {second.instance.study_uid}) carry this ID but differ in the patient's {told}",
                remedy="give each person an ID of their own, or correct the header that is wrong",
            )
    return None


def shared_series(located: Sequence[Located]) -> dict[str, Problem]:
    """Series UID → problem, for series that two patient IDs claim."""
    owners: dict[str, dict[str, Located]] = defaultdict(dict)
    for file in sorted(located, key=lambda file: file.path):
        owners[file.instance.series_uid].setdefault(file.instance.patient_id, file)
    return {
        series: Problem(
            code="series-of-two-patients",
            subject=f"series {series}",
            found=" and ".join(f"{file.path} gives it to patient {patient!r}" for patient, file in claims.items()),
            remedy="find out whose it is and correct the other header",
        )
        for series, claims in owners.items()
        if len(claims) > 1
    }
