"""pydicom without its voice: its warnings quote values, which may be names."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom import config


@contextmanager
def quiet() -> Iterator[None]:
    """Let pydicom read what breaks small rules, and say nothing: its messages quote values, which may be names."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    with config.disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.disabled = True
        try:
            yield
        finally:
            logger.disabled = before
