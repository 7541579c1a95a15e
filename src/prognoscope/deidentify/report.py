"""What a privacy officer signs: every action by tag with its count, what was held back, and what risk is left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prognoscope.core.problems import Problem
from prognoscope.deidentify.batch import Outcome
from prognoscope.deidentify.profile import Options, standard

REPORT_FILE = "deidentification.json"
SCHEMA = 1
RARE = 5  # a value that fewer patients share is listed as rare
ACTION_WORDS = {
    "D": "replaced by a dummy value",
    "Z": "emptied or replaced",
    "X": "removed",
    "K": "kept",
    "C": "cleaned",
    "U": "replaced by another UID",
}
# Combinations of what is left that may single a person out, from the least to the most telling.
_COMBINATIONS = (
    ("PatientSex",),
    ("PatientAge",),
    ("PatientAge", "PatientSex"),
    ("PatientAge", "PatientSex", "PatientSize", "PatientWeight"),
)


def build_report(
    outcomes: Sequence[Outcome], held_back: Sequence[Problem], options: Options, key: str
) -> dict[str, Any]:
    """Put a run's outcomes together; holds nothing that identifies anyone beyond what is in the clean files.

    Parameters
    ----------
    outcomes
        Of all files that were tried.
    held_back
        Problem of each file that was not passed on; only codes and counts go into the report.
    options
        In force.
    key
        Public fingerprint of the project's key.
    """
    table = standard()
    written = [outcome for outcome in outcomes if outcome.target]
    actions: Counter[tuple[str, str, str]] = Counter()
    for outcome in written:
        for tag, name, action, count in outcome.actions:
            actions[tag, name, action] += count
    return {
        "schema": SCHEMA,
        "standard": {"table": table.table, "edition": table.edition, "source": table.source},
        "options": options.model_dump(mode="json"),
        "codes": [{"code": code, "meaning": meaning} for code, meaning in options.codes()],
        "key": key,
        "written": {
            "files": len(written),
            "patients": len({outcome.pseudonym for outcome in written} - {""}),
            "by_modality": _counts(outcome.modality for outcome in written),
        },
        "held_back": {"files": len(held_back), "by_reason": _counts(problem.code for problem in held_back)},
        "pixels": _counts(outcome.pixels for outcome in written),
        "actions": [
            {"tag": tag, "name": name, "action": action, "meaning": ACTION_WORDS[action], "count": count}
            for (tag, name, action), count in sorted(actions.items())
        ],
        "residual_risk": {
            "text_kept": _texts(written),
            "singled_out": singled_out(_traits(written)),
            "rare_values": _rare(_traits(written)),
            "tables": [{"file": outcome.target, **table} for outcome in written for table in outcome.tables],
        },
    }


def singled_out(people: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Count the people whom a combination of values singles out.

    Parameters
    ----------
    people
        For each person what is left, by the name of the value.

    Returns
    -------
    One entry for each combination that anyone has: its names, how many people have all of them, how many are the
    only one with theirs, and how many share theirs with fewer than five.
    """
    found = []
    for names in _COMBINATIONS:
        having = [
            tuple(values[name] for name in names) for values in people.values() if all(n in values for n in names)
        ]
        sizes = Counter(having)
        if having:
            alone = sum(1 for combination in having if sizes[combination] == 1)
            few = sum(1 for combination in having if sizes[combination] < RARE)
            found.append({"values": list(names), "people": len(having), "alone": alone, "fewer_than_5": few})
    return found


def _traits(written: Iterable[Outcome]) -> dict[str, dict[str, str]]:
    people: dict[str, dict[str, str]] = defaultdict(dict)
    for outcome in written:
        for name, value in outcome.traits if outcome.pseudonym else ():
            people[outcome.pseudonym].setdefault(name, value)
    return dict(sorted(people.items()))


def _rare(people: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    sharing = Counter((name, value) for values in people.values() for name, value in values.items())
    return [
        {"name": name, "value": value, "people": count}
        for (name, value), count in sorted(sharing.items())
        if count < RARE and name not in ("PatientSize", "PatientWeight")
    ]


def _texts(written: Iterable[Outcome]) -> list[dict[str, Any]]:
    files: Counter[tuple[str, str]] = Counter()
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    for outcome in written:
        for entry in outcome.texts:
            files[entry] += 1
            people[entry].add(outcome.pseudonym)
    # Texts of few people first: they are the ones to read.
    order = sorted(files, key=lambda entry: (len(people[entry]), entry))
    return [
        {"name": name, "text": text, "files": files[name, text], "people": len(people[name, text])}
        for name, text in order
    ]


def _counts(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
