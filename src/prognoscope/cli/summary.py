"""What `run`, `demo` and `predict` show at the end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from prognoscope.cli.door import put, put_json, say

if TYPE_CHECKING:
    from prognoscope.study.predict import Prediction, Predictions
    from prognoscope.study.run import RunResult

SHOWN = {
    "auc": "AUC",
    "c_index": "C-index",
    "brier": "Brier score",
    "calibration_intercept": "calibration intercept",
    "calibration_slope": "calibration slope",
}
MOST_NOTES = 12


def show_run(result: RunResult, *, as_json: bool) -> None:
    """Print the result table and where the report lies; notes and exclusions go to stderr."""
    document = result.evaluation
    _tell_flow(result)
    if as_json:
        put_json({"schema": 1, "out": str(result.out), "seconds": dict(result.seconds), "evaluation": dict(document)})
        return
    outcome = document["outcome"]
    put(f"{document['study']}: {outcome['n']} participants, {outcome['events']} with the event")
    put("")
    _table(document["models"])
    put("")
    if result.truth is not None:
        put(f"best {result.truth.metric} that anyone could reach (the truth is known): {result.truth.best:.3f}")
    for guard in document["guards"]:
        if guard["status"] != "passed":
            put(f"{guard['status']}: {guard['name']}: {guard['evidence']}")
    put(f"report:  {result.out / 'report.html'}")
    put(f"bundle:  {result.out / 'bundle' if not result.blocked else 'not written: ' + result.blocked}")
    took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.seconds.items())
    say(f"took {sum(result.seconds.values()):.1f} s ({took})")


def show_predictions(predictions: Predictions, *, as_json: bool) -> None:
    """Print one line per patient: risk, interval, and why the bundle abstains."""
    from prognoscope.study.predict import as_json as document

    for note in predictions.notes:
        say(f"note: {note}")
    if as_json:
        put_json(document(predictions))
        return
    put(f"{predictions.card['outcome']} ({predictions.card['study']})")
    if predictions.card["research_only"]:
        put(f"for research only: {', '.join(predictions.card['warned_by'])}")
    alert_from = predictions.card.get("alert_threshold")
    for row in predictions.rows:
        alert = "; alert" if alert_from is not None and row.risk >= alert_from else ""
        put(f"{row.patient_id}: {_risk(row)}{alert}" + (f"; abstained: {row.reason}" if row.abstained else ""))


def _risk(row: Prediction) -> str:
    if math.isnan(row.risk):
        return "no risk could be computed"
    return f"{100 * row.risk:.0f} of 100 (95 % interval {100 * row.low:.0f} to {100 * row.high:.0f})"


def _tell_flow(result: RunResult) -> None:
    for step, code, number in result.flow.counts():
        say(f"excluded: {number} × {code} ({step})")
    for one in result.flow.exclusions[:MOST_NOTES]:
        say(f"  {one.problem.subject}: {one.problem.found}")
    rest = len(result.flow.exclusions) - MOST_NOTES
    if rest > 0:
        say(f"  … and {rest} more, all in the report and in run.json")
    for note in result.notes[:MOST_NOTES]:
        say(f"note: {note.subject}: {note.found}")


def _table(models: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for model in models.values():
        table.add_column(model["title"])
    for name, words in SHOWN.items():
        if any(name in model["metrics"] for model in models.values()):
            table.add_row(words, *(_figure(model["metrics"].get(name)) for model in models.values()))
    Console(soft_wrap=True, width=140).print(table)


def _figure(metric: dict[str, Any] | None) -> str:
    if metric is None or metric["estimate"] is None:
        return "not computable"
    text = f"{metric['estimate']:.2f}"
    if metric["low"] is None or metric["high"] is None:
        return text
    return f"{text} ({metric['low']:.2f} to {metric['high']:.2f})"
