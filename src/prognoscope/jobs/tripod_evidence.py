"""What a folder of results proves of TRIPOD+AI's items: the finding in words, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prognoscope.jobs.results import Results
from prognoscope.report.glossary import metric_words

REPORT, EVALUATION, RUN = "report.html", "evaluation.json", "run.json"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found.

    Attributes
    ----------
    found
        In a sentence, with figures.
    evidence
        Where it stands: file, and anchor (`report.html#trust`) or keys (`run.json: as_used.models`).
    whole
        Whether nothing is left for a person to state.
    """

    found: str
    evidence: tuple[str, ...]
    whole: bool = False


Rule = Callable[[Results], Proof | None]


def objectives(results: Results) -> Proof | None:
    """The question, and whether a model was developed or evaluated."""
    if results.develops:
        kind = "evaluation on a set kept apart" if results.evaluates else "internal validation"
        found = f"“{results.used.get('question', '')}” Development with {kind} ({_plan(results)})."
        return Proof(found, (f"{RUN}: as_used.question",))
    return Proof("Evaluation of given predictions.", (f"{EVALUATION}: table",))


def sources(results: Results) -> Proof | None:
    """Table and images, each by its hash."""
    if not results.develops:
        table = results.evaluation.get("table", {})
        return Proof(f"One table, {table.get('name', '')}, by its SHA-256.", (f"{EVALUATION}: table",))
    images = results.run.get("data", {}).get("images", {})
    seen = f" and the images of {len(images)} participants" if images else ""
    tables = "Two tables" if results.run.get("data", {}).get("external_table") else "One table"
    return Proof(f"{tables}{seen}, each file by its SHA-256.", (f"{RUN}: data",))


def follow_up(results: Results) -> Proof | None:
    """Median follow-up; dates are not in the results."""
    days = _outcome(results).get("median_follow_up_days")
    return Proof(f"Median time observed {days:.0f} days.", (f"{EVALUATION}: outcome",)) if _number(days) else None


def eligibility(results: Results) -> Proof | None:
    """The rules of the study file and how many each excluded."""
    if not results.develops:
        return None
    rules = [_rule_in_words(rule) for rule in results.used.get("eligible", ())]
    stated = "; ".join(rules) if rules else "no rule beyond having the data and the outcome"
    return Proof(f"Eligible: {stated}.", (f"{RUN}: as_used.eligible", f"{REPORT}#participants"))


def preparation(results: Results) -> Proof | None:
    """Preparation inside the folds, and what was set aside."""
    if not results.develops:
        return None
    aside = results.run.get("data", {}).get("set_aside", [])
    found = (
        f"Gaps, scaling and selection learnt from the training patients of each fold; files set aside: {len(aside)}."
    )
    return Proof(found, (f"{REPORT}#methods", f"{RUN}: data.set_aside", "features.parquet: reasons"))


def outcome(results: Results) -> Proof | None:
    """The definition of the outcome, its horizon and how often it happened."""
    known = _outcome(results)
    rule = results.used.get("outcome") or results.evaluation.get("table", {}).get("columns", {})
    words = results.card.get("outcome") or rule.get("words") or rule.get("event") or rule.get("outcome")
    told = results.card or not _number(known.get("horizon_days"))
    horizon = "" if told else f", by day {known['horizon_days']:g}"
    found = f"{words}{horizon}: {known.get('events')} of {known.get('n')}."
    where = f"{RUN}: as_used.outcome" if results.develops else f"{EVALUATION}: table.columns"
    return Proof(found, (where, f"{EVALUATION}: outcome"))


def offered(results: Results) -> Proof | None:
    """How many predictors were offered, of which origin."""
    numbers = results.evaluation.get("predictors")
    if not results.develops or not isinstance(numbers, dict):
        return None
    told = " and ".join(f"{number} {origin}" for origin, number in numbers.items())
    return Proof(f"All that were offered are listed: {told}.", (f"{RUN}: as_used.predictors", f"{REPORT}#methods"))


def defined(results: Results) -> Proof | None:
    """Unit, meaning, origin and time of each predictor; how images were measured."""
    if not results.develops:
        return None
    found = "Each with type, unit, meaning, origin and when it is known; image features with every setting."
    return Proof(
        f"{found} {_guard(results, 'known-too-late')}".strip(), ("features.parquet: columns", f"{REPORT}#methods")
    )


def size(results: Results) -> Proof | None:
    """Participants, events, and the guard by Riley's criteria."""
    known = _outcome(results)
    found = f"{known.get('n')} participants, {known.get('events')} with the event. {_guard(results, 'sample-size')}"
    return Proof(found.strip(), (f"{EVALUATION}: guards", f"{REPORT}#trust"))


def missing_data(results: Results) -> Proof | None:
    """What is missing and how gaps were filled."""
    if not results.develops:
        return Proof("No value is missing: a gap is refused.", (f"{EVALUATION}: table",), whole=True)
    found = (
        "Missing values by predictor are counted; gaps are filled inside the folds, their pattern may be a predictor."
    )
    return Proof(
        f"{found} {_guard(results, 'informative-missingness')}".strip(), (f"{REPORT}#cohort", "features.parquet")
    )


def division(results: Results) -> Proof:
    """How data were divided between learning and testing."""
    found = (
        f"{_plan(results)}; every step that learns saw training patients only. {_guard(results, 'duplicate-patients')}"
    )
    return Proof(found.strip(), (f"{RUN}: as_used.validate", "predictions.csv", f"{REPORT}#trust"), whole=True)


def handling(results: Results) -> Proof | None:
    """How predictors enter the models."""
    if not results.develops:
        return None
    found = (
        "Type and levels of each are listed; numbers scaled, categories as indicators or ordered, by one rule for all."
    )
    return Proof(found, ("bundle/predictor/predictor.json", f"{REPORT}#methods"), whole=results.has("bundle/card.json"))


def building(results: Results) -> Proof | None:
    """Models tried, settings, tuning and internal validation."""
    if not results.develops:
        return None
    counts = results.evaluation["counts"]
    models = ", ".join(results.used.get("models", {}).get("try", {}))
    found = (
        f"Tried: {models}; {counts.get('settings_tried')} settings, chosen in {counts.get('inner_folds')} inner folds"
    )
    ever = counts.get("settings_tried_on_this_cohort_ever")
    found += f", {ever} ever tried on this cohort." if ever else "."
    return Proof(found, (f"{RUN}: as_used.models", f"{EVALUATION}: counts", f"{REPORT}#importance"), whole=True)


def measures(results: Results) -> Proof | None:
    """The measures of performance and how their intervals were made."""
    names = ", ".join(metric_words(name).title for name in _main(results).get("metrics", {}))
    found = f"{names}; calibration and decision curves. {results.evaluation['interval']}"
    return Proof(found, (f"{EVALUATION}: interval", f"{REPORT}#performance"), whole=True)


def predicted(results: Results) -> Proof | None:
    """Where given predictions stand, or which predictor made them."""
    if results.develops:
        return (
            Proof("By the predictor of the bundle.", ("bundle/card.json", "predictions.csv")) if results.card else None
        )
    columns = results.evaluation.get("table", {}).get("columns", {})
    return Proof(f"The risks are the column {columns.get('risk')}.", (f"{EVALUATION}: table.columns",))


def imbalance(results: Results) -> Proof | None:
    """No model here reweights or resamples classes."""
    if not results.develops:
        return None
    known = _outcome(results)
    found = f"No class was weighted or resampled ({known.get('events')} of {known.get('n')} with the event)."
    return Proof(found, (f"{RUN}: as_used.models",), whole=True)


def fairness(results: Results) -> Proof | None:
    """Figures by group, and gaps between groups, where groups were named."""
    groups = results.evaluation.get("groups") or []
    if not groups:
        return None
    names = sorted({str(one.get("attribute")) for one in groups})
    hidden = sum(bool(one.get("reason")) for one in groups)
    found = f"Figures by {', '.join(names)}, {len(groups)} groups, {hidden} suppressed as too small."
    return Proof(found, (f"{EVALUATION}: groups, gaps", f"{REPORT}#subgroups"))


def output(results: Results) -> Proof | None:
    """The model says a probability; a threshold comes from stated costs or not at all."""
    where = "bundle/card.json" if results.card else f"{EVALUATION}: outcome"
    alerts = results.evaluation.get("alerts")
    if not isinstance(alerts, dict):
        return Proof("A probability of the event, between 0 and 1.", (where, f"{REPORT}#methods"))
    found = f"A probability, and an alert from {alerts.get('threshold')} on, by stated costs, chosen inside the folds."
    return Proof(found, (where, f"{EVALUATION}: alerts", f"{REPORT}#scrutiny"), whole=True)


def same_data(results: Results) -> Proof | None:
    """Internal validation uses the development data."""
    if results.evaluates:
        return None
    return Proof(f"None: {_plan(results)} of one cohort, by one set of rules.", (f"{RUN}: as_used",), whole=True)


def protocol(results: Results) -> Proof | None:
    """A criterion of success that the study file fixed."""
    where = (f"{RUN}: as_used.success", f"{REPORT}#answer")
    found = "A criterion of success was fixed before the first result."
    return Proof(found, where) if results.used.get("success") else None


def code(results: Results) -> Proof | None:
    """The program, its version and the study file."""
    versions = results.run.get("versions", {})
    if not versions:
        return None
    found = (
        f"Prognoscope {versions.get('prognoscope')} (Apache-2.0); the study file as given and as used; all versions."
    )
    return Proof(found, (f"{RUN}: versions, as_given, as_used",))


def flow(results: Results) -> Proof | None:
    """Considered, included, excluded with reasons."""
    flow = results.evaluation.get("flow")
    if not isinstance(flow, dict):
        return None
    gone = "; ".join(f"{one.get('n')} by {one.get('step')} ({one.get('reason')})" for one in flow.get("excluded", ()))
    found = f"{flow.get('considered')} considered, {flow.get('included')} took part; excluded: {gone or 'nobody'}."
    return Proof(found, (f"{EVALUATION}: flow", f"{REPORT}#participants"))


def characteristics(results: Results) -> Proof | None:
    """The cohort table."""
    if not results.develops:
        return None
    return Proof("Each clinical predictor, with and without the event.", (f"{REPORT}#cohort", "features.parquet"))


def analysed(results: Results) -> Proof | None:
    """Participants and events of each model and group."""
    numbers: dict[str, Mapping[str, Any]] = {
        name: next(iter(model.get("metrics", {}).values()), {}) for name, model in results.evaluation["models"].items()
    }
    told = "; ".join(f"{name}: {one.get('n')} with {one.get('events')} events" for name, one in numbers.items())
    return Proof(f"{told}.", (f"{EVALUATION}: models",), whole=True)


def full_model(results: Results) -> Proof | None:
    """The bundle holds the fitted predictor."""
    if results.card:
        found = "The fitted predictor and its inputs, as plain JSON and arrays; `prognoscope predict` runs it."
        return Proof(found, ("bundle/card.json", "bundle/predictor/"))
    blocked = results.evaluation.get("bundle_blocked")
    return Proof(f"No bundle was written: {blocked}.", (f"{EVALUATION}: bundle_blocked",)) if blocked else None


def performance(results: Results) -> Proof | None:
    """Figures with intervals, and which have none."""
    metrics = _main(results).get("metrics", {})
    bare = [metric_words(name).title for name, one in metrics.items() if not _number(one.get("low"))]
    told = next(
        (
            f"{metric_words(name).title} {_interval(one)}; "
            for name, one in metrics.items()
            if _number(one.get("estimate"))
        ),
        "",
    )
    lacking = f", no interval for {', '.join(bare)} (reasons given)" if bare else ""
    found = f"{told}{len(metrics)} figures{lacking}."
    groups = bool(results.evaluation.get("groups"))
    where = (f"{EVALUATION}: models", f"{REPORT}#performance", *((f"{REPORT}#subgroups",) if groups else ()))
    return Proof(found, where, whole=groups)


def clusters(results: Results) -> Proof | None:
    """Figures by centre, where centres were held out or a group; the guard on folds that differ otherwise."""
    sites = results.evaluation.get("sites") or []
    if results.plan == "leave-one-site-out" and sites:
        found = f"Each of {len(sites)} sites was predicted by models learnt at the others."
        return Proof(found, (f"{EVALUATION}: sites", f"{REPORT}#scrutiny"), whole=True)
    centre = results.used.get("data", {}).get("centre", "centre")
    own = [one for one in results.evaluation.get("groups") or [] if one.get("attribute") in (centre, "site", "centre")]
    if own:
        return Proof(f"Figures of {len(own)} centres.", (f"{EVALUATION}: groups", f"{REPORT}#subgroups"), whole=True)
    told = " ".join(filter(None, (_guard(results, "shortcut"), _guard(results, "folds-differ"))))
    return Proof(f"Not by centre. {told}", (f"{EVALUATION}: guards",)) if told else None


def interpretation(results: Results) -> Proof | None:
    """The answer of the report."""
    if not results.has(REPORT):
        return None
    return Proof(f"The answer in a sentence. {_guard(results, 'no-signal')}".strip(), (f"{REPORT}#answer",))


def limitations(results: Results) -> Proof | None:
    """What the report says that the study cannot say."""
    warned = [one.get("name") for one in results.evaluation["guards"] if one.get("status") != "passed"]
    told = f"; guards that did not pass: {', '.join(map(str, warned))}" if warned else ""
    return Proof(f"Limits that numbers show{told}.", (f"{REPORT}#trust",)) if results.has(REPORT) else None


def abstains(results: Results) -> Proof | None:
    """The predictor fills gaps and abstains outside what it has seen."""
    if not results.card:
        return None
    found = (
        "Gaps are filled; outside the training range, at unknown levels or with too many gaps it abstains and says why."
    )
    return Proof(found, ("bundle/predictor/predictor.json",))


RULES: Mapping[str, Rule] = {
    "4": objectives,
    "5a": sources,
    "5b": follow_up,
    "6b": eligibility,
    "7": preparation,
    "8a": outcome,
    "9a": offered,
    "9b": defined,
    "10": size,
    "11": missing_data,
    "12a": division,
    "12b": handling,
    "12c": building,
    "12d": clusters,
    "12e": measures,
    "12g": predicted,
    "13": imbalance,
    "14": fairness,
    "15": output,
    "16": same_data,
    "18c": protocol,
    "18f": code,
    "20a": flow,
    "20b": characteristics,
    "21": analysed,
    "22": full_model,
    "23a": performance,
    "23b": clusters,
    "25": interpretation,
    "26": limitations,
    "27a": abstains,
}


def _main(results: Results) -> Mapping[str, Any]:
    main: Mapping[str, Any] = next(iter(results.evaluation["models"].values()))
    return main


def _outcome(results: Results) -> Mapping[str, Any]:
    known: Mapping[str, Any] = results.evaluation["outcome"]
    return known


def _guard(results: Results, name: str) -> str:
    return next((str(one.get("evidence", "")) for one in results.evaluation["guards"] if one.get("name") == name), "")


def _plan(results: Results) -> str:
    counts, held_out = results.evaluation["counts"], results.evaluation.get("held_out") or {}
    if results.plan == "cross-validation":
        return f"cross-validation, {counts.get('repeats')} times {counts.get('folds')} folds"
    by = f" by {held_out['column']}" if held_out.get("column") else ""
    apart = held_out.get("only_learnt_from")
    learnt = f", {held_out.get('n')} held out and {apart} only learnt from" if apart else ""
    return f"{results.plan.replace('-', ' ')}{by}{learnt}"


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _interval(metric: Mapping[str, Any]) -> str:
    text = f"{metric['estimate']:.2f}"
    return f"{text} ({metric['low']:.2f} to {metric['high']:.2f})" if _number(metric.get("low")) else text


def _rule_in_words(rule: Mapping[str, Any]) -> str:
    bounds = {key: value for key, value in rule.items() if key not in ("column", "missing", "unit")}
    told = [f"{key.replace('_', ' ')} {value}" for key, value in bounds.items() if value is not None]
    return " ".join([str(rule.get("column", "")), *told, str(rule.get("unit", ""))]).strip()
