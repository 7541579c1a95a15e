"""Draw the chain from anything in the store, or made by it, back to the source files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prognoscope.core import hashing
from prognoscope.jobs.query import existing
from prognoscope.store import Step
from prognoscope.store import history as chain

FILES_SHOWN = 3
WIDTH = 160


def history(wanted: str, *, store: str | Path, patient: str = "") -> Step:
    """Draw the chain of one thing.

    Parameters
    ----------
    wanted
        A hash (eight characters suffice), a UID, a patient's ID, or the path of a file: `predictions.csv` of a run.
    store
        The store's folder.
    patient
        Follow only what concerns this patient.

    Raises
    ------
    Refused
        `store-missing`, `history-unknown`.
    """
    path = Path(wanted)
    name = hashing.of_file(path) if path.is_file() else wanted
    with existing(store) as opened:
        return chain(opened, name, patient=patient)


def as_lines(step: Step, *, all_files: bool = False) -> list[str]:
    """The chain as an indented list: of many files of one step the first are shown, and every step in full once."""
    return list(_lines(step, "", set(), all_files=all_files))


def _lines(step: Step, indent: str, drawn: set[tuple[str, str]], *, all_files: bool) -> Iterator[str]:
    title = f"{indent}{step.what}{f' {step.id[:12]}' if len(step.id) == 64 else f' {step.id}' if step.id else ''}"
    if step.what != "file" and step.id and (step.what, step.id) in drawn:
        yield f"{title}, as above"
        return
    drawn.add((step.what, step.id))
    yield title
    for name, value in step.facts:
        yield f"{indent}    {name}: {_short(value)}"
    files = [one for one in step.made_from if not one.made_from and one.what == "file"]
    hidden = set() if all_files else {id(one) for one in files[FILES_SHOWN:]}
    for one in step.made_from:
        if id(one) not in hidden:
            yield from _lines(one, f"{indent}  ", drawn, all_files=all_files)
    if hidden:
        yield f"{indent}  … and {len(hidden)} more files (--all shows them)"


def as_json(step: Step) -> dict[str, object]:
    """The chain as nested objects."""
    return {
        "what": step.what,
        "id": step.id,
        "facts": [{"name": name, "value": value} for name, value in step.facts],
        "made_from": [as_json(one) for one in step.made_from],
    }


def _short(value: str) -> str:
    return value if len(value) <= WIDTH else f"{value[:WIDTH]}…"
