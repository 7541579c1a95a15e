"""Which text in a picture identifies someone, and where to cover it.

A line stays only when all of it is the vocabulary of imaging (side markers, units, settings) and nobody in the study
is called so. Everything else, an unknown word above all, is covered: it may be a name that the header never had.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.company import technical
from prognoscope.deidentify.dates import WRITTEN
from prognoscope.deidentify.identity import Identity
from prognoscope.deidentify.ocr import Line, Reader
from prognoscope.deidentify.text import Cleaner

Box = tuple[int, int, int, int]
SURE_SCORE = 0.5
SURE_WHERE_FAINT, SHORTEST_WHERE_FAINT = 0.8, 3
LARGEST_SHARE = 0.3  # of a picture may be covered; above that it is a page of text, not an image
MOST_COVERINGS = 3
SURROUNDINGS, STROKE, FAINT_GAIN = 31, 0.8, 40.0  # pixels, pixels, grey levels for one standard deviation
FAR_OFF, USUAL_SHARE = 0.1, 0.25  # per cent of the cells at either end; of the range for the others
COLOURED = 64  # levels between channels, below which a picture is grey
MOST_STRETCHES = 8  # of frames, each read as its brightest projection
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_IDEOGRAPH = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_LONG_NUMBER = re.compile(r"\d{5,}")


@dataclass(frozen=True, slots=True)
class Covering:
    """Boxes to cover in every frame; empty when no identifier was read."""

    boxes: tuple[Box, ...]


def find_identifiers(frames: Sequence[NDArray[np.uint8]], cleaner: Cleaner, reader: Reader) -> Covering:
    """Read pictures and say where identifiers stand.

    Parameters
    ----------
    frames
        Pictures `(rows, columns, 3)` of one size that show the same screen. The first is read, the brightest
        projection of each stretch of them (so that a name in a single frame is seen) and the darkest of all; the first
        and the brightest projection of all once more with what is faint brought out.
    cleaner
        Knows the people of the study.
    reader
        Finds text.

    Raises
    ------
    Refused
        `pixels-in-doubt` when text was found that can't be read with confidence, or covers much of the picture.
    """
    boxes: set[Box] = set()
    for picture, faint in _to_read(frames):
        for line in reader(picture):
            if not identifies(line.text, cleaner) or (faint and not _sure(line)):
                continue
            if line.score < SURE_SCORE and len(_letters_and_digits(line.text)) >= 4:
                raise doubt(f"text was found that can't be read (confidence {line.score:.2f})")
            boxes.add(line.box)
    rows, columns = frames[0].shape[:2]
    if _share(boxes, rows, columns) > LARGEST_SHARE:
        raise doubt(f"identifying text covers more than {LARGEST_SHARE:.0%} of the picture")
    return Covering(tuple(sorted(boxes)))


def _sure(line: Line) -> bool:
    """Whether a line read where faint things were brought out is text: ribs and noise look like signs there."""
    return line.score >= SURE_WHERE_FAINT and len(_letters_and_digits(line.text)) >= SHORTEST_WHERE_FAINT


def cover_until_clean(
    look: Callable[[], Sequence[NDArray[np.uint8]]],
    cover: Callable[[tuple[Box, ...]], None],
    *,
    cleaner: Cleaner,
    reader: Reader,
) -> bool:
    """Cover identifying text and read again until nothing is found: a line may show only when its neighbour is gone.

    Parameters
    ----------
    look
        Gives the pictures as they are now.
    cover
        Covers boxes in all of them.

    Returns
    -------
    Whether anything was covered.

    Raises
    ------
    Refused
        `pixels-in-doubt`, also when text is found after the third covering.
    """
    for already in range(MOST_COVERINGS + 1):
        boxes = find_identifiers(look(), cleaner, reader).boxes
        if not boxes:
            return already > 0
        if already < MOST_COVERINGS:
            cover(boxes)
    raise doubt("identifying text is still found after it was covered")


def as_picture(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey or colour pixels of any depth as a picture `(rows, columns, 3)`, spread over their range.

    A few cells far off (a hot one, a marker) do not count: between them everything else would be one grey.
    """
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        usual = np.percentile(pixels, [FAR_OFF, 100 - FAR_OFF])
        if usual[1] - usual[0] < USUAL_SHARE * (high - low) and usual[1] > usual[0]:
            low, high = (float(end) for end in usual)
        spread = (np.clip(pixels, low, high) - low) * (255 / (high - low if high > low else 1.0))
        pixels = np.rint(spread).astype(np.uint8)
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def identifies(text: str, cleaner: Cleaner) -> bool:
    """Whether a line read from pixels may identify someone.

    A line of fewer than two letters or digits says nothing, unless it is an ideograph.
    """
    plain = _letters_and_digits(text)
    if _IDEOGRAPH.search(plain):
        return True
    if len(plain) < 2:
        return False
    if WRITTEN.search(text) or _TIME.search(text) or _LONG_NUMBER.search(text):
        return True
    if any(known in plain for known in _known(cleaner.identity)):
        return True
    if not _short_names(cleaner.identity).isdisjoint(re.findall(r"[^\W\d_]+", text.upper())):
        return True
    if cleaner.clean(text, free=True) != text:
        return True  # a phone number, whose word alone could be of imaging
    return not all(technical(run) for run in re.findall(r"[A-ZÀ-ÖØ-Þ]+", text.upper()))


def doubt(found: str) -> Refused:
    """Make the refusal of an object whose pixels could not be cleaned with certainty."""
    return refuse(
        "pixels-in-doubt",
        subject="file",
        found=found,
        remedy="look at its thumbnail in the private folder; cover it by hand, or leave it out",
    )


def _known(identity: Identity) -> frozenset[str]:
    words = {_letters_and_digits(part) for name in identity.names for part in re.split(r"[\^= ]", name)}
    words |= {_letters_and_digits(known) for known in identity.ids}
    return frozenset(word for word in words if len(word) >= 4)


def _short_names(identity: Identity) -> frozenset[str]:
    """Names of three letters, which count as words of their own."""
    parts = {part.upper() for name in identity.names for part in re.split(r"[\^= \-]", name)}
    return frozenset(part for part in parts if len(part) == 3 and part.isalpha())


def _letters_and_digits(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).upper()


def _to_read(frames: Sequence[NDArray[np.uint8]]) -> list[tuple[NDArray[np.uint8], bool]]:
    """Pictures to read, none twice, and whether each has what is faint brought out."""
    plain, brightest = [frames[0]], frames[0]
    if len(frames) > 1:
        stack = np.stack(frames)
        stretches = [stretch.max(axis=0) for stretch in np.array_split(stack, min(len(frames), MOST_STRETCHES))]
        plain += [*stretches, stack.min(axis=0)]
        brightest = np.stack(stretches).max(axis=0)
    faint = [brought_out(picture) for picture in (frames[0], brightest)]
    coloured = [saturation(picture) for picture in (frames[0], brightest) if saturation(picture).max() > COLOURED]
    pictures = [*((picture, False) for picture in plain), *((picture, True) for picture in [*faint, *coloured])]
    return list({picture.tobytes(): (picture, faint) for picture, faint in pictures}.values())


def brought_out(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring faint text out: what differs from its surroundings, spread over the range of the picture.

    Unsharp masking: the picture a little smoothed, less its mean over `SURROUNDINGS` pixels, scaled by the standard
    deviation of that difference. A reader misses letters whose contrast is below a tenth of the range.
    """
    from scipy.ndimage import gaussian_filter, uniform_filter  # takes a while, and few objects are read

    grey = picture.astype(np.float32).mean(axis=2)
    detail = gaussian_filter(grey, STROKE) - uniform_filter(grey, SURROUNDINGS)
    spread = max(float(detail.std()), 1e-3)
    shown = np.clip(128 + detail * (FAINT_GAIN / spread), 0, 255).astype(np.uint8)
    return np.repeat(shown[:, :, None], 3, axis=2)


def saturation(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how far the channels lie apart, as a picture: red letters on grey are as bright as their ground."""
    apart = picture.max(axis=2) - picture.min(axis=2)
    return np.repeat(apart[:, :, None], 3, axis=2)


def _share(boxes: set[Box], rows: int, columns: int) -> float:
    covered = np.zeros((rows, columns), dtype=bool)
    for top, left, bottom, right in boxes:
        covered[top:bottom, left:right] = True
    return float(covered.mean())
