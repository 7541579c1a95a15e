"""All that a report shows, as plain values: the study fills it, the page formats it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prognoscope.core.flow import Flow
from prognoscope.core.problems import Problem
from prognoscope.report.failures import Failures
from prognoscope.report.scrutiny import Scrutiny
from prognoscope.validation.results import Evaluation, Metric


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One line of the cohort table, its figures already in words (`61 (52 to 70)`, `29 (57 %)`).

    Attributes
    ----------
    characteristic
        What is described, with its unit (`Age, years`).
    overall, with_event, without_event
        The summary in all participants and in those with and without the event.
    missing
        How many participants lack the value.
    level
        True for a value of the characteristic above it (`Grade`, then `Low`, `High`), which is indented.
    learnt_from, held_out
        The summary in those who are only learnt from and in those held out; empty where these are the same patients.
    """

    characteristic: str
    overall: str = ""
    with_event: str = ""
    without_event: str = ""
    missing: str = ""
    level: bool = False
    learnt_from: str = ""
    held_out: str = ""


@dataclass(frozen=True, slots=True)
class Importance:
    """How much one predictor mattered over the fitted models of the cross-validation.

    Attributes
    ----------
    name
        Its name in the feature table (`PT.GTV_Mass.morph_volume`).
    words, unit
        What it is, for a reader; either may be empty.
    selected
        Share of the outer folds' models that used it, 0 to 1.
    mean, low, high
        Mean importance over those folds and the ends of its spread (NaN where not known), in the content's
        `importance_scale`.
    direction
        How the risk goes with its value, in words; empty where not known.
    """

    name: str
    words: str
    unit: str
    selected: float
    mean: float
    low: float
    high: float
    direction: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A feature that another contour changes too much, and the share of the outer folds that left it out, 0 to 1."""

    name: str
    words: str
    share: float


@dataclass(frozen=True, slots=True)
class Repeatability:
    """Which features models were not allowed to use, as they do not agree between contours of the same patient.

    Attributes
    ----------
    rules
        How features were judged, a sentence for each imaging predictor.
    rated
        How many features were judged.
    always, sometimes
        How many of them every outer fold left out, and how many some folds did.
    counted
        False where there are no folds to count in.
    rows
        Some of them, in the order to show.
    """

    rules: tuple[str, ...]
    rated: int
    always: int
    sometimes: int
    counted: bool
    rows: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class PredictorUsed:
    """One predictor that was offered to the models, and where it comes from."""

    name: str
    words: str = ""
    unit: str = ""
    origin: str = ""
    known_at: str = ""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is only known of a generated cohort: the best that any predictor could reach, by `metric`.

    `words` says in a sentence how the outcome was drawn.
    """

    metric: str
    best: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class Success:
    """The criterion that was fixed before the first result, and whether it was met.

    `met` is None when a figure that it needs could not be computed; `evidence` gives the figures; `fixed` says when
    and under which hash it was recorded.
    """

    criterion: str
    met: bool | None
    evidence: str = ""
    fixed: str = ""


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The main model's figures in one group of patients; `reason` says why a small group has none."""

    characteristic: str
    level: str
    n: int
    events: int
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReportContent:
    """Everything on the page. What is empty or None is not shown, or is named as not examined.

    Attributes
    ----------
    study, version
        Name of the study and version of the program.
    made_on
        ISO date of the run, given by the caller so that two renderings are equal.
    question, outcome
        The clinical question as asked, and the event as a phrase (`lung metastasis within 365 days of the scans`).
    evaluation
        The figures; its first model is the main one.
    flow
        Who took part and who did not; None where that is not known (predictions of any origin).
    cohort
        Rows of the cohort table, and in `cohort_summary` what its figures are (`median (quartiles) or count (%)`).
    importances
        Most important first; `importance_scale` says in words what the numbers are.
    chosen
        How many of the outer folds (or bootstraps) chose which kind of model.
    repeatability
        Which features were left out for a contour's sake; None where none had to be repeatable.
    predictors
        Every predictor offered to the models.
    candidate_parameters
        Number of candidate parameters of the main model (levels of categories counted); None when not known.
    sources
        The centres or collections that the patients come from.
    external_validation
        Whether the figures come from other patients than the model was learnt from; None when not known.
    settings
        The study file with every default written out, nested as in the file.
    versions, hashes
        Version of each library; SHA-256 of each input.
    seed
        Of all random steps.
    tried_ever
        Number of model settings ever tried on this cohort, from the store; None when not known.
    truth, success
        Of a generated cohort; of a study file that has `success:`.
    subgroups
        Empty when none was examined.
    scrutiny
        How patients were held out, and what was asked of the main model beyond its figures; None when not known.
    failures
        Where the main model fails; None when it was not looked at.
    notes
        Problems that exclude nobody.
    research_only
        Whether the bundle is marked so; `research_reasons` are the guards or sentences behind it.
    bundle_blocked
        Why no bundle was written; empty when it was.
    overrides
        Guard → the written reason for which a person overrode it.
    """

    study: str
    question: str
    outcome: str
    evaluation: Evaluation
    made_on: str = ""
    version: str = ""
    flow: Flow | None = None
    cohort: tuple[CohortRow, ...] = ()
    cohort_summary: str = ""
    importances: tuple[Importance, ...] = ()
    importance_scale: str = ""
    chosen: Mapping[str, int] = field(default_factory=dict)
    repeatability: Repeatability | None = None
    predictors: tuple[PredictorUsed, ...] = ()
    candidate_parameters: int | None = None
    sources: tuple[str, ...] = ()
    external_validation: bool | None = False
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    tried_ever: int | None = None
    truth: Truth | None = None
    success: Success | None = None
    subgroups: tuple[Subgroup, ...] = ()
    scrutiny: Scrutiny | None = None
    failures: Failures | None = None
    notes: tuple[Problem, ...] = ()
    research_only: bool = False
    research_reasons: tuple[str, ...] = ()
    bundle_blocked: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)
