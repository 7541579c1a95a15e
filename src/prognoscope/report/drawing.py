"""How every figure is drawn: one style, a palette safe for the colour-blind, and SVG that is the same twice."""

from __future__ import annotations

import io
import re
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

INK = "#1c2127"
SOFT = "#59636e"
RULE = "#d5dae0"
# Okabe and Ito's colours that stand out on white; each line has a dash of its own too, for print without colour.
MODEL_COLOURS = ("#0072B2", "#D55E00", "#007A5A", "#A5508A", "#8A6D00", "#1c2127")
MODEL_DASHES: tuple[str | tuple[float, tuple[float, ...]], ...] = (
    "solid",
    (0.0, (5.0, 1.8)),
    (0.0, (1.4, 1.4)),
    (0.0, (6.0, 1.6, 1.4, 1.6)),
    (0.0, (3.0, 1.5)),
    (0.0, (1.0, 2.4)),
)

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
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.unicode_minus": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.9,
    "text.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure of the page: its SVG, and what a reader who cannot see it is told."""

    key: str
    title: str
    description: str
    svg: str
    caption: str = ""


def draw(
    paint: Callable[[Canvas], None],
    *,
    key: str,
    title: str,
    description: str,
    caption: str = "",
    size: tuple[float, float],
) -> Drawing:
    """Let `paint` fill a canvas of `size` inches and return it as a drawing with a text alternative."""
    with matplotlib.style.context(["default", STYLE]), warnings.catch_warnings():
        # A name may be written in any script: the reader's browser has its font, matplotlib need not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        canvas = Canvas(figsize=size, layout="constrained")
        paint(canvas)
        stream = io.StringIO()
        FigureCanvasSVG(canvas).print_svg(  # type: ignore[no-untyped-call]
            stream, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return Drawing(key, title, description, _embedded(stream.getvalue(), key, title, description), caption)


def _embedded(text: str, key: str, title: str, description: str) -> str:
    """Make an SVG file fit to stand inside a page: no prolog, no style for the whole page, names of its own."""
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", body))
    body = re.sub(r' id="([^"]+)"', lambda hit: f' id="{key}-{hit[1]}"' if hit[1] in used else "", body)
    body = re.sub(r"(href=\"#|url\(#)", rf"\g<1>{key}-", body)
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', body)
    assert view is not None, "matplotlib's SVG has a viewBox"
    opening = (
        f'<svg role="img" aria-labelledby="{key}-title {key}-text" viewBox="{view[0][9:-1]}" '
        f'style="max-width:{float(view[1]) * 4 / 3:.0f}px" xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink"><title id="{key}-title">{escape(one_line(title))}</title>'
        f'<desc id="{key}-text">{escape(one_line(description))}</desc>'
    )
    return opening + body[body.index(">") + 1 :].strip()


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
    """Return a label of at most `length` characters; the table beside the figure has it whole."""
    line = one_line(text)
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"
