"""How every figure is drawn: one style, a palette safe for the colour-blind, and SVG that is the same twice."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter

from prognoscope.report.legible import one_line
from prognoscope.validation.results import Curve

INK = "#1c2127"
SOFT = "#59636e"
RULE = "#dde2e7"
Dash = str | tuple[float, tuple[float, ...]]

# Okabe and Ito's blue, vermilion, green and purple, the last two darker to stand out on white; each line has a dash of
# its own too, so that the figures can be read in print without colour.
COLOURS = ("#0072B2", "#D55E00", "#007A5A", "#A5508A", "#8A6D00", "#1C2127")
DASHES: tuple[Dash, ...] = (
    "solid",
    (0.0, (5.0, 1.8)),
    (0.0, (1.4, 1.4)),
    (0.0, (6.0, 1.6, 1.4, 1.6)),
    (0.0, (3.0, 1.5)),
    (0.0, (1.0, 2.4)),
)
CHANCE_DASH: Dash = (0.0, (4.0, 3.0))

STYLE: dict[str, object] = {
    "svg.hashsalt": "prognoscope",
    "svg.fonttype": "none",  # text stays text: crisp, selectable, in the page's own font
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 2.0,
    "text.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure of the page: its SVG, its caption, and what a reader who cannot see it is told."""

    key: str
    title: str
    description: str
    caption: str
    svg: str


def draw(
    paint: Callable[[Canvas], None], *, key: str, title: str, description: str, caption: str, size: tuple[float, float]
) -> Drawing:
    """Let `paint` fill a canvas of `size` inches and return it as a drawing with a text alternative."""
    with matplotlib.style.context(["default", STYLE]), warnings.catch_warnings():
        # A name may be written in any script: the reader's browser has its font, matplotlib need not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        canvas = Canvas(figsize=size, layout="constrained")
        paint(canvas)
        stream = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(canvas).print_svg(stream, metadata=nothing)  # type: ignore[no-untyped-call]
    svg = _embedded(stream.getvalue(), key, one_line(title), one_line(description))
    return Drawing(key, title, description, caption, svg)


def _embedded(text: str, key: str, title: str, description: str) -> str:
    """Make an SVG file fit to stand inside a page: no prolog, no style for the whole page, names of its own."""
    body = text[text.index("<svg") :]
    body = re.sub(r"<(metadata|style)\b[^>]*>.*?</\1>", "", body, flags=re.DOTALL)
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", body))
    body = re.sub(r' id="([^"]+)"', lambda hit: f' id="{key}-{hit[1]}"' if hit[1] in used else "", body)
    body = re.sub(r"(href=\"#|url\(#)", rf"\g<1>{key}-", body)
    view = re.search(r'viewBox="(0 0 ([\d.]+) [\d.]+)"', body)
    assert view is not None, "matplotlib's SVG has a viewBox"
    width_rem = float(view[2]) / 12
    opening = (
        f'<svg role="img" aria-labelledby="{key}-title {key}-text" viewBox="{view[1]}" '
        f'style="max-width: {width_rem:.2f}rem" xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-text">{escape(description)}</desc>'
    )
    return opening + body[body.index(">") + 1 :].strip()


def colour(place: int) -> str:
    """Colour of the model at a place in the evaluation's order."""
    return COLOURS[place % len(COLOURS)]


def line(axes: Axes, curve: Curve, place: int, *, label: str = "") -> None:
    """Draw a curve in the colour and dash of its place."""
    axes.plot(curve.x, curve.y, color=colour(place), linestyle=DASHES[place % len(DASHES)], label=label or None)


def band(axes: Axes, curve: Curve, place: int) -> None:
    """Draw a curve's interval in the colour of its place; nothing where it has none."""
    if curve.low:
        axes.fill_between(curve.x, curve.low, curve.high, color=colour(place), alpha=0.14, linewidth=0)


def chance_diagonal(axes: Axes) -> None:
    """Draw the diagonal of the unit square."""
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=CHANCE_DASH)


def unit_square(axes: Axes, reach: float = 1.0) -> None:
    """Give both axes the range from 0 to 100 %, or to another reach, equal in length."""
    ticks = [quarter * reach / 4 for quarter in range(5)]
    ends = (-0.02 * reach, 1.02 * reach)
    axes.set(xlim=ends, ylim=ends, aspect="equal", xticks=ticks, yticks=ticks)
    percent_axis(axes, x=True, y=True)
    quiet_grid(axes)


def percent_axis(axes: Axes, *, x: bool = False, y: bool = False) -> None:
    """Write shares from 0 to 1 as per cent along one or both axes."""
    written = FuncFormatter(lambda value, _: f"{value * 100:.0f} %".replace("-", "−"))
    if x:
        axes.xaxis.set_major_formatter(written)
    if y:
        axes.yaxis.set_major_formatter(written)


def quiet_grid(axes: Axes) -> None:
    """Draw a light grid behind the data."""
    axes.grid(visible=True, color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, width=0.8)


def shortened(text: str, length: int) -> str:
    """Return a label of at most `length` characters on one line; the tables have it whole."""
    whole = one_line(text)
    return whole if len(whole) <= length else f"{whole[: length - 1].rstrip()}…"


def wrapped(text: str, width: int) -> str:
    """Return a label on at most two lines of `width` characters; the tables have it whole."""
    return "\n".join(textwrap.wrap(one_line(text), width, max_lines=2, placeholder="…"))
