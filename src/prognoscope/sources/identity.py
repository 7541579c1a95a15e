"""Whose files these are: no patient ID, one ID for two people, one series for two patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from prognoscope.core.problems import Problem
from prognoscope.sources.dicom import Located
from prognoscope.sources.instance import Person


def nameless(located: Sequence[Located]) -> list[Problem]:
    """One problem for each series whose files name no patient: nobody knows whose they are."""
    by_series: dict[str, list[Located]] = defaultdict(list)
    for file in sorted(located, key=lambda file: file.path):
        if not file.instance.patient_id:
            by_series[file.instance.series_uid].append(file)
    return [
        Problem(
            code="patient-id-missing",
            subject=f"series {series}",
            found=f"{len(members)} of its files (such as {members[0].path}) have no PatientID, so nobody knows whose "
            "they are",
            remedy="export the series with its PatientID",
        )
        for series, members in by_series.items()
    ]


def shared_ids(located: Sequence[Located]) -> dict[str, Problem]:
    """Patient ID → problem, for IDs whose files describe different people."""
    by_id: dict[str, list[Located]] = defaultdict(list)
    for file in sorted(located, key=lambda file: file.path):
        if file.instance.patient_id:
            by_id[file.instance.patient_id].append(file)
    found = {patient: _clash(patient, files) for patient, files in by_id.items()}
    return {patient: problem for patient, problem in found.items() if problem}


def _clash(patient: str, files: Sequence[Located]) -> Problem | None:
    """The first two files that describe different people; what a file leaves empty says nothing."""
    for told in ("birth date", "sex", "name"):
        known: list[Located] = []
        for file in files:
            person = file.instance.person
            other = next((one for one in known if _differ(one.instance.person, person, told)), None)
            if other:
                return _two_people(patient, other, file, told)
            if all(one.instance.person != person for one in known):
                known.append(file)
    return None


def _differ(first: Person, second: Person, told: str) -> bool:
    if told == "birth date":
        return bool(first.birth_date and second.birth_date) and first.birth_date != second.birth_date
    if told == "sex":
        return bool(first.sex and second.sex) and first.sex != second.sex
    # One name may have a middle name or a title that the other leaves out.
    one, other = set(first.name), set(second.name)
    return bool(one and other) and not (one <= other or other <= one)


def _two_people(patient: str, first: Located, second: Located, told: str) -> Problem:
    return Problem(
        code="patient-id-shared",
        subject=f"patient {patient}",
        found=f"{first.path} (study {first.instance.study_uid}) and {second.path} "
        f"(study {second.instance.study_uid}) carry this ID but differ in the patient's {told}",
        remedy="give each person an ID of their own, or correct the header that is wrong",
    )


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
