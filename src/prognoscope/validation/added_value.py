"""What a set of predictors adds to another: likelihood ratio tests, and paired bootstraps of any figure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.problems import refuse
from prognoscope.core.settings import nearest
from prognoscope.validation.checks import Floats, folds, risks
from prognoscope.validation.cox import cox_regression
from prognoscope.validation.metrics import METRICS, sample
from prognoscope.validation.recalibration import logistic_rows, logit
from prognoscope.validation.resampling import (
    RESAMPLED_UP_TO,
    blocks,
    percentile_interval,
    resample_counts,
    with_original,
)
from prognoscope.validation.results import Difference, LikelihoodRatio


def likelihood_ratio_test(outcome: Outcome, base: ArrayLike, added: ArrayLike) -> LikelihoodRatio:
    """Test whether columns add to others: logistic regression, or Cox regression of a time to event (Wilks 1938).

    Meant for a few prespecified predictors. Columns that were selected or tuned on these patients make the p value
    meaningless.

    Parameters
    ----------
    outcome
        Of `n` patients.
    base, added
        `(n, p)` and `(n, q)`, without an intercept; p may be 0.
    """
    n = len(outcome)
    first, more = (np.asarray(part, dtype=float).reshape(n, -1) for part in (base, added))
    both = np.column_stack([first, more])
    if np.linalg.matrix_rank(np.column_stack([np.ones(n), both])) <= both.shape[1]:
        found = "the columns depend on each other or do not vary, so some of them cannot add anything"
        return LikelihoodRatio(math.nan, more.shape[1], math.nan, found)
    smaller, larger = _log_likelihood(outcome, first), _log_likelihood(outcome, both)
    if not (math.isfinite(smaller) and math.isfinite(larger)):
        return LikelihoodRatio(math.nan, more.shape[1], math.nan, "a model has no maximum likelihood fit (separation)")
    statistic = max(2 * (larger - smaller), 0.0)
    return LikelihoodRatio(statistic, more.shape[1], float(chi2.sf(statistic, more.shape[1])))


def added_by(outcome: Outcome, reference: ArrayLike, risk: ArrayLike) -> LikelihoodRatio:
    """Test whether a model's risks add to another's: the logits of both against that of the other alone.

    Both models must have been learnt from other patients. A time to event goes by Cox regression, over the whole
    follow-up.

    Parameters
    ----------
    outcome
        Of `n` patients.
    reference, risk
        `(n,)` in [0, 1].
    """
    pair = [risks(values, n=len(outcome)) for values in (reference, risk)]
    if any(((values == 0) | (values == 1)).any() for values in pair):
        return LikelihoodRatio(math.nan, 1, math.nan, "some risks are exactly 0 or 1, their logit is infinite")
    if not isinstance(outcome, Binary) and len(outcome) > RESAMPLED_UP_TO:
        found = f"not tested above {RESAMPLED_UP_TO:,} patients with censored times"
        return LikelihoodRatio(math.nan, 1, math.nan, found)
    base, added = (logit(values) for values in pair)
    if np.linalg.matrix_rank(np.column_stack([np.ones_like(base), base, added])) < 3:
        return LikelihoodRatio(math.nan, 1, math.nan, "one model's log odds are a line of the other's, or do not vary")
    return likelihood_ratio_test(outcome, base, added)


def paired_difference(
    outcome: Outcome,
    first: ArrayLike,
    second: ArrayLike,
    *,
    metric: str,
    resamples: int,
    seed: int,
    fold: ArrayLike | None = None,
) -> Difference:
    """Difference of any figure of two sets of risks, `first - second`, from the same bootstraps of the patients.

    The p value is twice the smaller share of resamples on one side of no difference, at least `2 / (resamples + 1)`.

    Parameters
    ----------
    outcome
        Of `n` patients.
    first, second
        `(n,)` in [0, 1].
    metric
        A name in `METRICS` that serves the outcome.
    fold
        `(n,)` when the risks come from cross-validation.
    """
    known = {kind.name: kind for kind in METRICS if outcome.kind in kind.kinds}
    if metric not in known:
        raise refuse(
            "metric-unknown",
            subject=f"metric {metric}",
            found=f"it is none of {', '.join(known)}",
            remedy=f"did you mean {nearest(metric, known) or next(iter(known))}",
        )
    n = len(outcome)
    held = folds(fold, n=n)
    pair = [risks(values, n=n) for values in (first, second)]
    drawn = with_original(resample_counts(n, resamples=resamples, seed=seed))
    drawn_blocks = [sample(outcome, block) for block in blocks(drawn)]
    one, other = (np.concatenate([known[metric].rows(rows, risk, held) for rows in drawn_blocks]) for risk in pair)
    difference = one - other
    low, high, _ = percentile_interval(difference[1:])
    return Difference(float(one[0]), float(other[0]), float(difference[0]), low, high, _two_sided(difference[1:], low))


def _two_sided(replicates: Floats, low: float) -> float:
    if not math.isfinite(low):
        return math.nan
    defined = replicates[np.isfinite(replicates)]
    side = min(np.count_nonzero(defined <= 0), np.count_nonzero(defined >= 0))
    return float(min(1.0, 2 * (side + 1) / (len(defined) + 1)))


def _log_likelihood(outcome: Outcome, columns: Floats) -> float:
    if not isinstance(outcome, Binary):
        return cox_regression(outcome.time_days, outcome.event, columns).log_likelihood
    spread = columns.std(axis=0)
    scaled = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(outcome)), scaled])
    beta = logistic_rows(design, np.zeros(len(outcome)), outcome.event, np.ones((1, len(outcome))))[0]
    if not np.isfinite(beta).all():
        return math.nan
    line = design @ beta
    return float((outcome.event * line - np.logaddexp(0, line)).sum())
