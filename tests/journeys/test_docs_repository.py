"""The commands that the pages on the repository show, run as they stand there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from prognoscope.cli.app import app
from prognoscope.sources.dicomweb import parse_server
from prognoscope.sources.pacs import parse_node
from tests.make import dicom
from tests.make.store import directory, slice_bytes, write_hospital, zipped

PAGES = ("ingest.md", "store.md")
WITH_HELD = "state in (usable, quarantined)"  # the curation that the pages show finds fault with slices of 4 pixels
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the pages speak of, below `data`; the store is made beside it."""
    home = tmp_path / "data"
    write_hospital(home / "sarcoma")
    slices = {f"disc/IM{number}": slice_bytes("Z1", number) for number in range(4)}
    slices["disc/DICOMDIR"] = directory([["IM0"], ["IM1"]])
    (home / "export.zip").write_bytes(zipped({"inner.zip": zipped(slices)}))
    dicom.write_series(home / "contours/ct", rows=30, columns=30, spacing=(3.0, 1.0, 1.0), origin=(0, 0, 0))
    lesion = np.zeros((30, 30), np.uint8)
    lesion[4:9, 4:9] = 1
    dicom.write_segmentation(
        home / "contours/seg.dcm", [(1, (0, 0, 3.0), lesion), (1, (0, 0, 6.0), lesion)], names={1: "GTV"}
    )
    (home / "nifti").mkdir()
    made: Any = nib.Nifti1Image
    ramp = np.arange(8.0**3, dtype=np.float32).reshape(8, 8, 8)
    for what, voxels in (("image", ramp), ("mask", (ramp > 300).astype(np.float32))):
        nib.save(made(voxels, np.eye(4)), home / f"nifti/P01_CT_{what}.nii.gz")
    (home / "xrays").mkdir()
    Image.new("L", (9, 7)).save(home / "xrays/a.png")
    (home / "xrays/table.csv").write_text("patientid,view,filename\n7,AP,a.png\n")
    (home / "records").mkdir()
    frame = pd.DataFrame({"patient_id": ["P000", "P001"], "crp": [3.5, 12.0]})
    frame.to_excel(home / "records/clinical.xlsx", index=False)
    frame.rename(columns={"crp": "albumin"}).to_parquet(home / "records/laboratory.parquet")
    (home / "records/bundle.json").write_text('{"resourceType": "Patient", "id": "P001", "gender": "female"}')
    (tmp_path / "roles.toml").write_text('[[role]]\nname = "venous CT"\nmodality = "CT"\n')
    monkeypatch.chdir(tmp_path)
    return home


def commands(page: str) -> Iterator[list[str]]:
    for block in re.findall(r"```console\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ prognoscope "):
                yield shlex.split(line, comments=True)[2:]


def test_every_command_of_the_pages_does_what_they_say(data: Path) -> None:
    told = {}
    for page in PAGES:
        for words in commands(page):
            if words[0] == "listen" or words[1].startswith(("pacs:", "https:")):
                continue
            here = [word.replace("/data/", f"{data}/") for word in words]
            result = CliRunner().invoke(app, here)
            assert result.exit_code == 0, (words, result.output)
            told[" ".join(words)] = result.stdout
    assert "quarantined" not in "".join(output for command, output in told.items() if command.startswith("ingest"))
    for kind in ("DICOM files", "DICOM directories", "NIfTI files", "pictures", "tables", "FHIR documents"):
        assert any(f" {kind}\n" in output.partition("known")[0] for output in told.values()), kind
    for query, patients in (("roi = GTV", 1), ("roi = mask", 1), ("crp > 10 and albumin > 10", 1), ("view = AP", 1)):
        found = CliRunner().invoke(app, ["query", f"({query}) and {WITH_HELD}", "--store", "hospital"]).stdout
        assert found.startswith(f"{patients} patients"), (query, found)


def test_the_addresses_of_the_pages_can_be_read() -> None:
    """They are asked for real, of Orthanc, in tests/store/test_network.py."""
    shown = [words[1] for page in PAGES for words in commands(page)]
    assert [parse_node(one).port for one in shown if one.startswith("pacs:")] == [4242]
    assert [parse_server(one).url for one in shown if one.startswith("https:")] == ["https://pacs.example/dicom-web"]
