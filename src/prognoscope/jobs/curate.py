"""Look at every series of the store: give roles by rules, check quality, set aside what fails and show it on a page."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from prognoscope.core import hashing
from prognoscope.core.images import ImageSeries, RegionSet
from prognoscope.core.problems import Problem, Refused
from prognoscope.core.work import Mapper, serial_map
from prognoscope.curation import (
    RoleRules,
    Verdict,
    assign_roles,
    check,
    check_coverage,
    read_rules,
    rules_refused,
    same_pixels,
    slice_thumbnail,
    thumbnail,
)
from prognoscope.jobs.query import existing
from prognoscope.report import CurationContent, FailedSeries, RoleChoice, render_curation
from prognoscope.sources import read_mask, read_middle_frame, read_volume
from prognoscope.store import Artefacts, Held, Hit, Store, write_whole

KEY_SHOWN = 12
TOLD_ONLY = ("region-at-edge",)  # a contour of the whole body reaches both ends, and the image is sound
REFUSED = "state = refused"
STATES = "state in (usable, quarantined, released)"


@dataclass(frozen=True, slots=True)
class Item:
    """A series to look at: where its files lie, its key, and the regions that were drawn on it."""

    artefacts: Artefacts
    key: str
    series: ImageSeries
    region_sets: tuple[RegionSet, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What one series showed: its problems, the hash of its voxels, and a picture where something is wrong."""

    key: str
    problems: tuple[Problem, ...]
    pixels: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class CurateReport:
    """How many series were looked at, what is wrong (by series key), and the verdict on each for each role.

    `refused` series could not be put together, so there was nothing to look at; `unfilled` are the roles that no series
    fits.
    """

    series: int
    failed: tuple[tuple[str, Problem], ...]
    roles: tuple[tuple[str, Verdict], ...]
    refused: int
    unfilled: tuple[str, ...]

    @property
    def out_of_use(self) -> int:
        """How many of those that were looked at failed; of others something is told only."""
        return len({key for key, problem in self.failed if problem.code not in TOLD_ONLY})


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
        A folder for `curation.html`, a page with a picture of each series that failed, and `curation.json`.
    mapper
        Where the series are read.

    Raises
    ------
    Refused
        `store-missing`, `role-rules`.
    """
    wanted = _rules(Path(rules)) if rules else None
    with existing(store) as opened:
        hits = {hit.key: hit for hit in opened.search.hits(STATES)}
        series = opened.volumes.series(sorted(hits))
        looked = list(mapper(look_at, _items(opened, series), label="look at series"))
        shared = same_pixels(
            (hits[one.key].patient_id, series[one.key].uid, one.pixels) for one in looked if one.pixels
        )
        twice = {problem.subject: problem for problem in shared}
        found: dict[str, tuple[Problem, ...]] = {}
        for one in looked:
            also = twice.get(f"series {series[one.key].uid}")
            found[one.key] = (*one.problems, *((also,) if also else ()))
            _judge(opened, hits[one.key], found[one.key])
        verdicts = _roles(opened, hits, series, wanted) if wanted else ()
        opened.audit_note("curate", "quality and roles", _changes(opened, hits, rules))
        failed = tuple((key, problem) for key, problems in found.items() for problem in problems)
        given = {one.role for _, one in verdicts if one.chosen}
        unfilled = tuple(rule.name for rule in (wanted.role if wanted else ()) if rule.name not in given)
        report = CurateReport(len(looked), failed, verdicts, opened.search.counts(REFUSED).series, unfilled)
        if out:
            held = {one.sha256: one for one in opened.quarantine.held()}
            shown = [
                _shown(hits[one.key], series[one.key].uid, found[one.key], one.picture, held.get(one.key))
                for one in looked
                if found[one.key]
            ]
            _write(Path(out), report, hits, (*shown, *_refused(opened, held)), store=str(store))
        return report


def _rules(path: Path) -> RoleRules:
    """Read the rules before any series is: a wrong one is told at once."""
    try:
        return read_rules(path.read_bytes(), subject=str(path))
    except OSError as cause:
        raise rules_refused(str(path), f"it cannot be read ({cause.strerror})") from cause


def look_at(item: Item) -> Looked:
    """Read one series and its regions and check them; a picture is made where something is wrong."""
    names = [*item.series.files, *(regions.file for regions in item.region_sets)]
    try:
        with item.artefacts.at_hand(name.replace("/", "") for name in names) as folder:
            return _looked(item, folder)
    except Refused as refused:
        return Looked(item.key, (refused.problem,), "", b"")


def _looked(item: Item, folder: Path) -> Looked:
    volume = read_volume(folder, item.series)
    problems = list(check(item.series, volume))
    for regions in item.region_sets:
        for region in dict.fromkeys(regions.regions):
            try:
                mask = read_mask(folder, regions, region, item.series)
            except Refused:
                continue  # a region that cannot be read is told by whoever asks for it; the image may be sound
            problems += check_coverage(item.series, mask, region=region)
    pixels = hashing.of_bytes(volume.voxels.tobytes())
    return Looked(item.key, tuple(problems), pixels, thumbnail(volume))


def _items(store: Store, series: dict[str, ImageSeries]) -> list[Item]:
    drawn: dict[tuple[str, str], list[RegionSet]] = defaultdict(list)
    for regions in store.volumes.region_sets(sorted({one.patient_id for one in series.values()})):
        drawn[regions.patient_id, regions.series_uid].append(regions)
    return [
        Item(store.artefacts, key, series[key], tuple(drawn[series[key].patient_id, series[key].uid]))
        for key in sorted(series)
    ]


def _judge(store: Store, hit: Hit, problems: tuple[Problem, ...]) -> None:
    grave = [problem for problem in problems if problem.code not in TOLD_ONLY]
    first = grave[0] if grave else None
    store.volumes.judge(
        hit.key,
        quality="failed" if grave else "passed",
        problem=first,
        patient_id=hit.patient_id,
        source=hit.source,
    )


def _roles(
    store: Store, hits: dict[str, Hit], series: dict[str, ImageSeries], rules: RoleRules
) -> tuple[tuple[str, Verdict], ...]:
    """Give roles among the series that are in use now: whoever is in quarantine takes none away."""
    in_use = {hit.key for hit in store.search.hits("")}
    patients: dict[str, list[str]] = defaultdict(list)
    for key in sorted(series):
        patients[hits[key].patient_id].append(key)
    found: list[tuple[str, Verdict]] = []
    for keys in patients.values():
        by_uid = {series[key].uid: key for key in keys}
        held = frozenset(series[key].uid for key in keys if key not in in_use)
        found += [(by_uid[one.uid], one) for one in assign_roles([series[key] for key in keys], rules, held=held)]
    store.volumes.assign_roles(dict.fromkeys(series, "") | {key: one.role for key, one in found if one.chosen})
    return tuple(found)


def _changes(store: Store, before: Mapping[str, Hit], rules: str | Path | None) -> dict[str, object]:
    """What a curation did to which series, for the audit log."""
    after = {hit.key: hit for hit in store.search.hits(STATES)}
    moved = {key: hit.state for key, hit in after.items() if key in before and hit.state != before[key].state}
    roles = {key: hit.role for key, hit in after.items() if key in before and hit.role != before[key].role}
    by = {"rules": hashing.of_file(Path(rules))} if rules else {}
    return {"series": len(after), "states": moved, "roles": roles, **by}


def _shown(hit: Hit, uid: str, problems: tuple[Problem, ...], picture: bytes, held: Held | None) -> FailedSeries:
    key = held.key[:KEY_SHOWN] if held else ""
    return FailedSeries(hit.patient_id, hit.modality, hit.description, uid, picture, problems, key)


def _refused(store: Store, held: dict[str, Held]) -> tuple[FailedSeries, ...]:
    """Series that could not be put together, with their middle file as the picture."""
    return tuple(
        _shown(hit, hit.series_uid, (held[hit.key].problem,), _middle(store, hit.series_uid), held[hit.key])
        for hit in store.search.hits(REFUSED)
        if hit.key in held
    )


def _middle(store: Store, series_uid: str) -> bytes:
    names = store.repository.of_series(series_uid)
    if not names:
        return b""
    try:
        frame = read_middle_frame(store.artefacts.get(names[len(names) // 2]), subject=series_uid)
    except Refused:
        return b""
    low, high = np.percentile(frame, [1, 99])
    return slice_thumbnail(frame, float(low), float(high))


def _write(
    out: Path, report: CurateReport, hits: dict[str, Hit], failed: tuple[FailedSeries, ...], *, store: str
) -> None:
    roles = tuple(
        RoleChoice(hits[key].patient_id, one.role, one.uid, one.chosen, one.reason) for key, one in report.roles
    )
    content = CurationContent(
        store=store,
        made_on=datetime.now(UTC).date().isoformat(),
        version=version("prognoscope"),
        looked_at=report.series + len(failed) - len({key for key, _ in report.failed}),
        failed=failed,
        roles=roles,
    )
    write_whole(out / "curation.html", render_curation(content).encode())
    document = {
        "schema": 2,
        "series": report.series,
        "failed": [
            {
                "patient_id": one.patient_id,
                "series": one.uid,
                "problems": [{"code": each.code, "found": each.found} for each in one.problems],
            }
            for one in failed
        ],
        "roles": [asdict(one) for one in roles],
    }
    write_whole(out / "curation.json", (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
