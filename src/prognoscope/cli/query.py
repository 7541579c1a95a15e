"""`prognoscope query` and `prognoscope diff`: cohorts in the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prognoscope.cli.door import AsJson, door, progress_lines, put, put_json, say
from prognoscope.cli.ingest import DEFAULT_STORE, StoreOption

if TYPE_CHECKING:
    from prognoscope.jobs.query import Difference, Found

MOST_SHOWN = 20


@door(example='prognoscope query "modality = PT and body_part ~ thigh and age >= 18 and roi ~ GTV*" --list')
def query(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="Conditions on fields; without any, all.")] = "",
    store: StoreOption = DEFAULT_STORE,
    listed: Annotated[bool, typer.Option("--list", help="List every series as CSV.")] = False,
    snapshot: Annotated[str, typer.Option("--snapshot", help="Freeze what is found under this name.")] = "",
    export: Annotated[
        Path | None, typer.Option("--export", help="New folder for the files, with their manifest.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="JSON file: hash, source and licence of each file.")
    ] = None,
    records: Annotated[
        Path | None, typer.Option("--records", help="CSV file: what tables and records tell of these patients.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Find a cohort in the store: first how much there is, then a list, a snapshot or an export."""
    from prognoscope.jobs.query import as_json, listing_csv
    from prognoscope.jobs.query import query as ask

    with progress_lines() as progress:
        found = ask(
            text,
            store=store,
            most=None if listed or json else 0,
            snapshot=snapshot,
            export=export,
            manifest=manifest,
            records=records,
            progress=progress,
        )
    if json:
        put_json(as_json(found))
        return
    _show(found, manifest)
    if records:
        put(f"what is told of them: {records}")
    if listed:
        put(listing_csv(found.hits).rstrip("\n"))


@door(example="prognoscope diff sarcoma-2026 --store hospital")
def diff(
    older: Annotated[str, typer.Argument(help="Snapshot, by name or ID.", show_default=False)],
    newer: Annotated[str, typer.Argument(help="A newer one; the store as it is now by default.")] = "",
    store: StoreOption = DEFAULT_STORE,
    json: AsJson = False,
) -> None:
    """Say what a newer snapshot, or the store as it is now, has that an older snapshot has not."""
    from prognoscope.jobs.query import difference

    found = difference(older, newer, store=store)
    if json:
        put_json(_document(found))
        return
    put(f"{found.older.name} ({found.older.id[:12]}) → {found.newer[:12]}")
    for words, entries in _parts(found).items():
        for entry in entries[:MOST_SHOWN]:
            put(f"  {words}: {entry}")
        if len(entries) > MOST_SHOWN:
            put(f"  {words}: … and {len(entries) - MOST_SHOWN} more")
    if found.empty:
        put("  nothing differs")


def _show(found: Found, manifest: Path | None) -> None:
    counts = found.counts
    put(
        f"{counts.patients} patients, {counts.studies} studies, {counts.series} series, "
        f"{counts.instances} images, {counts.bytes / 2**20:.1f} MiB"
    )
    for hint in found.hints:
        say(f"in this store {hint}")
    if counts.quarantined:
        say(f"{counts.quarantined} things are in quarantine: prognoscope quarantine list")
    if found.snapshot:
        put(f"snapshot {found.snapshot.name}: {found.snapshot.id}")
    if found.exported:
        put(f"{found.files} files in {found.exported}")
    if manifest:
        put(f"manifest of {found.files} files: {manifest}")


def _parts(found: Difference) -> dict[str, list[str]]:
    return {
        "added patient": list(found.added_patients),
        "removed patient": list(found.removed_patients),
        "added series": [" ".join(name) for name in found.added],
        "removed series": [" ".join(name) for name in found.removed],
        "changed series": [" ".join(name) for name in found.changed],
        "changed regions": sorted({patient for patient, _ in found.changed_regions}),
        "changed table": list(found.changed_tables),
    }


def _document(found: Difference) -> dict[str, object]:
    parts = {words.replace(" ", "_"): entries for words, entries in _parts(found).items()}
    return {"schema": 1, "older": found.older.id, "newer": found.newer, **parts}
