"""`prognoscope conformance`: how well the features and filters agree with the IBSI's reference data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prognoscope.cli.door import AsJson, Jobs, cores, door, mapper, put, put_json

if TYPE_CHECKING:
    from prognoscope.jobs.conformance import ConformanceReport

FILTERS = {
    "1": "mean",
    "2": "Laplacian of Gaussian",
    "3": "Laws",
    "4": "Gabor",
    "5": "Daubechies",
    "6": "Coiflet",
    "7": "Haar",
    "8": "Simoncelli",
    "9": "Riesz of Laplacian of Gaussian",
    "10": "Riesz of Simoncelli",
}
PARTS = {
    "features": "1, features",
    "image description": "1, image description",
    "response map": "2, response maps",
    "filtered features": "2, features of filtered images",
}


@door(example="prognoscope conformance /data/ibsi")
def conformance(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="IBSI_FOLDER", help="Folder with the IBSI's data sets and reference values.", show_default=False
        ),
    ],
    jobs: Jobs = cores(),
    json: AsJson = False,
) -> None:
    """Run every configuration and filter of the IBSI standard; exit 1 when a reference value is not met."""
    from prognoscope.jobs.conformance import conformance as run

    with mapper(jobs=jobs) as chosen:
        report = run(folder, chosen)
    if json:
        put_json(document(report))
    else:
        put(table(report))
    if report.failures:
        raise typer.Exit(1)


def document(report: ConformanceReport) -> dict[str, Any]:
    """The report as one JSON document; a feature that was not found is null."""
    failures = [dataclasses.asdict(failure) for failure in report.failures]
    for failure in failures:
        failure["found"] = failure["found"] if math.isfinite(failure["found"]) else None
    return {
        "schema": 1,
        "passed": report.passed,
        "total": report.total,
        "scores": [dataclasses.asdict(score) for score in report.scores],
        "failures": failures,
    }


def table(report: ConformanceReport) -> str:
    """Passed and total by configuration and filter, then what fails; both as Markdown tables."""
    counts: dict[tuple[str, str], list[int]] = {}
    for score in report.scores:
        sums = counts.setdefault((PARTS[score.part], _title(score.part, score.case)), [0, 0])
        sums[0] += score.passed
        sums[1] += score.total
    rows = [(part, title, str(passed), str(total)) for (part, title), (passed, total) in counts.items()]
    rows.append(("all", "", str(report.passed), str(report.total)))
    lines = _lines(("chapter", "test", "met", "of"), rows)
    if report.failures:
        missed = [
            (PARTS[f.part], f.case, f.feature, f"{f.expected:g}", f"{f.found:g}", f"{f.tolerance:g}")
            for f in report.failures
        ]
        lines += ["", *_lines(("chapter", "test", "feature", "expected", "found", "tolerance"), missed)]
    return "\n".join(lines)


def _title(part: str, case: str) -> str:
    if part == "response map":
        number = case.split(".")[0]
        return f"{number} {FILTERS[number]}"
    if part == "filtered features":
        return f"configuration {case}"
    return case.replace("_", " ") if len(case) > 1 else f"configuration {case}"


def _lines(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    rule = tuple("-" * width for width in widths)
    return [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [head, rule, *rows]
    ]
