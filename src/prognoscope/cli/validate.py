"""`prognoscope validate`: the whole evaluation of predictions of any origin."""

from __future__ import annotations

import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prognoscope.cli.door import AsJson, door, put, put_json, say

if TYPE_CHECKING:
    from prognoscope.jobs.validate import Metric, Validation

WORDS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "c_index": "C-index (Harrell)",
    "uno_c": "C-index (Uno)",
    "auc_at_horizon": "AUC at the horizon",
    "brier": "Brier score",
    "scaled_brier": "scaled Brier score",
    "log_score": "mean log-likelihood",
    "calibration_intercept": "calibration intercept",
    "calibration_slope": "calibration slope",
    "observed_expected": "observed / expected",
    "ici": "integrated calibration index",
    "e50": "E50",
    "e90": "E90",
    "emax": "Emax",
}
MOST_GROUPS = 40


@door(example="prognoscope validate predictions.csv --outcome died --risk p --group sex,site --out validation")
def validate(
    predictions: Annotated[
        Path, typer.Argument(help="CSV, XLSX or Parquet with one row per patient.", show_default=False)
    ],
    risk: Annotated[str, typer.Option("--risk", help="Column of predicted probabilities.", show_default=False)],
    outcome: Annotated[str | None, typer.Option("--outcome", help="Column of the event, 0 or 1.")] = None,
    time: Annotated[str | None, typer.Option("--time", help="Column of days to event or end of follow-up.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="Column of the event at that time, 0 or 1.")] = None,
    horizon: Annotated[float | None, typer.Option("--horizon", help="Day by which the risks state the event.")] = None,
    group: Annotated[str, typer.Option("--group", help="Columns, with commas, to show figures by.")] = "",
    reference: Annotated[str | None, typer.Option("--reference", help="Column of another model's risks.")] = None,
    fold: Annotated[str | None, typer.Option("--fold", help="Column of the held-out fold, if cross-validated.")] = None,
    reference_outcome: Annotated[
        str | None, typer.Option("--reference-outcome", help="Column of what the outcome may only stand for, by group.")
    ] = None,
    slices: Annotated[
        str, typer.Option("--slices", help="Columns, with commas, in which to look for groups that it serves worse.")
    ] = "",
    over_time: Annotated[
        str,
        typer.Option("--over-time", help="DAY:COLUMN with commas: risks by other days, for Brier scores over time."),
    ] = "",
    patient: Annotated[str | None, typer.Option("--patient", help="Column that names the patients.")] = None,
    thresholds: Annotated[
        str, typer.Option("--thresholds", help="Risks from which to act, with commas.", show_default=False)
    ] = "",
    costs: Annotated[
        str, typer.Option("--costs", help="FALSE_ALARM:MISSED_EVENT, for the threshold they imply.", show_default=False)
    ] = "",
    prevalence: Annotated[
        float | None, typer.Option("--prevalence", help="Of the event in the clinic, for whatever depends on it.")
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", min=0, help="Patient bootstraps for intervals.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the bootstrap.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for report.html and evaluation.json.")] = None,
    json: AsJson = False,
) -> None:
    """Validate any model's predictions: discrimination, calibration, net benefit and fairness, with intervals."""
    from prognoscope.jobs.validate import Columns, costs_named, over_time_named, thresholds_named, validate_predictions

    began = clock.monotonic()
    columns = Columns(
        risk=risk,
        outcome=outcome,
        time=time,
        event=event,
        horizon_days=horizon,
        groups=_names(group),
        reference=reference,
        fold=fold,
        reference_outcome=reference_outcome,
        slices=_names(slices),
        patient=patient,
        over_time=over_time_named(over_time),
    )
    found = validate_predictions(
        predictions,
        columns,
        out=out,
        thresholds=thresholds_named(thresholds),
        costs=costs_named(costs),
        prevalence=prevalence,
        resamples=resamples,
        seed=seed,
    )
    if json:
        put_json(found.document)
    else:
        _show(found)
    say(f"took {clock.monotonic() - began:.1f} s")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _show(found: Validation) -> None:
    evaluation = found.evaluation
    participants = "1 participant" if evaluation.n == 1 else f"{evaluation.n:,} participants"
    put(f"{participants}, {evaluation.events:,} with the event{_horizon(found)}")
    put("")
    _figures(found)
    if found.thresholds:
        put("")
        _thresholds(found)
    if found.groups:
        put("")
        _groups(found)
    _warnings(found)
    put("")
    put(evaluation.interval)
    if found.report is not None:
        put(f"report:  {found.report}")


def _horizon(found: Validation) -> str:
    evaluation = found.evaluation
    if evaluation.horizon_days is None:
        return ""
    lost = evaluation.censored_before_horizon
    return f" by day {evaluation.horizon_days:g} ({lost:,} lost to follow-up before it)"


def _figures(found: Validation) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for model in found.evaluation.models:
        table.add_column(model.title)
    for comparison in found.evaluation.comparisons:
        table.add_column(f"{comparison.model} − {comparison.reference}")
    for name in found.evaluation.models[0].metrics:
        cells = [_cell(model.metrics[name]) for model in found.evaluation.models]
        cells += [_cell(one.differences.get(name)) for one in found.evaluation.comparisons]
        table.add_row(WORDS.get(name, name), *cells)
    _print(table)
    for reason, names in _reasons(found).items():
        put(f"– {', '.join(names)}: {reason}")
    _over_time(found)
    for one in found.evaluation.comparisons:
        if (areas := one.delong) is not None and not areas.reason:
            put(f"DeLong's test of the AUCs of {one.model} and {one.reference}: p {_p_value(areas.p)}")
        if (test := one.likelihood_ratio) is not None:
            words = f"χ² {test.statistic:.1f}, p {_p_value(test.p)}" if not test.reason else f"no test, {test.reason}"
            put(f"likelihood ratio, {one.model} added to {one.reference}: {words}")


def _over_time(found: Validation) -> None:
    for model in found.evaluation.models:
        if (course := model.over_time) is None:
            continue
        known = [(day, y) for day, y in zip(course.auc.x, course.auc.y, strict=True) if y == y]
        told = ", ".join(f"{_number(y, 3)} by day {day:g}" for day, y in known)
        put(f"AUC of {model.title} over time: {told or 'too few events'}")
        if course.integrated_brier is not None:
            put(f"integrated Brier score of {model.title}: {_cell(course.integrated_brier)}")


def _reasons(found: Validation) -> dict[str, list[str]]:
    """Why figures or their intervals are missing, and of which."""
    reasons: dict[str, list[str]] = {}
    several = len(found.evaluation.models) > 1
    for model in found.evaluation.models:
        for name, metric in model.metrics.items():
            if metric.reason:
                words = WORDS.get(name, name)
                reasons.setdefault(metric.reason, []).append(f"{words} of {model.title}" if several else words)
    return reasons


def _thresholds(found: Validation) -> None:
    from rich.table import Table

    names = ("act at risk", "sensitivity", "specificity", "PPV", "NPV", "alerts per 100")
    more = ("alerts for one event", "net benefit", "avoided per 100")
    table = Table(*names, *more, box=None, pad_edge=False)
    for row in found.thresholds:
        shares = (row.sensitivity, row.specificity, row.ppv, row.npv)
        cells = [_number(share.estimate, 2) for share in shares]
        worth = (row.alerts_per_100, row.number_needed_to_evaluate)
        cells += [_number(value, 1) for value in worth]
        cells += [_number(row.net_benefit, 3), _number(row.interventions_avoided_per_100, 1)]
        table.add_row(f"{row.threshold:.3g}", *cells)
    _print(table)
    if costs := found.document["settings"]["costs"]:
        words = f"{costs['false_alarm']:g} and {costs['missed_event']:g} for a false alarm and a missed event"
        put(f"costs of {words} mean acting from {costs['threshold']:.3g} on")


def _groups(found: Validation) -> None:
    from rich.table import Table

    from prognoscope.jobs.validate import with_small_together

    first = next(iter(found.evaluation.models[0].metrics))
    shown = (first, "brier", "calibration_intercept", "calibration_slope")
    table = Table("group", "n", "events", *(WORDS[name] for name in shown), box=None, pad_edge=False)
    lines = with_small_together(found.groups)
    for one in lines[:MOST_GROUPS]:
        cells = [_cell(one.metrics.get(name)) for name in shown] if one.metrics else [one.reason]
        happened = "–" if one.reason else f"{one.events:,}"
        table.add_row(f"{one.attribute}: {one.level}", f"{one.n:,}", happened, *cells)
    _print(table)
    if len(lines) > MOST_GROUPS:
        put(f"… and {len(lines) - MOST_GROUPS} more groups in the report")
    for gap in found.gaps:
        if gap.p < 0.05:
            words = WORDS[gap.metric]
            put(f"{gap.attribute}: {words} differs by {gap.gap:.2f} ({gap.lowest} to {gap.highest}, p = {gap.p:.3f})")


def _warnings(found: Validation) -> None:
    for guard in found.evaluation.guards:
        if guard.status != "passed":
            put(f"\n{guard.name}, {guard.status}: {guard.evidence}")
    for one in found.slices:
        if one.p < 0.05:
            put(f"\nerrs more where {one.rule}: {one.n} patients, excess error {one.error:.3f} (p = {one.p:.3f})")


def _print(table: object) -> None:
    from rich.console import Console

    Console(soft_wrap=True, width=160).print(table)


def _cell(metric: Metric | None) -> str:
    if metric is None:
        return ""
    text = _number(metric.estimate, 3)
    if metric.low == metric.low:
        return f"{text} ({_number(metric.low, 3)} to {_number(metric.high, 3)})"
    return text


def _p_value(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def _number(value: float, digits: int) -> str:
    return "–" if value != value else f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no minus before nothing
