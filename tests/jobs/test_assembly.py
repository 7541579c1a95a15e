"""What a patient's files make together, in the words of whoever brought them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.uid import UID

from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.quarantine import list_quarantine
from tests.make.store import encoded, slice_bytes, zipped

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


def document(patient: str, number: int = 0) -> bytes:
    """A file that holds no image."""
    data = pydicom.dcmread(BytesIO(slice_bytes(patient, number)))
    data.SOPClassUID, data.Modality = UID(ENCAPSULATED_PDF), "DOC"
    del data.PixelData
    return encoded(data)


def test_what_holds_no_image_is_named_by_its_path_and_source(tmp_path: Path) -> None:
    (tmp_path / "in/letters").mkdir(parents=True)
    (tmp_path / "in/letters/one\n.pdf.dcm").write_bytes(document("P1"))
    (tmp_path / "in/more.zip").write_bytes(zipped({"two.dcm": document("P2", 1)}))
    report = ingest(tmp_path / "in", store=tmp_path / "store")
    source = tmp_path / "in"
    told = [f"letters/one\\n.pdf.dcm ({source})", f"more.zip!/two.dcm ({source})"]
    assert [problem.subject for problem in report.quarantined] == told
    assert [held.subject for held in list_quarantine(tmp_path / "store")] == told
