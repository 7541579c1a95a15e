"""Pictures (JPEG, PNG): what they are, checked before anyone decodes them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from prognoscope.core.problems import refuse

LARGEST_PIXELS = 1 << 28
KINDS = ("JPEG", "PNG")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's kind, rows, columns, and how its pixels are to be read (`L`, `I;16`, `RGB`, …)."""

    kind: str
    rows: int
    columns: int
    mode: str

    @property
    def photometric(self) -> str:
        """DICOM's word for it (PS3.3 C.7.6.3.1.2): 0 is black in both formats, so grey pictures are MONOCHROME2."""
        if self.mode in ("1", "L", "LA", "I", "F") or self.mode.startswith("I;"):
            return "MONOCHROME2"
        return {"P": "PALETTE COLOR", "PA": "PALETTE COLOR", "RGBA": "RGB"}.get(self.mode, self.mode)


def inspect_picture(data: bytes, *, subject: str) -> Picture:
    """Read a picture's header and check its integrity as far as the format allows.

    Raises
    ------
    Refused
        `picture-damaged`, `picture-too-large`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size is judged here, by our own limit
            with Image.open(BytesIO(data), formats=KINDS) as image:
                found = Picture(str(image.format), image.height, image.width, image.mode)
                image.verify()
    except Image.DecompressionBombError as cause:
        raise refuse(
            "picture-too-large", subject=subject, found=str(cause)[:200], remedy="crop it, or leave it out"
        ) from cause
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as cause:
        raise refuse(
            "picture-damaged",
            subject=subject,
            found=f"it cannot be read ({str(cause)[:200]})",
            remedy="copy it again from its source",
        ) from cause
    if found.rows * found.columns > LARGEST_PIXELS:
        raise refuse(
            "picture-too-large",
            subject=subject,
            found=f"it has {found.rows * found.columns:,} pixels, more than {LARGEST_PIXELS:,}",
            remedy="crop it, or leave it out",
        )
    return found
