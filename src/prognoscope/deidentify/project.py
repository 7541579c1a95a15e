"""What a project's secret makes of identifiers: the same answer every time, and no way back without the secret.

Each value is HMAC-SHA-256 (RFC 2104) of the identifier under the project's secret, with its purpose in front, so that
equal numbers in different roles give unrelated results.
"""

from __future__ import annotations

import functools
import hmac
import uuid
from dataclasses import dataclass, field
from hashlib import sha256

SHORTEST_SHIFT_DAYS = 365
LONGEST_SHIFT_DAYS = 3650
# Crockford's base 32: no letter that is read as a digit, no vowels in a row that spell a word by chance.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PSEUDONYM_LETTERS = 12


@dataclass(frozen=True, slots=True)
class Project:
    """A project: one secret of at least 16 bytes, from which all its pseudonyms follow."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError("a project's secret has at least 16 bytes")

    def uid(self, original: str) -> str:
        """Replacement for a DICOM UID: a UUID-derived UID (PS3.5 B.2) of at most 44 characters."""
        return _uid(self.secret, original.strip("\0 "))

    def patient(self, original: str) -> str:
        """Pseudonym for a patient ID: `P` and 12 letters or digits (60 bits); outer blanks don't count."""
        return "P" + _letters(self.digest("patient", original.strip("\0 ")), _PSEUDONYM_LETTERS)

    def shift_days(self, original: str) -> int:
        """Days added to every date of a patient: one number for all of them, between 1 and 10 years back."""
        number = int.from_bytes(self.digest("date shift", original.strip("\0 "))[:8], "big")
        return -(SHORTEST_SHIFT_DAYS + number % (LONGEST_SHIFT_DAYS - SHORTEST_SHIFT_DAYS + 1))

    def token(self, purpose: str, original: str, *, letters: int = 12) -> str:
        """Short stable name for something that must not be named: a file, a table, a resource."""
        return _letters(self.digest(purpose, original), letters)

    def derived(self, purpose: str) -> bytes:
        """Return a 32-byte key for another use, from which the secret can't be found."""
        return self.digest("key", purpose)

    def digest(self, purpose: str, text: str) -> bytes:
        """HMAC-SHA-256 of a text in one role, 32 bytes."""
        message = purpose.encode() + b"\0" + text.encode("utf-8", "surrogateescape")
        return hmac.new(self.secret, message, sha256).digest()


@functools.lru_cache(maxsize=65_536)
def _uid(secret: bytes, original: str) -> str:
    digest = hmac.new(secret, b"uid\0" + original.encode("utf-8", "surrogateescape"), sha256).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"


def _letters(digest: bytes, count: int) -> str:
    number = int.from_bytes(digest, "big")
    return "".join(_LETTERS[(number >> (5 * place)) & 31] for place in range(count))
