"""How long radiomics takes beside its peers: `python benchmarks/radiomics.py [--python PATH …]`.

Ten sarcoma lesions in CT, PET and MR, cropped, on their native grid, 32 bins, original image, one thread. Each library
runs in a process of its own, the image already in memory and the kernels compiled. Times are those of the processor,
which a busy machine changes least; a case counts with the fastest of several runs, a modality with the median over its
cases. Peers are those that this interpreter
or one named by `--python` can import. The data are `lesions/` below PROGNOSCOPE_DATA.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODALITIES = {"CT": "CT", "PET": "PT", "MR_T1": "MR"}
PEERS = {
    "prognoscope": "prognoscope",
    "prognoscope, lean": "prognoscope",
    "prognoscope, all aggregations": "prognoscope",
    "pictologics": "pictologics",
    "pyradiomics": "radiomics",
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "PICTOLOGICS_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")
LEAN = ("morphology", "intensity", "texture")
Case = tuple[Any, Any, tuple[float, float, float]]
Measure = Callable[[Case, str], int]


def prognoscope(families: tuple[str, ...], aggregations: tuple[str, ...]) -> Measure:
    from prognoscope.core.geometry import Grid, Mask, Volume
    from prognoscope.radiomics import RadiomicsSettings, extract

    settings = RadiomicsSettings.model_validate({"families": families, "bins": 32, "aggregations": aggregations})
    made: dict[int, tuple[Volume, Mask]] = {}

    def measure(case: Case, modality: str) -> int:
        image, mask, spacing = case
        if id(image) not in made:
            grid = Grid(image.shape, spacing)
            made[id(image)] = Volume(image, grid), Mask(mask, grid)
        return len(extract(*made[id(image)], settings, modality=MODALITIES[modality]))

    return measure


def pictologics() -> Measure:
    import logging

    from pictologics import RadiomicsPipeline
    from pictologics.loader import Image

    logging.disable(logging.WARNING)
    steps = [
        {"step": "discretise", "params": {"method": "FBN", "n_bins": 32}},
        {
            "step": "extract_features",
            "params": {
                "families": ["intensity", "morphology", "texture", "histogram", "ivh"],
                "include_spatial_intensity": True,
                "include_local_intensity": True,
            },
        },
    ]
    made: dict[int, tuple[Any, Any]] = {}

    def measure(case: Case, modality: str) -> int:
        image, mask, spacing = case
        if id(image) not in made:
            place = {"spacing": spacing[::-1], "origin": (0.0, 0.0, 0.0), "modality": MODALITIES[modality]}
            made[id(image)] = tuple(Image(array=array.T, **place) for array in (image, mask.astype("uint8")))
        # A pipeline remembers results: a fresh one each time.
        pipeline = RadiomicsPipeline()
        pipeline.add_config("benchmark", steps)
        image, mask = made[id(image)]
        found = pipeline.run(image=image, mask=mask, config_names=["benchmark"])["benchmark"]
        return int(found.notna().sum())

    return measure


def pyradiomics() -> Measure:
    import SimpleITK

    from radiomics import featureextractor, setVerbosity

    setVerbosity(60)
    extractor = featureextractor.RadiomicsFeatureExtractor(binCount=32)
    extractor.enableAllFeatures()
    made: dict[int, tuple[Any, Any]] = {}

    def measure(case: Case, modality: str) -> int:  # noqa: ARG001
        image, mask, spacing = case
        if id(image) not in made:
            made[id(image)] = tuple(SimpleITK.GetImageFromArray(array) for array in (image, mask.astype("uint8")))
            for array in made[id(image)]:
                array.SetSpacing(spacing[::-1])
        found = extractor.execute(*made[id(image)])
        return sum(not name.startswith("diagnostics") for name in found)

    return measure


MAKERS: dict[str, Callable[[], Measure]] = {
    "prognoscope": lambda: prognoscope(("all",), ("3D merged",)),
    "prognoscope, lean": lambda: prognoscope(LEAN, ("3D merged",)),
    "prognoscope, all aggregations": lambda: prognoscope(
        ("all",),
        ("2D averaged", "2D slice-merged", "2.5D direction-merged", "2.5D merged", "3D averaged", "3D merged"),
    ),
    "pictologics": pictologics,
    "pyradiomics": pyradiomics,
}


def cases(folder: Path, modality: str) -> list[Case]:
    import nibabel
    import numpy as np

    found: list[Case] = []
    for path in sorted(folder.glob(f"*_{modality}_image.nii.gz")):
        image: Any = nibabel.load(path)
        mask: Any = nibabel.load(path.with_name(path.name.replace("image", "mask")))
        spacing = tuple(float(step) for step in image.header.get_zooms()[::-1])
        voxels = np.ascontiguousarray(np.asarray(image.dataobj).T, dtype=np.float32)
        found.append((voxels, np.ascontiguousarray(np.asarray(mask.dataobj).T > 0), spacing))  # type: ignore[arg-type]
    return found


def work(library: str, folder: Path, runs: int) -> None:
    """Measure one library in this process, and print its times as JSON."""
    measure = MAKERS[library]()
    result: dict[str, Any] = {}
    for modality in MODALITIES:
        lesions = cases(folder, modality)
        number = measure(lesions[0], modality)
        seconds = []
        for lesion in lesions:
            measure(lesion, modality)
            best = float("inf")
            for _ in range(runs):
                start = time.process_time()
                measure(lesion, modality)
                best = min(best, time.process_time() - start)
            seconds.append(best)
        result[modality] = {"seconds": statistics.median(seconds), "features": number}
    print(json.dumps(result))


def can_import(python: str, module: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec(module) is not None
    question = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", question], check=False).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure radiomics beside its peers.")
    parser.add_argument("--python", action="append", default=[], help="an interpreter that has a peer")
    parser.add_argument("--runs", type=int, default=5, help="runs of each case, of which the fastest counts")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    # This script has the name of PyRadiomics' package, and Python looks beside the script first.
    sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]
    if "PROGNOSCOPE_DATA" not in os.environ:
        print("radiomics: skipped, PROGNOSCOPE_DATA is not set")
        return
    folder = Path(os.environ["PROGNOSCOPE_DATA"]) / "lesions"
    if options.worker:
        work(options.worker, folder, options.runs)
        return
    measured = {}
    for library, module in PEERS.items():
        for python in [sys.executable, *options.python]:
            if not can_import(python, module):
                continue
            command = [python, __file__, "--worker", library, "--runs", str(options.runs)]
            done = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{library}: failed: {done.stderr.strip().splitlines()[-1]}")
            else:
                measured[library] = json.loads(done.stdout.strip().splitlines()[-1])
            break
        else:
            print(f"{library}: not installed")
    show(measured)


def show(measured: dict[str, Any]) -> None:
    ours = measured["prognoscope"]
    print(
        f"{'median seconds a case':32}"
        + "".join(f"{modality:>10}" for modality in MODALITIES)
        + "  features   ratios to ours"
    )
    for library, times in measured.items():
        seconds = "".join(f"{times[modality]['seconds']:10.4f}" for modality in MODALITIES)
        ratios = " ".join(f"{times[m]['seconds'] / ours[m]['seconds']:6.2f}" for m in MODALITIES)
        print(f"{library:32}{seconds}{times['CT']['features']:10}   {ratios}")


if __name__ == "__main__":
    main()
