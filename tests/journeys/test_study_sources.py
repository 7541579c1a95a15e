"""One cohort, its lesions drawn as RTSTRUCT, as DICOM SEG and as NIfTI labels: the study is the same to the last byte.

The second comes from artefacts that lie at a URL, the third from images that are NIfTI too.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom
import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from ruamel.yaml import YAML

from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.images import ImageSeries
from prognoscope.demo import write_cohort
from prognoscope.jobs.curate import curate
from prognoscope.jobs.history import history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.query import query
from prognoscope.jobs.verify import verify
from prognoscope.sources import read_mask, read_volume, scan
from prognoscope.study.demo import STUDY
from prognoscope.study.run import RunResult, run_study

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings('ignore:The string "DEMO:UserWarning'),  # highdicom, on names of one part
]
SMALL = {"folds": 3, "repeats": 1, "inner": 2, "resamples": 200, "refits": 20}
Writer = Callable[[Path, ImageSeries, Volume, Mask], None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    write_cohort(folder / "cohort", patients=24, seed=3)
    return folder


@pytest.fixture(scope="module")
def drawn(place: Path) -> RunResult:
    """The study on the cohort as it is, with RTSTRUCT."""
    ingest(place / "cohort", store=place / "drawn-store")
    return run(place, "drawn", query="modality = CT and roi = GTV", table="store:clinical.csv")


def run(place: Path, name: str, *, region: str = "GTV", **data: Any) -> RunResult:
    values = YAML(typ="safe", pure=True).load(STUDY.replace("SEED", "1").replace("region: GTV", f"region: {region}"))
    values |= {"models": {"try": ["elastic-net-logistic"]}, "validate": SMALL, "name": name, "data": data}
    YAML(typ="safe", pure=True).dump(values, place / f"{name}.yaml")
    return run_study(place / f"{name}.yaml", out=place / name, store=place / f"{name}-store")


def written_anew(place: Path, name: str, write: Writer) -> Path:
    """The cohort with images or regions as `write` puts them into a patient's folder."""
    index = scan(place / "cohort/images")
    for series in index.series:
        (regions,) = [one for one in index.region_sets if one.series_uid == series.uid]
        volume = read_volume(place / "cohort/images", series)
        mask = read_mask(place / "cohort/images", regions, "GTV", series)
        (place / name / series.patient_id).mkdir(parents=True)
        write(place / name / series.patient_id, series, volume, mask)
    shutil.copy(place / "cohort/clinical.csv", place / name)
    return place / name


def as_segmentation(folder: Path, series: ImageSeries, volume: Volume, mask: Mask) -> None:
    """Written by highdicom, as other programs write it."""
    home = folder.parents[1] / "cohort/images"
    images = [pydicom.dcmread(home / file) for file in series.files]
    for file in series.files:
        shutil.copy(home / file, folder)
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    lesion = highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="GTV",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type="MANUAL",
    )
    made = highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=mask.voxels.astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[lesion],
        series_instance_uid=highdicom.UID(),
        series_number=9,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="A department",
        manufacturer_model_name="Drawn by hand",
        software_versions="1",
        device_serial_number="1",
    )
    made.save_as(folder / "seg.dcm")


def as_nifti(folder: Path, series: ImageSeries, volume: Volume, mask: Mask) -> None:
    """Axes x, y, z and right, anterior, superior, as NIfTI has them."""
    grid = volume.grid
    steps = np.asarray(grid.direction) * np.asarray(grid.spacing)
    affine = np.eye(4)
    affine[:3, :3] = steps[:, ::-1]
    affine[:3, 3] = grid.origin
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    made: Any = nib.Nifti1Image
    for what, voxels in (("image", volume.voxels), ("mask", mask.voxels.astype(np.uint8))):
        nib.save(made(voxels.transpose(2, 1, 0), affine), folder / f"{series.patient_id}_CT_{what}.nii.gz")


def test_segments_are_found_by_name_and_studied_like_contours_from_artefacts_at_a_url(
    place: Path, drawn: RunResult
) -> None:
    store = place / "segments-store"
    store.mkdir()
    (store / "store.toml").write_text(f'artefacts = "file://{place}/bucket"\n')
    report = ingest(written_anew(place, "with-segments", as_segmentation), store=store)
    assert report.quarantined == ()
    found = query("modality = CT and roi ~ gt*", store=store)
    assert found.counts.patients == query("modality = CT and roi = GTV", store=place / "drawn-store").counts.patients
    result = run(place, "segments", query="modality = CT and roi ~ GT*", table="store:clinical.csv")
    assert (result.out / "predictions.csv").read_bytes() == (drawn.out / "predictions.csv").read_bytes()
    leaves = [
        dict(leaf.facts).get("source", "")
        for leaf in history(str(result.out / "predictions.csv"), store=store).leaves()
    ]
    assert any(leaf.endswith("seg.dcm") for leaf in leaves)
    assert (verify(store).problems, list((store / "artefacts").glob("*"))) == ((), [])
    assert curate(store).series == found.counts.series


def test_nifti_images_and_labels_are_studied_like_dicom(place: Path, drawn: RunResult) -> None:
    report = ingest(written_anew(place, "as-nifti", as_nifti), store=place / "nifti-store")
    assert report.quarantined == ()
    result = run(place, "nifti", region="mask", query="modality = CT and roi = mask", table="store:clinical.csv")
    assert (result.out / "predictions.csv").read_bytes() == (drawn.out / "predictions.csv").read_bytes()
