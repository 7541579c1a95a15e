"""Find a cohort in the store: count it, list it, freeze it, hand it out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prognoscope.core.problems import refuse
from prognoscope.core.work import Progress, silent
from prognoscope.store import Counts, Difference, Hit, Snapshot, Store, Told, write_whole

__all__ = ["Difference", "Found", "as_json", "difference", "existing", "listing_csv", "query"]

LISTED = (
    *("patient_id", "modality", "description", "body_part", "date", "age", "sex", "centre", "scanner", "instances"),
    *("view", "photometric", "role", "state", "series_uid", "source", "licence"),
)
NOT_STATED = "not stated"
HINTED = ("modality", "body_part", "description", "protocol", "sex", "scanner", "centre", "view", "role", "state")
ENDINGS = (".nii.gz", ".nii", ".png", ".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found; `hits` only where they were asked for."""

    query: str
    counts: Counts
    hits: tuple[Hit, ...]
    hints: tuple[str, ...]
    snapshot: Snapshot | None = None
    exported: Path | None = None
    files: int = 0


def query(
    text: str,
    *,
    store: str | Path,
    most: int | None = 0,
    snapshot: str = "",
    export: str | Path | None = None,
    manifest: str | Path | None = None,
    records: str | Path | None = None,
    progress: Progress = silent,
) -> Found:
    """Answer a query.

    Parameters
    ----------
    text
        The query; nothing finds everything.
    store
        The store's folder.
    most
        How many volumes to list; None for all.
    snapshot
        A name under which to freeze what was found.
    export
        A folder, new or empty, that gets the files, with `manifest.json`.
    manifest
        A file that gets the manifest alone: what was found, with hash, source and licence of each file.
    records
        A CSV file that gets all that tables and FHIR records tell of the patients, one value a line, with its unit and
        the time at which it was known.

    Raises
    ------
    Refused
        `store-missing`, `query-syntax`, `query-field`, `query-value`, `query-empty`, `export-not-empty`,
        `cannot-write`.
    """
    with existing(store) as opened:
        opened.search.refresh(progress)
        counts = opened.search.counts(text)
        wanted = None if export or manifest else most
        hits = opened.search.hits(text, most=wanted) if wanted is None or wanted > 0 else ()
        frozen = opened.snapshots.freeze(text, name=snapshot) if snapshot else None
        files = 0
        if export or manifest:
            document = _manifest(opened, text, hits)
            files = sum(len(one["files"]) for one in document["series"])
            if manifest:
                write_whole(Path(manifest), _json(document))
            if export:
                _export(opened, Path(export), document, progress)
            opened.audit_note("export", text, {"files": files, "to": str(export or manifest)})
        if records:
            write_whole(Path(records), _records_csv(opened.search.told(text)).encode())
            opened.audit_note("export", text, {"records": True, "to": str(records)})
        hints = (*_waiting(opened), *(_hints(opened, text) if counts.series == 0 else ()))
        shown = hits if most is None else hits[:most]
        return Found(text, counts, shown, hints, frozen, Path(export) if export else None, files)


def _waiting(store: Store) -> tuple[str, ...]:
    """Files that a listener which ended early kept, and that nobody has put together."""
    number = len(store.repository.waiting())
    told = f"files of {number} patients are not put together yet and not found; any ingest does it"
    return (told,) if number else ()


def difference(older: str, newer: str, *, store: str | Path) -> Difference:
    """Say what a newer snapshot (or, without one, the store as it is now) has that an older one has not.

    Raises
    ------
    Refused
        `store-missing`, `snapshot-unknown`.
    """
    with existing(store) as opened:
        before = opened.snapshots.find(older)
        return opened.snapshots.compare(before, opened.snapshots.find(newer) if newer else None)


def existing(store: str | Path) -> Store:
    """Open a store that is there.

    Raises
    ------
    Refused
        `store-missing`.
    """
    folder = Path(store)
    if not (folder / "catalogue.sqlite").exists() and not (folder / "store.toml").exists():
        raise refuse(
            "store-missing",
            subject=str(folder),
            found="there is no store",
            remedy="name it with --store, or make it: prognoscope ingest SOURCE --store DIR",
        )
    return Store(folder)


def listing_csv(hits: tuple[Hit, ...]) -> str:
    """The list of volumes as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(LISTED)
    for hit in hits:
        writer.writerow(["" if getattr(hit, name) is None else getattr(hit, name) for name in LISTED])
    return out.getvalue()


def _records_csv(told: tuple[Told, ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Told.__slots__)
    for one in told:
        writer.writerow(["" if value is None else value for value in (getattr(one, name) for name in Told.__slots__)])
    return out.getvalue()


def _manifest(store: Store, text: str, hits: tuple[Hit, ...]) -> dict[str, Any]:
    full = store.volumes.series([hit.key for hit in hits])
    files = {key: entry.hashes for key, entry in full.items()}
    files |= store.links.pictures([hit.key for hit in hits if hit.key not in full])
    regions = store.volumes.region_sets(sorted({hit.patient_id for hit in hits}))
    origins = store.repository.origins(
        [name for hashes in files.values() for name in hashes] + [entry.hash for entry in regions]
    )
    licences = sorted({(hit.source, hit.licence or NOT_STATED) for hit in hits})
    series = [
        {
            "patient_id": hit.patient_id,
            "modality": hit.modality,
            "uid": full[hit.key].uid if hit.key in full else hit.series_uid,
            "study_uid": hit.study_uid,
            "description": hit.description,
            "licence": hit.licence or NOT_STATED,
            "files": [_file(name, origins) for name in files[hit.key]],
        }
        for hit in hits
        if hit.key in files
    ]
    sets = [
        {
            "patient_id": one.patient_id,
            "label": one.label,
            "regions": list(one.regions),
            "files": [_file(one.hash, origins)],
        }
        for one in regions
        if one.series_uid in {hit.series_uid for hit in hits} or not one.series_uid
    ]
    return {
        "schema": 1,
        "query": text,
        "licences": [f"{source}: {licence}" for source, licence in licences],
        "series": series,
        "region_sets": sets,
    }


def _file(name: str, origins: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    source, path = origins.get(name, ("", ""))
    return {"sha256": name, "source": source, "path": path}


def _export(store: Store, folder: Path, document: dict[str, Any], progress: Progress) -> None:
    """Write the files under names of our own: what data call themselves never chooses where we write."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise refuse(
            "export-not-empty", subject=str(folder), found="it is there and not empty", remedy="name a new folder"
        )
    entries = [*document["series"], *document["region_sets"]]
    for number, entry in enumerate(entries, start=1):
        for position, file in enumerate(entry["files"], start=1):
            home = f"{_patient_folder(str(entry['patient_id']))}/{number:05d}-{_kind(entry)}"
            target = f"{home}/{position:05d}{_ending(file['path'])}"
            write_whole(folder / target, store.artefacts.get(file["sha256"]))
            file["exported"] = target
        progress("write files", number, len(entries))
    write_whole(folder / "manifest.json", _json(document))


def _ending(path: str) -> str:
    """The end of an exported file's name: of those that are known, never of the data's own choice."""
    return next((ending for ending in ENDINGS if path.lower().endswith(ending)), ".dcm")


def _patient_folder(patient_id: str) -> str:
    kept = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in patient_id)[:64]
    return kept or "_"


def _kind(entry: dict[str, Any]) -> str:
    return "".join(sign for sign in str(entry.get("modality", "regions")) if sign.isalnum())[:16] or "series"


def _hints(store: Store, text: str) -> tuple[str, ...]:
    """The values that the fields of a query have, where it found nothing."""
    return tuple(
        f"{field} is " + ", ".join(f"“{value}” ({number} series)" for value, number in values)
        for field in HINTED
        if field in text and (values := store.search.values_of(field))
    )


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def as_json(found: Found) -> dict[str, object]:
    """The answer as the one document of `--json`."""
    return {
        "schema": 1,
        "query": found.query,
        "counts": asdict(found.counts),
        "series": [asdict(hit) for hit in found.hits],
        "hints": list(found.hints),
        "snapshot": asdict(found.snapshot) if found.snapshot else None,
        "exported": str(found.exported) if found.exported else None,
        "files": found.files,
    }
