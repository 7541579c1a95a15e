"""Regions of interest by name → masks on the grid of a series, from contours (RTSTRUCT) or segments (SEG)."""

from __future__ import annotations

from pathlib import Path

from prognoscope.core import hashing
from prognoscope.core.geometry import Mask
from prognoscope.core.images import ImageSeries, RegionSet
from prognoscope.core.patterns import matches
from prognoscope.core.problems import refuse
from prognoscope.core.settings import nearest
from prognoscope.sources import dicomseg, rtstruct
from prognoscope.sources.classes import RTSTRUCT
from prognoscope.sources.dicom import instance_of, read_bytes
from prognoscope.sources.header import WANTED
from prognoscope.sources.instance import Region
from prognoscope.sources.nifti_series import UID as NIFTI_UID
from prognoscope.sources.nifti_series import read_nifti_region
from prognoscope.sources.outline import outline


def matching_regions(regions: RegionSet, pattern: str) -> tuple[str, ...]:
    """Names of regions that match a pattern (`GTV*`; `*` and `?`), upper and lower case distinct, sorted, each once."""
    return tuple(sorted({name for name in regions.regions if matches(name, pattern)}))


def read_mask(
    root: Path,
    regions: RegionSet,
    region: str,
    series: ImageSeries,
    *,
    across_series: bool = False,
    threshold: float | None = None,
) -> Mask:
    """Read one region of interest as the voxels of a series: those whose centres its contours enclose, or its segment.

    Parameters
    ----------
    root
        The folder that the region set's file is relative to.
    regions, region
        The set, and the name of one of its regions.
    series
        The image whose grid the mask gets.
    across_series
        Allow a series of the same frame of reference that the contours were not drawn on.
    threshold
        For a segment that holds probabilities or shares of a voxel: what is inside, from above 0 to 1. There is no
        default.

    Raises
    ------
    Refused
        `region-unknown`, `region-name-twice`, `region-number-twice`, `region-empty`, `frame-of-reference-differs`,
        `region-of-other-series`, `region-too-small`, `file-changed`, and what `rtstruct.scan_convert` and
        `dicomseg.place` refuse.
    """
    if regions.uid.startswith(NIFTI_UID):
        return read_nifti_region(root, regions, region, series)
    data = read_bytes(root / regions.file, subject=regions.file)
    if hashing.of_bytes(data) != regions.hash:
        raise refuse(
            "file-changed",
            subject=regions.file,
            found="its content is not what was found when the folder was read",
            remedy="run again, so that the folder is read anew",
        )
    subject = f"region {region!r} of {regions.file}"
    file = outline(data, WANTED, subject=regions.file)
    instance = instance_of(file)
    found = _region(instance.regions, region, subject)
    _check_belongs(instance.frame_of(found), regions, series, subject, across_series=across_series)
    if instance.sop_class == RTSTRUCT:
        voxels = rtstruct.scan_convert(file, found.number, series.grid, subject=subject)
    else:
        voxels = dicomseg.place(file, found.number, series.grid, subject=subject, threshold=threshold)
    if not voxels.any():
        raise refuse(
            "region-too-small",
            subject=subject,
            found=f"its {found.contours} contours enclose no voxel centre",
            remedy="check the contour; a region smaller than a voxel cannot be measured",
        )
    return Mask(voxels, series.grid)


def _region(known: tuple[Region, ...], name: str, subject: str) -> Region:
    named = [entry for entry in known if entry.name == name]
    if not named:
        near = nearest(name, [entry.name for entry in known])
        raise refuse(
            "region-unknown",
            subject=subject,
            found=f"the file has no region of that name; it has {', '.join(entry.name for entry in known) or 'none'}",
            remedy=f"did you mean {near!r}?" if near else "name one of them",
        )
    if len(named) > 1:
        raise refuse(
            "region-name-twice",
            subject=subject,
            found=f"regions number {' and '.join(str(entry.number) for entry in named)} bear the name",
            remedy="rename one of them in the contouring software",
        )
    number = named[0].number
    if sum(entry.number == number for entry in known) > 1:
        raise refuse(
            "region-number-twice",
            subject=subject,
            found=f"another region has its number {number}, so nobody can tell whose the contours are",
            remedy="export the structure set again",
        )
    if named[0].contours == 0:
        raise refuse(
            "region-empty",
            subject=subject,
            found="it has no contour and no frame",
            remedy="draw the region or leave it out",
        )
    return named[0]


def _check_belongs(frame: str, regions: RegionSet, series: ImageSeries, subject: str, *, across_series: bool) -> None:
    if frame and series.frame_of_reference and frame != series.frame_of_reference:
        raise refuse(
            "frame-of-reference-differs",
            subject=subject,
            found=f"it was drawn in frame of reference {frame}, series {series.uid} lies in "
            f"{series.frame_of_reference}",
            remedy="register the images first, or choose the series it was drawn on",
        )
    if not across_series and regions.series_uid and regions.series_uid != series.uid.partition("#")[0]:
        raise refuse(
            "region-of-other-series",
            subject=subject,
            found=f"it was drawn on series {regions.series_uid}, not on {series.uid}",
            remedy="choose the series it was drawn on, or say that contours of another series may be used",
        )
