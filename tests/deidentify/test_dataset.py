"""A dataset through the standard's table: every level, every kind of element."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pydicom import Dataset, Sequence, config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import Tag

from prognoscope.core.problems import Refused
from prognoscope.deidentify import Identity, deidentify_dataset, gather
from tests.make.deidentify import BASIC, CT, PROJECT, RESEARCH, an_object, options


def clean(dataset: Dataset, **changes: bool) -> Dataset:
    return deidentify_dataset(dataset, PROJECT, options(**changes))[0]


def test_name_and_id_become_the_pseudonym() -> None:
    cleaned = clean(an_object())
    assert cleaned.PatientID == cleaned.PatientName == PROJECT.patient("4711-8")
    assert "4711" not in cleaned.PatientID


def test_outer_blanks_of_an_id_do_not_make_another_person() -> None:
    assert clean(an_object(PatientID=" 4711-8 ")).PatientID == clean(an_object()).PatientID


def test_a_patient_without_an_id_is_told_apart_by_the_study() -> None:
    one = clean(an_object(PatientID="", StudyInstanceUID="1.2.3.1")).PatientID
    other = clean(an_object(PatientID="", StudyInstanceUID="1.2.3.2")).PatientID
    assert one
    assert one != other


def test_another_key_gives_other_pseudonyms_uids_and_shifts() -> None:
    other = type(PROJECT)(b"the key of another project entirely")
    one = deidentify_dataset(an_object(), PROJECT, RESEARCH)[0]
    two = deidentify_dataset(an_object(), other, RESEARCH)[0]
    for keyword in ("PatientID", "SOPInstanceUID", "StudyDate"):
        assert one[keyword].value != two[keyword].value


def test_what_was_done_is_written_into_the_object() -> None:
    cleaned = deidentify_dataset(an_object(), PROJECT, RESEARCH)[0]
    assert cleaned.PatientIdentityRemoved == "YES"
    assert cleaned.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [str(item.CodeValue) for item in cleaned.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113104", "113105", "113107", "113108", "113109", "113111"]
    assert clean(an_object()).LongitudinalTemporalInformationModified == "REMOVED"


def test_codes_of_an_earlier_de_identification_stay_and_its_free_text_goes() -> None:
    earlier = Dataset()
    earlier.CodeValue, earlier.CodingSchemeDesignator, earlier.CodeMeaning = "113101", "DCM", "Clean Pixel Data Option"
    cleaned = clean(an_object(DeidentificationMethodCodeSequence=[earlier], DeidentificationMethod="by Jane Doe"))
    assert [str(item.CodeValue) for item in cleaned.DeidentificationMethodCodeSequence] == ["113100", "113101"]
    assert "Jane" not in str(cleaned.DeidentificationMethod)


def test_all_dates_of_a_patient_move_by_the_same_days() -> None:
    cleaned = clean(
        an_object(StudyDate="20200131", SeriesDate="20200202", AcquisitionDateTime="20200203101500"), retain_dates=True
    )
    days = PROJECT.shift_days("4711-8")
    assert -3650 <= days <= -365
    dates = [cleaned.StudyDate, cleaned.SeriesDate, cleaned.AcquisitionDateTime[:8]]
    assert [int(date[6:]) for date in dates] != [31, 2, 3]
    assert dates == [f"{date(2020, *day) + timedelta(days):%Y%m%d}" for day in ((1, 31), (2, 2), (2, 3))]
    assert cleaned.AcquisitionDateTime[8:] == "101500"


def test_a_date_that_is_none_is_replaced_where_dates_are_shifted() -> None:
    with config.disable_value_validation():
        dataset = an_object(StudyDate="JANE DOE")
    assert clean(dataset, retain_dates=True).StudyDate == "19000101"


def test_uids_change_consistently_and_those_of_the_standard_stay() -> None:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CT, "1.2.826.0.1.3680043.10.1.1"
    cleaned = clean(an_object(SourceImageSequence=[reference], FrameOfReferenceUID="1.2.840.10008.1.4.1.1"))
    assert cleaned.SOPInstanceUID.startswith("2.25.")
    assert len(cleaned.SOPInstanceUID) <= 64
    assert cleaned.SourceImageSequence[0].ReferencedSOPInstanceUID == cleaned.SOPInstanceUID
    assert cleaned.SourceImageSequence[0].ReferencedSOPClassUID == CT
    assert cleaned.FrameOfReferenceUID == "1.2.840.10008.1.4.1.1"  # Talairach: a well-known frame (PS3.6 A-2)


def test_a_uid_in_an_attribute_that_the_table_does_not_list_changes_too() -> None:
    dataset = an_object()
    dataset.add_new(0x00081190, "UR", "http://pacs/1")
    dataset.add_new(0x00080303, "CS", "SAFE")
    dataset.add_new(0x0008010D, "UI", "1.2.3.4")  # who extended a context group: a class, no instance
    dataset.add_new(0x00209312, "UI", "1.2.826.0.1.3680043.10.9")  # Volume Frame of Reference UID
    cleaned = clean(dataset)
    assert cleaned[0x0008010D].value == "1.2.3.4"
    assert cleaned[0x00209312].value != "1.2.826.0.1.3680043.10.9"


def test_names_anywhere_are_cleaned_from_texts_that_the_table_does_not_list() -> None:
    cleaned = clean(
        an_object(FilterType="DOE filter", AcquisitionContrast="T1", DerivationCodeSequence=[_code("of Jane")])
    )
    assert cleaned.FilterType == "FILTER" or "DOE" not in cleaned.FilterType
    assert "Jane" not in cleaned.DerivationCodeSequence[0].CodeMeaning
    assert cleaned.AcquisitionContrast == "T1"


def test_what_another_object_of_the_study_knows_is_cleaned_here() -> None:
    dataset = an_object(SeriesDescription="for Smythe")
    known = gather(an_object(ReferringPhysicianName="SMYTHE^JOHN"), RESEARCH)
    cleaned, _ = deidentify_dataset(dataset, PROJECT, RESEARCH, identity=known)
    assert cleaned.SeriesDescription == "for"


def test_sequences_are_cleaned_at_every_depth() -> None:
    deepest = Dataset()
    deepest.PatientName, deepest.InstitutionName, deepest.ContentDate = "DOE^JANE", "St. Mary", "20200131"
    for _ in range(5):
        level = Dataset()
        level.AnatomicRegionSequence = Sequence([deepest])
        deepest = level
    cleaned = clean(an_object(AnatomicRegionSequence=Sequence([deepest])))
    assert "DOE" not in str(cleaned)
    assert "Mary" not in str(cleaned)
    assert "20200131" not in str(cleaned)


def test_sequences_within_each_other_without_end_are_refused() -> None:
    innermost = Dataset()
    for _ in range(30):
        level = Dataset()
        level.AnatomicRegionSequence = Sequence([innermost])
        innermost = level
    with pytest.raises(Refused, match="dicom-nesting"):
        clean(an_object(AnatomicRegionSequence=Sequence([innermost])))


def test_a_sequence_whose_action_is_a_dummy_keeps_its_form_and_loses_its_words() -> None:
    text = Dataset()
    text.ValueType, text.RelationshipType, text.TextValue = "TEXT", "CONTAINS", "secret words"
    text.ConceptNameCodeSequence = Sequence([_code("Finding")])
    cleaned = clean(an_object(ContentSequence=[text]))
    item = cleaned.ContentSequence[0]
    assert (item.ValueType, item.TextValue) == ("TEXT", "REMOVED")
    assert item.ConceptNameCodeSequence[0].CodeMeaning == "Finding"


def test_private_elements_go_and_the_safe_ones_stay_where_asked_for() -> None:
    def with_private() -> Dataset:
        dataset = an_object()
        dataset.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.5")
        dataset.private_block(0x7053, "Philips PET Private Group").add_new(0x03, "ST", "JANE")
        dataset.private_block(0x0099, "ACME", create=True).add_new(0x01, "LO", "DOE^JANE")
        return dataset

    assert not [tag for tag in clean(with_private()) if tag.tag.is_private]
    kept = [str(element.tag) for element in clean(with_private(), retain_safe_private=True) if element.tag.is_private]
    assert kept == ["(7053,0010)", "(7053,1000)"]


def test_a_safe_private_element_that_names_the_patient_goes_all_the_same() -> None:
    dataset = an_object()
    dataset.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x9E, "LO", "DOE special")
    assert not [element for element in clean(dataset, retain_safe_private=True) if element.tag.is_private]


def test_a_private_element_without_its_creator_goes() -> None:
    dataset = an_object()
    dataset.add_new(0x70531000, "DS", "0.5")
    assert 0x70531000 not in clean(dataset, retain_safe_private=True)


def test_overlays_curves_and_group_lengths_go() -> None:
    dataset = an_object()
    dataset.add_new(0x60000010, "US", 4)
    dataset.add_new(0x60003000, "OW", b"DOE ")
    dataset.add_new(0x60020022, "LO", "DOE")
    dataset.add_new(0x50003000, "OW", b"DOE ")
    dataset[0x00080000] = DataElement(0x00080000, "UL", 100)
    cleaned = clean(dataset)
    assert not [
        element for element in cleaned if element.tag.group in (0x6000, 0x6002, 0x5000) or not element.tag.element
    ]


def test_an_attribute_that_the_dictionary_does_not_know_goes() -> None:
    dataset = an_object()
    dataset.add_new(0x0018FFF0, "LO", "DOE")
    dataset.add_new(0x04000500, "SQ", Sequence())  # the encrypted originals of another de-identifier
    cleaned = clean(dataset)
    assert 0x0018FFF0 not in cleaned
    assert 0x04000500 not in cleaned


def test_ages_of_ninety_and_more_become_ninety() -> None:
    # 45 CFR 164.514(b)(2)(i)(C)
    for age, kept in (("089Y", "089Y"), ("090Y", "090Y"), ("097Y", "090Y"), ("011M", "011M")):
        assert clean(an_object(PatientAge=age), retain_characteristics=True).PatientAge == kept
    assert "PatientAge" not in clean(an_object(PatientAge="047Y"))


def test_a_name_in_another_character_set_is_found_in_a_description() -> None:
    dataset = an_object(PatientName="Müller^Jörg", SeriesDescription="Kopf Müller", SpecificCharacterSet="ISO_IR 100")
    cleaned, _ = deidentify_dataset(dataset, PROJECT, RESEARCH)
    assert cleaned.SeriesDescription == "Kopf"


def test_bytes_that_should_be_cleaned_and_can_not_be_are_replaced() -> None:
    dataset = an_object()
    dataset.add_new(0x0016002B, "OB", b"JANE")  # Maker Note: cleaned as a descriptor
    assert clean(dataset, clean_descriptors=True)[0x0016002B].value == b"\0\0"


def test_each_action_is_counted_by_tag() -> None:
    _, log = deidentify_dataset(an_object(SeriesDescription="x", PatientAge="047Y"), PROJECT, BASIC)
    assert log["(0008,0018)", "SOPInstanceUID", "U"] == 1
    assert log["(0008,103E)", "SeriesDescription", "X"] == 1
    assert log["(0010,1010)", "PatientAge", "X"] == 1
    assert log["(0010,0010)", "PatientName", "Z"] == 1


def test_identity_leaves_out_what_is_no_identifier() -> None:
    dataset = an_object(StudyID="7", AccessionNumber="A1234567", SeriesDescription="thorax", PatientSex="F")
    assert gather(dataset, BASIC) == Identity(
        frozenset({"DOE^JANE"}), frozenset({"4711-8", "A1234567", "7"}), frozenset({"20200131"})
    )


def _code(meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "DCM", meaning
    return item


@pytest.mark.parametrize(
    ("creator", "element", "vr", "value"),
    [
        ("Philips PET Private Group", 0x00, "DS", b"by Jane "),  # words where a number belongs
        ("Philips PET Private Group", 0x00, "UN", b"Zorvak  "),
    ],
)
def test_a_safe_private_number_that_is_words_goes(creator: str, element: int, vr: str, value: bytes) -> None:
    dataset = an_object()
    dataset.private_block(0x7053, creator, create=True)
    tag = Tag(0x7053, 0x1000 + element)
    dataset[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    assert tag not in clean(dataset, retain_safe_private=True)


def test_words_in_a_retired_group_whose_attributes_are_numbers_go() -> None:
    dataset = an_object()
    dataset.add_new(0x10100010, "LO", "Zorvak")  # Zonal Map (1010,xxxx), retired: US
    assert 0x10100010 not in clean(dataset, clean_descriptors=True)
