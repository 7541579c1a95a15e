"""dciodvfy of Debian's dicom3tools finds no error in a result that its input did not have."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from prognoscope.deidentify import Options, load_table
from prognoscope.jobs.deidentify import deidentify
from tests.make.deidentify import BASIC, PROJECT, RESEARCH
from tests.make.identifiers import write_patients

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="Debian's dicom3tools is not installed"),
]


# Here PS3.15 contradicts PS3.3: Table E.1-1 removes the ethics committee's approval number and keeps the committee's
# name as a dummy, which PS3.3 C.7.1.3 allows only beside the number. The table is followed.
OF_THE_STANDARD = "ClinicalTrialProtocolEthicsCommitteeName"


def errors(path: Path) -> set[str]:
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace", check=False)
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error")]
    lines = [line for line in lines if OF_THE_STANDARD not in line]
    # Without values and item numbers: they differ between input and output by design.
    return {re.sub(r"<[^>]*>|= .*|\[\d+\]|'[^']*'", "", line).strip() for line in lines}


@pytest.mark.parametrize("options", [BASIC, RESEARCH])
def test_no_new_error_in_any_kind_of_object(tmp_path: Path, options: Options) -> None:
    key = write_patients(tmp_path / "in", patients=2, seed=5)
    done = deidentify(tmp_path / "in", tmp_path / "out", options=options, project=PROJECT)
    assert done.report["written"]["files"] == len(key.originals)
    sources = load_table(tmp_path / "out.private" / "pseudonyms.enc", PROJECT).files
    new = {}
    for target, source in sorted(sources.items()):
        added = errors(tmp_path / "out" / target) - errors(tmp_path / "in" / source)
        if added:
            new[source] = sorted(added)
    assert new == {}
