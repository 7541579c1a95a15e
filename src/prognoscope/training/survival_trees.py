"""The kernel of the random survival forest: trees split by the log-rank statistic.

Own code because of time and licence: scikit-survival needs 50 to 100 ms for a forest of 100 trees on 50 patients, which
the nested folds grow thousands of times, and it is under the GPL. A tree grown here without randomness is
compared with scikit-survival's in the tests, and so is the forest's performance.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NOTHING_TO_SPLIT = -2.0


@numba.njit(cache=True, nogil=True)
def _draw(state: NDArray[np.uint64], below: int) -> int:
    """Draw an integer from 0 to `below - 1` by xorshift64* (Marsaglia 2003, Vigna 2016); changes `state` `(1,)`."""
    word = state[0]
    word ^= word >> np.uint64(12)
    word ^= word << np.uint64(25)
    word ^= word >> np.uint64(27)
    state[0] = word
    high = (word * np.uint64(2685821657736338717)) >> np.uint64(33)
    return int(high) % below


@numba.njit(cache=True, nogil=True)
def _risk_table(
    rows: Integers,
    start: int,
    stop: int,
    time: Floats,
    event: NDArray[np.bool_],
    horizon: float,
    reach: Integers,
    at_risk: Floats,
    spread: Floats,
    hazard: Floats,
) -> tuple[int, float]:
    """Fill the log-rank terms of a node, `rows[start:stop]` in the order of their times.

    `reach[row]` counts the event times at which a row is at risk; `at_risk`, `spread` and `hazard` are, per event time,
    those at risk, the variance's factor `d (Y - d) / (Y² (Y - 1))`, and the cumulative sum of `d / Y`.

    Returns
    -------
    The number of distinct event times, and the Kaplan-Meier survival at the horizon.
    """
    slots = 0
    total = 0.0
    survival = 1.0
    first = start
    while first < stop:
        last = first
        deaths = 0
        while last < stop and time[rows[last]] == time[rows[first]]:
            deaths += event[rows[last]]
            last += 1
        if deaths > 0:
            alive = float(stop - first)
            total += deaths / alive
            at_risk[slots] = alive
            hazard[slots] = total
            spread[slots] = deaths * (alive - deaths) / (alive * alive * (alive - 1.0)) if alive > 1.0 else 0.0
            slots += 1
            if time[rows[first]] <= horizon:
                survival *= 1.0 - deaths / alive
        for k in range(first, last):
            reach[rows[k]] = slots
        first = last
    return slots, survival


@numba.njit(cache=True, nogil=True)
def _best_split(
    values: Floats,
    order: Integers,
    copies: Integers,
    n: int,
    event: NDArray[np.bool_],
    smallest: int,
    reach: Integers,
    slots: int,
    at_risk: Floats,
    spread: Floats,
    hazard: Floats,
    left: Floats,
) -> tuple[float, float]:
    """Largest log-rank chi-square over the splits of one feature, and its threshold.

    Rows of the node (`copies[row]` of each, `n` in all) go to the left one by one in the `order` of `values`: observed
    minus expected events change by `event - H(time)`, the variance by a sum over the event times at which the row is
    at risk. -1 where no split leaves enough on both sides, `NOTHING_TO_SPLIT` where all values are equal.
    """
    for slot in range(slots):
        left[slot] = 0.0
    excess, variance = 0.0, 0.0
    best, threshold = NOTHING_TO_SPLIT, 0.0
    gone = 0
    before = 0.0
    for place in range(len(order)):
        row = order[place]
        if copies[row] == 0:
            continue
        value = values[row]
        if gone > 0 and before < value:
            best = max(best, -1.0)
            if gone >= smallest and n - gone >= smallest and variance > 1e-12:
                statistic = excess * excess / variance
                if statistic > best + 1e-12:
                    best = statistic
                    middle = 0.5 * (before + value)
                    threshold = middle if middle < value else before
        for _ in range(copies[row]):
            upto = reach[row]
            excess += event[row]
            if upto > 0:
                excess -= hazard[upto - 1]
            for slot in range(upto):
                variance += spread[slot] * (at_risk[slot] - 2.0 * left[slot] - 1.0)
                left[slot] += 1.0
        gone += copies[row]
        before = value
        if gone == n:
            break
    return best, threshold


@numba.njit(cache=True, nogil=True)
def grow(
    x: Floats,
    order: Integers,
    time: Floats,
    event: NDArray[np.bool_],
    samples: Integers,
    tried: int,
    smallest: int,
    horizon: float,
    seeds: NDArray[np.uint64],
    feature: NDArray[np.int32],
    threshold: Floats,
    children: NDArray[np.int32],
    value: Floats,
    roots: NDArray[np.int32],
    gain: Floats,
) -> int:
    """Grow trees one after the other into flat arrays (see `Trees`); returns the number of nodes.

    Parameters
    ----------
    x
        `(features, n)`, patients in the order of their times.
    order
        `(features, n)` patients in the order of each feature.
    samples
        `(trees, m)` ascending rows that each tree sees, repeats allowed.
    tried
        Features tried at each node; more only until one can be split.
    smallest
        Fewest rows of a leaf.
    seeds
        `(trees,)`, not 0.
    children
        `(2, nodes)` for the places to the left and to the right.
    """
    features, n = x.shape
    m = samples.shape[1]
    reach, copies = np.zeros(n, np.int64), np.zeros(n, np.int64)
    at_risk, spread, hazard, left = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    shuffled = np.arange(features)
    state = np.empty(1, dtype=np.uint64)
    waiting = np.empty((m + 1, 3), np.int64)
    own, spare = np.empty(m, np.int64), np.empty(m, np.int64)
    nodes = 0
    for tree in range(samples.shape[0]):
        state[0] = seeds[tree]
        for k in range(m):
            own[k] = samples[tree, k]
        roots[tree] = nodes
        waiting[0, 0], waiting[0, 1], waiting[0, 2] = 0, m, nodes
        nodes += 1
        count = 1
        while count > 0:
            count -= 1
            start, stop, place = waiting[count, 0], waiting[count, 1], waiting[count, 2]
            slots, survival = _risk_table(own, start, stop, time, event, horizon, reach, at_risk, spread, hazard)
            best, best_feature, best_threshold = 0.0, -1, 0.0
            if slots > 0 and stop - start >= 2 * smallest:
                for k in range(start, stop):
                    copies[own[k]] += 1
                seen = 0
                for k in range(features):
                    other = k + _draw(state, features - k)
                    shuffled[k], shuffled[other] = shuffled[other], shuffled[k]
                    candidate = shuffled[k]
                    statistic, cut = _best_split(
                        x[candidate], order[candidate], copies, stop - start, event, smallest, reach, slots, at_risk,
                        spread, hazard, left,
                    )  # fmt: skip
                    seen += statistic > NOTHING_TO_SPLIT
                    if statistic > best:
                        best, best_feature, best_threshold = statistic, candidate, cut
                    if seen >= tried and best_feature >= 0:
                        break
                for k in range(start, stop):
                    copies[own[k]] = 0
            feature[place], threshold[place] = best_feature, best_threshold
            children[0, place], children[1, place] = place, place
            value[place] = 0.0
            if best_feature < 0:
                value[place] = 1.0 - survival
                continue
            gain[best_feature] += best
            kept, moved = start, 0
            for k in range(start, stop):
                if x[best_feature, own[k]] <= best_threshold:
                    own[kept] = own[k]
                    kept += 1
                else:
                    spare[moved] = own[k]
                    moved += 1
            for k in range(moved):
                own[kept + k] = spare[k]
            children[0, place], children[1, place] = nodes, nodes + 1
            waiting[count, 0], waiting[count, 1], waiting[count, 2] = kept, stop, nodes + 1
            waiting[count + 1, 0], waiting[count + 1, 1], waiting[count + 1, 2] = start, kept, nodes
            count += 2
            nodes += 2
    return nodes
