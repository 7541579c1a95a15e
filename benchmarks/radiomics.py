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
    "flash-radiomics": "flash_radiomics",
    "pyradiomics": "radiomics",
    "z-rad": "zrad",
    "mirp": "mirp",
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


def flash_radiomics() -> Measure:
    """PyRadiomics' interface; each extraction is written to a file, as the library has it."""
    import logging
    import tempfile

    import SimpleITK
    from flash_radiomics import featureextractor

    logging.disable(logging.WARNING)
    extractor = featureextractor.RadiomicsFeatureExtractor(binCount=32)
    extractor.enableAllFeatures()
    folder = tempfile.mkdtemp()
    made: dict[int, tuple[Any, Any]] = {}

    def measure(case: Case, modality: str) -> int:  # noqa: ARG001
        image, mask, spacing = case
        if id(image) not in made:
            made[id(image)] = tuple(SimpleITK.GetImageFromArray(array) for array in (image, mask.astype("uint8")))
            for array in made[id(image)]:
                array.SetSpacing(spacing[::-1])
        found = extractor.execute(*made[id(image)], output_hdf5_path=f"{folder}/features.h5")
        return sum(not name.startswith("diagnostics") for name in found)

    return measure


def zrad() -> Measure:
    from zrad.image import Image
    from zrad.preprocessing import IntensityMaskBuilder, IVHIntensityDiscretizer, RoiData, TextureDiscretizer
    from zrad.radiomics.extractor import Radiomics

    extractor = Radiomics(aggr_dim="3D", aggr_method="MERG")
    steps = [
        IntensityMaskBuilder(),
        TextureDiscretizer(number_of_bins=32),
        IVHIntensityDiscretizer("fixed_bin_number", number_of_bins=1000),
    ]
    made: dict[int, RoiData] = {}

    def measure(case: Case, modality: str) -> int:  # noqa: ARG001
        voxels, mask, spacing = case
        if id(voxels) not in made:
            place: dict[str, Any] = {"origin": (0.0, 0.0, 0.0), "spacing": spacing[::-1], "shape": voxels.shape[::-1]}
            place["direction"] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
            image, region = (Image(array=array, **place) for array in (voxels.astype(float), mask.astype("int8")))
            made[id(voxels)] = RoiData(image=image, morphological_mask=region)
        roi = made[id(voxels)]
        for step in steps:
            roi = step.apply(roi)
        return len(extractor.extract_features(roi, families="all"))

    return measure


def mirp() -> Measure:
    """Reads its image from a file, uncompressed here."""
    import logging
    import tempfile

    import nibabel
    import numpy as np
    from mirp import extract_features

    logging.disable(logging.WARNING)
    folder = Path(tempfile.mkdtemp())
    made: dict[int, tuple[Path, Path]] = {}

    def measure(case: Case, modality: str) -> int:
        image, mask, spacing = case
        if id(image) not in made:
            made[id(image)] = folder / f"{len(made)}_image.nii", folder / f"{len(made)}_mask.nii"
            for array, path in zip((image, mask.astype("uint8")), made[id(image)], strict=True):
                volume: Any = nibabel.Nifti1Image(array.T, np.diag([*spacing[::-1], 1.0]))  # type: ignore[no-untyped-call]
                nibabel.save(volume, path)
        found = extract_features(
            image=str(made[id(image)][0]),
            mask=str(made[id(image)][1]),
            image_modality={"PET": "pet", "CT": "ct"}.get(modality, "mr"),
            base_discretisation_method="fixed_bin_number",
            base_discretisation_n_bins=32,
            base_feature_families="all",
        )
        return int(found[0].iloc[0].notna().sum())

    return measure


MAKERS: dict[str, Callable[[], Measure]] = {
    "prognoscope": lambda: prognoscope(("all",), ("3D merged",)),
    "prognoscope, lean": lambda: prognoscope(LEAN, ("3D merged",)),
    "prognoscope, all aggregations": lambda: prognoscope(
        ("all",),
        ("2D averaged", "2D slice-merged", "2.5D direction-merged", "2.5D merged", "3D averaged", "3D merged"),
    ),
    "pictologics": pictologics,
    "flash-radiomics": flash_radiomics,
    "pyradiomics": pyradiomics,
    "z-rad": zrad,
    "mirp": mirp,
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
