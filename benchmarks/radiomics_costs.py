"""What radiomics costs beside the measuring: `python benchmarks/radiomics_costs.py [--lung]`.

Each in a process of its own: importing the package, compiling all kernels in an empty cache, the second process with
that cache, and the memory that measuring a region takes above its image. `--lung` measures two ellipsoids, about as
large as lungs, in a generated CT of 512 × 512 × 600 voxels. Times are those of the processor; memory is what grows
above the image and the libraries (numpy, scipy, pandas, numba).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
STATUS = Path("/proc/self/status")
LESION, LUNGS = (100, 128, 128), (600, 512, 512)


def imported() -> str:
    start = time.process_time()
    import prognoscope.radiomics  # noqa: F401

    return f"{time.process_time() - start:.2f} s"


def compiled() -> str:
    start = time.process_time()
    from prognoscope.radiomics.warm import compile_kernels

    told: list[str] = []
    compile_kernels(told.append)
    return f"{time.process_time() - start:.1f} s, {told[0] if told else 'nothing to compile'}"


def measured(shape: tuple[int, int, int]) -> str:
    import numba  # noqa: F401
    import pandas  # noqa: F401
    import scipy.ndimage  # noqa: F401

    from prognoscope.radiomics import RadiomicsSettings, extract
    from prognoscope.radiomics.warm import compile_kernels

    compile_kernels(lambda _: None)
    volume, mask, cropped = lungs(shape)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    before, start = status("VmRSS"), time.process_time()
    number = len(extract(volume, mask, RadiomicsSettings(), modality="CT"))
    seconds, grown = time.process_time() - start, status("VmHWM") - before
    return (
        f"{number} features of {mask.count / 1e6:.1f} million voxels in {seconds:.1f} s; {grown:.0f} MB above the "
        f"image, whose part around the region has {cropped:.0f} MB: 3 times that and 150 MB are "
        f"{3 * cropped + 150:.0f} MB; {status('VmHWM'):.0f} MB in all"
    )


def lungs(shape: tuple[int, int, int]) -> tuple[Any, Any, float]:
    """A CT, a mask, and the size of the CT's part around the mask in MB."""
    import numpy as np

    from prognoscope.core.geometry import Grid, Mask, Volume

    random = np.random.default_rng(1)
    z, y, x = (np.linspace(-1, 1, size, dtype=np.float32) for size in shape)
    inside = np.zeros(shape, dtype=bool)
    for side in (-0.4, 0.4):
        distance = (z / 0.8)[:, None, None] ** 2 + (y / 0.5)[:, None] ** 2 + ((x - side) / 0.33) ** 2
        inside |= distance < 1
    voxels = np.empty(shape, dtype=np.float32)
    for number in range(shape[0]):
        voxels[number] = np.rint(random.normal(-850, 60, shape[1:]))
    cropped = np.prod([np.ptp(np.flatnonzero(inside.any(axis=axes))) + 1 for axes in ((1, 2), (0, 2), (0, 1))])
    voxels.setflags(write=False)
    inside.setflags(write=False)
    grid = Grid(shape, (0.6, 0.7, 0.7))
    return Volume(voxels, grid), Mask(inside, grid), float(cropped) * 4 / 2**20


def status(name: str) -> float:
    """A figure of this process in MB (Linux)."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


WORK: dict[str, Callable[[], str]] = {
    "import": imported,
    "first process": compiled,
    "second process": compiled,
    "a large lesion": lambda: measured(LESION),
    "lungs": lambda: measured(LUNGS),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what radiomics costs beside the measuring.")
    parser.add_argument("--lung", action="store_true", help="measure lungs too, which takes 2 GB and half a minute")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(WORK[options.worker]())
        return
    with tempfile.TemporaryDirectory() as cache:
        for name in WORK:
            if name == "lungs" and not options.lung:
                continue
            environment = os.environ | ONE_THREAD | {"NUMBA_CACHE_DIR": cache}
            command = [sys.executable, __file__, "--worker", name]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            print(f"{name:16}{done.stdout.strip() or done.stderr.strip().splitlines()[-1]}", flush=True)


if __name__ == "__main__":
    main()
