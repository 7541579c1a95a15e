"""Conclude: guards, evaluation and appraisal of what was learnt, and every file that the run publishes."""

from __future__ import annotations

from datetime import UTC, datetime

from prognoscope.core import hashing
from prognoscope.core.table import Table
from prognoscope.report import render
from prognoscope.store import to_parquet
from prognoscope.study.outputs import json_bytes
from prognoscope.study.stages.appraise import appraise
from prognoscope.study.stages.evaluate import as_json, evaluate_study
from prognoscope.study.stages.failures import find_failures
from prognoscope.study.stages.guard import blocked_by, study_guards
from prognoscope.study.stages.publish import bundle_files, predictions_csv, report_content
from prognoscope.study.stages.repeatable import repeatability_csv, repeatability_document, repeatability_shown
from prognoscope.study.stages.select import Cohort
from prognoscope.study.worked import Worked

BUNDLE = "bundle/"


def conclude(run: Worked) -> dict[str, bytes]:
    """Return the files of a run by name; those of the bundle only where no guard blocks it."""
    file, cohort, folds, main = run.file, run.cohort, run.folds, run.learnt[0]
    prints = run.measured.fingerprints if run.measured else {}
    seed = file.study.seed
    guards = study_guards(cohort, run.predictors, main, folds, prints, tally=run.tally, seed=seed)
    blocked = blocked_by(guards, file.study.validation.override)
    evaluation = evaluate_study(file, cohort, run.learnt, folds, guards, tally=run.tally)
    appraisal = appraise(file, cohort, main, folds, run.learning)
    pictures = run.measured.thumbnails if run.measured else {}
    failures = find_failures(cohort, run.predictors, main, folds, pictures, seed=seed)
    content = report_content(
        file, cohort, run.predictors, folds, run.learnt, evaluation, appraisal, failures,
        notes=run.notes, versions=run.versions, hashes=_hashes(cohort, run.predictors, run.snapshot), made_on=_today(),
        fixed_on=run.fixed_on, truth=run.truth, blocked=blocked,
        repeatability=repeatability_shown(file.study, run.ratings, main, run.predictors),
    )  # fmt: skip
    document = as_json(file, cohort, folds, evaluation, appraisal, run.predictors) | {
        "bundle_blocked": blocked,
        "research_only": content.research_only,
        "repeatability": repeatability_document(run.ratings, main),
        "truth": {"metric": run.truth.metric, "best": run.truth.best} if run.truth else None,
    }
    files = {
        "evaluation.json": json_bytes(document),
        "report.html": render(content).encode(),
        "predictions.csv": predictions_csv(cohort, run.learnt),
        "features.parquet": to_parquet(run.predictors, reasons=dict(run.measured.reasons) if run.measured else {}),
    }
    if run.ratings:
        files["repeatability.csv"] = repeatability_csv(run.ratings, main)
    if not blocked:
        parts = {name: run.bundle[name] for name in run.bundle.names}
        files |= {BUNDLE + name: data for name, data in bundle_files(file, parts, evaluation, run.versions).items()}
    return files


def _hashes(cohort: Cohort, predictors: Table, snapshot: str) -> dict[str, str]:
    images = sorted(
        {
            name
            for choices in cohort.choices.values()
            for one in choices
            for name in (*one.series.hashes, one.region_set.hash)
        }
    )
    return {
        "table": cohort.table_hash,
        "images": hashing.of_value(images),
        "participants and outcome": cohort.snapshot(),
        "predictors": hashing.of_frame(predictors.frame),
        **({"external table": cohort.external_hash} if cohort.external_hash else {}),
        **({"snapshot of the store": snapshot} if snapshot else {}),
    }


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
