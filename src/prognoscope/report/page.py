"""One page from one evaluation: a single HTML file that needs nothing else, on the screen and on paper."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from prognoscope.core.problems import Problem
from prognoscope.report import scrutiny, tables
from prognoscope.report.calibration_words import flexible_note
from prognoscope.report.content import ReportContent, Subgroup
from prognoscope.report.failures import Failures, cases_shown, slice_rows, slices_in_words
from prognoscope.report.limits import limits
from prognoscope.report.scrutiny import Scrutiny
from prognoscope.report.sections import Section
from prognoscope.report.sentences import (
    answer,
    benefit_added,
    benefit_in_words,
    comparisons_in_words,
    integrated_in_words,
    pairs_of_hundred,
)
from prognoscope.validation.fairness import Gap
from prognoscope.validation.results import Evaluation
from prognoscope.validation.thresholds import ThresholdRow

if TYPE_CHECKING:
    from prognoscope.report.figures import Drawing


STUDY_SECTIONS = (
    Section("answer", "The answer"),
    Section("trust", "May I trust it?"),
    Section("participants", "Who took part, and who did not"),
    Section("cohort", "The cohort"),
    Section("performance", "How well it predicts"),
    Section("scrutiny", "How it was tested, and where to act"),
    Section("importance", "What mattered, and how stable that is"),
    Section("subgroups", "For whom it fails"),
    Section("methods", "How it was made"),
)
VALIDATION_SECTIONS = tuple(
    Section("scrutiny", "Where to act") if section.anchor == "scrutiny" else section
    for section in STUDY_SECTIONS
    if section.anchor not in {"participants", "cohort", "importance"}
)


GIVEN = "The predictions were given; how their model was made, and on whom, is not known here."


def render(content: ReportContent) -> str:
    """Return the report of a study as one self-contained HTML document.

    Parameters
    ----------
    content
        All that is shown; nothing is read from elsewhere and no statistic is computed.

    Returns
    -------
    HTML text, the same for the same content; write it as UTF-8.
    """
    return _page(content, STUDY_SECTIONS, kind="Study report")


def render_validation(
    evaluation: Evaluation,
    *,
    study: str,
    outcome: str,
    question: str = "",
    made_on: str = "",
    version: str = "",
    subgroups: tuple[Subgroup, ...] = (),
    settings: Mapping[str, object] | None = None,
    versions: Mapping[str, str] | None = None,
    hashes: Mapping[str, str] | None = None,
    notes: tuple[Problem, ...] = (),
    external_validation: bool | None = None,
    thresholds: tuple[ThresholdRow, ...] = (),
    prevalence: float = math.nan,
    cost_ratio: float = math.nan,
    gaps: tuple[Gap, ...] = (),
    failures: Failures | None = None,
) -> str:
    """Return the page for predictions of any origin: the sections of a study's report that need no study.

    `study` names the predictions, `outcome` is the event as a phrase; the rest is as in `ReportContent` and `Scrutiny`.
    """
    given = Scrutiny(
        "given", GIVEN, "", evaluation.n, 0, 0,
        gaps=gaps, thresholds=thresholds, prevalence=prevalence, cost_ratio=cost_ratio,
    )  # fmt: skip
    content = ReportContent(
        study=study,
        question=question or f"How well do these predictions foretell the event ({outcome})?",
        outcome=outcome,
        evaluation=evaluation,
        made_on=made_on,
        version=version,
        subgroups=subgroups,
        settings=settings or {},
        versions=versions or {},
        hashes=hashes or {},
        notes=notes,
        external_validation=external_validation,
        scrutiny=given,
        failures=failures,
    )
    return _page(content, VALIDATION_SECTIONS, kind="Validation of predictions")


def _page(content: ReportContent, sections: tuple[Section, ...], *, kind: str) -> str:
    # Matplotlib and Jinja take half a second to import: a command that writes no page does not wait for them.
    from prognoscope.report.figures import draw_figures
    from prognoscope.report.templating import environment

    evaluation = content.evaluation
    subgroup_titles, subgroup_rows = tables.subgroup_rows(content.subgroups)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            content=content,
            evaluation=evaluation,
            took_part=tables.took_part(content),
            kind=kind,
            sections=sections,
            answer=answer(content),
            pairs=pairs_of_hundred(evaluation),
            limits=limits(content),
            guards=tables.guards_in_order(evaluation.guards),
            guard_tally=tables.guard_tally(evaluation.guards),
            benefits=tuple(benefit_in_words(model) for model in evaluation.models if model.decision.model.x),
            counts=tables.counts(content),
            flow_steps=tables.flow_steps(content.flow) if content.flow else (),
            included=tables.included_in_words(content),
            notes=_all_notes(content),
            metric_rows=tables.metric_rows(evaluation),
            difference_rows=tables.difference_rows(evaluation),
            benefit_rows=tables.benefit_rows(evaluation),
            integrated=integrated_in_words(evaluation),
            flexible_note=flexible_note(evaluation),
            tests=comparisons_in_words(evaluation),
            benefit_added=benefit_added(evaluation),
            comparison_titles=tables.comparison_titles(evaluation),
            importance_rows=tables.importance_rows(content.importances),
            zero_place=tables.zero_place(content.importances),
            scrutiny=scrutiny.shown(content.scrutiny, evaluation.models[0].metrics) if content.scrutiny else None,
            learning_figure=_learning_figure(content),
            gaps=scrutiny.gap_rows(content.scrutiny.gaps) if content.scrutiny else (),
            failures_words=slices_in_words(content.failures) if content.failures else "",
            slice_rows=slice_rows(content.failures.slices) if content.failures else (),
            worst_cases=cases_shown(content.failures.worst) if content.failures else (),
            subgroup_titles=subgroup_titles,
            subgroup_rows=subgroup_rows,
            settings=_as_yaml(content.settings),
            figures=draw_figures(evaluation),
        )
    )


def _learning_figure(content: ReportContent) -> Drawing | None:
    from prognoscope.report.figures.learning import learning

    return learning(content.scrutiny.learning, content.scrutiny.discrimination) if content.scrutiny else None


def _all_notes(content: ReportContent) -> tuple[Problem, ...]:
    """Return the notes of the content and of its flow, each once."""
    return tuple(dict.fromkeys((*content.notes, *(content.flow.notes if content.flow else ()))))


def _as_yaml(settings: Mapping[str, object]) -> str:
    """Return settings in the form of the study file; empty for none."""
    if not settings:
        return ""
    writer = YAML(typ="safe")
    writer.width = 100
    writer.default_flow_style = None  # what holds no further list or mapping stands on one line
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel declares only None
    writer.allow_unicode = True
    stream = io.StringIO()
    writer.dump(tables.plain(settings), stream)
    return stream.getvalue()
