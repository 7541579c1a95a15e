"""The sarcoma cohort: references still resolve, geometry and voxels stay."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from prognoscope.jobs.deidentify import deidentify
from prognoscope.sources import read_mask, read_volume, scan
from tests.make.deidentify import PROJECT, RESEARCH

DATA = os.environ.get("PROGNOSCOPE_DATA")
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA, reason="PROGNOSCOPE_DATA is not set"),
]


def test_series_contours_and_voxels_of_a_patient_are_the_same_afterwards(tmp_path: Path) -> None:
    assert DATA is not None
    shutil.copytree(Path(DATA) / "sts" / "STS_002", tmp_path / "in" / "STS_002")
    deidentify(tmp_path / "in", tmp_path / "out", options=RESEARCH, project=PROJECT)
    before, after = scan(tmp_path / "in"), scan(tmp_path / "out")
    assert after.patients == (PROJECT.patient("STS_002"),)
    assert len(after.series) == len(before.series) == 3
    assert not after.refused
    uids = {PROJECT.uid(series.uid): series for series in before.series}
    for series in after.series:
        twin = uids[series.uid]
        assert series.grid.same_as(twin.grid)
        voxels = read_volume(tmp_path / "out", series).voxels
        np.testing.assert_array_equal(voxels, read_volume(tmp_path / "in", twin).voxels)
    masks = {PROJECT.uid(regions.uid): regions for regions in before.region_sets}
    assert len(after.region_sets) == len(masks) == 3
    for regions in after.region_sets:
        twin_regions = masks[regions.uid]
        assert regions.regions == twin_regions.regions
        assert regions.series_uid == (PROJECT.uid(twin_regions.series_uid) if twin_regions.series_uid else "")
        series = next(one for one in after.series if one.uid == regions.series_uid)
        name = regions.regions[0]
        mask = read_mask(tmp_path / "out", regions, name, series)
        twin_mask = read_mask(tmp_path / "in", twin_regions, name, uids[series.uid])
        np.testing.assert_array_equal(mask.voxels, twin_mask.voxels)


def test_no_identifier_of_the_cohort_stands_in_any_byte(tmp_path: Path) -> None:
    assert DATA is not None
    shutil.copytree(Path(DATA) / "sts" / "STS_003", tmp_path / "in" / "STS_003")
    shutil.copy(Path(DATA) / "sts" / "clinical.csv", tmp_path / "in")
    deidentify(tmp_path / "in", tmp_path / "out", options=RESEARCH, project=PROJECT)
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"STS_0" not in data
            assert b"1.3.6.1.4.1.14519" not in data  # the publisher's root, in each of its UIDs
