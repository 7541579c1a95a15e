"""De-identification: accuracy beside three other tools on the same planted objects, and speed on the sarcoma files.

    python benchmarks/deidentify.py [--patients 32] [--burned 4] [--peers PYTHON]

`--peers` names the Python of an environment with dicognito, deid and dicom-anonymizer; without it they are left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from prognoscope.deidentify import PROFILES, ProfileName, Project
from prognoscope.deidentify.ocr import can_read
from prognoscope.jobs.deidentify import deidentify
from prognoscope.work import local_map
from tests.make.identifiers import write_patients
from tests.make.identifiers_scorer import Score, score

LOOP = "for n, p in enumerate(sorted(pathlib.Path(sys.argv[1]).rglob('*.dcm'))):\n"
# Each peer as its page shows it, with its default rules: the basic profile, so the basic key is asked.
PEERS = {
    "dicognito": (
        "import sys, pathlib, dicognito.anonymizer as a, pydicom\n"
        "anonymizer = a.Anonymizer(seed='benchmark')\n" + LOOP + "    d = pydicom.dcmread(p); anonymizer.anonymize(d)\n"
        "    d.save_as(f'{sys.argv[2]}/{n}.dcm')\n"
    ),
    "deid": (
        "import sys, pathlib\n"
        "from deid.config import DeidRecipe\n"
        "from deid.dicom import replace_identifiers\n"
        "recipe = DeidRecipe()\n" + LOOP + "    made = replace_identifiers([str(p)], deid=recipe, save=False)\n"
        "    made[0].save_as(f'{sys.argv[2]}/{n}.dcm')\n"
    ),
    "dicom-anonymizer": (
        "import sys, pathlib\n"
        "from dicomanonymizer import anonymize_dicom_file\n" + LOOP
        + "    anonymize_dicom_file(str(p), f'{sys.argv[2]}/{n}.dcm')\n"
    ),
}  # fmt: skip
RESEARCH = frozenset(
    {
        "clean_structured_content",
        "clean_descriptors",
        "retain_modified_dates",
        "retain_characteristics",
        "retain_device",
        "retain_safe_private",
    }
)
PROJECT = Project(b"the key of the benchmark, no secret")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=32)
    parser.add_argument("--burned", type=int, default=4)
    parser.add_argument("--peers", default="")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        accuracy(Path(place), asked.patients, asked.peers)
        if asked.burned and can_read():
            burned(Path(place), asked.burned)
        speed(Path(place))


def accuracy(folder: Path, patients: int, peers: str) -> None:
    key = write_patients(folder / "basic", patients=patients, seed=11)
    print(f"{len(key.originals)} objects")
    show("prognoscope, basic", ours(folder / "basic", folder / "ours", "basic"), score(folder / "ours", key))
    for name in PEERS if peers else ():
        seconds = peer(name, peers, folder / "basic", folder / name)
        show(name, seconds, score(folder / name, key))
    key = write_patients(folder / "research", patients=patients, seed=12, options=RESEARCH)
    seconds = ours(folder / "research", folder / "ours2", "research")
    show("prognoscope, research", seconds, score(folder / "ours2", key))


def burned(folder: Path, patients: int) -> None:
    """Names in pixels, in a run of its own: reading takes most of the time, and no peer reads."""
    key = write_patients(folder / "burned", patients=patients, seed=13, options=RESEARCH, burn=True)
    seconds = ours(folder / "burned", folder / "ours3", "research", read=True)
    show(
        f"prognoscope, research, {len(key.originals)} objects with names in pixels",
        seconds,
        score(folder / "ours3", key),
    )


def ours(source: Path, target: Path, profile: ProfileName, *, read: bool = False) -> float:
    options = PROFILES[profile].model_copy(update={"clean_pixels": read})
    mapper = local_map(jobs=2)
    return timed(lambda: deidentify(source, target, options=options, project=PROJECT, mapper=mapper))


def peer(name: str, python: str, source: Path, target: Path) -> float:
    target.mkdir()
    command = [python, "-W", "ignore", "-c", PEERS[name], str(source), str(target)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        print(f"{name}: stopped: {done.stderr.strip().splitlines()[-1]}")
    return time.perf_counter() - begun


def speed(folder: Path) -> None:
    data = os.environ.get("PROGNOSCOPE_DATA")
    if not data:
        print("sarcoma files: PROGNOSCOPE_DATA is not set")
        return
    begun, before = time.perf_counter(), os.times()
    done = deidentify(
        Path(data) / "sts", folder / "sts", options=PROFILES["research"], project=PROJECT, mapper=local_map(jobs=2)
    )
    seconds = time.perf_counter() - begun
    print(f"\nsarcoma files: {done.report['written']['files']} in {seconds:.1f} s with 2 processes", end="")
    print(f" (main process {os.times().user - before.user:.1f} s)")


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def show(name: str, seconds: float, result: Score) -> None:
    asked, found = sum(result.asked.values()), len(result.found)
    print(f"\n{name}: {result.percent:.2f} % of {asked} questions, {found} planted strings found, {seconds:.1f} s")
    for place, word in ((0, "action"), (1, "surface")):
        parts = [f"{key} {100 * right / total:.1f} %" for key, (right, total) in result.by(place).items()]
        print(f"  by {word}: {', '.join(parts)}")


if __name__ == "__main__":
    main()
