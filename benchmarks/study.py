"""A sarcoma study from an empty store, again, and with other models: seconds, ratios and peak memory.

PROGNOSCOPE_DATA=… python benchmarks/study.py [sts-lung-metastasis]
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASKED = {"cold": 180.0, "again": 10.0, "memory_mb": 2048.0}


def run(study: Path, scratch: Path, *more: str) -> tuple[float, dict[str, float]]:
    """Run a study in a process of its own; return seconds and the record's seconds by stage."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "prognoscope", "run", str(study), "--store", str(scratch / "store"), *more]
    subprocess.run(command, check=True, capture_output=True, cwd=scratch)
    took = time.perf_counter() - began
    out = Path(more[more.index("--out") + 1])
    return took, json.loads((out / "run.json").read_text())["seconds"]


def main(name: str = "sts-lung-metastasis") -> None:
    """Print each figure beside what was asked."""
    if "PROGNOSCOPE_DATA" not in os.environ:
        print("PROGNOSCOPE_DATA is not set; the README says where the data is")
        return
    study = ROOT / "studies" / f"{name}.yaml"
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        cold, stages = run(study, scratch, "--out", str(scratch / "one"))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        again, _ = run(study, scratch, "--out", str(scratch / "one"))
        fewer = scratch / "fewer.yaml"
        fewer.write_text(study.read_text().replace(", random-forest", "").replace(", survival-forest", ""))
        models, other = run(fewer, scratch, "--out", str(scratch / "two"))
        alone = scratch / "alone"
        alone.mkdir()
        one, _ = run(study, alone, "--out", str(scratch / "three"), "--jobs", "1")
        same = (scratch / "one" / "evaluation.json").read_bytes() == (
            scratch / "three" / "evaluation.json"
        ).read_bytes()
    print(f"{name}, {os.cpu_count()} cores")
    print(f"  cold                     {cold:7.1f} s   (asked {ASKED['cold']:.0f})   {stages}")
    print(f"  again, nothing changed   {again:7.1f} s   (asked {ASKED['again']:.0f})   {again / cold:.3f} of cold")
    print(f"  other models             {models:7.1f} s   measure {other['measure']:.1f} s")
    print(f"  one process              {one:7.1f} s   evaluation.json identical: {same}")
    print(f"  peak memory of a process {peak:7.0f} MB  (asked {ASKED['memory_mb']:.0f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
