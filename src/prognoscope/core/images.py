"""What a reader found: image series, sets of regions of interest, and what it had to refuse.

These are descriptions, small enough to keep for every file of a hospital; voxels and contours are read when needed.
File paths are relative to the source they were found in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prognoscope.core.problems import Problem

if TYPE_CHECKING:
    from prognoscope.core.geometry import Grid


@dataclass(frozen=True, slots=True)
class ImageSeries:
    """One image volume of one patient.

    Attributes
    ----------
    patient_id
        The DICOM PatientID (outer blanks removed), or the identifier that the source's layout gives.
    modality
        DICOM modality (`CT`, `MR`, `PT`, …), in agreement with the SOP class.
    uid, study_uid, frame_of_reference
        DICOM UIDs; for other formats a stable name made from the content.
    description
        Series description as written.
    date
        ISO date of the acquisition (else series, else study), or None.
    unit
        Unit of the voxel values: `HU`, `SUV`, `Bq/ml`, or `1` where none is defined (MR).
    grid
        Where the voxels lie.
    files, hashes
        Relative paths in the order of the slices, and the SHA-256 of each file.
    manufacturer, scanner, centre
        Manufacturer, model and institution as written; empty when absent.
    notes
        Small departures from the standard that were read anyway, each kind once.
    """

    patient_id: str
    modality: str
    uid: str
    study_uid: str
    frame_of_reference: str
    description: str
    date: str | None
    unit: str
    grid: Grid
    files: tuple[str, ...]
    hashes: tuple[str, ...]
    manufacturer: str = ""
    scanner: str = ""
    centre: str = ""
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionSet:
    """Regions of interest that belong together in one file (RTSTRUCT, SEG, label image).

    Attributes
    ----------
    series_uid
        The series it was drawn on, as the file says; empty when it does not.
    volume_uid
        Where that series makes several volumes: the one whose instances the file names; empty when it names none, or
        several.
    regions
        Names of its regions, in the file's order.
    file, hash
        Relative path and SHA-256.
    """

    patient_id: str
    uid: str
    label: str
    date: str | None
    frame_of_reference: str
    series_uid: str
    regions: tuple[str, ...]
    file: str
    hash: str
    notes: tuple[Problem, ...] = ()
    volume_uid: str = ""


@dataclass(frozen=True, slots=True)
class RefusedSeries:
    """A series or region set that was found but cannot be used, and why. The patient may have others."""

    patient_id: str
    modality: str
    uid: str
    description: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """All that a source holds, sorted by patient, modality and UID.

    `set_aside` are files that no series can use (not DICOM, truncated, a dose report), each with its reason.
    """

    series: tuple[ImageSeries, ...]
    region_sets: tuple[RegionSet, ...]
    refused: tuple[RefusedSeries, ...] = ()
    set_aside: tuple[Problem, ...] = ()

    @property
    def patients(self) -> tuple[str, ...]:
        """Sorted IDs of all patients of whom anything was found."""
        found = {entry.patient_id for entry in self.series}
        found |= {entry.patient_id for entry in self.region_sets}
        found |= {entry.patient_id for entry in self.refused}
        return tuple(sorted(found))
