"""Every test of the Image Biomarker Standardisation Initiative, run against its published reference data."""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np

from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.measures import Feature
from prognoscope.core.problems import refuse
from prognoscope.core.work import Mapper, serial_map
from prognoscope.radiomics import extract
from prognoscope.radiomics.diagnostics import diagnostics
from prognoscope.radiomics.filters import respond
from prognoscope.radiomics.reference import CONFIGURATIONS, configuration
from prognoscope.radiomics.reference_filters import FILTERED, RESPONSE_MAPS, ResponseMap, filtered_configuration
from prognoscope.sources import read_nifti, read_nifti_mask

Part = Literal["features", "image description", "response map", "filtered features"]
MAP_TOLERANCE = 0.01
"""Share of a response map's range by which each of its voxels may differ."""
NUMBERS_OF_VALUES: dict[tuple[Part, str], int] = {
    **{("features", name): 482 if name == "digital_phantom" else 346 for name in ("digital_phantom", "A", "B")},
    **{("features", name): 210 for name in "CDE"},
    **{("image description", name): 60 for name in "ABCDE"},
    **{("filtered features", name): 17 if name == "8.B" else 18 for name in FILTERED},
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A reference value that is not met.

    Attributes
    ----------
    feature
        IBSI's tag, or `largest difference` of a response map.
    found
        NaN where the feature is missing or cannot be computed.
    """

    part: Part
    case: str
    feature: str
    expected: float
    found: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Score:
    """How many reference values of one test are met; a response map counts as one.

    Attributes
    ----------
    case
        `digital_phantom`, `A` to `E` of chapter 1; `1.a.1` to `10.b.1` and `1.A` to `9.B` of chapter 2.
    """

    part: Part
    case: str
    passed: int
    total: int


@dataclass(frozen=True, slots=True)
class ConformanceReport:
    """Scores in the order of the standard, and what fails."""

    scores: tuple[Score, ...]
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> int:
        """Number of reference values that are met."""
        return sum(score.passed for score in self.scores)

    @property
    def total(self) -> int:
        """Number of reference values."""
        return sum(score.total for score in self.scores)

    def of(self, part: Part, cases: Iterable[str] | None = None) -> tuple[int, int]:
        """Return passed and total of a part, or of some of its cases."""
        wanted = None if cases is None else set(cases)
        chosen = [s for s in self.scores if s.part == part and (wanted is None or s.case in wanted)]
        return sum(score.passed for score in chosen), sum(score.total for score in chosen)


Case = tuple[Part, str]
CASES: tuple[Case, ...] = (
    *(("features", name) for name in CONFIGURATIONS),
    *(("image description", name) for name in "ABCDE"),
    *(("response map", test.number) for test in RESPONSE_MAPS),
    *(("filtered features", name) for name in FILTERED),
)


def conformance(folder: Path, mapper: Mapper = serial_map) -> ConformanceReport:
    """Run every configuration and filter against the reference values and response maps.

    Parameters
    ----------
    folder
        Holds `ibsi_1_digital_phantom`, `ibsi_1_ct_radiomics_phantom`, `ibsi_2_digital_phantom`,
        `ibsi_2_ct_radiomics_phantom` (github.com/theibsi/data_sets), `reference_values`, `reference_feature_values` and
        `reference_response_maps`.

    Raises
    ------
    Refused
        `ibsi-data-missing` when a file is not there, `ibsi-data-incomplete` when a table lacks values.
    """
    _require_files(folder)
    checked = mapper(functools.partial(check, folder), CASES, label="conformance")
    scores: list[Score] = []
    failures: list[Failure] = []
    for score, missed in checked:
        scores.append(score)
        failures += missed
    return ConformanceReport(tuple(scores), tuple(failures))


def _require_files(folder: Path) -> None:
    tables = ["digital_phantom", *(f"config_{name}" for name in "ABCDE")]
    phantoms = ["ibsi_1_digital_phantom", "ibsi_1_ct_radiomics_phantom", "ibsi_2_ct_radiomics_phantom"]
    needed = [
        *(f"reference_values/{name}.csv" for name in tables),
        "reference_feature_values/reference_values.csv",
        *(f"{name}/nifti/{file}.nii.gz" for name in phantoms for file in ("image/phantom", "mask/mask")),
        *(str(file) for test in RESPONSE_MAPS for file in _map_files(test)),
    ]
    absent = [name for name in dict.fromkeys(needed) if not (folder / name).is_file()]
    if absent:
        raise refuse(
            "ibsi-data-missing",
            subject=str(folder),
            found=f"{len(absent)} files are not there, the first of them {absent[0]}",
            remedy="give the folder that holds the data sets of the IBSI and their reference values",
        )


def _map_files(test: ResponseMap) -> tuple[Path, Path]:
    """The phantom of a response map and its reference, below the IBSI's folder."""
    image = Path(f"ibsi_2_digital_phantom/nifti/{test.phantom}/image/{test.phantom}.nii.gz")
    return image, Path(f"reference_response_maps/{test.number.replace('.', '_')}-ValidCRM.nii")


def check(folder: Path, case: Case) -> tuple[Score, tuple[Failure, ...]]:
    """Run one test."""
    part, name = case
    if part == "response map":
        return _check_map(folder, name)
    expected = _reference(folder, part, name)
    if len(expected) != NUMBERS_OF_VALUES[case]:
        raise refuse(
            "ibsi-data-incomplete",
            subject=str(folder),
            found=f"{len(expected)} reference values of {part} {name}, not {NUMBERS_OF_VALUES[case]}",
            remedy="fetch the reference data again",
        )
    found = {reference_tag(feature.name): feature.value for feature in _measured(folder, part, name)}
    failures = tuple(
        Failure(part, name, tag, float(value), found.get(tag, math.nan), tolerance)
        for tag, (value, tolerance) in expected.items()
        if not agrees(found.get(tag, math.nan), value, tolerance)
    )
    return Score(part, name, len(expected) - len(failures), len(expected)), failures


def agrees(found: float, value: str, tolerance: float) -> bool:
    """Whether a number agrees with a reference value as it is written.

    Reference values and tolerances were rounded to three significant digits, counts were not: what is found is rounded
    to as many digits as the value shows, at least three.
    """
    if not math.isfinite(found):
        return False
    shown = Decimal(value).normalize().as_tuple().digits
    return abs(float(f"{found:.{max(3, len(shown))}g}") - float(value)) <= tolerance * (1 + 1e-9)


def reference_tag(name: str) -> str:
    """Name a feature as the reference values do: without its bins, and 3D where nothing else is said."""
    tag = name.split(".")[-1]
    if any(mark in tag for mark in ("_2D", "_2_5D", "_3D")):
        return tag
    family = tag.split("_")[0]
    if family in ("cm", "rlm"):
        return f"{tag}_3D_comb"
    return f"{tag}_3D" if family in ("szm", "dzm", "ngt", "ngl") else tag


def _measured(folder: Path, part: Part, name: str) -> tuple[Feature, ...]:
    if part == "filtered features":
        volume, mask = _phantom(folder / "ibsi_2_ct_radiomics_phantom")
        settings = filtered_configuration(name)
        label = "".join(f"{choice.settings.label}." for choice in settings.filters)
        features = extract(volume, mask, settings, modality="CT")
        return tuple(feature for feature in features if feature.name.startswith(label))
    digital = name == "digital_phantom"
    volume, mask = _phantom(folder / ("ibsi_1_digital_phantom" if digital else "ibsi_1_ct_radiomics_phantom"))
    measure = diagnostics if part == "image description" else extract
    return measure(volume, mask, configuration(name), modality="OT" if digital else "CT")


def _check_map(folder: Path, number: str) -> tuple[Score, tuple[Failure, ...]]:
    (test,) = (test for test in RESPONSE_MAPS if test.number == number)
    image, reference = _map_files(test)
    volume, expected = read_nifti(folder / image), read_nifti(folder / reference).voxels
    found = respond(volume.voxels, volume.grid.spacing, test.choice)
    tolerance = MAP_TOLERANCE * float(np.ptp(expected))
    largest = float(np.abs(found - expected).max()) if found.shape == expected.shape else math.nan
    if largest <= tolerance:
        return Score("response map", number, 1, 1), ()
    failure = Failure("response map", number, "largest difference", 0.0, largest, tolerance)
    return Score("response map", number, 0, 1), (failure,)


def _reference(folder: Path, part: Part, name: str) -> dict[str, tuple[str, float]]:
    """Reference values, as written, and tolerances by tag; rows without a value are no test."""
    if part == "filtered features":
        rows = _table(folder / "reference_feature_values/reference_values.csv", ";")
        rows = [row for row in rows if row["filter_id"] == name]
        chosen = [(row["feature_tag"], row["consensus_value"], row["tolerance"]) for row in rows]
    else:
        file = "digital_phantom" if name == "digital_phantom" else f"config_{name}"
        rows = _table(folder / f"reference_values/{file}.csv", ",")
        of_image = part == "image description"
        rows = [row for row in rows if row["family"].startswith("Diagnostics") == of_image]
        chosen = [(row["tag"], row["reference_value"], row["tolerance"]) for row in rows]
    return {tag: (value, float(tolerance)) for tag, value, tolerance in chosen if value}


def _table(path: Path, delimiter: str) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def _phantom(folder: Path) -> tuple[Volume, Mask]:
    return read_nifti(folder / "nifti/image/phantom.nii.gz"), read_nifti_mask(folder / "nifti/mask/mask.nii.gz")
