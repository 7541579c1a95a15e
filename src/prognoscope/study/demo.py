"""The demo: write a cohort with a known truth and run a study on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from prognoscope.core.problems import refuse
from prognoscope.core.work import Mapper, serial_map
from prognoscope.demo import write_cohort
from prognoscope.report import Truth
from prognoscope.store import write_whole
from prognoscope.study.run import RunResult, run_study

STUDY = """\
# Written by `prognoscope demo`. The scans are generated and so is the truth: each patient's risk was drawn from the
# lesion's volume, its heterogeneity and the patient's age. Change a line and run it again: prognoscope run study.yaml
question: How likely is a patient with this lesion to die within two years of the scan?
name: demo
data:
  images: cohort/images
  table: cohort/clinical.csv
outcome:
  column: dead_730d
  event: 1
  words: death within two years of the scan
predictors:
  - {column: age, unit: year, known_at: time_zero}
  - {column: sex, known_at: time_zero}
  - {column: grade, levels: [Low, Intermediate, High], known_at: time_zero}
  - {image: CT, region: GTV, measure: {radiomics: {families: [morphology, intensity, texture], bins: 32}}}
models: {try: [elastic-net-logistic, random-forest, gradient-boosting], choose: inner}
validate: {folds: 5, repeats: 5, inner: 3, resamples: 2000}
seed: SEED
"""
WORDS = (
    "The outcome was drawn from a risk that depends on the lesion's volume, its heterogeneity and the patient's age; "
    "a predictor that knows this risk reaches this figure."
)


def run_demo(out: str | Path, *, patients: int = 120, seed: int = 1, mapper: Mapper = serial_map) -> RunResult:
    """Write the cohort and its study file below `out`, run the study, and compare with the truth.

    Parameters
    ----------
    out
        Folder: `cohort/` (DICOM files, `clinical.csv`, and the truth), `study.yaml`, and the results in `results/`. A
        cohort of the same size and seed that is there already is used again.
    patients, seed
        Size of the cohort and seed of cohort and study.

    Raises
    ------
    Refused
        `demo-of-other-settings` when `out` holds a cohort of another size or seed.
    """
    folder = Path(out)
    best = _cohort(folder / "cohort", patients, seed, mapper)
    write_whole(folder / "study.yaml", STUDY.replace("SEED", str(seed)).encode())
    return run_study(folder / "study.yaml", out=folder / "results", mapper=mapper, truth=Truth("auc", best, WORDS))


def _cohort(folder: Path, patients: int, seed: int, mapper: Mapper) -> float:
    """Write the cohort, or find the one that is there; return the best AUC that can be reached."""
    made = {"patients": patients, "seed": seed}
    mark = folder / "made.json"
    if mark.is_file():
        known = json.loads(mark.read_text())
        if {name: known.get(name) for name in made} != made:
            raise refuse(
                "demo-of-other-settings",
                subject=str(folder),
                found=f"it holds a cohort of {known.get('patients')} patients with seed {known.get('seed')}",
                remedy="choose another --out",
            )
        return float(known["best_auc"])
    half = folder.with_name("cohort.part")
    shutil.rmtree(half, ignore_errors=True)
    truth = write_cohort(half, patients=patients, seed=seed, mapper=mapper)
    write_whole(half / "made.json", json.dumps(made | {"best_auc": truth.best_auc}).encode())
    half.rename(folder)
    return truth.best_auc
