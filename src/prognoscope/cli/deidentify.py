"""`prognoscope deidentify`: identity out, science kept."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prognoscope.cli.door import AsJson, Cluster, Jobs, cores, door, mapper, put, put_json, say

if TYPE_CHECKING:
    from prognoscope.jobs.deidentify import Deidentified


class Profile(StrEnum):
    """Sets of options to start from."""

    basic = "basic"
    research = "research"


@door(example="prognoscope deidentify export clean --profile research")
def deidentify(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="Identified files: folder, zip archive, file, PACS or DICOMweb address.",
            show_default=False,
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the clean files.", show_default=False)],
    profile: Annotated[
        Profile, typer.Option(help="basic: the standard's basic profile; research: with all cleaning and retaining.")
    ] = Profile.basic,
    clean_descriptors: Annotated[
        bool | None, typer.Option("--clean-descriptors/--remove-descriptors", help="Descriptions and comments.")
    ] = None,
    clean_structured_content: Annotated[
        bool | None, typer.Option("--clean-reports/--blank-reports", help="Content of structured reports.")
    ] = None,
    retain_dates: Annotated[
        bool | None, typer.Option("--shift-dates/--remove-dates", help="Dates, moved by one number of days a patient.")
    ] = None,
    retain_characteristics: Annotated[
        bool | None,
        typer.Option("--retain-characteristics/--remove-characteristics", help="Age, sex, size, weight and the like."),
    ] = None,
    retain_device: Annotated[
        bool | None, typer.Option("--retain-device/--remove-device", help="What identifies the machine.")
    ] = None,
    retain_safe_private: Annotated[
        bool | None,
        typer.Option("--retain-safe-private/--remove-private", help="Private elements that the standard calls safe."),
    ] = None,
    clean_pixels: Annotated[
        bool | None,
        typer.Option("--clean-pixels/--trust-pixels", help="Read pixels where text may be burned in (extra `ocr`)."),
    ] = None,
    clean_faces: Annotated[
        bool | None, typer.Option("--clean-faces/--leave-faces", help="Mask faces in head CT and MR.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Key file of the project; see `prognoscope keys`.", show_default=False)
    ] = None,
    private: Annotated[
        Path | None, typer.Option("--private", help="Folder for what must stay; OUT.private by default.")
    ] = None,
    jobs: Jobs = cores(),
    cluster: Cluster = "",
    json: AsJson = False,
) -> None:
    """Copy images, tables and records without identity, DICOM by PS3.15 Annex E, and report every action."""
    from prognoscope.jobs import deidentify as job
    from prognoscope.jobs.keys import open_project

    project, new = open_project(key)
    if new:
        say("made a new project key, the user's own; pseudonyms follow from it (`prognoscope keys show`)")

    changes = {
        "clean_descriptors": clean_descriptors,
        "clean_structured_content": clean_structured_content,
        "retain_dates": retain_dates,
        "retain_characteristics": retain_characteristics,
        "retain_device": retain_device,
        "retain_safe_private": retain_safe_private,
        "clean_pixels": clean_pixels,
        "clean_faces": clean_faces,
    }
    with mapper(jobs=jobs, cluster=cluster) as chosen:
        done = job.deidentify(
            source,
            target,
            options=job.options_of(profile.value, changes),
            project=project,
            private=private,
            mapper=chosen,
        )
    _show(done, as_json=json)


def _show(done: Deidentified, *, as_json: bool) -> None:
    report = done.report
    for reason, count in report["held_back"]["by_reason"].items():
        say(f"held back: {count} × {reason}")
    if done.held_back:
        say(f"  each file and its reason: {done.private / 'quarantine.json'}")
    say(f"took {done.seconds:.1f} s" + (f", {done.reused} files were done before" if done.reused else ""))
    if as_json:
        put_json({"out": str(done.target), "private": str(done.private), "seconds": done.seconds, **report})
        return
    written = report["written"]
    put(f"{written['files']} files of {written['patients']} patients clean, {report['held_back']['files']} held back")
    put(f"standard: {report['standard']['table']}, edition {report['standard']['edition']}")
    for row in report["codes"]:
        put(f"  {row['code']} {row['meaning']}")
    totals: Counter[str] = Counter()
    for row in report["actions"]:
        totals[row["meaning"]] += row["count"]
    for meaning, count in sorted(totals.items()):
        put(f"{count:>10} × {meaning}")
    for row in report["residual_risk"]["singled_out"]:
        put(f"{' and '.join(row['values'])}: {row['alone']} of {row['people']} people are the only one with theirs")
    put(f"texts kept, to be read: {len(report['residual_risk']['text_kept'])}")
    put(f"report:  {done.target / 'deidentification.json'}")
    put(f"private: {done.private} (stays where identified data may be)")
