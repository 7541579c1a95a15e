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


@numba.njit(cache=True, nogil=True)
def _draw(state: NDArray[np.uint64], below: int) -> int:
    """Draw an integer from 0 to `below - 1` by xorshift64* (Marsaglia 2003, Vigna 2016); changes `state` `(1,)`."""
    word = state[0]
    word ^= word >> np.uint64(12)
    word ^= word << np.uint64(25)
    word ^= word >> np.uint64(27)
    state[0] = word
    high = (word * np.uint64(2685821657736338717)) >> np.uint64(33)
    return np.int64(high) % below


@numba.njit(cache=True, nogil=True)
def _survival(rows: Integers, time: Floats, event: NDArray[np.bool_], horizon: float) -> float:
    """Kaplan-Meier survival at the horizon of rows in the order of their times."""
    n = len(rows)
    alive = 1.0
    first = 0
    while first < n and time[rows[first]] <= horizon:
        last = first
        deaths = 0
        while last < n and time[rows[last]] == time[rows[first]]:
            deaths += event[rows[last]]
            last += 1
        alive *= 1.0 - deaths / (n - first)
        first = last
    return alive


@numba.njit(cache=True, nogil=True)
def _risk_table(
    rows: Integers,
    time: Floats,
    event: NDArray[np.bool_],
    reach: Integers,
    at_risk: Floats,
    spread: Floats,
    hazard: Floats,
) -> int:
    """Fill the log-rank terms of a node whose rows are in the order of their times; returns its distinct event times.

    `reach[i]` counts the event times at which row `i` is at risk; `at_risk`, `spread` and `hazard` are, per event time,
    those at risk, the variance's factor `d (Y - d) / (Y² (Y - 1))`, and the cumulative sum of `d / Y`.
    """
    n = len(rows)
    slots = 0
    total = 0.0
    first = 0
    while first < n:
        last = first
        deaths = 0
        while last < n and time[rows[last]] == time[rows[first]]:
            deaths += event[rows[last]]
            last += 1
        if deaths > 0:
            alive = float(n - first)
            total += deaths / alive
            at_risk[slots] = alive
            hazard[slots] = total
            spread[slots] = deaths * (alive - deaths) / (alive * alive * (alive - 1.0)) if alive > 1.0 else 0.0
            slots += 1
        for k in range(first, last):
            reach[k] = slots
        first = last
    return slots


@numba.njit(cache=True, nogil=True)
def _best_split(
    values: Floats,
    rows: Integers,
    event: NDArray[np.bool_],
    smallest: int,
    reach: Integers,
    slots: int,
    at_risk: Floats,
    spread: Floats,
    hazard: Floats,
    left_at_risk: Floats,
) -> tuple[float, float]:
    """Largest log-rank chi-square over the splits of one feature, and its threshold; -1 where no split is allowed.

    Rows go to the left one by one in the order of `values`: the observed minus expected events change by
    `event - H(time)`, the variance by a sum over the event times at which the row is at risk.
    """
    n = len(values)
    order = np.argsort(values, kind="mergesort")
    if values[order[0]] == values[order[n - 1]]:
        return -2.0, 0.0
    left_at_risk[:slots] = 0.0
    excess = 0.0
    variance = 0.0
    best, threshold = -1.0, 0.0
    for place in range(n - smallest):
        row = order[place]
        upto = reach[row]
        excess += event[rows[row]]
        if upto > 0:
            excess -= hazard[upto - 1]
        for slot in range(upto):
            variance += spread[slot] * (at_risk[slot] - 2.0 * left_at_risk[slot] - 1.0)
            left_at_risk[slot] += 1.0
        here, there = values[row], values[order[place + 1]]
        if place + 1 >= smallest and here < there and variance > 1e-12:
            statistic = excess * excess / variance
            if statistic > best + 1e-12:
                best = statistic
                middle = 0.5 * (here + there)
                threshold = middle if middle < there else here
    return best, threshold


@numba.njit(cache=True, nogil=True)
def grow(
    x: Floats,
    time: Floats,
    event: NDArray[np.bool_],
    samples: Integers,
    tried: int,
    smallest: int,
    horizon: float,
    seeds: NDArray[np.uint64],
    feature: NDArray[np.int32],
    threshold: Floats,
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    value: Floats,
    roots: NDArray[np.int32],
    gain: Floats,
) -> int:
    """Grow trees one after the other into flat arrays (see `Trees`); returns the number of nodes.

    Parameters
    ----------
    x
        `(features, n)`, patients in the order of their times.
    samples
        `(trees, m)` ascending rows that each tree sees, repeats allowed.
    tried
        Features tried at each node; more only until one can be split.
    smallest
        Fewest rows of a leaf.
    seeds
        `(trees,)`, not 0.
    """
    features = x.shape[0]
    m = samples.shape[1]
    reach = np.empty(m, dtype=np.int64)
    at_risk, spread, hazard, left_at_risk = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    shuffled = np.arange(features)
    state = np.empty(1, dtype=np.uint64)
    starts, stops, places = np.empty(m + 1, np.int64), np.empty(m + 1, np.int64), np.empty(m + 1, np.int64)
    nodes = 0
    for tree in range(samples.shape[0]):
        state[0] = seeds[tree]
        own = samples[tree].copy()
        spare = np.empty_like(own)
        roots[tree] = nodes
        starts[0], stops[0], places[0] = 0, m, nodes
        nodes += 1
        waiting = 1
        while waiting > 0:
            waiting -= 1
            start, stop, place = starts[waiting], stops[waiting], places[waiting]
            rows = own[start:stop]
            n = stop - start
            best, best_feature, best_threshold = 0.0, -1, 0.0
            slots = _risk_table(rows, time, event, reach, at_risk, spread, hazard) if n >= 2 * smallest else 0
            if slots > 0:
                seen = 0
                possible = False
                for k in range(features):
                    other = k + _draw(state, features - k)
                    shuffled[k], shuffled[other] = shuffled[other], shuffled[k]
                    candidate = shuffled[k]
                    statistic, cut = _best_split(
                        x[candidate][rows], rows, event, smallest, reach, slots, at_risk, spread, hazard, left_at_risk
                    )
                    if statistic > -1.5:
                        seen += 1
                    possible = possible or statistic >= 0.0
                    if statistic > best:
                        best, best_feature, best_threshold = statistic, candidate, cut
                    if seen >= tried and possible:
                        break
            feature[place] = best_feature
            threshold[place] = best_threshold
            left[place] = place
            right[place] = place
            value[place] = 0.0
            if best_feature < 0:
                value[place] = 1.0 - _survival(rows, time, event, horizon)
                continue
            gain[best_feature] += best
            kept = start
            moved = 0
            for k in range(start, stop):
                row = own[k]
                if x[best_feature, row] <= best_threshold:
                    own[kept] = row
                    kept += 1
                else:
                    spare[moved] = row
                    moved += 1
            own[kept:stop] = spare[:moved]
            left[place], right[place] = nodes, nodes + 1
            starts[waiting], stops[waiting], places[waiting] = kept, stop, nodes + 1
            starts[waiting + 1], stops[waiting + 1], places[waiting + 1] = start, kept, nodes
            waiting += 2
            nodes += 2
    return nodes
