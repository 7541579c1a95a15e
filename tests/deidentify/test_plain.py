"""Words where numbers, dates or bytes belong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from prognoscope.deidentify import Options
from prognoscope.jobs.deidentify import deidentify
from tests.make.deidentify import BASIC, PROJECT, RESEARCH, an_object, save

VALID = {b"IS": "1", b"DS": "1", b"TM": "101500", b"DA": "20200131", b"AS": "047Y"}


def out_of(folder: Path, options: Options, **elements: object) -> bytes:
    dataset = an_object()
    for name, value in elements.items():
        setattr(dataset, name, VALID[value[0]] if isinstance(value, tuple) else value)
    path = save(dataset, folder / "in" / "a.dcm")
    data = path.read_bytes()
    for name, value in elements.items():
        if isinstance(value, tuple):  # a value that pydicom would not write
            (vr, words) = value
            tag = dataset[name].tag
            head = tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little") + vr
            place = data.index(head)
            length = int.from_bytes(data[place + 6 : place + 8], "little")
            data = data[: place + 6] + len(words).to_bytes(2, "little") + words + data[place + 8 + length :]
    path.write_bytes(data)
    done = deidentify(folder / "in", folder / "out", options=options, project=PROJECT)
    assert done.held_back == ()
    (clean,) = (folder / "out").rglob("*.dcm")
    dcmread(clean)
    return clean.read_bytes()


@pytest.mark.parametrize("options", [BASIC, RESEARCH])
@pytest.mark.parametrize(
    ("name", "vr"),
    [("AcquisitionNumber", b"IS"), ("KVP", b"DS"), ("StudyTime", b"TM"), ("SeriesDate", b"DA"), ("PatientAge", b"AS")],
)
def test_a_name_in_a_number_a_date_or_a_time_goes(tmp_path: Path, options: Options, name: str, vr: bytes) -> None:
    assert b"ZORVAK" not in out_of(tmp_path, options, **{name: (vr, b"ZORVAK")})


@pytest.mark.parametrize("options", [BASIC, RESEARCH])
@pytest.mark.parametrize("words", [b"by Jane Doe.", "by Jane Doe.".encode("utf-16-le")])
def test_a_name_in_a_colour_profile_takes_it_out(tmp_path: Path, options: Options, words: bytes) -> None:
    assert words not in out_of(tmp_path, options, ICCProfile=b"\0\0\2\0" + words)


def test_a_colour_profile_that_names_nobody_stays(tmp_path: Path) -> None:
    assert b"sRGB made by ACME" in out_of(tmp_path, RESEARCH, ICCProfile=b"\0\0\2\0sRGB made by ACME\0")


def test_usual_numbers_stay(tmp_path: Path) -> None:
    data = out_of(
        tmp_path, RESEARCH, SliceThickness="1.5e0", ImagePositionPatient=[-1.5, 2, 3e-3], StudyTime="101500.12"
    )
    assert b"1.5e0" in data
    assert b"101500.12" in data
