"""Templates of the page: the words and figures that they may use, and how text from data is made safe."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from prognoscope.report.glossary import guard_words, in_words, metric_words, reason_words
from prognoscope.report.legible import legible
from prognoscope.report.rounding import capital, count, figure, joined, sentence, span, unit, with_interval


@cache
def environment() -> Environment:
    """Return the environment of the page's templates: everything is escaped, and what is not given is an error."""
    made = Environment(
        loader=PackageLoader("prognoscope.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters.update(
        capital=capital,
        count=count,
        figure=figure,
        guard_words=guard_words,
        in_words=in_words,
        joined=joined,
        metric_words=metric_words,
        reason_words=reason_words,
        sentence=sentence,
        span=span,
        unit=unit,
        with_interval=with_interval,
    )
    return made


def _shown(value: object) -> object:
    """Make every text that comes from data legible; markup is ours and passes as it is."""
    return legible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
