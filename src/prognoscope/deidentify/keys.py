"""The project's key file: made once, kept apart from data and results, readable by its owner only."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from prognoscope.core.problems import refuse
from prognoscope.deidentify.project import Project

_HEADER = "prognoscope project key 1"
_BYTES = 32


def create_key(path: Path) -> Project:
    """Write a new random key (256 bits) that only its owner may read.

    Raises
    ------
    Refused
        `key-exists` when the file is there: overwriting a key would cut all earlier pseudonyms off.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = secrets.token_bytes(_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise refuse(
            "key-exists",
            subject=str(path),
            found="a key is there already",
            remedy="use it, or name another file; a lost key can't be made again",
        ) from error
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(f"{_HEADER}\n{base64.b64encode(secret).decode()}\n")
    return Project(secret)


def read_key(path: Path) -> Project:
    """Read a project's key.

    Raises
    ------
    Refused
        `key-missing`, `key-damaged`, or `key-open` when others than the owner may read the file.
    """
    if not path.is_file():
        raise refuse(
            "key-missing",
            subject=str(path),
            found="there is no key file",
            remedy="make one with `prognoscope keys new`, or name the project's own",
        )
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise refuse(
            "key-open",
            subject=str(path),
            found="others than its owner may read it",
            remedy="take their rights away (chmod 600) and consider whether the key is still secret",
        )
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    try:
        secret = base64.b64decode(lines[1], validate=True) if lines[:1] == [_HEADER] and len(lines) > 1 else b""
    except binascii.Error:
        secret = b""
    if len(secret) != _BYTES:
        raise refuse(
            "key-damaged",
            subject=str(path),
            found="it is no key of this program, or it was changed",
            remedy="restore it from its backup",
        )
    return Project(secret)


def fingerprint(project: Project) -> str:
    """Short public name of a key, by which a person sees that two runs used the same one."""
    return project.token("fingerprint", "", letters=8)
