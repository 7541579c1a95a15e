"""A demo cohort on disk: one CT series with an RTSTRUCT per patient, `clinical.csv`, and the truth beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from prognoscope.core import seeds
from prognoscope.core.problems import refuse
from prognoscope.core.work import Mapper, serial_map
from prognoscope.demo.anatomy import scan
from prognoscope.demo.dicom import write_series
from prognoscope.demo.truth import HORIZON_DAYS, WORDS, Patient, Truth, best_auc, best_c_index, draw_patient

FEWEST_PATIENTS = 10
WITHOUT_IMAGES = 2
WITHOUT_ROW = 1
COLUMNS = (
    *("patient_id", "age", "sex", "grade", "centre", "scanner", "treatment"),
    *("time_days", "event", f"dead_{HORIZON_DAYS}d"),
)


def write_cohort(folder: Path, *, patients: int = 120, seed: int = 1, mapper: Mapper = serial_map) -> Truth:
    """Write a cohort of made-up patients.

    The table has `patients` rows. As in any hospital two of them have no images, and one further patient has images
    but no row. `images/PATIENT/` holds the DICOM files, `clinical.csv` the table, `truth.json` and `truth.csv` what
    is known because the cohort was made; no predictor may see these.

    Raises
    ------
    Refused
        `demo-too-small` for fewer than 10 patients, `demo-folder-in-use` when the folder has files already.
    """
    if patients < FEWEST_PATIENTS:
        raise refuse(
            "demo-too-small",
            subject="demo cohort",
            found=f"{patients} patients were asked for",
            remedy=f"ask for at least {FEWEST_PATIENTS}",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise refuse(
            "demo-folder-in-use",
            subject=folder.as_posix(),
            found="it holds files already",
            remedy="name a new or empty folder",
        )
    people = [draw_patient(seed, number) for number in range(patients + WITHOUT_ROW)]
    rows, beyond = people[:patients], people[patients:]
    unseen = {patient.patient_id for patient in _without_images(rows)}
    numbers = [patient.number for patient in people if patient.patient_id not in unseen]
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for _ in mapper(partial(_write_images, folder / "images", seed), numbers, label="writing scans"):
        pass
    truth = Truth(
        seed=seed,
        horizon_days=HORIZON_DAYS,
        patient_ids=tuple(patient.patient_id for patient in rows),
        risks=tuple(patient.risk for patient in rows),
        best_auc=best_auc([patient.risk for patient in rows]),
        best_c_index=best_c_index([patient.linear_predictor for patient in rows]),
        words=WORDS,
        without_images=tuple(sorted(unseen)),
        without_row=tuple(patient.patient_id for patient in beyond),
    )
    _write_table(folder / "clinical.csv", rows)
    _write_truth(folder, truth, rows)
    return truth


def _without_images(rows: Sequence[Patient]) -> list[Patient]:
    """Two patients spread over the cohort, the same ones for every seed."""
    step = len(rows) // (WITHOUT_IMAGES + 1)
    return [rows[step * (number + 1)] for number in range(WITHOUT_IMAGES)]


def _write_images(folder: Path, seed: int, number: int) -> None:
    patient = draw_patient(seed, number)
    picture = scan(patient.lesion, patient.scanner, seeds.generator(seed, "demo scan", number))
    write_series(folder / patient.patient_id, patient, picture, seed=seed)


def _write_table(path: Path, rows: Sequence[Patient]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        for patient in rows:
            dead = patient.dead_by_horizon
            table.writerow(
                [
                    *(patient.patient_id, patient.age_years, patient.sex, patient.grade),
                    *(patient.scanner.centre, patient.scanner.model, patient.treatment),
                    *(patient.time_days, int(patient.event), "" if dead is None else int(dead)),
                ]
            )


def _write_truth(folder: Path, truth: Truth, rows: Sequence[Patient]) -> None:
    (folder / "truth.json").write_text(json.dumps(asdict(truth), indent=1) + "\n", encoding="utf-8")
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["patient_id", "risk", "linear_predictor", "volume_ml", "texture_hu", "death_days"])
        for patient in rows:
            numbers = (patient.risk, patient.linear_predictor, patient.lesion.volume_ml, patient.lesion.texture_hu)
            table.writerow([patient.patient_id, *(f"{number:.6g}" for number in (*numbers, patient.death_days))])
