"""How the risks are put to the test, and what they are used for: the keys below `validate:`, `success:` and
`decision:`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from prognoscope.core.outcome import OutcomeKind
from prognoscope.core.problems import Problem
from prognoscope.core.settings import Settings, unknown_word
from prognoscope.study.data import SOURCE, External
from prognoscope.study.offers import plans
from prognoscope.study.yaml import Document, problems_of
from prognoscope.training import Candidate, Costs, Plan

BY_CHANCE = "cross-validation"
BOOTSTRAP = "bootstrap"
EXTERNAL = "external"
OF_CROSS_VALIDATION = ("folds", "repeats")
PLACE = ("validate", "plan")


def _named(value: Any) -> Any:
    return {value: {}} if isinstance(value, str) else value


def _columns(value: Any) -> Any:
    several = [value] if isinstance(value, (str, Mapping)) else value
    if not isinstance(several, (list, tuple)):
        return several
    return tuple({"column": one} if isinstance(one, str) else one for one in several)


class Subgroups(Settings):
    """A column by whose values patients are told apart; a name alone is short for `{column: name}`."""

    column: str = Field(description="column of the table, predictor or not")
    cut_at: tuple[float, ...] = Field(
        (), description="for a column of numbers: where groups begin, `[50, 70]` for below 50, 50 to 70, and from 70 on"
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if list(self.cut_at) != sorted(set(self.cut_at)):
            raise ValueError("`cut_at:` takes numbers in rising order, each once")
        return self


class Criterion(Settings):
    """A bound that is fixed before the first result."""

    metric: str = Field(description="`auc`, `c_index`, `brier`, `calibration_slope`, …, or `net_benefit`")
    of: Literal["estimate", "low", "high"] = Field("estimate", description="the figure, or an end of its interval")
    at_least: float | None = Field(None, description="met when it is this or more")
    at_most: float | None = Field(None, description="met when it is this or less")
    threshold: float | None = Field(None, gt=0, lt=1, description="threshold probability, for `net_benefit`")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a criterion needs a bound: at_least or at_most")
        if (self.metric == "net_benefit") != (self.threshold is not None):
            raise ValueError("`threshold:` belongs to net_benefit, and to nothing else")
        return self


class Validation(Settings):
    """How performance is estimated; the defaults are the least that the report calls complete."""

    plan: Annotated[dict[str, dict[str, Any] | None], BeforeValidator(_named)] = Field(
        {BY_CHANCE: {}},
        min_length=1,
        max_length=1,
        description="how patients are held out: a name below `validate: plan:`, alone or with its settings",
    )
    folds: int = Field(5, ge=2, le=50, description="outer folds of the cross-validation")
    repeats: int = Field(5, ge=1, le=100, description="repeats of the outer folds with other splits")
    inner: int = Field(3, ge=2, le=20, description="inner folds, which choose model and settings")
    resamples: int = Field(2000, ge=200, le=100_000, description="bootstrap resamples of patients for an interval")
    refits: int = Field(
        100, ge=20, le=1000, description="refits of the whole pipeline for the interval of one prediction"
    )
    subgroups: Annotated[tuple[Subgroups, ...], BeforeValidator(_columns)] = Field(
        (), description="columns by whose values every figure is given too: `[sex, {column: age, cut_at: [65]}]`"
    )
    learning_curve: bool = Field(
        False, description="whether the main model is learnt from fewer patients too, to see if more would help"
    )
    override: dict[str, str] = Field(
        {}, description="guard that blocks the bundle → the written reason why it may be written all the same"
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that only the validation asks for, each once."""
        (settings,) = self.plan.values()
        asked = [str((settings or {}).get("column") or ""), *(one.column for one in self.subgroups)]
        return tuple(dict.fromkeys(filter(None, asked)))


class Decision(Settings):
    """What the risks are used for."""

    missed_event: float | None = Field(
        None, gt=0, description="cost of no alert for a patient with the event; the folds then choose a threshold by it"
    )
    false_alert: float = Field(
        1.0, gt=0, description="cost of an alert for a patient without the event, in the same unit"
    )
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (), description="risks from which one would act, each described in the report"
    )
    prevalence: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="share with the event in the clinic, for predictive values; the study's by default",
    )
    set_error: float | None = Field(
        None,
        ge=0.01,
        le=0.5,
        description="accepted share of conformal prediction sets that miss the outcome; with it the predictor abstains "
        "where both outcomes, or none, are plausible",
    )

    @property
    def costs(self) -> Costs | None:
        """What wrong decisions cost; None where it is not stated."""
        if self.missed_event is None:
            return None
        return Costs(false_alert=self.false_alert, missed_event=self.missed_event)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The plan by which patients are held out, and its settings, checked."""

    plan: Plan
    settings: Settings

    @property
    def column(self) -> str:
        """The column that it goes by; empty for none."""
        return str(getattr(self.settings, "column", "") or "")


def held_out(
    rules: Validation,
    candidates: tuple[Candidate, ...],
    document: Document,
    problems: list[Problem],
    *,
    apart: External | None = None,
) -> HeldOut | None:
    """Return the plan of a study file; None, with its problems added, where it cannot be followed.

    `apart` is a second source that is kept apart, which makes the plan; None where there is none.
    """
    ((name, given),) = rules.plan.items()
    if apart:
        name = name if "plan" in rules.model_fields_set else EXTERNAL
        marked = {"column": SOURCE, "value": [apart.name]}
        if name != EXTERNAL or (given or marked) != marked:
            text = f"`data: external:` says who is held out, {apart.name}; leave one of the two away"
            problems.append(document.problem(PLACE, text))
            return None
        given = marked
    offers = {plan.name: plan for plan in plans()}
    if name not in offers:
        problems.append(document.problem((*PLACE, name), str(unknown_word("plan", name, offers).message())))
        return None
    problems += _misplaced(name, rules, given or {}, document)
    own = {key: getattr(rules, key) for key in OF_CROSS_VALIDATION} if name == BY_CHANCE else {}
    if name == BOOTSTRAP:
        problems += _by_heart(candidates, document)
    try:
        return HeldOut(offers[name], offers[name].settings.model_validate(own | (given or {})))
    except ValidationError as error:
        problems.extend(problems_of(error, document, (*PLACE, name)))
        return None


def clashes(
    kind: OutcomeKind, recalibrate: str, rules: Validation, decision: Decision, document: Document
) -> list[Problem]:
    """Return what a study file asks that its outcome or its plan cannot give."""
    asked: dict[tuple[str, str], str] = {}
    if kind == "time-to-event" and recalibrate in ("platt", "isotonic"):
        asked["models", "recalibrate"] = f"{recalibrate} does not know about censored times; take intercept or slope"
    if kind == "time-to-event" and decision.set_error is not None:
        asked["decision", "set_error"] = "prediction sets are for a binary outcome"
    if BOOTSTRAP in rules.plan:
        text = f"it is learnt and tested in folds, and the plan {BOOTSTRAP} has none; take another plan"
        given = {
            ("decision", "missed_event"): decision.missed_event is not None,
            ("decision", "set_error"): decision.set_error is not None,
            ("validate", "learning_curve"): rules.learning_curve,
        }
        asked |= {place: text for place, wanted in given.items() if wanted}
    return [document.problem(place, text) for place, text in asked.items()]


def as_used(held: HeldOut, values: dict[str, Any]) -> None:
    """Write a plan with its defaults into the form of the file, below `validate:`."""
    settings = held.settings.model_dump(mode="json")
    for key in OF_CROSS_VALIDATION:
        if key in settings:
            values[key] = settings.pop(key)
        else:
            values.pop(key)
    values["plan"] = {held.plan.name: settings}


def unknown_metrics(kind: OutcomeKind, criteria: Sequence[Criterion], document: Document) -> list[Problem]:
    """Return the criteria of success whose metric does not exist for this kind of outcome."""
    if not criteria:
        return []
    from prognoscope.validation import METRICS  # a file without criteria, and a bundle, are read without it

    known = [one.name for one in METRICS if kind in one.kinds] + ["net_benefit"]
    return [
        document.problem(("success", number, "metric"), str(unknown_word("metric", criterion.metric, known).message()))
        for number, criterion in enumerate(criteria)
        if criterion.metric not in known
    ]


def _misplaced(name: str, rules: Validation, given: Mapping[str, Any], document: Document) -> list[Problem]:
    written = [key for key in OF_CROSS_VALIDATION if key in rules.model_fields_set]
    if name != BY_CHANCE:
        text = f"it belongs to the plan {BY_CHANCE}, and this study's plan is {name}"
        return [document.problem(("validate", key), text) for key in written]
    twice = [key for key in written if key in given]
    return [document.problem(("validate", key), "it stands below `plan:` too; write it once") for key in twice]


def _by_heart(candidates: tuple[Candidate, ...], document: Document) -> list[Problem]:
    """A model that learns its patients by heart has no optimism that a bootstrap could see."""
    found = [one.model for one in candidates if one.model.by_heart]
    if not found:
        return []
    place = document.problem(
        (*PLACE, BOOTSTRAP),
        f"{found[0].name} can learn its patients by heart, so the bootstrap underestimates its optimism",
    )
    return [
        Problem(
            "optimism-headline",
            place.subject,
            place.found,
            f"take `plan: {BY_CHANCE}`, or try only models that do not: name them below `models: try:`",
        )
    ]
