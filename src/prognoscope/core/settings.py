"""The base of every settings class: frozen, closed, and helpful about a key it does not know."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

LONGEST_TOLD = 60  # characters of a word that is repeated in a message


class Settings(BaseModel):
    """Settings of a part: values that cannot change, with units in names or descriptions and no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = cls.keys()
            for key in data:
                if key not in known:
                    raise unknown_word("key", str(key), known)
        return data

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Names under which the fields are written in a file, in their order."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like `word`, or None when nothing is near."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown_word(what: str, word: str, known: Iterable[str]) -> PydanticCustomError:
    """Make the validation error for a word that is not in a closed list, naming the nearest one that is."""
    words = tuple(known)
    near = nearest(word, words)
    hint = f"did you mean “{near}”?" if near else f"known are: {', '.join(words)}"
    told = word if len(word) <= LONGEST_TOLD else f"{word[:LONGEST_TOLD]}…"
    return PydanticCustomError("unknown_word", "{text}", {"text": f"unknown {what} “{told}”; {hint}", "word": word})
