"""Fill a reporting checklist with what a folder of results proves, and say what a person must still attest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prognoscope.jobs.results import Results, read_results
from prognoscope.jobs.tripod_ai import ITEMS, SOURCE, Item
from prognoscope.jobs.tripod_evidence import RULES
from prognoscope.report import ChecklistRow, ChecklistStatus, render_checklist
from prognoscope.store import write_whole

__all__ = ["Checklist", "tripod_ai"]

SCHEMA = 1
NAME, PAGE = "TRIPOD+AI", "tripod-ai.html"


@dataclass(frozen=True, slots=True)
class Checklist:
    """The filled checklist and the page it was written to."""

    rows: tuple[ChecklistRow, ...]
    document: dict[str, Any]
    page: Path

    def count(self, status: ChecklistStatus) -> int:
        """How many items have a status."""
        return sum(row.status == status for row in self.rows)


def tripod_ai(folder: Path) -> Checklist:
    """Fill TRIPOD+AI for a folder of results and write `tripod-ai.html` into it.

    Parameters
    ----------
    folder
        Output of `prognoscope run` (a study that develops) or of `validate --out` (one that evaluates).

    Raises
    ------
    Refused
        `results-missing`, `results-unreadable`, `results-changed`, `cannot-write`.
    """
    results = read_results(folder)
    rows = tuple(_row(item, results) for item in ITEMS)
    kind = _kind(results)
    document = {
        "schema": SCHEMA,
        "checklist": NAME,
        "source": SOURCE,
        "study": _name(results),
        "kind": kind,
        "items": [asdict(row) | {"evidence": list(row.evidence)} for row in rows],
    }
    page = folder / PAGE
    text = render_checklist(rows, name=NAME, source=SOURCE, study=_name(results), kind=kind)
    write_whole(page, text.encode())
    return Checklist(rows, document, page)


def _row(item: Item, results: Results) -> ChecklistRow:
    asked = {"both": True, "development": results.develops, "evaluation": results.evaluates}[item.applies]
    if not asked:
        why = f"asked of studies that {'evaluate' if item.applies == 'evaluation' else 'develop'} a model"
        return ChecklistRow(item.number, item.section, item.subject, "not applicable", why)
    proof = RULES[item.number](results) if item.number in RULES else None
    if proof is None:
        return ChecklistRow(item.number, item.section, item.subject, "attest", person=item.person)
    status: ChecklistStatus = "shown" if proof.whole else "in part"
    left = "" if proof.whole else item.person
    return ChecklistRow(item.number, item.section, item.subject, status, proof.found, proof.evidence, left)


def _kind(results: Results) -> str:
    if not results.develops:
        return "evaluation of given predictions"
    return f"development with {'evaluation on a set kept apart' if results.evaluates else 'internal validation'}"


def _name(results: Results) -> str:
    name = results.evaluation.get("study") or results.evaluation.get("table", {}).get("name")
    return str(name or results.folder.resolve().name)
