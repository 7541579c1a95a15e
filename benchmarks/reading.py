"""How fast are folders, volumes and masks read? Beside it, in the same run, what pydicom alone takes for the headers.

Run: python benchmarks/reading.py [FOLDER] [--every N]. Without a folder it reads the sarcoma data below
PROGNOSCOPE_DATA, or a demo cohort that it writes to a temporary place.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import pydicom

from prognoscope.core.images import ImageIndex
from prognoscope.demo import write_cohort
from prognoscope.sources import Located, assemble, inspect, list_files, read_mask, read_volume

Result = TypeVar("Result")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", nargs="?", type=Path)
    options.add_argument("--every", type=int, default=1, help="read only every n-th patient folder")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = chosen.folder or _data() or _demo(Path(temporary))
        print(f"{platform.machine()}, Python {platform.python_version()}, pydicom {version('pydicom')}, one process")
        measure(root, chosen.every)


def _data() -> Path | None:
    data = os.environ.get("PROGNOSCOPE_DATA")
    return Path(data) / "sts" if data else None


def _demo(folder: Path) -> Path:
    seconds, _ = timed(lambda: write_cohort(folder / "demo"))
    print(f"demo cohort of 120 patients written in {seconds:.1f} s")
    return folder / "demo" / "images"


def measure(root: Path, every: int) -> None:
    seconds, files = timed(lambda: list_files(root))
    homes = sorted({file.path.split("/")[0] for file in files})[::every]
    paths = [file.path for file in files if file.path.split("/")[0] in homes]
    print(f"{len(files)} files listed in {seconds:.2f} s; {len(paths)} of them read")
    located = []

    def headers() -> None:
        for path in paths:
            found = inspect(root / path)
            if found.instance:
                located.append(Located(path, found.instance, found.sha256))

    headers()  # once to warm the disk's cache
    located.clear()
    ours, _ = timed(headers)
    peer, _ = timed(lambda: [_pydicom(root / item.path) for item in located])
    print(f"headers and SHA-256: {ours:.2f} s, {len(paths) / ours:,.0f} files/s")
    print(f"pydicom.dcmread(stop_before_pixels=True), no hash: {peer:.2f} s, {len(located) / peer:,.0f} files/s")
    seconds, index = timed(lambda: assemble(located))
    print(f"assembled to {len(index.series)} series and {len(index.region_sets)} region sets in {seconds:.2f} s")
    _voxels(root, index)


def _pydicom(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmread(path, stop_before_pixels=True)


def _voxels(root: Path, index: ImageIndex) -> None:
    seconds, volumes = timed(lambda: [read_volume(root, series).voxels.size for series in index.series])
    megabytes = 4 * sum(volumes) / 1e6
    print(f"volumes: {seconds:.2f} s, {1000 * seconds / len(volumes):.0f} ms a series, {megabytes / seconds:.0f} MB/s")
    series = {one.uid: one for one in index.series}
    pairs = [(found, series[found.series_uid]) for found in index.region_sets if found.series_uid in series]
    seconds, masks = timed(lambda: [read_mask(root, found, found.regions[0], image).count for found, image in pairs])
    if masks:
        print(f"masks: {seconds:.2f} s, {1000 * seconds / len(masks):.0f} ms a region")


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of processor time that some work took, and its result."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


if __name__ == "__main__":
    main()
