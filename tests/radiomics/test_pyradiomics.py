"""PyRadiomics' names, checked by its own numbers.

`pyradiomics-3.0.1.json` was made with PyRadiomics 3.0.1 on the image and mask of `CASE`:
`RadiomicsFeatureExtractor(binCount=8)`, `enableAllFeatures()`, `execute(image, mask)`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.radiomics import RadiomicsSettings, extract
from prognoscope.radiomics.pyradiomics import COUNTERPARTS, counterpart
from tests.make.radiomics import lesion

CASE = {"shape": (14, 15, 16), "radius": 5.5, "levels": 40}
SETTINGS = RadiomicsSettings(bins=8, aggregations=("3D averaged", "3D merged"))
NOT_STANDARD = {
    "original_firstorder_TotalEnergy",
    "original_glcm_MCC",
    *(f"original_shape_Maximum2DDiameter{plane}" for plane in ("Column", "Row", "Slice")),
}
# This mask is full of holes: where voxels touch at edges only, the surfaces differ. Axes divide by n, ours by n − 1.
OTHER_SURFACE = {"MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity"}
OTHER_DIVISOR = {"MajorAxisLength", "MinorAxisLength", "LeastAxisLength"}


def theirs() -> dict[str, float]:
    text = Path(__file__).with_name("pyradiomics-3.0.1.json").read_text(encoding="utf-8")
    return {str(name): float(value) for name, value in json.loads(text).items()}


def test_every_counterpart_has_the_same_value() -> None:
    volume, mask = lesion(**CASE)  # type: ignore[arg-type]
    ours = {f.name.removeprefix("fbn8."): f.value for f in extract(volume, mask, SETTINGS, modality="OT")}
    compared = 0
    for name, value in theirs().items():
        if name in NOT_STANDARD:
            continue
        known = counterpart(name)
        tolerance = 1e-5
        if name.split("_")[-1] in OTHER_SURFACE:
            tolerance = 0.1
        elif name.split("_")[-1] in OTHER_DIVISOR:
            tolerance = 1 / (2 * mask.count) + 1e-5
        assert ours[known.tag] + known.offset == pytest.approx(value, rel=tolerance, abs=1e-9), name
        compared += 1
    assert compared == 107 - len(NOT_STANDARD)


def test_deprecated_shapes_have_counterparts_too() -> None:
    given = {"_".join(name.split("_")[1:]) for name in theirs()}
    assert set(COUNTERPARTS) - given == {"shape_Compactness1", "shape_Compactness2", "shape_SphericalDisproportion"}


@pytest.mark.parametrize("name", sorted(NOT_STANDARD))
def test_what_the_standard_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="pyradiomics-name-unknown"):
        counterpart(name)


def test_a_misspelt_name_gets_the_nearest_one() -> None:
    with pytest.raises(Refused, match="did you mean glcm_Contrast"):
        counterpart("original_glcm_Contrats")
