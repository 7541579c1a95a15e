"""How many patients a study needs before it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from prognoscope.core.problems import refuse
from prognoscope.validation import SampleSize, for_binary, for_continuous, for_survival

Kind = Literal["binary", "survival", "continuous"]
# Which statements each kind of outcome needs or may have; every other is refused, not ignored.
SERVES: Mapping[str, tuple[Kind, ...]] = {
    "prevalence": ("binary",),
    "rate": ("survival",),
    "horizon": ("survival",),
    "follow-up": ("survival",),
    "r2": ("binary", "survival", "continuous"),
    "nagelkerke-r2": ("binary", "survival"),
    "c-statistic": ("binary",),
    "mean": ("continuous",),
    "sd": ("continuous",),
}


def sample_size(
    kind: Kind,
    *,
    parameters: int,
    prevalence: float | None = None,
    rate: float | None = None,
    horizon: float | None = None,
    follow_up: float | None = None,
    r2: float | None = None,
    nagelkerke_r2: float | None = None,
    c_statistic: float | None = None,
    mean: float | None = None,
    standard_deviation: float | None = None,
    shrinkage: float = 0.9,
) -> SampleSize:
    """Patients needed by Riley's criteria; see `validation.for_binary`, `for_survival` and `for_continuous`.

    Raises
    ------
    Refused
        `sample-size-input` when a kind of outcome lacks what it needs or is given what another needs, `sample-size` for
        impossible values.
    """
    stated = (prevalence, rate, horizon, follow_up, r2, nagelkerke_r2, c_statistic, mean, standard_deviation)
    _refuse_foreign(kind, [name for name, value in zip(SERVES, stated, strict=True) if value is not None])
    if kind == "binary":
        return for_binary(
            parameters=parameters,
            prevalence=_given("prevalence", prevalence, kind),
            r2_cox_snell=r2,
            r2_nagelkerke=nagelkerke_r2,
            c_statistic=c_statistic,
            shrinkage=shrinkage,
        )
    if kind == "survival":
        return for_survival(
            parameters=parameters,
            rate=_given("rate", rate, kind),
            horizon=_given("horizon", horizon, kind),
            mean_follow_up=_given("follow-up", follow_up, kind),
            r2_cox_snell=r2,
            r2_nagelkerke=nagelkerke_r2,
            shrinkage=shrinkage,
        )
    return for_continuous(
        parameters=parameters,
        r2=_given("r2", r2, kind),
        mean=_given("mean", mean, kind),
        standard_deviation=_given("sd", standard_deviation, kind),
        shrinkage=shrinkage,
    )


def _refuse_foreign(kind: Kind, stated: Sequence[str]) -> None:
    for name in stated:
        if kind not in SERVES[name]:
            raise refuse(
                "sample-size-input",
                subject=f"{kind} outcome",
                found=f"--{name} says nothing about it; it is for {' and '.join(SERVES[name])} outcomes",
                remedy=f"leave --{name} out, or name the kind of outcome that is meant",
            )


def _given(name: str, value: float | None, kind: Kind) -> float:
    if value is None:
        raise refuse(
            "sample-size-input",
            subject=f"{kind} outcome",
            found=f"--{name} is not given",
            remedy=f"give --{name}; `prognoscope samplesize --help` says what it means",
        )
    return value
