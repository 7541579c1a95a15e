"""How long radiomics with filters takes beside its peers: `python benchmarks/filters.py [--python PATH …]`.

Three Laplacians of Gaussian (1, 2, 3 mm) and the eight bands of a Coiflet wavelet of ten sarcoma lesions in CT, PET
and MR, cropped, on their native grid, 32 bins, one thread: all features of the image and of its eleven responses, then
the responses alone. Each library runs in a process of its own, the image in memory and the kernels compiled. Times are
those of the processor, which a busy machine changes least; a case counts with the fastest of several runs, a modality
with the median over its cases. Peers are those that this interpreter or one named by `--python` can import. The data
are `lesions/` below PROGNOSCOPE_DATA.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
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
SIGMAS = (1.0, 2.0, 3.0)
BANDS = tuple("".join(bands) for bands in itertools.product("LH", repeat=3))
PEERS = {
    "prognoscope": "prognoscope",
    "prognoscope, responses alone": "prognoscope",
    "pictologics": "pictologics",
    "pictologics, responses alone": "pictologics",
}
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "PICTOLOGICS")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in THREADS}
Case = tuple[Any, Any, tuple[float, float, float]]
Measure = Callable[[Case, str], int]


def prognoscope() -> Measure:
    from prognoscope.core.geometry import Grid, Mask, Volume
    from prognoscope.radiomics import RadiomicsSettings, extract

    filters: list[dict[str, Any]] = [{"laplacian_of_gaussian": {"sigma_mm": sigma}} for sigma in SIGMAS]
    filters += [{"separable_wavelet": {"family": "coif1", "bands": bands}} for bands in BANDS]
    settings = RadiomicsSettings.model_validate({"bins": 32, "filters": filters})
    made: dict[int, tuple[Volume, Mask]] = {}

    def measure(case: Case, modality: str) -> int:
        image, mask, spacing = case
        if id(image) not in made:
            grid = Grid(image.shape, spacing)
            made[id(image)] = Volume(image, grid), Mask(mask, grid)
        return len(extract(*made[id(image)], settings, modality=MODALITIES[modality]))

    return measure


def prognoscope_responses() -> Measure:
    from prognoscope.radiomics.filters import FilterChoice, respond

    filters: list[dict[str, Any]] = [{"laplacian_of_gaussian": {"sigma_mm": sigma}} for sigma in SIGMAS]
    filters += [{"separable_wavelet": {"family": "coif1", "bands": bands}} for bands in BANDS]
    choices = [FilterChoice.model_validate(entry) for entry in filters]

    def measure(case: Case, _: str) -> int:
        image, _, spacing = case
        return len([respond(image, spacing, choice) for choice in choices])

    return measure


def pictologics() -> Measure:
    import logging

    from pictologics import RadiomicsPipeline
    from pictologics.loader import Image

    logging.disable(logging.WARNING)
    measures = [
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
    of_responses = [
        measures[0],
        {"step": "extract_features", "params": {"families": ["intensity", "texture", "histogram", "ivh"]}},
    ]
    filters: list[dict[str, Any]] = [{"type": "log", "sigma_mm": sigma, "truncate": 4.0} for sigma in SIGMAS]
    filters += [{"type": "wavelet", "wavelet": "coif1", "level": 1, "decomposition": bands} for bands in BANDS]
    configurations = {"image": measures}
    for number, settings in enumerate(filters):
        configurations[f"response {number}"] = [{"step": "filter", "params": settings}, *of_responses]
    made: dict[int, tuple[Any, Any]] = {}

    def measure(case: Case, modality: str) -> int:
        image, mask, spacing = case
        if id(image) not in made:
            place = {"spacing": spacing[::-1], "origin": (0.0, 0.0, 0.0), "modality": MODALITIES[modality]}
            made[id(image)] = tuple(Image(array=array.T, **place) for array in (image, mask.astype("uint8")))
        pipeline = RadiomicsPipeline()
        for name, steps in configurations.items():
            pipeline.add_config(name, steps)
        image, mask = made[id(image)]
        found = pipeline.run(image=image, mask=mask, config_names=list(configurations))
        return sum(int(values.notna().sum()) for values in found.values())

    return measure


def pictologics_responses() -> Measure:
    from pictologics.filters import laplacian_of_gaussian, wavelet_transform

    def measure(case: Case, _: str) -> int:
        image, _, spacing = case
        turned = image.T
        for sigma in SIGMAS:
            laplacian_of_gaussian(turned, sigma_mm=sigma, spacing_mm=spacing[::-1], truncate=4.0)
        for bands in BANDS:
            wavelet_transform(turned, wavelet="coif1", level=1, decomposition=bands)
        return len(SIGMAS) + len(BANDS)

    return measure


MAKERS: dict[str, Callable[[], Measure]] = {
    "prognoscope": prognoscope,
    "prognoscope, responses alone": prognoscope_responses,
    "pictologics": pictologics,
    "pictologics, responses alone": pictologics_responses,
}


def cases(folder: Path, modality: str) -> list[Case]:
    import nibabel
    import numpy as np

    found: list[Case] = []
    for path in sorted(folder.glob(f"*_{modality}_image.nii.gz")):
        image: Any = nibabel.load(path)
        mask: Any = nibabel.load(path.with_name(path.name.replace("image", "mask")))
        x, y, z = (float(step) for step in image.header.get_zooms())
        voxels = np.ascontiguousarray(np.asarray(image.dataobj).T, dtype=np.float32)
        found.append((voxels, np.ascontiguousarray(np.asarray(mask.dataobj).T > 0), (z, y, x)))
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
        result[modality] = {"seconds": statistics.median(seconds), "count": number}
    print(json.dumps(result))


def can_import(python: str, module: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec(module) is not None
    question = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", question], check=False).returncode == 0


def measured_by(library: str, pythons: list[str], runs: int) -> dict[str, Any] | None:
    for python in pythons:
        if not can_import(python, PEERS[library]):
            continue
        command = [python, __file__, "--worker", library, "--runs", str(runs)]
        done = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{library}: failed: {done.stderr.strip().splitlines()[-1]}")
            return None
        times: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return times
    print(f"{library}: not installed")
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure radiomics with filters beside its peers.")
    parser.add_argument("--python", action="append", default=[], help="an interpreter that has a peer")
    parser.add_argument("--runs", type=int, default=5, help="runs of each case, of which the fastest counts")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if "PROGNOSCOPE_DATA" not in os.environ:
        print("filters: skipped, PROGNOSCOPE_DATA is not set")
        return
    if options.worker:
        work(options.worker, Path(os.environ["PROGNOSCOPE_DATA"]) / "lesions", options.runs)
        return
    measured = {library: measured_by(library, [sys.executable, *options.python], options.runs) for library in PEERS}
    print(
        f"{'median seconds of a case':32}"
        + "".join(f"{name:>10}" for name in MODALITIES)
        + "     count   ratio to ours"
    )
    for library, times in measured.items():
        ours = measured["prognoscope, responses alone" if "alone" in library else "prognoscope"]
        if times is None or ours is None:
            continue
        seconds = "".join(f"{times[name]['seconds']:10.4f}" for name in MODALITIES)
        ratios = " ".join(f"{times[name]['seconds'] / ours[name]['seconds']:6.2f}" for name in MODALITIES)
        print(f"{library:32}{seconds}{times['CT']['count']:10}   {ratios}")


if __name__ == "__main__":
    main()
