"""Radiomics as a step of a scikit-learn pipeline: images and masks in, a table of features out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.problems import Refused, refuse
from prognoscope.radiomics.extract import extract
from prognoscope.radiomics.settings import RadiomicsSettings


class RadiomicsTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Measure a cohort, one row for each pair of image and mask.

    Nothing is learnt from the images: `fit` only takes the names of the features from the first of them, and these
    depend on the settings alone.

    Parameters
    ----------
    settings
        What to measure; None for all 169 features with 32 bins.
    modality
        DICOM modality of all images.
    """

    def __init__(self, settings: RadiomicsSettings | None = None, modality: str = "OT") -> None:
        self.settings = settings
        self.modality = modality

    def fit(self, X: Sequence[tuple[Volume, Mask]], y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's name
        """Take the names of the features from the first pair.

        Raises
        ------
        Refused
            `no-images` where there is none, and what `transform` refuses.
        """
        if not len(X):
            raise refuse("no-images", subject="cohort", found="it has no pair of image and mask", remedy="give some")
        self.feature_names_ = [feature.name for feature in self._measure(0, *X[0])]
        return self

    def transform(self, X: Iterable[tuple[Volume, Mask]]) -> pd.DataFrame:
        """Return a frame with a row for each pair and a column for each feature; NaN where it cannot be computed.

        Raises
        ------
        Refused
            What `extract` refuses, with the number of the pair, counted from 0.
        """
        check_is_fitted(self)
        rows = [[feature.value for feature in self._measure(number, *pair)] for number, pair in enumerate(X)]
        return pd.DataFrame(rows, columns=self.feature_names_, dtype=np.float64)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:  # noqa: ARG002
        """Names of the columns."""
        check_is_fitted(self)
        return np.array(self.feature_names_, dtype=object)

    def _measure(self, number: int, volume: Volume, mask: Mask) -> Any:
        try:
            return extract(volume, mask, self.settings or RadiomicsSettings(), modality=self.modality)
        except Refused as refused:
            problem = refused.problem
            raise Refused(replace(problem, subject=f"pair {number} of the cohort, {problem.subject}")) from refused
