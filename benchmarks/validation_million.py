"""`prognoscope validate` on one million patients: seconds and peak memory of the command.

A binary outcome with two models, then a time to event with one; each with four sites, two sexes and their eight
intersections, all gaps, report and document. Asked: under 60 s and 4 GB.

    python benchmarks/validation_million.py [rows [binary|time]]      # 1000000, both
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

HORIZON = 730.0
BINARY = ("--outcome", "died", "--risk", "p", "--reference", "q")
TIMED = ("--time", "days", "--event", "died", "--horizon", str(HORIZON), "--risk", "p")


def places(n: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Site and sex, without relation to anything."""
    return {"site": random.choice(list("ABCD"), n), "sex": random.choice(list("FM"), n)}


def binary(n: int, random: np.random.Generator) -> pd.DataFrame:
    """Outcomes with the risks `p`; `q` are those of a noisier model."""
    line = random.normal(-1.1, 1.0, n)
    p, q = (1 / (1 + np.exp(-value)) for value in (line, line + random.normal(0, 0.5, n)))
    return pd.DataFrame(
        {"died": (random.random(n) < p).astype(int), "p": p.round(5), "q": q.round(5)} | places(n, random)
    )


def timed(n: int, random: np.random.Generator) -> pd.DataFrame:
    """Exponential times in whole days, a third lost before the horizon."""
    rate = np.exp(random.normal(-1.1, 1.0, n)) / 1200
    event, lost = random.exponential(1 / rate), random.uniform(100, 3000, n)
    risk = (1 - np.exp(-rate * HORIZON)).round(5)
    days = np.ceil(np.minimum(event, lost)).astype(int)
    return pd.DataFrame({"days": days, "died": (event <= lost).astype(int), "p": risk} | places(n, random))


def measured(command: list[str]) -> tuple[float, float, float]:
    """Run a command; seconds, seconds of processor time, peak memory in GB."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024**2


def main() -> None:
    """Write each table, validate it, print."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for kind, draw, columns in (("binary", binary, BINARY), ("time", timed, TIMED)):
            if only not in ("", kind):
                continue
            draw(n, np.random.default_rng(1)).to_csv(folder / "table.csv", index=False)
            command = [sys.executable, "-m", "prognoscope", "validate", str(folder / "table.csv"), *columns]
            took, processor, memory = measured([*command, "--group", "site,sex", "--out", str(folder / kind)])
            print(f"{kind}, {n:,} rows: {took:.1f} s, {processor:.1f} s of processor time, {memory:.2f} GB", flush=True)


if __name__ == "__main__":
    main()
