"""All reference values of IBSI chapter 1 (github.com/theibsi/data_sets and ibsi.readthedocs.io, CC BY 4.0).

A feature that is missing fails, and so does one that the reference does not know.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.radiomics import extract
from prognoscope.radiomics.diagnostics import diagnostics
from prognoscope.radiomics.reference import CONFIGURATIONS, configuration

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif("PROGNOSCOPE_DATA" not in os.environ, reason="PROGNOSCOPE_DATA is not set: no IBSI data"),
]

NUMBER_OF_VALUES = {"digital_phantom": 482, "A": 346, "B": 346, "C": 210, "D": 210, "E": 210}
NUMBER_OF_DIAGNOSTICS = 60
FEATURES_IN_3D = 169


def folder() -> Path:
    return Path(os.environ["PROGNOSCOPE_DATA"]) / "ibsi"


def case(name: str) -> tuple[Volume, Mask, str]:
    where, modality = ("ibsi_1_ct_radiomics_phantom", "CT") if name in "ABCDE" else ("ibsi_1_digital_phantom", "OT")
    image: Any = nibabel.load(folder() / where / "nifti/image/phantom.nii.gz")
    mask: Any = nibabel.load(folder() / where / "nifti/mask/mask.nii.gz")
    x, y, z = (float(step) for step in image.header.get_zooms())
    grid = Grid(image.shape[::-1], (z, y, x))
    return Volume(np.asarray(image.dataobj).T, grid), Mask(np.asarray(mask.dataobj).T > 0, grid), modality


def reference(name: str, *, of_the_image: bool) -> dict[str, tuple[float, float]]:
    file = "digital_phantom" if name == "digital_phantom" else f"config_{name}"
    with (folder() / f"reference_values/{file}.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["reference_value"]]
    return {
        row["tag"]: (float(row["reference_value"]), float(row["tolerance"]))
        for row in rows
        if row["family"].startswith("Diagnostics") == of_the_image
    }


def tag(name: str) -> str:
    """The reference's tag of a feature: no bins in it, and 3D named where nothing is."""
    tag = name.split(".")[-1]
    start = tag.split("_")[0]
    if "_2D" in tag or "_2_5D" in tag or "_3D" in tag:
        return tag
    if start in {"cm", "rlm"}:
        return f"{tag}_3D_comb"
    return f"{tag}_3D" if start in {"szm", "dzm", "ngt", "ngl"} else tag


def misses(found: dict[str, float], expected: dict[str, tuple[float, float]]) -> list[str]:
    return [
        f"{tag}: {found.get(tag)} is not {value} ± {tolerance}"
        for tag, (value, tolerance) in expected.items()
        if tag not in found or not agree(found[tag], value, tolerance)
    ]


def agree(found: float, value: float, tolerance: float) -> bool:
    """References have three significant digits, but counts and extreme intensities all of theirs."""
    rounded = float(f"{found:.3g}")
    return min(abs(found - value), abs(rounded - value)) <= tolerance * (1 + 1e-9)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_reference_value_is_met(name: str) -> None:
    volume, mask, modality = case(name)
    features = extract(volume, mask, configuration(name), modality=modality)
    expected = reference(name, of_the_image=False)
    assert len(expected) == NUMBER_OF_VALUES[name]
    assert misses({tag(feature.name): feature.value for feature in features}, expected) == []
    assert {tag(feature.name) for feature in features} == set(expected)


@pytest.mark.parametrize("name", "ABCDE")
def test_every_diagnostic_value_is_met(name: str) -> None:
    volume, mask, modality = case(name)
    found = diagnostics(volume, mask, configuration(name), modality=modality)
    expected = reference(name, of_the_image=True)
    assert len(expected) == NUMBER_OF_DIAGNOSTICS
    assert misses({feature.name: feature.value for feature in found}, expected) == []


def test_169_features_are_measured_where_nothing_is_left_out() -> None:
    volume, mask, modality = case("digital_phantom")
    settings = configuration("digital_phantom").model_copy(update={"aggregations": ("3D merged",)})
    assert len(extract(volume, mask, settings, modality=modality)) == FEATURES_IN_3D
