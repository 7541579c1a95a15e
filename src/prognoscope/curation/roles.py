"""Which of a patient's series and regions has a role in the study, by rules that the study file states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prognoscope.core.images import ImageIndex, ImageSeries, RegionSet
from prognoscope.core.patterns import matches
from prognoscope.core.problems import Problem, Refused, refuse

Rule = Literal["only", "newest", "oldest"]


@dataclass(frozen=True, slots=True)
class Role:
    """What the study looks for in each patient.

    Attributes
    ----------
    name
        Name of the role in results, for instance `MR_T1`.
    modality
        DICOM modality.
    series
        Pattern (`*`, `?`) of the series description.
    region
        Pattern of the region's name.
    label
        Pattern of the region set's label.
    rule
        What to do when more than one region matches: `only` refuses and lists them, `newest` and `oldest` go by the
        region set's date.
    """

    name: str
    modality: str
    region: str
    series: str = "*"
    label: str = "*"
    rule: Rule = "only"


@dataclass(frozen=True, slots=True)
class Choice:
    """The series and the region that have a role in one patient."""

    series: ImageSeries
    region_set: RegionSet
    region: str


def choose(index: ImageIndex, patient_id: str, role: Role) -> Choice:
    """Choose series and region of one patient for a role.

    A region belongs to the series that its set references; only where a set references none, to the one series of the
    modality in its frame of reference.

    Raises
    ------
    Refused
        `no-image`, `series-refused`, `no-region`, `region-unmatched`, `region-ambiguous`.
    """
    candidates = _series(index, patient_id, role)
    sets = [entry for entry in index.region_sets if entry.patient_id == patient_id]
    pairs = [(series, regions) for series in candidates for regions in sets if _drawn_on(regions, series, candidates)]
    if not pairs:
        raise _undrawn(index, patient_id, role, candidates)
    found = [
        Choice(series, regions, region)
        for series, regions in pairs
        if matches(regions.label, role.label)
        for region in regions.regions
        if matches(region, role.region)
    ]
    if not found:
        names = sorted({region for _, regions in pairs for region in regions.regions})
        raise refuse(
            "region-unmatched",
            subject=f"patient {patient_id}",
            found=f"no region of {role.name} matches “{role.region}”; there are: {', '.join(names) or 'none'}",
            remedy="correct `region:` in the study file, or rename the region",
        )
    return _one(found, patient_id, role)


def _series(index: ImageIndex, patient_id: str, role: Role) -> list[ImageSeries]:
    of_modality = [entry for entry in index.series if (entry.patient_id, entry.modality) == (patient_id, role.modality)]
    found = [entry for entry in of_modality if matches(entry.description, role.series)]
    if found:
        return found
    for refused in index.refused:
        if refused.patient_id == patient_id and refused.modality == role.modality:
            raise Refused(_of_patient(patient_id, refused.problem))
    others = sorted(
        {f"{entry.modality} “{entry.description}”" for entry in index.series if entry.patient_id == patient_id}
    )
    raise refuse(
        "no-image",
        subject=f"patient {patient_id}",
        found=f"no {role.modality} series matches “{role.series}”; there are: {', '.join(others) or 'no images'}",
        remedy="add the images, or correct `image:` and `series:` in the study file",
    )


def _of_patient(patient_id: str, problem: Problem) -> Problem:
    if patient_id in problem.subject:
        return problem
    return Problem(problem.code, f"patient {patient_id}, {problem.subject}", problem.found, problem.remedy)


def _drawn_on(regions: RegionSet, series: ImageSeries, candidates: list[ImageSeries]) -> bool:
    if regions.volume_uid:
        return regions.volume_uid == series.uid
    if not regions.series_uid:
        return len(candidates) == 1 and bool(regions.frame_of_reference == series.frame_of_reference)
    # A series may make several volumes (echoes, phases); where `series:` leaves one of them, it is meant.
    volumes = [one for one in candidates if _series_of(one.uid) == regions.series_uid]
    return series in volumes and len(volumes) == 1


def _series_of(uid: str) -> str:
    return uid.partition("#")[0]


def _undrawn(index: ImageIndex, patient_id: str, role: Role, candidates: list[ImageSeries]) -> Refused:
    """Why no region lies on the candidates: its series was refused, makes several volumes, or is another one."""
    sets = [entry for entry in index.region_sets if entry.patient_id == patient_id]
    drawn_on = {entry.series_uid for entry in sets} - {""}
    for refused in index.refused:
        own = (refused.patient_id, refused.modality) == (patient_id, role.modality)
        if own and _series_of(refused.uid) in drawn_on:
            return Refused(_of_patient(patient_id, refused.problem))
    volumes = [one.description for one in candidates if _series_of(one.uid) in drawn_on]
    several = f"it was drawn on a series of {len(volumes)} volumes ({'; '.join(volumes)})" if volumes else ""
    return refuse(
        "no-region",
        subject=f"patient {patient_id}",
        found=f"no region of interest is drawn on the {role.name} series "
        f"({several or f'{len(sets)} region sets on other series'})",
        remedy="choose one of the volumes with `series:`"
        if several
        else "export the RTSTRUCT that belongs to the series, or exclude the patient",
    )


def _one(matches: list[Choice], patient_id: str, role: Role) -> Choice:
    if len(matches) == 1:
        return matches[0]
    dated = [match for match in matches if match.region_set.date is not None]
    if role.rule != "only" and len(dated) == len(matches):
        edge = (max if role.rule == "newest" else min)(match.region_set.date or "" for match in matches)
        chosen = [match for match in matches if match.region_set.date == edge]
        if len(chosen) == 1:
            return chosen[0]
    listed = "; ".join(
        f"{match.region} in “{match.region_set.label}” of {match.region_set.date or 'unknown date'}"
        for match in matches
    )
    raise refuse(
        "region-ambiguous",
        subject=f"patient {patient_id}",
        found=f"{len(matches)} regions of {role.name} match “{role.region}”: {listed}",
        remedy="narrow `region:`, `series:` or `label:`, or choose with `choose: newest`",
    )
