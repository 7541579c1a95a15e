"""Concordance by fold when risks and folds are dealt out to the outcomes in many ways at once."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.validation.checks import Floats, Ints


def dealt_concordance(outcome: Outcome, risk: Floats, fold: Ints, order: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Pairs ordered rightly (ties half) and comparable pairs of each fold, for each way of dealing.

    Pairs are those of `auc` or `c_index`.

    Parameters
    ----------
    outcome
        Of `n` patients.
    risk
        `(n,)`, or `(ways, n)` when each way has its own; compared to nine decimals.
    fold
        `(n,)` or `(ways, n)`: integers from 0.
    order
        `(ways, n)`: patient `i` gets the outcome of patient `order[way, i]`.

    Returns
    -------
    Each `(ways, folds)`.
    """
    if isinstance(outcome, Binary):
        time, event = np.where(outcome.event, 0.0, 1.0), outcome.event
    else:
        time, event = outcome.time_days, outcome.event
    rank = rankdata(np.round(risk, 9), method="dense", axis=-1).astype(np.int64) - 1
    late_first = np.lexsort((event, -time))
    who = np.argsort(order, axis=1)[:, late_first]  # the patient to whom each outcome went, from late to early
    ranks, held = (np.take_along_axis(np.broadcast_to(part, order.shape), who, axis=1) for part in (rank, fold))
    right, pairs = _dealt(time[late_first], event[late_first], ranks, held, int(fold.max()) + 1)
    return right, pairs


@numba.njit(cache=True, nogil=True)
def _dealt(time, event, rank, fold, folds):  # type: ignore[no-untyped-def]
    ways, n = rank.shape
    right = np.zeros((ways, folds))
    pairs = np.zeros((ways, folds))
    size = rank.max() + 1
    tree = np.zeros((folds, size + 1), dtype=np.int64)
    longer = np.zeros(folds, dtype=np.int64)
    for way in range(ways):
        tree[:] = 0
        longer[:] = 0
        start = 0
        while start < n:
            stop = start
            while stop < n and time[stop] == time[start]:
                mine = fold[way, stop]
                index = rank[way, stop]
                if event[stop]:
                    twice = 0
                    place = index
                    while place > 0:
                        twice += tree[mine, place]
                        place -= place & -place
                    place = index + 1
                    while place > 0:
                        twice += tree[mine, place]
                        place -= place & -place
                    right[way, mine] += 0.5 * twice
                    pairs[way, mine] += longer[mine]
                else:
                    longer[mine] += 1
                    place = index + 1
                    while place <= size:
                        tree[mine, place] += 1
                        place += place & -place
                stop += 1
            for item in range(start, stop):
                if event[item]:
                    mine = fold[way, item]
                    longer[mine] += 1
                    place = rank[way, item] + 1
                    while place <= size:
                        tree[mine, place] += 1
                        place += place & -place
            start = stop
    return right, pairs
