"""`prognoscope radiomics`: named numbers of a region, or of many."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prognoscope.cli.door import AsJson, Jobs, cores, door, mapper, put, put_json, say, tell

if TYPE_CHECKING:
    from prognoscope.jobs.radiomics import MeasuredCase, RadiomicsSettings


@door(example="prognoscope radiomics scan.nii.gz tumour.nii.gz --settings ct --csv")
def radiomics(
    image: Annotated[
        Path,
        typer.Argument(
            help="An image (NIfTI file or folder of DICOM); or a folder of NAME_image and NAME_mask files; or a CSV "
            "with the columns id, image, mask.",
            show_default=False,
        ),
    ],
    mask: Annotated[
        Path | None, typer.Argument(help="Its mask (NIfTI) or contours (RTSTRUCT).", show_default=False)
    ] = None,
    settings: Annotated[
        str, typer.Option("--settings", "-s", help="YAML file, or ct, pet or mr; all features, 32 bins by default.")
    ] = "",
    modality: Annotated[str, typer.Option("--modality", help="CT, PT, MR …, where the image does not say.")] = "",
    label: Annotated[int | None, typer.Option("--label", help="Which label of the mask is the region.")] = None,
    region: Annotated[str, typer.Option("--region", help="Which region of the RTSTRUCT; patterns as GTV*.")] = "*",
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder where finished cases are kept; .prognoscope beside a folder or CSV."),
    ] = None,
    jobs: Jobs = cores(),
    json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table with a row for each case.")] = False,
) -> None:
    """Measure a region of an image, or every case of a folder or list; go on where an earlier run stopped."""
    from prognoscope.jobs.radiomics import Case, compile_kernels, find_cases, measure_cases, modality_of, read_settings

    chosen = read_settings(settings)
    kind = modality or modality_of(settings)
    if mask is not None:
        cases: Sequence[Case] = [Case(image.name.split(".")[0], image, mask, kind, label, region)]
    else:
        cases = find_cases(image, modality=kind, label=label, region=region)
        store = store or (image if image.is_dir() else image.parent) / ".prognoscope"
    compile_kernels(say)
    with mapper(jobs=jobs) as chosen_mapper:
        measured = measure_cases(cases, chosen, store=store, mapper=chosen_mapper)
    show(measured, chosen, as_json=json, as_csv=as_csv)
    for case in measured:
        if case.problem is not None:
            tell(case.problem)
    if any(case.problem is not None for case in measured):
        raise typer.Exit(1)


def show(measured: Sequence[MeasuredCase], settings: RadiomicsSettings, *, as_json: bool, as_csv: bool) -> None:
    """Print measured cases as one JSON document, as CSV, or as text."""
    if as_json:
        put_json(document(measured, settings))
    elif as_csv:
        put(table(measured).rstrip("\n"))
    else:
        put(text(measured))


def document(measured: Sequence[MeasuredCase], settings: RadiomicsSettings) -> dict[str, Any]:
    """Return all cases, and the settings as used, as one JSON document."""
    from prognoscope.jobs.radiomics import case_document

    return {
        "schema": 1,
        "settings": settings.model_dump(mode="json"),
        "cases": [case_document(case) for case in measured],
    }


def table(measured: Sequence[MeasuredCase]) -> str:
    """Return CSV with a row for each case; a value that cannot be computed is empty."""
    names = next(([feature.name for feature in case.features] for case in measured if case.features), [])
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["id", "modality", *names])
    for case in measured:
        values = [repr(feature.value) if math.isfinite(feature.value) else "" for feature in case.features]
        writer.writerow([case.id, case.modality, *(values or [""] * len(names))])
    return stream.getvalue()


def text(measured: Sequence[MeasuredCase]) -> str:
    """Return a line for each feature: name, value, unit, and the reason where there is no value."""
    lines = []
    for case in measured:
        if len(measured) > 1:
            lines.append(f"{case.id} ({case.modality})")
        width = max((len(feature.name) for feature in case.features), default=0)
        for feature in case.features:
            value = f"{feature.value:.6g}" if math.isfinite(feature.value) else f"none: {feature.reason}"
            unit = "" if feature.unit == "1" or not math.isfinite(feature.value) else f" {feature.unit}"
            lines.append(f"{feature.name:{width}}  {value}{unit}")
    return "\n".join(lines)
