"""The face in a head scan: its surface goes, the brain stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from scipy import ndimage

from prognoscope.core.geometry import Grid, Volume
from prognoscope.deidentify.faces import find_face, shows_head
from prognoscope.jobs.deidentify import deidentify
from tests.make.deidentify import BASIC, CT, PROJECT, an_object, save, with_pixels
from tests.make.heads import a_face

SHAPE, SPACING = (64, 64, 48), (4.0, 4.0, 4.0)
FACES = BASIC.model_copy(update={"clean_faces": True})


def a_head() -> tuple[NDArray[np.int16], NDArray[np.bool_], NDArray[np.bool_]]:
    """A head on a neck with a nose, in HU; where the nose is, and where the brain."""
    z, y, x = np.meshgrid(*(np.arange(size) * step for size, step in zip(SHAPE, SPACING, strict=True)), indexing="ij")
    skull = ((z - 170) / 75) ** 2 + ((y - 130) / 90) ** 2 + ((x - 94) / 70) ** 2 < 1
    neck = (z < 130) & (((y - 140) / 55) ** 2 + ((x - 94) / 50) ** 2 < 1)
    jaw = (z > 60) & (z < 150) & (((y - 110) / 70) ** 2 + ((x - 94) / 50) ** 2 < 1)
    nose = ((z - 120) / 14) ** 2 + ((y - 40) / 20) ** 2 + ((x - 94) / 10) ** 2 < 1
    brain = ((z - 185) / 50) ** 2 + ((y - 135) / 70) ** 2 + ((x - 94) / 55) ** 2 < 1
    values = np.full(SHAPE, -1000, np.int16)
    values[skull | neck | jaw | nose] = 40
    values[brain] = 35
    return values, nose & ~skull & ~jaw, brain


def test_nose_and_front_of_the_face_become_air_and_the_brain_stays() -> None:
    values, nose, brain = a_head()
    face = find_face(Volume(values.astype(np.float32), Grid(SHAPE, SPACING)))
    assert face.air == -1000
    assert face.voxels[nose].all()
    assert not face.voxels[brain].any()


@pytest.mark.parametrize("lean_degrees", [-10, 0, 15])
def test_what_is_left_of_the_face_is_flat(lean_degrees: float) -> None:
    # A cut at one depth below the skin leaves the same face further in: the first try did.
    values, brain = a_face(3.0)
    values = ndimage.rotate(values, lean_degrees, axes=(0, 1), reshape=False, order=0, cval=-1000)
    brain = ndimage.rotate(brain, lean_degrees, axes=(0, 1), reshape=False, order=0)
    face = find_face(Volume(values.astype(np.float32), Grid(values.shape, (3.0, 3.0, 3.0)))).voxels
    taken = np.asarray((face & (values > -500)).any(axis=1))
    left = (values > -500) & ~face
    depth = 3.0 * np.asarray(left.argmax(axis=1))
    seen = np.asarray(taken & np.asarray(left.any(axis=1)))
    assert seen.sum() > 700
    rows = [depth[row][seen[row]] for row in range(len(depth)) if seen[row].sum() > 5]
    flat = sum(int((np.abs(row - np.median(row)) <= 3.0).sum()) for row in rows)  # within a voxel, from ear to ear
    assert flat / sum(len(row) for row in rows) > 0.93
    assert not (face & brain).any()


@pytest.mark.parametrize("turn", [(2, 1, 0), (1, 0, 2), (0, 2, 1)])
def test_the_order_of_the_axes_does_not_matter(turn: tuple[int, int, int]) -> None:
    values, nose, brain = a_head()
    axes = np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]])[:, turn]
    turned = np.transpose(values, turn)
    direction = tuple(tuple(float(value) for value in row) for row in axes)
    face = find_face(Volume(turned.astype(np.float32), Grid(turned.shape, SPACING, direction=direction)))  # type: ignore[arg-type]
    assert face.voxels[np.transpose(nose, turn)].all()
    assert not face.voxels[np.transpose(brain, turn)].any()


def write_head(folder: Path, **elements: str) -> None:
    values, _, _ = a_head()
    for place, plane in enumerate(values):
        dataset = an_object(
            SOPInstanceUID=f"1.2.826.0.1.3680043.10.7.{place}", InstanceNumber=place, BodyPartExamined="HEAD",
            ImagePositionPatient=[0, 0, place * 4.0], ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[4, 4],
        )  # fmt: skip
        for name, value in elements.items():
            setattr(dataset, name, value)
        save(with_pixels(dataset, plane), folder / "in" / f"{place}.dcm")


def test_a_head_series_comes_out_without_a_face(tmp_path: Path) -> None:
    write_head(tmp_path)
    values, nose, brain = a_head()
    done = deidentify(tmp_path / "in", tmp_path / "out", options=FACES, project=PROJECT)
    assert done.report["pixels"] == {"face masked": 64}
    after = np.empty_like(values)
    for path in (tmp_path / "out").rglob("*.dcm"):
        dataset = dcmread(path)
        assert dataset.RecognizableVisualFeatures == "NO"
        assert "113102" in [str(item.CodeValue) for item in dataset.DeidentificationMethodCodeSequence]
        after[int(dataset.InstanceNumber)] = dataset.pixel_array
    assert (after[nose] == -1000).all()
    np.testing.assert_array_equal(after[brain], values[brain])


def test_without_the_option_nothing_is_masked(tmp_path: Path) -> None:
    write_head(tmp_path)
    done = deidentify(tmp_path / "in", tmp_path / "out", options=BASIC, project=PROJECT)
    assert done.report["pixels"] == {"not read": 64}


def test_a_head_that_makes_no_volume_is_held_back(tmp_path: Path) -> None:
    save(with_pixels(an_object(BodyPartExamined="HEAD"), np.zeros((8, 8), np.int16)), tmp_path / "in" / "a.dcm")
    done = deidentify(tmp_path / "in", tmp_path / "out", options=FACES, project=PROJECT)
    assert done.report["held_back"]["by_reason"] == {"face-not-found": 1}


def test_heads_are_told_by_part_or_description() -> None:
    assert shows_head(an_object(CT, BodyPartExamined="HEAD"))
    assert shows_head(an_object(CT, SeriesDescription="Brain routine"))
    assert not shows_head(an_object(CT, BodyPartExamined="CHEST"))
    assert not shows_head(an_object(CT, Modality="PT", BodyPartExamined="HEAD"))
