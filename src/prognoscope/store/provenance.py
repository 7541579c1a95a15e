"""Where something came from: the chain from a result, a series or a file back to the source files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, or_, select

from prognoscope.core import hashing
from prognoscope.core.problems import refuse
from prognoscope.store.catalogue import (
    ARRIVALS,
    FILES,
    INSTANCES,
    LINEAGE,
    OBJECTS,
    QUARANTINE,
    RESULTS,
    SERIES,
    SNAPSHOTS,
    SOURCES,
    VOLUMES,
)
from prognoscope.store.records import series_from_json
from prognoscope.store.store import Store

SHORTEST = 8
DEEPEST = 12
PATIENT_ROLE = "patient "


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain.

    Attributes
    ----------
    what
        What it is: a stage, an artefact, a series, a file.
    id
        Its hash or UID.
    facts
        `(name, value)` of what is known: version, settings, code version, date, source, licence.
    made_from
        The steps before it.
    """

    what: str
    id: str
    facts: tuple[tuple[str, str], ...] = ()
    made_from: tuple[Step, ...] = field(default=())

    @property
    def bare(self) -> bool:
        """Whether nothing is known of it but its hash: a setting or a seed, which is no artefact."""
        return not (self.facts or self.made_from)

    def leaves(self) -> Iterator[Step]:
        """Yield the ends of the chain."""
        if not self.made_from:
            yield self
        for step in self.made_from:
            yield from step.leaves()


def history(store: Store, wanted: str, *, patient: str = "") -> Step:
    """Draw the chain back to the source files.

    Parameters
    ----------
    wanted
        An artefact's or file's SHA-256, the key of a stage's result, a snapshot's ID (eight characters suffice of each)
        or its name, a SOPInstanceUID, a SeriesInstanceUID, or a patient's ID.
    patient
        Follow only what concerns this patient, where a step was made from many.

    Raises
    ------
    Refused
        `history-unknown` when nothing in the store has that name.
    """
    walker = _Walker(store, patient)
    found = walker.named(wanted)
    if found is None:
        raise refuse(
            "history-unknown",
            subject=wanted,
            found="nothing in the store has this hash, UID, name of a snapshot or patient ID",
            remedy="give a file that the store made or took in, a UID, a snapshot, 8 characters of a hash or a "
            "patient ID",
        )
    return found


class _Walker:
    def __init__(self, store: Store, patient: str) -> None:
        self._store, self._patient = store, patient
        self._results: list[Row[Any]] | None = None

    def named(self, wanted: str) -> Step | None:
        if len(wanted) >= SHORTEST and (whole := self._completed(wanted)):
            return self._of_hash(whole, 0)
        with self._store.database.reading() as connection:
            by_uid = select(INSTANCES.c.sha256).where(INSTANCES.c.sop_uid == wanted)
            if sha256 := connection.execute(by_uid).scalar():
                return self._of_hash(str(sha256), 0)
            matches = or_(SERIES.c.series_uid == wanted, SERIES.c.uid == wanted, SERIES.c.patient_id == wanted)
            rows = connection.execute(select(SERIES).where(matches).order_by(SERIES.c.modality, SERIES.c.uid)).all()
        if not rows:
            frozen = next((one.id for one in self._store.snapshots.all() if one.name == wanted), None)
            return self._of_hash(frozen, 0) if frozen else None
        steps = tuple(self._of_series(row) for row in rows)
        return steps[0] if len(steps) == 1 else Step("patient", wanted, (("series", str(len(steps))),), steps)

    def _completed(self, start: str) -> str | None:
        """The whole hash that begins so."""
        columns = (RESULTS.c.key, OBJECTS.c.sha256, SNAPSHOTS.c.id, SERIES.c.key, LINEAGE.c.made, ARRIVALS.c.sha256)
        with self._store.database.reading() as connection:
            for column in columns:
                query = select(column).where(column.startswith(start, autoescape=True)).limit(1)
                if found := connection.execute(query).scalar():
                    return str(found)
            outputs = select(RESULTS.c.outputs).where(RESULTS.c.outputs.contains(f'"{start}', autoescape=True))
            for text in connection.execute(outputs).scalars():
                return next(str(name) for name in json.loads(text).values() if name.startswith(start))
        return None

    def _of_hash(self, name: str, depth: int, role: str = "") -> Step:
        if depth > DEEPEST:
            return Step(role or "value", name, (("note", "the chain goes on beyond this depth"),))
        with self._store.database.reading() as connection:
            if made := self._maker(name):
                return self._of_result(made, name, depth, role)
            snapshot = connection.execute(select(SNAPSHOTS).where(SNAPSHOTS.c.id == name).limit(1)).one_or_none()
            if snapshot:
                return self._of_snapshot(snapshot, whole=depth == 0)
            series = connection.execute(select(SERIES).where(SERIES.c.key == name)).one_or_none()
            if series:
                return self._of_series(series)
            traced = connection.execute(
                select(LINEAGE).where(LINEAGE.c.made == name).order_by(LINEAGE.c.role, LINEAGE.c.source)
            ).all()
        if traced:
            return Step(role or "value", name, (), self._traced(traced, depth))
        return self._of_file(name, role)

    def _maker(self, name: str) -> Row[Any] | None:
        """The result that has this key, holds this artefact, or whose outputs together have this hash."""
        if self._results is None:
            with self._store.database.reading() as connection:
                self._results = list(connection.execute(select(RESULTS).order_by(RESULTS.c.created.desc())))
        for row in self._results:
            outputs = json.loads(row.outputs)
            if name == row.key or name in outputs.values() or name == hashing.of_value(outputs):
                return row
        return None

    def _of_result(self, row: Row[Any], name: str, depth: int, role: str) -> Step:
        outputs = {value: key for key, value in json.loads(row.outputs).items()}
        title = f"{role}: " if role else ""
        title += f"{outputs[name]} of stage {row.stage}" if name in outputs else f"stage {row.stage}"
        facts = (
            ("made on", f"{row.created:%Y-%m-%d %H:%M} UTC in {row.seconds:.1f} s"),
            ("code", f"prognoscope {row.program}, stage version {row.version}"),
            ("settings", row.settings),
        )
        inputs = json.loads(row.inputs)
        steps = [self._of_hash(value, depth + 1, key) for key, value in sorted(inputs.items())]
        values = [f"{key} {inputs[key][:12]}" for key, step in zip(sorted(inputs), steps, strict=True) if step.bare]
        told = (("values", ", ".join(values)),) if values else ()
        return Step(title, name, (*facts, *told), tuple(step for step in steps if not step.bare))

    def _traced(self, rows: Sequence[Row[Any]], depth: int) -> tuple[Step, ...]:
        groups: dict[str, list[str]] = {}
        for row in rows:
            groups.setdefault(row.role, []).append(row.source)
        steps = []
        for role, names in groups.items():
            if self._patient and role.startswith(PATIENT_ROLE) and role != f"{PATIENT_ROLE}{self._patient}":
                continue
            found = tuple(self._of_hash(name, depth + 1) for name in names)
            steps.append(
                found[0] if len(found) == 1 and not role.startswith(PATIENT_ROLE) else Step(role, "", (), found)
            )
        return tuple(steps)

    def _of_series(self, row: Row[Any]) -> Step:
        with self._store.database.reading() as connection:
            document = connection.execute(select(VOLUMES.c.document).where(VOLUMES.c.key == row.key)).scalar()
            held = connection.execute(select(QUARANTINE).where(QUARANTINE.c.sha256 == row.key)).all()
        facts = [
            ("patient", row.patient_id),
            ("is", f"{row.modality} “{row.description}” of {row.date or 'unknown date'}, {row.instances} files"),
            ("state", row.state),
        ]
        facts += [
            ("quarantine", f"{one.code}: {one.found}" + (f"; released: {one.reason}" if one.reason else ""))
            for one in held
        ]
        names = (
            series_from_json(document).hashes if document else self._store.links.pictures([row.key]).get(row.key, ())
        )
        return Step(f"series {row.uid}", row.key, tuple(facts), tuple(self._of_file(name) for name in names))

    def _of_snapshot(self, row: Row[Any], *, whole: bool) -> Step:
        """A snapshot by its own content, since what the catalogue says of a series today may differ; on the way to a
        patient's files, which stand beside it, only its query."""
        content = json.loads(self._store.artefacts.get(row.id))
        facts = (("query", row.query), ("made on", f"{row.created} by {row.made_by}"))
        if not whole:
            return Step(f"snapshot {row.name}", row.id, facts)
        steps = tuple(
            Step(
                f"series {entry['uid']}",
                entry["key"],
                (("patient", entry["patient_id"]), ("is", f"{entry['modality']}, {len(entry['files'])} files")),
                tuple(self._of_file(name) for name in entry["files"]),
            )
            for entry in content["volumes"]
            if self._patient in ("", entry["patient_id"])
        )
        return Step(f"snapshot {row.name}", row.id, facts, steps)

    def _of_file(self, name: str, role: str = "") -> Step:
        with self._store.database.reading() as connection:
            query = select(ARRIVALS, SOURCES.c.licence).join(
                SOURCES, SOURCES.c.source == ARRIVALS.c.source, isouter=True
            )
            arrivals = connection.execute(query.where(ARRIVALS.c.sha256 == name).order_by(ARRIVALS.c.path)).all()
            files = connection.execute(select(FILES.c.path).where(FILES.c.sha256 == name)).scalars().all()
        facts = [("source", f"{row.source}, {row.path}") for row in arrivals]
        facts += [("licence", row.licence) for row in arrivals[:1] if row.licence]
        if not arrivals:
            facts += [("source", path) for path in sorted(files)]
        prefix = f"{role}: " if role else ""
        return Step(f"{prefix}file" if facts else f"{prefix}value without an artefact", name, tuple(facts))
