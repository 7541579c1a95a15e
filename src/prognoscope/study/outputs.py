"""What a run leaves behind: its folder, written whole, and the record of what was done with what."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from prognoscope.core.problems import refuse
from prognoscope.study.cache import Outputs
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.gather import Gathered
from prognoscope.study.stages.select import Cohort

OPTIONAL = ("repeatability.csv",)  # written only where the study asks for it
LIBRARIES = (
    "prognoscope",
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "pydicom",
    "scikit-learn",
    "lightgbm",
    "scikit-survival",
)


def make_folder(out: Path) -> None:
    """Make the folder of the results before any work, so that none is done in vain.

    Raises
    ------
    Refused
        `cannot-write`.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        found = "" if os.access(out, os.W_OK) else "it may not be written to"
    except OSError as cause:
        found = cause.strerror or str(cause)
    if found:
        raise refuse("cannot-write", subject=str(out), found=found, remedy="choose another place with --out")


def write_outputs(out: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a run whole; what an earlier run left and this one did not write goes."""
    from prognoscope.store import write_whole  # see prognoscope.study.cache

    for name, data in files.items():
        write_whole(out / name, data)
    for name in OPTIONAL:
        if name not in files:
            (out / name).unlink(missing_ok=True)
    bundle = out / "bundle"
    if bundle.is_dir():
        for path in sorted(bundle.rglob("*")):
            if path.is_file() and path.relative_to(out).as_posix() not in files:
                path.unlink()


def run_record(
    file: StudyFile,
    cohort: Cohort,
    gathered: Gathered | None,
    outputs: Outputs,
    seconds: Mapping[str, float],
    versions: Mapping[str, str],
    arguments: Mapping[str, object],
) -> bytes:
    """Return `run.json`: arguments as given and as used, versions, data by hash, seconds by stage, exclusions."""
    images = {
        patient: [
            {
                "series": one.series.uid,
                "region": one.region,
                "files": dict(zip(one.series.files, one.series.hashes, strict=True)),
            }
            | {"regions": {one.region_set.file: one.region_set.hash}}
            for one in choices
        ]
        for patient, choices in sorted(cohort.choices.items())
    }
    document = {
        "schema": 1,
        "study": file.name,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "arguments": arguments,
        "as_given": file.path.read_text(encoding="utf-8-sig"),
        "as_used": file.as_used(),
        "versions": dict(versions),
        "platform": {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()},
        "seconds": seconds,
        "computed_on": outputs.created,
        "from_cache": not outputs.fresh,
        "outputs": dict(outputs.names),
        "data": {
            "table": cohort.table_hash,
            "external_table": cohort.external_hash or None,
            "snapshot": asdict(gathered.snapshot) if gathered and gathered.snapshot else None,
            "participants_and_outcome": cohort.snapshot(),
            "set_aside": [str(problem) for problem in gathered.index.set_aside] if gathered else [],
            "images": images,
        },
        "exclusions": [
            {
                "patient_id": one.patient_id,
                "step": one.step,
                "code": one.problem.code,
                "found": one.problem.found,
                "remedy": one.problem.remedy,
            }
            for one in cohort.flow.exclusions
        ],
    }
    return json_bytes(document)


def library_versions() -> dict[str, str]:
    """Return the versions of this program and of the libraries that results depend on."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def json_bytes(value: Any) -> bytes:
    """Return a document as JSON for people and programs."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
