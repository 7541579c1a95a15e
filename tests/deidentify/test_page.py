"""The page that a privacy officer signs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from prognoscope.deidentify import PROFILES
from prognoscope.jobs.deidentify import deidentify
from tests.deidentify.test_faces import write_head
from tests.deidentify.test_pixels import Screen
from tests.make.deidentify import PROJECT, US, an_object, save, with_pixels

OPTIONS = PROFILES["research"].model_copy(update={"clean_faces": True})


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prognoscope.deidentify.batch.open_reader", lambda: Screen("DOE"))
        return made(tmp_path_factory.mktemp("page"))


def made(tmp_path: Path) -> str:
    noise = np.random.default_rng(4).integers(1, 200, (40, 60), dtype=np.uint8)
    scan = an_object(US, SeriesDescription="Thyroid <b>of DOE</b>", ImageComments="No change since the trial")
    save(with_pixels(scan, noise), tmp_path / "in" / "a.dcm")
    write_head(tmp_path)
    (tmp_path / "in" / "Doe letter.pdf").write_bytes(b"%PDF")
    (tmp_path / "in" / "t.csv").write_text("patient_id,age,sex\n4711-8,47,F\n", encoding="utf-8")
    done = deidentify(tmp_path / "in", tmp_path / "out", options=OPTIONS, project=PROJECT)
    assert not list((tmp_path / "out").rglob("*.html"))
    return (done.private / "deidentification.html").read_text(encoding="utf-8")


def test_it_shows_all_that_has_to_be_judged(page: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for words in (
        "1 held back",
        "edition 2024b",
        "113100",
        "Basic Application Confidentiality Profile",
        "(0010,0010)",
        "Doe letter.pdf",
        "No change since the trial",
        "Share with fewer than 5",
        "Signature",
        "does not",
    ):
        assert words in text, words


def test_pictures_before_and_after_are_part_of_it(page: str) -> None:
    assert page.count("data:image/png;base64,") == 2  # the covered ultrasound and the face


def test_texts_from_files_are_escaped_and_nothing_is_fetched(page: str) -> None:
    assert "<b>of" not in page
    assert "Thyroid &lt;b&gt;of" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert "<script" not in page
