"""Make the sarcoma studies' table from the sheet that its publisher gives beside the images.

    python studies/sts_clinical.py INFOclinical_STS.xlsx sts/clinical.csv

The sheet belongs to TCIA's Soft-tissue-Sarcoma (doi 10.7937/K9/TCIA.2015.7GO2GSKS). Values stay as published: `--`
where there was no event, `N/A` for a grade that is not known.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import openpyxl

COLUMNS = (
    "patient_id", "age", "sex", "histology", "mskcc_type", "site", "grade", "days_diagnosis_to_mri", "days_mri_to_pet",
    "treatment", "outcome", "days_diagnosis_to_outcome", "status", "days_diagnosis_to_last_follow_up",
)  # fmt: skip


def clinical_table(sheet: Path) -> list[list[str]]:
    """Return the table as rows of text, headings first; the notes below the patients are left out."""
    book = openpyxl.load_workbook(sheet, read_only=True, data_only=True)
    metastasis = {row[0]: row[1] for row in book["Outcome vector"].iter_rows(min_row=2, values_only=True)}
    rows = [[*COLUMNS, "lung_metastasis"]]
    for row in book["Clinical Information"].iter_rows(min_row=2, max_col=len(COLUMNS), values_only=True):
        if row[0] in metastasis:
            rows.append([str(cell).strip() for cell in (*row, metastasis[row[0]])])
    return rows


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(clinical_table(Path(sys.argv[1])))
