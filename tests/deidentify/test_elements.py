"""Files read in one pass over their bytes: the same elements as pydicom's, whatever the encoding and the nesting."""

from __future__ import annotations

import struct
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from prognoscope.deidentify import elements
from prognoscope.deidentify.elements import UnusualError, dictionary_vr, items_of, number_of, read_file, text_of
from prognoscope.deidentify.quiet import quiet


def written(path: Path, *, implicit: bool = False, undefined: bool = False, **values: object) -> Path:
    inner = Dataset()
    inner.PatientName = "INNER^NAME"
    inner.is_undefined_length_sequence_item = undefined
    outer = Dataset()
    outer.ReferencedPatientSequence = Sequence([inner])
    outer["ReferencedPatientSequence"].is_undefined_length = undefined
    outer.is_undefined_length_sequence_item = undefined
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    dataset.RequestAttributesSequence = Sequence([outer, Dataset()])
    dataset["RequestAttributesSequence"].is_undefined_length = undefined
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def assert_same(ours: Dataset, theirs: Dataset) -> None:
    assert list(ours.keys()) == list(theirs.keys())
    for tag in list(theirs.keys()):
        one, other = ours.get_item(tag), theirs.get_item(tag)
        assert one is not None
        assert other is not None
        if (other.VR or dictionary_vr(int(tag))) == "SQ":
            pairs = zip(items_of(ours, one), theirs[tag].value, strict=True)
            for item, twin in pairs:
                assert_same(item, twin)
        elif isinstance(other, RawDataElement):
            assert isinstance(one, RawDataElement)
            assert (one.VR, one.value, one.length, one.is_implicit_VR) == (
                *(other.VR, other.value),
                *(other.length, other.is_implicit_VR),
            )
        else:
            assert ours[tag].value == other.value


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("undefined", [True, False])
def test_sequences_within_sequences_with_and_without_lengths(tmp_path: Path, implicit: bool, undefined: bool) -> None:
    path = written(tmp_path / "a.dcm", implicit=implicit, undefined=undefined, PatientID="7", ImageComments="")
    assert_same(read_file(path, pixels=True), dcmread(path))


def test_every_file_that_pydicom_brings_for_its_own_tests() -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    files = [path for path in sorted(folder.rglob("*.dcm")) if path.stat().st_size < 200_000]
    assert len(files) > 50
    by_us = 0
    with quiet():
        for file in files:
            for pixels in (True, False):
                try:
                    theirs = dcmread(file, stop_before_pixels=not pixels)
                except InvalidDicomError:
                    continue
                assert_same(read_file(file, pixels=pixels), theirs)
                by_us += _reads_itself(file)
    assert by_us > len(files)  # more than half of two readings each


def _reads_itself(file: Path) -> bool:
    try:
        elements._dataset_of_file(file.read_bytes(), pixels=True, whole=True)
    except UnusualError:
        return False
    return True


def test_a_header_longer_than_the_first_piece_of_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.dcm", ImageComments="x" * 10_000, PatientComments="y" * 10_000, TextValue="z" * 100_000
    )
    assert text_of(read_file(path, pixels=False), "TextValue") == "z" * 100_000


def test_pixels_are_left_out_where_they_are_not_wanted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.dcm", Rows=1, Columns=2, BitsAllocated=8)
    dataset = dcmread(path)
    dataset.add_new(0x7FE00010, "OW", b"\1\2")
    dataset.save_as(path)
    assert "PixelData" not in read_file(path, pixels=False)
    assert read_file(path, pixels=True).PixelData == b"\1\2"


def test_fragments_are_followed_by_their_lengths_and_not_by_what_they_seem_to_say(tmp_path: Path) -> None:
    fragment = b"\xff\xd8\xfe\xff\xdd\xe0\0\0\0\0\xff\xd9"  # holds the bytes of a delimiter
    pixels = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0" + struct.pack("<L", len(fragment)) + fragment
    path = written(tmp_path / "a.dcm", Rows=1)
    data = path.read_bytes() + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + pixels + b"\xfe\xff\xdd\xe0\0\0\0\0"
    path.write_bytes(data)
    held = read_file(path, pixels=True).get_item(0x7FE00010)
    assert held is not None
    assert held.value == pixels


@pytest.mark.parametrize("cut", [1, 7, 30, 45])
def test_a_file_that_ends_within_an_element_is_pydicoms_to_judge(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path / "a.dcm", TextValue="0123456789" * 4)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(UnusualError):
        elements._dataset_of_file(path.read_bytes(), pixels=True, whole=True)
    with quiet():
        assert_same(read_file(path, pixels=True), dcmread(path))


def test_numbers_and_texts_are_read_without_being_decoded(tmp_path: Path) -> None:
    dataset = read_file(written(tmp_path / "a.dcm", Rows=300, NumberOfFrames="12", PatientID=" 7 "), pixels=True)
    assert number_of(dataset, "Rows", 0) == 300
    assert number_of(dataset, "NumberOfFrames", 1) == 12
    assert number_of(dataset, "Columns", 5) == 5
    assert text_of(dataset, "PatientID") == "7"
    assert text_of(dataset, "AccessionNumber") == ""
    assert isinstance(dataset.get_item("PatientID"), RawDataElement)


def test_a_text_with_an_escape_is_decoded_by_its_character_set(tmp_path: Path) -> None:
    path = written(tmp_path / "a.dcm", SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientID="患者7")
    assert text_of(read_file(path, pixels=True), "PatientID") == "患者7"


def test_bytes_that_are_no_dicom_are_refused_as_pydicom_refuses_them(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"nothing of the kind" * 20)
    with pytest.raises(InvalidDicomError):
        read_file(tmp_path / "a.dcm", pixels=True)
