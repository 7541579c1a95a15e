"""NIfTI files as series and regions: whose they are and what they show is said by whoever found them.

The format names no patient, no modality and no unit, so these come from a table or from the file's name. A series is
named after its content.
"""

from __future__ import annotations

from pathlib import Path

from prognoscope.core import hashing
from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.images import ImageSeries, RegionSet
from prognoscope.core.problems import refuse
from prognoscope.sources.dicom import read_bytes
from prognoscope.sources.nifti import read_nifti, read_nifti_grid, read_nifti_labels, read_nifti_mask

UID = "nifti-"
UID_LENGTH = 40
NO_UNIT = "1"


def nifti_uid(sha256: str) -> str:
    """The name of a series whose voxels lie in the NIfTI file with a hash."""
    return f"{UID}{sha256[:UID_LENGTH]}"


def describe_nifti(
    data: bytes, *, patient_id: str, modality: str, description: str, date: str | None, file: str, sha256: str
) -> ImageSeries:
    """Describe a NIfTI image as a series; refuses as `read_nifti` does."""
    return ImageSeries(
        patient_id=patient_id,
        modality=modality,
        uid=nifti_uid(sha256),
        study_uid=nifti_uid(sha256),
        frame_of_reference="",
        description=description,
        date=date,
        unit=NO_UNIT,
        grid=read_nifti_grid(data, subject=description or file),
        files=(file,),
        hashes=(sha256,),
    )


def describe_nifti_regions(
    data: bytes, *, patient_id: str, name: str, image_sha256: str, file: str, sha256: str
) -> RegionSet:
    """Describe a label image as regions: of one label the region bears the name, of several the name and the label.

    Raises
    ------
    Refused
        As `read_nifti_mask` does.
    """
    labels = read_nifti_labels(data, subject=name)
    if not labels:
        raise refuse("empty-mask", subject=name, found="no voxel is inside", remedy="check the segmentation")
    return RegionSet(
        patient_id=patient_id,
        uid=nifti_uid(sha256),
        label="",
        date=None,
        frame_of_reference="",
        series_uid=nifti_uid(image_sha256),
        regions=(name,) if len(labels) == 1 else tuple(f"{name} {label}" for label in labels),
        file=file,
        hash=sha256,
    )


def read_nifti_series(root: Path, series: ImageSeries) -> Volume:
    """Read the voxels of a series that `describe_nifti` described; refuses `file-changed` and as `read_nifti`."""
    data = _bytes(root, series.files[0], series.hashes[0])
    return read_nifti(data, subject=f"series {series.uid}")


def read_nifti_region(root: Path, regions: RegionSet, region: str, series: ImageSeries) -> Mask:
    """Read a region on the grid of its series.

    Raises
    ------
    Refused
        `file-changed`, `region-unknown`, `mask-off-grid` with the distance, and what `read_nifti_mask` refuses.
    """
    subject = f"region {region!r} of {regions.file}"
    if region not in regions.regions:
        raise refuse(
            "region-unknown",
            subject=subject,
            found=f"the file has no region of that name; it has {', '.join(regions.regions)}",
            remedy="name one of them",
        )
    label = int(region.rpartition(" ")[2]) if len(regions.regions) > 1 else None
    mask = read_nifti_mask(_bytes(root, regions.file, regions.hash), label=label, subject=subject)
    if not mask.grid.same_as(series.grid):
        raise refuse(
            "mask-off-grid",
            subject=subject,
            found=f"its voxels are not those of the image: corners lie up to {mask.grid.distance_to(series.grid):.2f} "
            "mm apart",
            remedy="resample the mask to the image on purpose first",
        )
    return Mask(mask.voxels, series.grid)


def _bytes(root: Path, file: str, sha256: str) -> bytes:
    data = read_bytes(root / file, subject=file)
    if hashing.of_bytes(data) != sha256:
        raise refuse(
            "file-changed",
            subject=file,
            found="its content is not what was found when it was read first",
            remedy="run again, so that it is read anew",
        )
    return data
