"""YAML with line numbers: read a settings file, check it against a settings class, name the line of each mistake."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from prognoscope.core.problems import Problem, Refused, refuse

LARGEST_FILE = 1 << 20
DEEPEST = 20
MOST_NODES = 100_000
MISSING = "this key is missing"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values, and the tree that knows the lines."""

    path: Path
    values: dict[str, Any]
    tree: CommentedMap

    def path_to(self, location: Sequence[str | int]) -> tuple[Location, int, Any]:
        """Return the part of `location` that stands in the file, its line (from 1) and the node there.

        What pydantic adds to a location (the member of a union) is not in the file and is left out.
        """
        node: Any = self.tree
        line = 1
        steps: list[str | int] = []
        for step in location:
            if isinstance(node, CommentedMap) and step in node:
                line = node.lc.key(step)[0] + 1
            elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
                line = node.lc.item(step)[0] + 1
            else:
                continue
            node = node[step]
            steps.append(step)
        return tuple(steps), line, node

    def line(self, location: Sequence[str | int]) -> int:
        """Return the line (from 1) of the deepest part of `location` that stands in the file."""
        return self.path_to(location)[1]

    def problem(self, location: Sequence[str | int], found: str) -> Problem:
        """Return the problem of one place of the file."""
        steps, line, _ = self.path_to(location)
        missing = location[-1:] if location and location[-1] not in steps[-1:] and found == MISSING else ()
        where = ": ".join(str(step) for step in (*steps, *missing) if not isinstance(step, int))
        return Problem(
            "study-file",
            f"{self.path.name}, line {line}",
            f"{where}: {found}" if where else found,
            "correct the line; every key is described in docs/study-file.md",
        )


def read_document(path: Path) -> Document:
    """Read a YAML file whose top is a mapping.

    Raises
    ------
    Refused
        `study-file-missing`, `study-file` for what is not YAML or not a mapping, with the line.
    """
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise refuse(
            "study-file-missing",
            subject=str(path),
            found=f"it cannot be read ({cause.strerror})",
            remedy="give the path of a study file; `prognoscope init FOLDER` writes one",
        ) from cause
    except UnicodeDecodeError as cause:
        raise refuse(
            "study-file", subject=path.name, found="it is not UTF-8 text", remedy="save it as UTF-8"
        ) from cause
    if size > LARGEST_FILE:
        raise refuse("study-file", subject=path.name, found=f"{size} bytes", remedy="a study file stays below 1 MiB")
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except YAMLError as cause:
        raise Refused(_yaml_problem(path, cause)) from cause
    except RecursionError as cause:
        raise _too_much(path) from cause
    if not isinstance(tree, CommentedMap):
        raise refuse(
            "study-file",
            subject=f"{path.name}, line 1",
            found="the file is not a mapping of keys to values",
            remedy="begin with `question: …`; `prognoscope init FOLDER` writes a file to start from",
        )
    return Document(path, _plain(tree, path, itertools.count()), tree)


def expand(text: str, *, document: Document, location: Location) -> str:
    """Replace `${NAME}` by environment variables.

    Raises
    ------
    Refused
        `variable-unset`, naming the line and the variable.
    """

    def value(match: re.Match[str]) -> str:
        if not os.environ.get(match[1]):
            raise refuse(
                "variable-unset",
                subject=f"{document.path.name}, line {document.line(location)}",
                found=f"the environment variable {match[1]} is not set",
                remedy=f"set it to the folder of the data: `export {match[1]}=/path/to/data`",
            )
        return os.environ[match[1]]

    return _VARIABLE.sub(value, text)


def problems_of(error: ValidationError, document: Document, prefix: Location = ()) -> list[Problem]:
    """Return one problem with its line for each mistake that pydantic found."""
    problems = []
    for mistake in error.errors(include_url=False, include_input=False):
        location = (*prefix, *mistake["loc"])
        context = mistake.get("ctx", {})
        if mistake["type"] == "too_short" and document.path_to(location)[2]:
            continue  # its entries were refused one by one
        if "word" in context:
            problems.append(document.problem((*location, context["word"]), context["text"]))
        else:
            problems.append(document.problem(location, _sentence(mistake["msg"])))
    return problems


def refuse_all(problems: Sequence[Problem]) -> Refused:
    """Make one refusal of all mistakes of a file, so that they can be corrected in one go."""
    first = problems[0]
    if len(problems) == 1:
        return Refused(first)
    rest = "".join(f"\n  {problem.subject}: {problem.found}" for problem in problems[1:])
    return refuse(first.code, subject=first.subject, found=first.found + rest, remedy=first.remedy)


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return {"Field required": MISSING}.get(text, text[:1].lower() + text[1:])


def _yaml_problem(path: Path, cause: YAMLError) -> Problem:
    line, what = 1, str(cause).split("\n", maxsplit=1)[0]
    if isinstance(cause, MarkedYAMLError):
        line = cause.problem_mark.line + 1 if cause.problem_mark is not None else line
        what = str(cause.problem or what)
    return Problem(
        "study-file", f"{path.name}, line {line}", what, "correct the YAML of the line (indentation, quotes)"
    )


def _too_much(path: Path) -> Refused:
    return refuse(
        "study-file",
        subject=path.name,
        found=f"it is nested deeper than {DEEPEST}, or its aliases unfold to more than {MOST_NODES} values",
        remedy="flatten the file",
    )


def _plain(node: Any, path: Path, seen: Iterator[int], depth: int = 0) -> Any:
    if depth > DEEPEST or next(seen) > MOST_NODES:
        raise _too_much(path)
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value, path, seen, depth + 1) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value, path, seen, depth + 1) for value in node]
    if isinstance(node, str):
        return str(node)
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    return float(node) if isinstance(node, float) else str(node)
