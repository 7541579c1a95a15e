"""Publish: report, tables and bundle, written whole to the output folder."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from prognoscope.cohort import Characteristic, SurvivalOutcome, characteristics
from prognoscope.core.outcome import TimeToEvent
from prognoscope.core.problems import Problem
from prognoscope.core.table import Column, Table
from prognoscope.report import (
    SITE_METRICS,
    CohortRow,
    Failures,
    Importance,
    OptimismShown,
    PredictorUsed,
    Repeatability,
    ReportContent,
    Scrutiny,
    Subgroup,
    Success,
    Truth,
)
from prognoscope.study.data import STORED
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.appraise import Appraisal
from prognoscope.study.stages.evaluate import describe, judge
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.split import Split
from prognoscope.training import Optimism
from prognoscope.validation import Evaluation, GroupFigures, candidate_parameters

SHOWN_FEATURES = 20
CROSSED = " × "
SAME_DIRECTION = 0.5  # mean direction over the folds that used a feature, from -1 to 1


def report_content(
    study: StudyFile,
    cohort: Cohort,
    predictors: Table,
    folds: Split,
    learnt: Sequence[Learnt],
    evaluation: Evaluation,
    appraisal: Appraisal,
    failures: Failures,
    *,
    notes: Sequence[Problem],
    versions: Mapping[str, str],
    hashes: Mapping[str, str],
    made_on: str,
    fixed_on: str,
    truth: Truth | None,
    blocked: str,
    repeatability: Repeatability | None = None,
) -> ReportContent:
    """Gather all that the report shows."""
    main = learnt[0]
    warned = [guard for guard in evaluation.guards if guard.status != "passed"]
    return ReportContent(
        study=study.name,
        question=study.study.question,
        outcome=outcome_in_words(study),
        evaluation=evaluation,
        made_on=made_on,
        version=versions["prognoscope"],
        flow=cohort.flow,
        cohort=_cohort_rows(cohort, folds),
        cohort_summary=_cohort_summary(cohort),
        importances=_importances(main, predictors),
        importance_scale=f"mean loss of log score on {_left_out(folds)} when the feature is shuffled among them",
        chosen=main.chosen,
        repeatability=repeatability,
        predictors=tuple(_predictor_used(column) for column in predictors.columns),
        candidate_parameters=candidate_parameters(predictors),
        sources=_sources(study, cohort),
        external_validation=folds.locked,
        settings=study.as_used(),
        versions=versions,
        hashes=hashes,
        seed=study.study.seed,
        tried_ever=evaluation.counts["settings_tried_on_this_cohort_ever"],
        truth=truth,
        success=_success(study, evaluation, fixed_on),
        subgroups=tuple(_subgroup(one) for one in appraisal.groups if not _unshown(one)),
        scrutiny=_scrutiny(study, cohort, folds, appraisal),
        failures=failures,
        notes=tuple(notes),
        research_only=bool(warned),
        research_reasons=tuple(guard.name for guard in warned),
        bundle_blocked=blocked,
        overrides=study.study.validation.override,
    )


def _subgroup(one: GroupFigures) -> Subgroup:
    shown = {name: metric for name, metric in one.metrics.items() if name in SITE_METRICS}  # evaluation.json has all
    return Subgroup(one.attribute, one.level, one.n, one.events, shown, one.reason)


def _unshown(one: GroupFigures) -> bool:
    """Whether a group is an intersection too small to tell: there are many, and a few patients are easily known."""
    return bool(one.reason) and CROSSED in one.attribute


def _scrutiny(study: StudyFile, cohort: Cohort, folds: Split, appraisal: Appraisal) -> Scrutiny:
    apart, asked = folds.only_learnt_from, study.study.decision
    return Scrutiny(
        plan=folds.plan,
        title=folds.title,
        column=folds.column,
        held_out=len(folds.held_out),
        learnt_from=len(apart),
        learnt_from_events=int(cohort.event[apart].sum()),
        names=folds.names,
        sites=appraisal.sites,
        over_sites=appraisal.over_sites,
        gaps=appraisal.gaps,
        unshown_groups=sum(map(_unshown, appraisal.groups)),
        thresholds=appraisal.thresholds,
        alerts=appraisal.alerts,
        cost_ratio=asked.missed_event / asked.false_alert if asked.missed_event else math.nan,
        prevalence=asked.prevalence or math.nan,
        optimism={name: OptimismShown(**_fields(one)) for name, one in appraisal.optimism.items()},
        sets=appraisal.sets,
        learning=appraisal.learning,
        discrimination="C-index" if study.study.kind == "time-to-event" else "AUC",
        recalibration=study.study.models.recalibrate,
    )


def _fields(one: Optimism) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one)}


def outcome_in_words(study: StudyFile) -> str:
    """Return the outcome as a phrase: `death within 730 days of time zero`."""
    rule = study.study.outcome
    if isinstance(rule, SurvivalOutcome):
        words = rule.words or _coded(rule.event.column, rule.event.is_)
        return f"{words} within {rule.horizon:g} days of time zero"
    return rule.words or _coded(rule.column, rule.event)


def _coded(column: str, values: object) -> str:
    several = values if isinstance(values, tuple) else (values,)
    return f"{column} = {' or '.join(map(str, several))}"


def predictions_csv(cohort: Cohort, learnt: Sequence[Learnt]) -> bytes:
    """Return all risks of those held out as CSV: `patient_id,model,repeat,fold,risk` and the outcome."""
    outcome = cohort.outcome
    timed = isinstance(outcome, TimeToEvent)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["patient_id", "model", "repeat", "fold", "risk", *(("time_days",) if timed else ()), "event"])
    for one in learnt:
        for repeat in range(one.out_of_fold.repeats):
            for row, patient in enumerate(cohort.patients):
                risk, fold = one.out_of_fold.risk[repeat, row], one.out_of_fold.fold[repeat, row]
                if fold < 0:
                    continue
                time = [f"{outcome.time_days[row]:g}"] if isinstance(outcome, TimeToEvent) else []
                writer.writerow([patient, one.name, repeat, fold, repr(float(risk)), *time, int(outcome.event[row])])
    return text.getvalue().encode()


def bundle_files(
    study: StudyFile, predictor: Mapping[str, bytes], evaluation: Evaluation, versions: Mapping[str, str]
) -> dict[str, bytes]:
    """Return the files of a bundle: the predictor, the study as used, and what a user must know of it."""
    warned = [guard.name for guard in evaluation.guards if guard.status != "passed"]
    used = study.as_used()
    used["data"] |= {
        "images": "",
        "query": None,
        "snapshot": "",
        "external": None,
        "table": study.table.name.removeprefix(STORED),
    }
    page = json.loads(predictor["predictor.json"])
    card = {
        "format": 1,
        "study": study.name,
        "question": study.study.question,
        "outcome": outcome_in_words(study),
        "participants": page["n"],
        "events": page["events"],
        "tested_by": study.held_out.plan.name,
        "tested_on": evaluation.n,
        "alert_threshold": page["pipelines"][0]["threshold"],
        "set_error": page["sets"]["error"] if page["sets"] else None,
        "research_only": bool(warned),
        "warned_by": warned,
        "overrides": study.study.validation.override,
        "versions": dict(versions),
    }
    return {
        "study.json": _json(used),
        "card.json": _json(card),
        **{f"predictor/{name}": data for name, data in predictor.items()},
    }


def _cohort_summary(cohort: Cohort) -> str:
    lost = int(cohort.censored.sum())
    aside = f"; {lost} lost to follow-up before the horizon count among all, and in neither group" if lost else ""
    return "median (quartiles) or number (share)" + aside


def _cohort_rows(cohort: Cohort, folds: Split) -> tuple[CohortRow, ...]:
    rows: list[CohortRow] = []
    named = ""
    held_out = np.isin(np.arange(len(cohort.patients)), folds.held_out)
    by_event = characteristics(cohort.clinical, cohort.event, unknown=cohort.censored)
    by_part = characteristics(cohort.clinical, held_out)
    for one, part in zip(by_event, by_part, strict=True):
        if one.level and one.name != named:
            rows.append(CohortRow(one.name, missing=str(one.missing)))
        named = one.name
        row = _row(one)
        rows.append(row if held_out.all() else replace(row, learnt_from=part.without_event, held_out=part.with_event))
    return tuple(rows)


def _row(one: Characteristic) -> CohortRow:
    if one.level:
        return CohortRow(one.level, one.overall, one.with_event, one.without_event, level=True)
    name = f"{one.name}, {one.unit}" if one.unit else one.name
    return CohortRow(name, one.overall, one.with_event, one.without_event, str(one.missing))


def _importances(main: Learnt, predictors: Table) -> tuple[Importance, ...]:
    columns = {column.name: column for column in predictors.columns}
    shown = []
    for use in main.uses[:SHOWN_FEATURES]:
        column = columns.get(use.column)
        unit = column.unit if column and column.unit != "1" else ""
        # The engine keeps the mean over the folds only, so no spread is shown.
        shown.append(
            Importance(
                name=use.feature,
                words=(column.meaning or column.name) if column else use.feature,
                unit=unit,
                selected=use.selected,
                mean=use.importance,
                low=math.nan,
                high=math.nan,
                direction=_direction(use.direction),
            )
        )
    return tuple(shown)


def _left_out(folds: Split) -> str:
    return "the participants that a bootstrap had not drawn" if folds.is_bootstrap else "held-out participants"


def _direction(direction: float) -> str:
    if abs(direction) <= SAME_DIRECTION:
        return "direction varies"
    return "higher values, higher risk" if direction > 0 else "higher values, lower risk"


def _predictor_used(column: Column) -> PredictorUsed:
    return PredictorUsed(column.name, column.meaning, column.unit, column.origin, column.known_at)


def _sources(study: StudyFile, cohort: Cohort) -> tuple[str, ...]:
    """Return the centres; where the table does not name them, the one collection that the data lie in."""
    centre = study.study.data.centre
    if centre not in cohort.circumstances.columns:
        stored = f"snapshot {study.study.data.snapshot or study.name}" if study.study.data.from_store else ""
        return (stored or (study.images or study.records or study.table).name,)
    return tuple(sorted(cohort.circumstances[centre].dropna().unique()))


def _success(study: StudyFile, evaluation: Evaluation, fixed_on: str) -> Success | None:
    criteria = study.study.success
    if not criteria:
        return None
    met, evidence = judge(criteria, evaluation)
    return Success("; ".join(describe(one) for one in criteria), met, evidence, fixed_on)


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
