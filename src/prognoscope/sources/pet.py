"""PET values → SUV by body weight, only from what the header states.

SUV = activity concentration (Bq/ml) · weight (g) / dose (Bq) decayed to the time the image is corrected to, at the
tissue density of 1 g/ml. Attributes and decay reference: DICOM PS3.3 C.8.9.1; QIBA FDG-PET profile, vendor-neutral
SUV calculation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.instance import Tracer

LONGEST_UPTAKE = timedelta(hours=24)
SUV_UNITS = {"": "SUV", "BW": "SUV", "LBM": "SUVlbm", "LBMJANMA": "SUVlbm", "LBMJAMES128": "SUVlbm", "BSA": "SUVbsa"}


@dataclass(frozen=True, slots=True)
class Conversion:
    """The unit of a series' values and the factor that brings its rescaled values to it."""

    unit: str
    factor: float


def conversion(tracers: Sequence[Tracer], *, subject: str) -> Conversion:
    """Return the unit of a PET series and the factor to it.

    Parameters
    ----------
    tracers
        What the header of each of the series' files says.
    subject
        How problems name the series.

    Raises
    ------
    Refused
        `suv-attribute-missing` naming the attribute, `suv-times` when injection and scan contradict each other,
        `suv-units` for units that lead to no SUV, `suv-headers-differ` when slices disagree.
    """
    first = tracers[0]
    if any(_stable(tracer) != _stable(first) for tracer in tracers):
        raise refuse(
            "suv-headers-differ",
            subject=subject,
            found="its slices state different units, dose, weight or injection time",
            remedy="export the series again",
        )
    if first.units == "GML":
        unit = SUV_UNITS.get(first.suv_type.upper())
        if unit is None:
            raise _units(subject, f"SUVType is {first.suv_type!r}")
        return Conversion(unit, 1.0)
    if first.units == "BQML":
        return Conversion("SUV", _weight_over_dose(tracers, subject))
    if first.units == "CNTS" and first.philips_suv:
        return Conversion("SUV", first.philips_suv)
    if first.units == "CNTS" and first.philips_bqml:
        return Conversion("SUV", first.philips_bqml * _weight_over_dose(tracers, subject))
    if not first.units:
        raise _absent(subject, "Units (0054,1001)")
    raise _units(subject, f"Units is {first.units!r}")


def _stable(tracer: Tracer) -> tuple[object, ...]:
    return (
        *(tracer.units, tracer.suv_type, tracer.decay_correction, tracer.dose_bq, tracer.half_life_s),
        *(tracer.weight_kg, tracer.injected, tracer.series_time),
    )


def _weight_over_dose(tracers: Sequence[Tracer], subject: str) -> float:
    first = tracers[0]
    dose = _positive(first.dose_bq, subject, "RadionuclideTotalDose (0018,1074)")
    weight = _positive(first.weight_kg, subject, "PatientWeight (0010,1030)")
    half_life = _positive(first.half_life_s, subject, "RadionuclideHalfLife (0018,1075)")
    if first.decay_correction == "ADMIN":
        return weight * 1000 / dose
    if first.decay_correction != "START":
        raise _absent(subject, f"a usable DecayCorrection (0054,1102), which is {first.decay_correction!r},")
    uptake = _uptake(tracers, subject).total_seconds()
    return weight * 1000 / (dose * 2 ** (-uptake / half_life))


def _uptake(tracers: Sequence[Tracer], subject: str) -> timedelta:
    """Time from the injection to the start of the scan, which the values are corrected to."""
    series = moment(tracers[0].series_time)
    acquired = [found for tracer in tracers if (found := moment(tracer.acquisition_time))]
    # A series that was reconstructed again later bears the later time: the scan began with its first acquisition.
    begun = min([*acquired, series]) if series else min(acquired, default=None)
    if begun is None:
        raise _absent(subject, "SeriesDate and SeriesTime, or AcquisitionDate and AcquisitionTime,")
    stated = tracers[0].injected
    if not stated:
        raise _absent(subject, "RadiopharmaceuticalStartDateTime (0018,1078) or …StartTime (0018,1072)")
    injected = moment(stated) if _has_date(stated) else moment(begun.strftime("%Y%m%d") + stated)
    if injected is None:
        raise _times(subject, f"the injection time {stated!r} cannot be read")
    if injected > begun and not _has_date(stated):
        injected -= timedelta(days=1)
    uptake = begun - injected
    if not timedelta(0) <= uptake <= LONGEST_UPTAKE:
        raise _times(subject, f"the injection ({injected:%Y-%m-%d %H:%M}) and the scan ({begun:%Y-%m-%d %H:%M})")
    return uptake


def _has_date(text: str) -> bool:
    """Whether a text is a DICOM date and time (at least 12 digits) rather than a time."""
    return len(text.split(".")[0].split("+")[0].split("-")[0]) >= 12


def moment(text: str) -> datetime | None:
    """Read `YYYYMMDDHHMMSS[.ffffff][±ZZZZ]`, seconds optional; None when it is nothing of the kind."""
    whole, _, rest = text.partition(".")
    whole = whole.split("+")[0].split("-")[0].replace(":", "")
    fraction = rest.split("+")[0].split("-")[0]
    for form, length in (("%Y%m%d%H%M%S", 14), ("%Y%m%d%H%M", 12)):
        if len(whole) == length and whole.isdigit():
            try:
                found = datetime.strptime(whole, form)
            except ValueError:
                return None
            return found + timedelta(seconds=float(f"0.{fraction}") if fraction.isdigit() else 0.0)
    return None


def _positive(value: float | None, subject: str, attribute: str) -> float:
    if value is None:
        raise _absent(subject, attribute)
    if value <= 0:
        raise _units(subject, f"{attribute} is {value:g}")
    return value


def _absent(subject: str, attribute: str) -> Refused:
    return refuse(
        "suv-attribute-missing",
        subject=subject,
        found=f"{attribute} is missing, so its values cannot become SUV",
        remedy="export the series with this attribute (de-identification may have removed it) or as SUV",
    )


def _units(subject: str, found: str) -> Refused:
    return refuse(
        "suv-units",
        subject=subject,
        found=f"{found}, which leads to no SUV",
        remedy="export the series in Bq/ml or SUV",
    )


def _times(subject: str, found: str) -> Refused:
    return refuse(
        "suv-times",
        subject=subject,
        found=f"{found} do not fit together" if "scan" in found else found,
        remedy="correct the times in the header or export the series as SUV",
    )
