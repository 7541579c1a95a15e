"""The transformer in a scikit-learn pipeline."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from prognoscope.core.geometry import Mask
from prognoscope.core.problems import Refused
from prognoscope.radiomics import RadiomicsSettings, extract
from prognoscope.radiomics.transformer import RadiomicsTransformer
from tests.make.radiomics import lesion

SETTINGS = RadiomicsSettings(families=("statistics", "glcm"))


def test_a_row_for_each_pair_and_a_column_for_each_feature() -> None:
    cohort = [lesion(seed=seed) for seed in (1, 2, 3)]
    table = RadiomicsTransformer(SETTINGS, modality="CT").fit_transform(cohort)
    expected = extract(*cohort[1], SETTINGS, modality="CT")
    assert list(table.columns) == [feature.name for feature in expected]
    assert table.iloc[1].tolist() == [feature.value for feature in expected]


def test_it_is_a_step_of_a_pipeline_that_can_be_cloned() -> None:
    cohort = [lesion(seed=seed) for seed in (1, 2, 3)]
    steps = clone(make_pipeline(RadiomicsTransformer(SETTINGS), StandardScaler()))
    assert np.allclose(steps.fit_transform(cohort).mean(axis=0), 0)
    assert steps[0].get_feature_names_out()[0] == "stat_mean"


def test_it_is_fitted_before_it_transforms() -> None:
    with pytest.raises(NotFittedError):
        RadiomicsTransformer().transform([lesion()])


def test_a_cohort_of_nobody_is_refused() -> None:
    with pytest.raises(Refused, match="no-images"):
        RadiomicsTransformer(SETTINGS).fit([])


def test_the_pair_that_cannot_be_measured_is_named() -> None:
    volume, mask = lesion()
    empty = Mask(np.zeros_like(mask.voxels), mask.grid)
    fitted = RadiomicsTransformer(SETTINGS).fit([(volume, mask)])
    with pytest.raises(Refused, match=r"pair 1 of the cohort.*empty-mask"):
        fitted.transform([(volume, mask), (volume, empty)])
