"""Scaling filters of orthogonal wavelets: Haar, Daubechies 2 to 10, Coiflet 1 to 5.

Daubechies' filters follow from their definition; the Coiflets' are the published numbers. All sum to √2.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb, sqrt

import numpy as np

from prognoscope.radiomics.filters.convolution import Kernel

FAMILIES = ("haar", *(f"db{order}" for order in range(2, 11)), *(f"coif{order}" for order in range(1, 6)))

# Daubechies, Orthonormal bases of compactly supported wavelets II, SIAM J. Math. Anal. 24, 1993, 499-519; to 16 digits
# as computed for the same definition and listed by PyWavelets.
# fmt: off
COIFLETS: dict[str, tuple[float, ...]] = {
    "coif1": (
        -0.07273261951252645, 0.3378976624574818, 0.8525720202116004, 0.3848648468648578,
        -0.07273261951252645, -0.015655728135791993,
    ),
    "coif2": (
        0.01638733646320364, -0.04146493678687178, -0.0673725547237256, 0.3861100668227629,
        0.8127236354494135, 0.4170051844232391, -0.07648859907828076, -0.05943441864643109,
        0.02368017194684777, 0.005611434819368834, -0.0018232088709110323, -0.000720549445520347,
    ),
    "coif3": (
        -0.003793512864380802, 0.007782596425672746, 0.023452696142077168, -0.06577191128146936,
        -0.06112339000297255, 0.40517690240911824, 0.7937772226260872, 0.42848347637737,
        -0.07179982161915484, -0.08230192710629983, 0.03455502757329774, 0.015880544863669452,
        -0.009007976136730624, -0.0025745176881367972, 0.0011175187708306303, 0.0004662169598204029,
        -7.0983302506379e-05, -3.459977319727278e-05,
    ),
    "coif4": (
        0.000892313902537003, -0.001629492425226786, -0.007346167936268051, 0.01606894713157503,
        0.02668230466960483, -0.08126671024919373, -0.05607731960356926, 0.41530842700068227,
        0.7822389344242826, 0.43438603311435653, -0.06662747236681717, -0.09622042453595264,
        0.03933442260558915, 0.02508225333794961, -0.015211728187697211, -0.0056582838001308835,
        0.0037514346971460866, 0.0012665610789256603, -0.0005890202246332165, -0.0002599743371222568,
        6.233885431278719e-05, 3.1229861599195265e-05, -3.259647940030751e-06, -1.7849909144933469e-06,
    ),
    "coif5": (
        -0.000212081862067494, 0.0003585777411617577, 0.0021782943778456947, -0.00415931262757864,
        -0.010131584846900276, 0.023408322118927783, 0.028169744270532353, -0.09192158806008609,
        -0.052046670253554764, 0.42157126673075435, 0.7742936228603274, 0.4379823066591634,
        -0.06203775157498196, -0.10556315130733723, 0.041287530472117834, 0.032674799467057355,
        -0.019758391600965465, -0.009159507338676163, 0.006761520220620417, 0.0024315754425382886,
        -0.0016616273039298788, -0.0006375589261258812, 0.0003018579416682448, 0.00014035632812373243,
        -4.12198619242655e-05, -2.1270221672515614e-05, 3.7007277113394796e-06, 2.0612203985788783e-06,
        -1.6237995172048338e-07, -9.604010112767894e-08,
    ),
}
# fmt: on


@lru_cache(maxsize=len(FAMILIES))
def _weights(family: str) -> tuple[float, ...]:
    if family in COIFLETS:
        return COIFLETS[family]
    return tuple(_daubechies(1 if family == "haar" else int(family.removeprefix("db"))).tolist())


def scaling_filter(family: str) -> Kernel:
    """Scaling (synthesis low-pass) filter of a family: 2N weights for `dbN`, 6N for `coifN`."""
    return np.asarray(_weights(family))


def _daubechies(order: int) -> Kernel:
    """Daubechies' filter with `order` vanishing moments and extremal phase, by spectral factorisation.

    |H(ω)|² = 2 cos²ᴺ(ω/2) P(sin²(ω/2)) with P(y) = Σ_{k<N} C(N-1+k, k) yᵏ; every root y of P stands for two roots z of
    y = (2 - z - 1/z) / 4, of which the one outside the unit circle is kept (Daubechies, Comm. Pure Appl. Math. 41,
    1988, 909-996).
    """
    roots = np.roots([comb(order - 1 + k, k) for k in reversed(range(order))])
    half = 1 - 2 * roots
    reach = np.sqrt(half**2 - 1 + 0j)
    kept = np.where(np.abs(half + reach) < 1, half + reach, half - reach)
    polynomial = np.poly(np.concatenate([np.full(order, -1.0), kept])).real
    return np.asarray(polynomial * sqrt(2) / polynomial.sum())
