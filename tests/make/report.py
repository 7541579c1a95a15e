"""Contents of believable reports of several studies, none of them real, for tests."""

from __future__ import annotations

import math
from dataclasses import replace

from prognoscope.core.flow import Exclusion, Flow, Step
from prognoscope.core.problems import Problem
from prognoscope.report.content import (
    CohortRow,
    Importance,
    PredictorUsed,
    ReportContent,
    Subgroup,
    Success,
    Truth,
)
from prognoscope.validation.results import (
    Calibration,
    Curve,
    Decision,
    Evaluation,
    Guard,
    Metric,
)
from tests.make.evaluation import (
    CONDITIONAL,
    NO_SIGNAL,
    PASSED,
    SAMPLE_SIZE,
    binary_model,
    evaluation,
    metric,
    not_computable,
    survival_evaluation,
)

NAN = math.nan


def flow(included: int, *, excluded: int) -> Flow:
    """A participant flow whose exclusions walk through all steps."""
    causes: tuple[tuple[Step, str, str], ...] = (
        ("eligibility", "not-eligible", "age is 12 years, the study asks for at least 15"),
        ("images", "no-images", "has a row in the table but no PT series"),
        ("images", "slices-missing", "2 slices missing between z = −112.0 and −106.0 mm (spacing 3.0 mm)"),
        ("regions", "no-region", "no contour matches GTV_Mass*; there are GTV_Edema, Body"),
    )
    order: tuple[Step, ...] = ("eligibility", "images", "regions")
    chosen = sorted((causes[number % 4] for number in range(excluded)), key=lambda cause: order.index(cause[0]))
    exclusions = tuple(
        Exclusion(
            f"STS_{900 + number}",
            step,
            Problem(code, f"patient STS_{900 + number}", found, "fetch it again or leave the patient out"),
        )
        for number, (step, code, found) in enumerate(chosen)
    )
    notes = (
        Problem(
            "value-too-long",
            "102 files",
            "an SH value is longer than its 16 characters",
            "nothing: it was read as it is",
        ),
    )
    return Flow(tuple(f"STS_{number:03d}" for number in range(1, included + 1)), exclusions, notes)


COHORT = (
    CohortRow("Age, years", "56 (42 to 67)", "60 (49 to 71)", "53 (40 to 65)", "0"),
    CohortRow("Sex", missing="0"),
    CohortRow("female", "84 (47 %)", "30 (42 %)", "54 (50 %)", level=True),
    CohortRow("male", "96 (53 %)", "41 (58 %)", "55 (50 %)", level=True),
    CohortRow("Grade", missing="3 (2 %)"),
    CohortRow("Low", "31 (18 %)", "5 (7 %)", "26 (25 %)", level=True),
    CohortRow("Intermediate", "57 (32 %)", "18 (26 %)", "39 (36 %)", level=True),
    CohortRow("High", "89 (50 %)", "47 (67 %)", "42 (39 %)", level=True),
    CohortRow(
        "Lesion volume (PT.GTV_Mass.morph_volume), mm³",
        "151,300 (48,210 to 402,900)",
        "233,000 (90,100 to 511,800)",
        "121,400 (39,800 to 310,200)",
        "0",
    ),
)

IMPORTANCES = (
    Importance("PT.GTV_Mass.morph_volume", "Volume of the lesion in PET", "mm3", 0.92, 0.061, 0.02, 0.113),
    Importance("age", "Age", "year", 0.88, 0.034, 0.001, 0.07),
    Importance(
        "MR_T1.GTV_Mass.fbn32.cm_info_corr_1", "Information correlation 1 (GLCM) in MR", "1", 0.52, 0.021, -0.012, 0.061
    ),
    Importance("grade", "Grade", "", 0.4, 0.012, -0.008, 0.031),
    Importance("PT.GTV_Mass.fbn32.szm_sze", "", "1", 0.16, 0.002, -0.02, 0.022),
)

SETTINGS: dict[str, object] = {
    "question": "Which patients develop lung metastases?",
    "data": {"images": "sts", "table": "sts/clinical.csv", "patient": "patient_id", "missing": ["--", "N/A"]},
    "time_zero": ["days_diagnosis_to_mri", "days_mri_to_pet"],
    "predictors": [
        {"column": "age", "unit": "year", "known_at": "time_zero"},
        {
            "image": "PT",
            "region": "GTV_Mass*",
            "measure": {"radiomics": {"families": ["morphology", "intensity"], "bins": 32}},
        },
    ],
    "models": {"try": ["elastic-net", "forest", "boosting"], "choose": "inner"},
    "validate": {"folds": 5, "repeats": 5, "inner": 3, "resamples": 2000},
    "seed": 1,
}


def content(figures: Evaluation | None = None, *, excluded: int = 4) -> ReportContent:
    """The content of a whole report, nothing left out."""
    figures = figures or evaluation()
    return ReportContent(
        study="sts-lung-metastasis",
        question="Which patients with a soft-tissue sarcoma of the extremities develop lung metastases within a year?",
        outcome="lung metastasis within 365 days of the scans",
        evaluation=figures,
        made_on="2026-11-25",
        version="0.1.0",
        flow=flow(figures.n, excluded=excluded),
        cohort=COHORT,
        cohort_summary="median (quartiles) or count (%)",
        importances=IMPORTANCES,
        importance_scale="loss of AUC when the predictor's values are shuffled among the patients of the held-out fold",
        chosen={"elastic-net": 17, "forest": 6, "boosting": 2},
        predictors=(
            PredictorUsed("age", "Age at diagnosis", "year", "clinical", "time_zero"),
            PredictorUsed("PT.GTV_Mass.morph_volume", "Volume of the lesion in PET", "mm3", "imaging", "time_zero"),
        ),
        candidate_parameters=354,
        sources=("McGill University Health Centre",),
        settings=SETTINGS,
        versions={"prognoscope": "0.1.0", "python": "3.11.7", "numpy": "2.2.1", "scikit-learn": "1.9.0"},
        hashes={"clinical.csv": "9f" * 32, "images (102 series)": "3c" * 32},
        seed=1,
        tried_ever=96,
    )


def no_signal() -> ReportContent:
    """A small study whose result lies within the permutation distribution."""
    figures = evaluation(0.48, 0.55, 0.46, 0.16, n=51, events=19)
    figures = replace(figures, guards=(*PASSED, SAMPLE_SIZE, NO_SIGNAL))
    return replace(
        content(figures, excluded=0),
        research_only=True,
        research_reasons=("sample size", "no signal"),
        study="no-signal",
    )


def survival() -> ReportContent:
    """A survival study with censoring before the horizon."""
    return replace(
        content(survival_evaluation(), excluded=2),
        study="sts-survival",
        question="How likely is a patient with a soft-tissue sarcoma to die within two years of the scans?",
        outcome="death within 730 days of the scans",
        success=Success(
            "C-index at least 0.70 with the lower end of its interval above 0.55",
            False,
            "C-index 0.66 (0.53 to 0.79)",
            "Recorded on 2026-11-20 as 1f0c…, before the first result",
        ),
        subgroups=(
            Subgroup("Sex", "female", 24, 9, {"c_index": metric(0.7, 0.18, n=24, events=9)}),
            Subgroup("Sex", "male", 27, 10, {"c_index": metric(0.61, 0.19, n=27, events=10)}),
            Subgroup("Grade", "Low", 6, 1, {}, "suppressed: fewer than 10 patients"),
        ),
    )


def generated() -> ReportContent:
    """The demo's study, whose truth is known."""
    return replace(
        content(excluded=0),
        study="demo",
        truth=Truth(
            "auc",
            0.86,
            "The outcome was drawn from lesion volume, heterogeneity and age, never from measured features.",
        ),
    )


def tiny() -> ReportContent:
    """Eight patients: hardly anything can be computed."""

    def at(estimate: float, half: float) -> Metric:
        return metric(estimate, half, n=8, events=2)

    bare = binary_model("all", "All predictors", 0.58, 0.3, n=8, events=2)
    metrics = {
        "auc": Metric(0.58, NAN, NAN, 8, 2, "fewer than 5 events: no interval"),
        "brier": at(0.2, 0.1),
        "calibration_intercept": not_computable("fewer than 10 events", n=8, events=2),
        "calibration_slope": not_computable("fewer than 10 events", n=8, events=2),
    }
    empty = Calibration(Curve((), ()), ())
    model = replace(bare, metrics=metrics, calibration=empty, decision=Decision(Curve((), ()), ()), roc=None)
    guard = Guard("duplicate-patients", "failed", "patients A and B: identical pixels in 40 of 40 slices", True)
    figures = Evaluation("binary", 8, 2, None, None, (model,), (), (*PASSED[1:], guard), CONDITIONAL, {"folds": 2})
    return replace(
        content(figures, excluded=1),
        study="tiny",
        importances=(),
        bundle_blocked="The guard duplicate-patients failed.",
        tried_ever=1,
        candidate_parameters=3,
    )


def not_a_number() -> ReportContent:
    """A study in which nothing could be computed for the main model."""
    figures = evaluation(n=40, events=12)
    gone = {
        name: not_computable("a held-out fold has one class only", n=40, events=12)
        for name in figures.models[0].metrics
    }
    blank = replace(
        figures.models[0],
        metrics=gone,
        roc=None,
        calibration=Calibration(Curve((), ()), ()),
        decision=Decision(Curve((), ()), ()),
    )
    return replace(content(replace(figures, models=(blank, *figures.models[1:]))), study="not-a-number")


HOSTILE = (
    "<script>alert('x')</script>\"><img src=http://evil.test/x onerror=alert(1)>&amp;{{ 7*7 }}"
    "$\\frac{1}{0}$\x00\u202egnp\ud800"
)


def hostile() -> ReportContent:
    """A study every text of which tries to be markup, template, formula or control sequence."""
    problem = Problem(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    figures = survival_evaluation()
    models = tuple(replace(model, title=f"{HOSTILE} {model.name}") for model in figures.models)
    models = (
        replace(
            models[0],
            metrics={**models[0].metrics, HOSTILE: not_computable(HOSTILE, n=51, events=19)},
            risk_groups=tuple(replace(group, name=HOSTILE) for group in models[0].risk_groups),
        ),
        *models[1:],
    )
    figures = replace(
        figures, models=models, guards=(Guard(HOSTILE, "failed", HOSTILE, True),), interval=HOSTILE, counts={HOSTILE: 3}
    )
    return replace(
        content(figures),
        study=HOSTILE,
        question=HOSTILE,
        outcome=HOSTILE,
        made_on=HOSTILE,
        version=HOSTILE,
        flow=Flow(("1",), (Exclusion(HOSTILE, "images", problem),), (problem,)),
        cohort=(CohortRow(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        cohort_summary=HOSTILE,
        importances=(Importance(HOSTILE, HOSTILE, HOSTILE, 0.5, 0.1, 0.0, 0.2),),
        importance_scale=HOSTILE,
        chosen={HOSTILE: 2},
        predictors=(PredictorUsed(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        sources=(HOSTILE,),
        settings={HOSTILE: [HOSTILE, {HOSTILE: HOSTILE}]},
        versions={HOSTILE: HOSTILE},
        hashes={HOSTILE: HOSTILE},
        truth=Truth("c_index", 0.8, HOSTILE),
        success=Success(HOSTILE, None, HOSTILE, HOSTILE),
        subgroups=(Subgroup(HOSTILE, HOSTILE, 3, 1, {HOSTILE: metric(1, 0, n=3, events=1)}, HOSTILE),),
        notes=(problem,),
        research_only=True,
        research_reasons=(HOSTILE,),
        bundle_blocked=HOSTILE,
        overrides={HOSTILE: HOSTILE},
    )


def long_names() -> ReportContent:
    """Names without a place to break, as feature tables have them."""
    name = "MR_T1_post_contrast_fat_saturated.GTV_Mass_primary_including_oedema.wavelet_coif1_LLH.fbn32.cm_info_corr_1"
    title = "All predictors of clinic and imaging, chosen by inner cross-validation among five families of models"
    base = content()
    models = (replace(base.evaluation.models[0], title=title), *base.evaluation.models[1:])
    rows = tuple(replace(entry, name=f"{name}_{place}", words="") for place, entry in enumerate(IMPORTANCES))
    return replace(
        base,
        study="a-very-long-study-name_" * 4,
        evaluation=replace(base.evaluation, models=models),
        importances=rows,
        cohort=(*COHORT, CohortRow(name, "1 (0 to 2)", "1 (0 to 2)", "1 (0 to 2)", "0")),
        predictors=tuple(PredictorUsed(f"{name}_{place}", "", "1", "imaging", "time_zero") for place in range(400)),
        sources=tuple(f"Centre {place}" for place in range(4)),
    )


STUDIES = {
    "strong": content,
    "no-signal": no_signal,
    "survival": survival,
    "generated": generated,
    "tiny": tiny,
    "forty-exclusions": lambda: content(excluded=40),
    "not-a-number": not_a_number,
    "hostile": hostile,
    "long-names": long_names,
}
