"""Two files with one SOPInstanceUID: the same instance in another envelope, or another one."""

from __future__ import annotations

from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from prognoscope.sources.sameness import same_data_set
from tests.make.store import slice_bytes


def written(data: Dataset, syntax: str = ExplicitVRLittleEndian, *, writer: str = "") -> bytes:
    data.file_meta.TransferSyntaxUID = UID(syntax)
    if writer:
        data.file_meta.ImplementationVersionName = writer
    out = BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


def document(text: str = "no tumour", **told: str | bytes) -> Dataset:
    """A slice with a sequence in a sequence, private elements and a long text."""
    data = pydicom.dcmread(BytesIO(slice_bytes("P1", 0)))
    inner, item = Dataset(), Dataset()
    inner.TextValue = text
    item.ContentSequence = Sequence([inner])
    data.ContentSequence = Sequence([item, Dataset()])
    data.private_block(0x0029, "Acme", create=True).add_new(0x01, "LO", "secret")
    for name, value in told.items():
        setattr(data, name, value)
    return data


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_another_encoding_or_another_writer_is_an_envelope(syntax: str) -> None:
    assert same_data_set(written(document()), written(document(), syntax, writer="PACS"))


def test_group_lengths_are_an_envelope() -> None:
    data = document()
    data.add_new(0x00080000, "UL", 300)
    assert same_data_set(written(document()), written(data))


@pytest.mark.parametrize(
    "other",
    [
        document("tumour 4 cm"),  # within a sequence within a sequence
        document(PatientAge="060Y"),
        document(BodyPartExamined="HEAD"),
        document(PixelData=bytes(32)),
    ],
)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_any_element_that_differs_is_another_instance(other: Dataset, syntax: str) -> None:
    assert not same_data_set(written(document()), written(other, syntax))


def test_a_private_element_or_an_item_that_differs() -> None:
    private, longer = document(), document()
    private[0x00291001].value = "another"
    longer.ContentSequence.append(Dataset())
    assert not same_data_set(written(document()), written(private))
    assert not same_data_set(written(document()), written(longer))


@pytest.mark.parametrize("cut", [0, 131, 140, 400])
def test_what_cannot_be_read_is_not_the_same(cut: int) -> None:
    whole = written(document())
    assert not same_data_set(whole, whole[:cut])
    assert not same_data_set(whole[:cut], whole)


def packed(data: Dataset) -> bytes:
    data.compress(RLELossless, generate_instance_uid=False)
    out = BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_lossless_compression_is_an_envelope(syntax: str) -> None:
    assert same_data_set(packed(document()), written(document(), syntax))
    assert same_data_set(written(document(), syntax), packed(document()))


def test_another_pixel_under_compression_is_another_instance() -> None:
    plain = document()
    changed = bytes([plain.PixelData[0] ^ 1]) + plain.PixelData[1:]
    assert not same_data_set(packed(document()), written(document(PixelData=changed)))


def test_another_text_beside_compressed_pixels_is_another_instance() -> None:
    assert not same_data_set(packed(document()), written(document("a tumour")))


def test_compressed_pixels_that_nobody_can_unpack_are_not_the_same() -> None:
    broken = document()
    broken.compress(RLELossless, generate_instance_uid=False)
    broken.PixelData = encapsulate([b"\xff" * 70])
    out = BytesIO()
    pydicom.dcmwrite(out, broken, enforce_file_format=True)
    assert not same_data_set(out.getvalue(), written(document()))
