"""The tests of IBSI chapter 2: 33 response maps of digital phantoms, and features of 18 filtered images of a lung.

Numbers and parameters are those of the manual (arXiv 2006.05470, chapter 4). The reference values of configurations 8
and 9 belong to the filter applied to the image as it is, without an extension: the periodic boundary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prognoscope.radiomics.filters import FilterChoice
from prognoscope.radiomics.settings import Interpolation, RadiomicsSettings, Resegmentation


@dataclass(frozen=True, slots=True)
class ResponseMap:
    """One test of phase 1: its number, the digital phantom, and the filter."""

    number: str
    phantom: str
    choice: FilterChoice


def _map(number: str, phantom: str, name: str, boundary: str, **settings: Any) -> ResponseMap:
    choice = FilterChoice.model_validate({name: {"boundary": boundary, **settings}})
    return ResponseMap(number, phantom, choice)


def _laws(letter: str, phantom: str, boundary: str, **settings: Any) -> tuple[ResponseMap, ...]:
    return (
        _map(f"3.{letter}.1", phantom, "laws", boundary, **settings),
        _map(f"3.{letter}.2", phantom, "laws", boundary, pooling="max", **settings),
        _map(f"3.{letter}.3", phantom, "laws", boundary, pooling="max", energy_distance=7, **settings),
    )


def _gabor(letter: str, phantom: str, boundary: str, theta: float, step: float, **settings: Any) -> list[ResponseMap]:
    return [
        _map(f"4.{letter}.1", phantom, "gabor", boundary, theta_deg=theta, dimensions=2, **settings),
        _map(f"4.{letter}.2", phantom, "gabor", boundary, theta_step_deg=step, **settings),
    ]


RESPONSE_MAPS: tuple[ResponseMap, ...] = (
    _map("1.a.1", "checkerboard", "mean", "zero", support=15),
    _map("1.a.2", "checkerboard", "mean", "nearest", support=15),
    _map("1.a.3", "checkerboard", "mean", "periodic", support=15),
    _map("1.a.4", "checkerboard", "mean", "mirror", support=15),
    _map("1.b.1", "impulse", "mean", "zero", support=15, dimensions=2),
    _map("2.a", "impulse", "laplacian_of_gaussian", "zero", sigma_mm=3),
    _map("2.b", "checkerboard", "laplacian_of_gaussian", "mirror", sigma_mm=5),
    _map("2.c", "checkerboard", "laplacian_of_gaussian", "mirror", sigma_mm=5, dimensions=2),
    *_laws("a", "impulse", "zero", kernels="E5L5S5"),
    *_laws("b", "checkerboard", "mirror", kernels="E3W5R5"),
    *_laws("c", "checkerboard", "mirror", kernels="L5S5", dimensions=2),
    *_gabor("a", "impulse", "zero", 60, 45, sigma_mm=10, wavelength_mm=4, gamma=0.5),
    *_gabor("b", "sphere", "mirror", 225, 22.5, sigma_mm=20, wavelength_mm=8, gamma=2.5),
    _map("5.a.1", "impulse", "separable_wavelet", "zero", family="db2", bands="LHL"),
    _map("5.a.2", "impulse", "separable_wavelet", "zero", family="db2", bands="LHL", pooling="average"),
    _map("6.a.1", "sphere", "separable_wavelet", "periodic", family="coif1", bands="HHL"),
    _map("6.a.2", "sphere", "separable_wavelet", "periodic", family="coif1", bands="HHL", pooling="average"),
    _map(
        "7.a.1", "checkerboard", "separable_wavelet", "mirror", family="haar", bands="LLL", level=2, pooling="average"
    ),
    _map(
        "7.a.2", "checkerboard", "separable_wavelet", "mirror", family="haar", bands="HHH", level=2, pooling="average"
    ),
    _map("8.a.1", "checkerboard", "nonseparable_wavelet", "periodic", level=1),
    _map("8.a.2", "checkerboard", "nonseparable_wavelet", "periodic", level=2),
    _map("8.a.3", "checkerboard", "nonseparable_wavelet", "periodic", level=3),
    _map("9.a", "impulse", "laplacian_of_gaussian", "zero", sigma_mm=3, riesz={"order": (1, 0, 0)}),
    _map("9.b.1", "sphere", "laplacian_of_gaussian", "zero", sigma_mm=3, riesz={"order": (0, 2, 0)}),
    _map("10.b.1", "pattern_1", "nonseparable_wavelet", "nearest", riesz={"order": (0, 2, 0)}),
)

_RANGE = Resegmentation(range=(-1000, 400))
_BASES: dict[str, RadiomicsSettings] = {
    "A": RadiomicsSettings(families=("statistics",), resegmentation=_RANGE),
    "B": RadiomicsSettings(
        families=("statistics",),
        resegmentation=_RANGE,
        interpolation=Interpolation(spacing_mm=1, image_spline="cubic", round_intensities=True),
    ),
}
# By number: the filter and its parameters; each of these is applied in slices (A) and in space (B).
_FILTERS: dict[int, tuple[str, dict[str, Any]]] = {
    2: ("mean", {"support": 5}),
    3: ("laplacian_of_gaussian", {"sigma_mm": 1.5}),
    4: ("laws", {"pooling": "max", "energy_distance": 7}),
    5: ("gabor", {"sigma_mm": 5, "wavelength_mm": 2, "gamma": 1.5, "theta_step_deg": 22.5}),
    6: ("separable_wavelet", {"family": "db3", "pooling": "average"}),
    7: ("separable_wavelet", {"family": "db3", "pooling": "average", "level": 2}),
    8: ("nonseparable_wavelet", {"boundary": "periodic", "level": 1}),
    9: ("nonseparable_wavelet", {"boundary": "periodic", "level": 2}),
}
_KERNELS: dict[str, dict[str, str]] = {
    "4.A": {"kernels": "L5E5"},
    "4.B": {"kernels": "L5E5E5"},
    "6.A": {"bands": "LH"},
    "6.B": {"bands": "LLH"},
    "7.A": {"bands": "HH"},
    "7.B": {"bands": "HHH"},
}

FILTERED: tuple[str, ...] = tuple(f"{number}.{variant}" for number in range(1, 10) for variant in "AB")
"""Configurations of phase 2; those with the number 1 have no filter."""


def filtered_configuration(name: str) -> RadiomicsSettings:
    """Return the settings of a configuration of phase 2, `1.A` to `9.B`; KeyError for another name."""
    number, variant = int(name[0]), name[2:]
    base = _BASES[variant]
    if number == 1:
        return base
    kind, parameters = _FILTERS[number]
    settings = {"dimensions": 2 if variant == "A" else 3, **parameters, **_KERNELS.get(name, {})}
    return base.model_copy(update={"filters": (FilterChoice.model_validate({kind: settings}),)})
