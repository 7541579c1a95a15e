"""Conclude: guards, evaluation and appraisal of what was learnt, and every file that the run publishes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from prognoscope.core import hashing
from prognoscope.core.problems import Problem
from prognoscope.core.table import Table
from prognoscope.report import Truth, render
from prognoscope.store import to_parquet
from prognoscope.study.cache import Outputs
from prognoscope.study.file import StudyFile
from prognoscope.study.outputs import json_bytes
from prognoscope.study.stages.appraise import appraise
from prognoscope.study.stages.evaluate import as_json, evaluate_study
from prognoscope.study.stages.failures import find_failures
from prognoscope.study.stages.guard import blocked_by, study_guards
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.measure import Measured
from prognoscope.study.stages.publish import bundle_files, predictions_csv, report_content
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.split import Split
from prognoscope.study.stages.tally import Tally
from prognoscope.validation import LearningCurve

BUNDLE = "bundle/"


def conclude(
    file: StudyFile,
    cohort: Cohort,
    predictors: Table,
    measured: Measured | None,
    folds: Split,
    learnt: tuple[Learnt, ...],
    learning: LearningCurve | None,
    bundle: Outputs,
    versions: Mapping[str, str],
    *,
    snapshot: str,
    notes: tuple[Problem, ...],
    fixed_on: str,
    tally: Tally,
    truth: Truth | None,
) -> dict[str, bytes]:
    """Return the files of a run by name; those of the bundle only where no guard blocks it."""
    prints = measured.fingerprints if measured else {}
    guards = study_guards(
        cohort, predictors, learnt[0], folds, prints, external_uses=tally.external_uses, seed=file.study.seed
    )
    blocked = blocked_by(guards, file.study.validation.override)
    evaluation = evaluate_study(file, cohort, learnt, folds, guards, tally=tally)
    appraisal = appraise(file, cohort, learnt[0], folds, learning)
    pictures = measured.thumbnails if measured else {}
    failures = find_failures(cohort, predictors, learnt[0], folds, pictures, seed=file.study.seed)
    content = report_content(
        file, cohort, predictors, folds, learnt, evaluation, appraisal, failures,
        notes=notes, versions=versions, hashes=_hashes(cohort, predictors, snapshot), made_on=_today(),
        fixed_on=fixed_on, truth=truth, blocked=blocked,
    )  # fmt: skip
    document = as_json(file, cohort, folds, evaluation, appraisal, predictors) | {
        "bundle_blocked": blocked,
        "research_only": content.research_only,
        "truth": {"metric": truth.metric, "best": truth.best} if truth else None,
    }
    files = {
        "evaluation.json": json_bytes(document),
        "report.html": render(content).encode(),
        "predictions.csv": predictions_csv(cohort, learnt),
        "features.parquet": to_parquet(predictors, reasons=dict(measured.reasons) if measured else {}),
    }
    if not blocked:
        parts = {name: bundle[name] for name in bundle.names}
        files |= {BUNDLE + name: data for name, data in bundle_files(file, parts, evaluation, versions).items()}
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
        **({"snapshot of the store": snapshot} if snapshot else {}),
    }


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
