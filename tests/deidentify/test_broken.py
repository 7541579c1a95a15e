"""Broken bytes end in a refusal of their file, and nothing else does."""

from __future__ import annotations

import pytest

from prognoscope.core.problems import Refused
from prognoscope.deidentify.dicom import broken_is_refused

# A decoder written in Rust panics with a class of this name below BaseException; pylibjpeg-rle does for a broken frame.
PanicException = type("PanicException", (BaseException,), {})


@pytest.mark.parametrize(
    "error", [EOFError(), RuntimeError("no decoder"), RecursionError(), ValueError(), PanicException()]
)
def test_what_decoders_raise_for_broken_bytes_refuses_the_file(error: BaseException) -> None:
    with pytest.raises(Refused) as refused, broken_is_refused():
        raise error
    assert refused.value.problem.code == "dicom-unreadable"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, ZeroDivisionError])
def test_what_has_nothing_to_do_with_the_bytes_goes_on(error: type[BaseException]) -> None:
    with pytest.raises(error), broken_is_refused():
        raise error
