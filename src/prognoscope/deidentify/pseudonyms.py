"""The table from pseudonyms back to people: encrypted with a key derived from the project's, kept out of the results.

Pseudonyms follow from the key alone, so this table is needed only to lead back (an incidental finding, a withdrawal).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from prognoscope.core.problems import refuse
from prognoscope.deidentify.project import Project


@dataclass(frozen=True, slots=True)
class PseudonymTable:
    """Originals by pseudonym: patient IDs, and relative paths of the files by their new names."""

    patients: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: PseudonymTable) -> PseudonymTable:
        return PseudonymTable({**self.patients, **other.patients}, {**self.files, **other.files})


def save_table(table: PseudonymTable, path: Path, project: Project) -> None:
    """Encrypt the table (Fernet: AES-128-CBC with HMAC-SHA-256) and write it whole, readable by its owner only."""
    plain = json.dumps({"patients": dict(table.patients), "files": dict(table.files)}, sort_keys=True).encode()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(path.name + ".part")
    partial.touch(mode=0o600)
    with partial.open("wb") as stream:
        stream.write(_cipher(project).encrypt(plain))
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def load_table(path: Path, project: Project) -> PseudonymTable:
    """Decrypt a table; an empty one where there is none.

    Raises
    ------
    Refused
        `pseudonyms-key` when the key is another project's or the table was changed.
    """
    if not path.is_file():
        return PseudonymTable()
    try:
        plain = _cipher(project).decrypt(path.read_bytes())
    except InvalidToken as error:
        raise refuse(
            "pseudonyms-key",
            subject=str(path),
            found="it can't be opened with this key",
            remedy="name the key with which the table was written",
        ) from error
    held = json.loads(plain)
    return PseudonymTable(held["patients"], held["files"])


def _cipher(project: Project) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(project.derived("pseudonym table")))
