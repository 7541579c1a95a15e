"""Look at every series of the store: give roles by rules, check quality, quarantine what fails, with thumbnails."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from prognoscope.core import hashing
from prognoscope.core.images import ImageSeries
from prognoscope.core.problems import Problem, Refused
from prognoscope.core.work import Mapper, serial_map
from prognoscope.curation import Verdict, assign_roles, check, read_rules, same_pixels, thumbnail
from prognoscope.jobs.query import existing
from prognoscope.sources import read_volume
from prognoscope.store import Hit, Store, write_whole

STATES = "state in (usable, quarantined, released)"


@dataclass(frozen=True, slots=True)
class Looked:
    """What one series showed: its problems, the hash of its voxels, and a picture where something is wrong."""

    key: str
    problems: tuple[Problem, ...]
    pixels: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class CurateReport:
    """How many series were looked at, what is wrong (by series key), and the verdict on each for each role."""

    series: int
    failed: tuple[tuple[str, Problem], ...]
    roles: tuple[tuple[str, Verdict], ...]


def curate(
    store: str | Path, *, rules: str | Path | None = None, out: str | Path | None = None, mapper: Mapper = serial_map
) -> CurateReport:
    """Check the quality of every series and give roles.

    Parameters
    ----------
    store
        The store's folder.
    rules
        A file of rules (`curation.rules` shows one); without it no role is given.
    out
        A folder for `curation.json` and a thumbnail of each series that failed.
    mapper
        Where the series are read.

    Raises
    ------
    Refused
        `store-missing`, `role-rules`, `artefacts-remote`.
    """
    with existing(store) as opened:
        hits = {hit.key: hit for hit in opened.search.hits(STATES)}
        series = opened.volumes.series(sorted(hits))
        items = [(opened.artefacts.folder, key, series[key]) for key in sorted(series)]
        looked = list(mapper(look_at, items, label="look at series"))
        twice = same_pixels((hits[one.key].patient_id, series[one.key].uid, one.pixels) for one in looked if one.pixels)
        by_uid = {problem.subject: problem for problem in twice}
        failed: list[tuple[str, Problem]] = []
        for one in looked:
            shared = by_uid.get(f"series {series[one.key].uid}")
            problems = (*one.problems, *((shared,) if shared else ()))
            _judge(opened, hits[one.key], problems)
            failed += [(one.key, problem) for problem in problems]
        verdicts = _roles(opened, hits, series, Path(rules)) if rules else ()
        opened.audit_note("curate", "quality and roles", {"series": len(looked), "failed": len(failed)})
        report = CurateReport(len(looked), tuple(failed), verdicts)
        if out:
            _write(Path(out), report, hits, {one.key: one.picture for one in looked})
        return report


def look_at(item: tuple[Path, str, ImageSeries]) -> Looked:
    """Read one series and check it."""
    folder, key, series = item
    try:
        volume = read_volume(folder, series)
    except Refused as refused:
        return Looked(key, (refused.problem,), "", b"")
    problems = check(series, volume)
    return Looked(key, problems, hashing.of_bytes(volume.voxels.tobytes()), thumbnail(volume))


def _judge(store: Store, hit: Hit, problems: tuple[Problem, ...]) -> None:
    first = problems[0] if problems else None
    store.volumes.judge(
        hit.key,
        quality="failed" if problems else "passed",
        problem=first,
        patient_id=hit.patient_id,
        source=hit.source,
    )


def _roles(
    store: Store, hits: dict[str, Hit], series: dict[str, ImageSeries], rules: Path
) -> tuple[tuple[str, Verdict], ...]:
    read = read_rules(rules.read_text(encoding="utf-8"), subject=str(rules))
    patients: dict[str, list[str]] = defaultdict(list)
    for key in sorted(series):
        patients[hits[key].patient_id].append(key)
    found: list[tuple[str, Verdict]] = []
    for keys in patients.values():
        by_uid = {series[key].uid: key for key in keys}
        found += [(by_uid[one.uid], one) for one in assign_roles([series[key] for key in keys], read)]
    store.volumes.assign_roles(dict.fromkeys(series, "") | {key: one.role for key, one in found if one.chosen})
    return tuple(found)


def _write(out: Path, report: CurateReport, hits: dict[str, Hit], pictures: dict[str, bytes]) -> None:
    for key, _ in report.failed:
        if pictures.get(key):
            write_whole(out / f"{key[:16]}.png", pictures[key])
    document = {
        "schema": 1,
        "series": report.series,
        "failed": [
            {"patient_id": hits[key].patient_id, "thumbnail": f"{key[:16]}.png", "code": one.code, "found": one.found}
            for key, one in report.failed
        ],
        "roles": [
            {
                "patient_id": hits[key].patient_id,
                "series": one.uid,
                "role": one.role,
                "chosen": one.chosen,
                "reason": one.reason,
            }
            for key, one in report.roles
        ],
    }  # fmt: skip
    write_whole(out / "curation.json", (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
