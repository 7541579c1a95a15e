"""Three made-up scanners: what a centre's machine does to the picture of one and the same body."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scanner:
    """A centre and its CT.

    Attributes
    ----------
    centre, manufacturer, model, kernel
        As the headers state them.
    slice_spacing_mm, slices
        Distance between slices, and their number.
    blur_mm
        Standard deviation of the point-spread function in the slice plane.
    noise_hu
        Standard deviation of the noise in water at the middle of the body.
    noise_grain_mm
        Correlation length of the noise: a smooth kernel leaves coarse grain.
    """

    centre: str
    manufacturer: str
    model: str
    kernel: str
    slice_spacing_mm: float
    slices: int
    blur_mm: float
    noise_hu: float
    noise_grain_mm: float


SCANNERS = (
    Scanner("North Hospital", "Aldermoor", "Axion 64", "STANDARD", 3.0, 30, 1.1, 11.0, 1.3),
    Scanner("River Clinic", "Kestrel Imaging", "Rapide 128", "B31f", 3.0, 30, 1.4, 8.0, 1.9),
    Scanner("South Institute", "Aldermoor", "Axion 16", "DETAIL", 3.75, 24, 0.9, 16.0, 0.9),
)
