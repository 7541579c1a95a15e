"""Run the commands of docs/claims.md again and print how each ended: `make claims`, or with words that a row must hold.

python benchmarks/claims.py [WORD …]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (?P<claim>[^|]+) \| `(?P<command>[^`]+)` \|", re.MULTILINE)


def main(*words: str) -> int:
    """Run the rows that hold every word; return how many commands failed."""
    failed = 0
    for row in ROW.finditer((ROOT / "docs" / "claims.md").read_text(encoding="utf-8")):
        if not all(word in row[0] for word in words):
            continue
        began = time.perf_counter()
        environment = {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"}
        done = subprocess.run(
            ["bash", "-c", row["command"]], cwd=ROOT, capture_output=True, text=True, env={**_kept(), **environment}
        )
        failed += done.returncode != 0
        print(f"{row['claim']}\n  $ {row['command']}\n  exit {done.returncode}, {time.perf_counter() - began:.0f} s")
        for line in (done.stdout or done.stderr).strip().splitlines()[-12:]:
            print(f"  {line}")
    return failed


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("HOME", "PROGNOSCOPE_DATA", "LANG", "TMPDIR")}


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:]), 1))
