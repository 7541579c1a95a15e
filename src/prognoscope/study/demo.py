"""The demo: write a cohort with a known truth and run a study on it."""

from __future__ import annotations

from pathlib import Path

from prognoscope.core.work import Mapper, serial_map
from prognoscope.demo import write_cohort
from prognoscope.report import Truth
from prognoscope.store import write_whole
from prognoscope.study.run import RunResult, run_study

STUDY = """\
# Written by `prognoscope demo`. The scans are generated and so is the truth: the risk of each patient was drawn
# from the lesion's volume, its heterogeneity and the patient's age. Change a line and run it again:
#   prognoscope run study.yaml
question: How likely is a patient with this lesion to die within two years of the scan?
name: demo
data:
  images: images
  table: clinical.csv
outcome:
  column: dead_2y
  event: 1
  words: death within two years of the scan
predictors:
  - {column: age, unit: year, known_at: time_zero}
  - {column: sex, known_at: time_zero}
  - {column: stage, levels: [I, II, III], known_at: time_zero}
  - {image: CT, region: GTV, measure: {radiomics: {families: [morphology, intensity, texture], bins: 32}}}
models: {try: [elastic-net-logistic, random-forest, gradient-boosting], choose: inner}
validate: {folds: 5, repeats: 5, inner: 3, resamples: 2000}
seed: SEED
"""


def run_demo(out: str | Path, *, patients: int = 120, seed: int = 1, mapper: Mapper = serial_map) -> RunResult:
    """Write the cohort and its study file below `out`, run the study, and compare with the truth.

    Parameters
    ----------
    out
        Folder: `images/`, `clinical.csv`, `truth.csv`, `study.yaml`, and the results in `results/`.
    patients, seed
        Size of the cohort and seed of cohort and study.
    """
    folder = Path(out)
    truth = write_cohort(folder, patients=patients, seed=seed, mapper=mapper)
    write_whole(folder / "study.yaml", STUDY.replace("SEED", str(seed)).encode())
    best = Truth("auc", truth.best_auc, truth.words)
    return run_study(folder / "study.yaml", out=folder / "results", mapper=mapper, truth=best)
