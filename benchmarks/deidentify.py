"""De-identification: accuracy beside three other tools on the same planted objects, and speed on the sarcoma files.

    python benchmarks/deidentify.py [--only accuracy|faint|speed] [--patients 32] [--burned 32] [--peers PYTHON]

`--peers` names the Python of an environment with dicognito, deid and dicom-anonymizer; without it they are left out.
`accuracy` asks the ten actions of planted objects, once without reading pixels (as the peers) and once with names drawn
into the pixels of the first `--burned` patients; `faint` draws names that hardly differ from their ground; `speed`
takes all sarcoma files (wall, processor time of all processes, memory), and one patient beside the peers.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parents[1]))

from prognoscope.deidentify import PROFILES, Identity, ProfileName, Project
from prognoscope.deidentify.burned import find_identifiers
from prognoscope.deidentify.ocr import can_read, open_reader
from prognoscope.deidentify.text import Cleaner
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
    parser.add_argument("--only", choices=("accuracy", "faint", "speed"))
    parser.add_argument("--patients", type=int, default=32)
    parser.add_argument("--burned", type=int, default=32)
    parser.add_argument("--peers", default="")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        if asked.only in (None, "accuracy"):
            accuracy(Path(place), asked.patients, asked.burned, asked.peers)
        if asked.only in (None, "faint") and can_read():
            faint()
        if asked.only in (None, "speed"):
            speed(Path(place), asked.peers)


def accuracy(folder: Path, patients: int, burned: int, peers: str) -> None:
    key = write_patients(folder / "basic", patients=patients, seed=11)
    print(f"{len(key.originals)} objects")
    show("prognoscope, basic", ours(folder / "basic", folder / "ours", "basic"), score(folder / "ours", key))
    for name in PEERS if peers else ():
        seconds = peer(name, peers, folder / "basic", folder / name)
        show(name, seconds, score(folder / name, key))
    read = bool(burned) and can_read()
    key = write_patients(
        folder / "research", patients=patients, seed=12, options=RESEARCH, burned=burned if read else 0
    )
    seconds = ours(folder / "research", folder / "ours2", "research", read=read)
    drawn = sum(check.surface == "pixels" and check.action == "pixels hidden" for check in key.checks)
    name = f"prognoscope, research, {len(key.originals)} objects, {drawn} lines of text in pixels"
    show(name, seconds, score(folder / "ours2", key))


def faint() -> None:
    """Draw names at few grey levels above grounds of noise and slope; count those that are found."""
    reader, cleaner = open_reader(), Cleaner(Identity())
    table: dict[tuple[int, float], list[bool]] = {}
    for contrast, noise, slope, place in itertools.product((3, 6, 10, 16, 25), (0.0, 2.0, 5.0), (0, 120), range(4)):
        picture = faint_name(contrast, noise, slope, place)
        covering = find_identifiers([np.repeat(picture[:, :, None], 3, axis=2)], cleaner, reader)
        table.setdefault((contrast, noise), []).append(bool(covering.boxes))
    found = [hit for hits in table.values() for hit in hits]
    print(f"\nfaint names, 14 points, found {sum(found)} of {len(found)}; by contrast over noise, in grey levels:")
    for (contrast, noise), hits in sorted(table.items()):
        print(f"  {contrast:>2} over {noise:.0f}: {sum(hits)} of {len(hits)}")


def faint_name(contrast: int, noise: float, slope: int, place: int) -> NDArray[np.uint8]:
    ink = Image.new("L", (256, 256))
    text = ("ZORVAK JANE", "MULTEN PIERRE", "Hagrid Oslo", "KESTREL 19560312")[place]
    ImageDraw.Draw(ink).text((20, 60 + 20 * place), text, fill=255, font=ImageFont.load_default(size=14))
    ground = 60 + slope * np.linspace(0, 1, 256)[None, :] + np.random.default_rng(place).normal(0, noise, (256, 256))
    return np.clip(ground + contrast * np.asarray(ink) / 255, 0, 255).astype(np.uint8)


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


def speed(folder: Path, peers: str) -> None:
    data = os.environ.get("PROGNOSCOPE_DATA")
    if not data:
        print("sarcoma files: PROGNOSCOPE_DATA is not set")
        return
    sarcoma = Path(data) / "sts"
    for name, source in (("all sarcoma files", sarcoma), ("one patient", sarcoma / "STS_001")):
        used, seconds, files = whole(source, folder / name)
        print(
            f"\n{name}: {files} files in {seconds:.1f} s, 2 processes; processor time {used:.1f} s, "
            f"{1000 * used / files:.1f} ms a file; largest process {peak_mib()} MiB"
        )
    for name in PEERS if peers else ():
        before = os.times()
        seconds = peer(name, peers, sarcoma / "STS_001", folder / f"speed {name}")
        print(f"  {name}: {seconds:.1f} s, processor time {processor(before):.1f} s")


def whole(source: Path, target: Path) -> tuple[float, float, int]:
    """De-identify as a user does, in a process of its own: processor time of all processes, seconds, files."""
    code = (
        "import sys; from pathlib import Path; from prognoscope.deidentify import PROFILES, Project\n"
        "from prognoscope.jobs.deidentify import deidentify; from prognoscope.work import local_map\n"
        "done = deidentify(Path(sys.argv[1]), Path(sys.argv[2]), options=PROFILES['research'],\n"
        "    project=Project(b'the key of the benchmark, no secret'), mapper=local_map(jobs=2))\n"
        "print(done.report['written']['files'])\n"
        "from loky import get_reusable_executor; get_reusable_executor().shutdown()\n"
    )
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, str(source), str(target)], stdout=subprocess.PIPE, check=True)
    return processor(before), time.perf_counter() - begun, int(done.stdout.split()[-1])


def processor(before: os.times_result) -> float:
    now = os.times()
    return now.children_user + now.children_system - before.children_user - before.children_system


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10


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
