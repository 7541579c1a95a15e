"""The report of a de-identification that a privacy officer reads, judges and signs: one HTML file, also on paper."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prognoscope.core.problems import Problem
from prognoscope.report.sections import Section

MOST_FILES_LISTED = 300
MOST_TEXTS_LISTED = 300
SECTIONS = (
    Section("verdict", "What was done, in short"),
    Section("standard", "By which standard"),
    Section("held", "What was held back"),
    Section("risk", "What is left that may identify someone"),
    Section("pixels", "Text and faces in pixels"),
    Section("actions", "Every action, by attribute"),
    Section("limits", "What this does not do"),
    Section("signature", "Release"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture beside its words: PNG bytes."""

    caption: str
    png: bytes

    @property
    def address(self) -> str:
        """The picture as a `data:` address."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


@dataclass(frozen=True, slots=True)
class Deidentification:
    """All that the page shows.

    Attributes
    ----------
    report
        The document `deidentification.json`.
    held_back
        `(path, problem)` of each file that was not passed on.
    changed, doubtful
        Pictures before and after; pictures of files held back for their pixels.
    pictures_left_out
        How many more pictures there are beside those shown.
    made_on, version
        Day of the run and version of the program.
    """

    report: Mapping[str, Any]
    held_back: Sequence[tuple[str, Problem]]
    changed: Sequence[Shown]
    doubtful: Sequence[Shown]
    pictures_left_out: int
    made_on: str
    version: str


def render_deidentification(content: Deidentification) -> str:
    """Return the page as one self-contained HTML document. It names files held back, so it stays in the hospital."""
    # Jinja takes a while to import: a command that writes no page does not wait for it.
    from prognoscope.report.templating import environment

    report, risk = content.report, content.report["residual_risk"]
    alone = risk["singled_out"]
    totals: Counter[str] = Counter()
    for row in report["actions"]:
        totals[row["meaning"]] += row["count"]
    remedies = {problem.code: problem.remedy for _, problem in content.held_back}
    return (
        environment()
        .get_template("deidentification.html.j2")
        .render(
            content=content,
            report=report,
            risk={
                **risk,
                "singled_out": [{**row, "values": [_words(name) for name in row["values"]]} for row in alone],
            },
            sections=SECTIONS,
            worst=_most_telling(risk),
            totals=sorted(totals.items(), key=lambda entry: (-entry[1], entry[0])),
            options=[(name.replace("_", " "), on) for name, on in report["options"].items()],
            reasons=[(code, count, remedies.get(code, "")) for code, count in report["held_back"]["by_reason"].items()],
            files=content.held_back[:MOST_FILES_LISTED],
            texts=risk["text_kept"][:MOST_TEXTS_LISTED],
        )
    )


def _most_telling(risk: Mapping[str, Any]) -> str:
    """Say in words where most people stand alone, among the images and each table; empty where nobody does."""
    found = [(row["alone"], row["people"], "people", row["values"]) for row in risk["singled_out"]]
    found += [
        (row["alone"], row["people"], f"rows of {table['file']}", row["values"])
        for table in risk["tables"]
        for row in table["singled_out"]
    ]
    alone, of, whom, values = max(found, key=lambda entry: entry[0], default=(0, 0, "", []))
    names = " and ".join(_words(name) for name in values)
    return f"{alone:,} of {of:,} {whom} are the only one with their {names}." if alone else ""


def _words(keyword: str) -> str:
    """Return `patient age` for `PatientAge`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", keyword).lower()
