"""The standard's table as data, and how options and attribute types choose an action."""

from __future__ import annotations

import pytest

from prognoscope.deidentify.profile import PROFILES, Options, required_type, resolve, rulebook, standard

CT = "1.2.840.10008.5.1.4.1.1.2"


def test_the_table_names_its_edition_and_source() -> None:
    table = standard()
    assert table.edition == "2024b"
    assert "innolitics/dicom-standard" in table.source


def test_the_table_is_whole() -> None:
    # Rows of Table E.1-1 in the 2024b file of innolitics/dicom-standard, and how many have each basic action.
    actions = [rule.basic for rule in standard().rules]
    counts = {action: actions.count(action) for action in sorted(set(actions))}
    assert len(actions) == 621
    assert counts == {
        "D": 92,
        "U": 54,
        "X": 384,
        "X/D": 22,
        "X/Z": 11,
        "X/Z/D": 8,
        "X/Z/U*": 2,
        "Z": 42,
        "Z/D": 6,
    }


def test_under_the_basic_profile_a_description_is_removed_and_with_the_option_cleaned() -> None:
    description = 0x0008103E
    ask = {"sop_class": CT, "within": ""}
    assert rulebook(Options()).action(description, **ask) == "X"
    assert rulebook(Options(clean_descriptors=True)).action(description, **ask) == "C"


def test_the_day_of_a_calibration_moves_with_all_others_though_the_device_is_retained() -> None:
    calibration = 0x00181200  # Date of Last Calibration: X, modified dates C, device K
    both = rulebook(Options(retain_dates=True, retain_device=True))
    assert both.action(calibration, sop_class=CT, within="") == "C"


@pytest.mark.parametrize(
    ("printed", "required", "action"),
    [
        ("X/Z/D", 1, "D"),
        ("X/Z/D", 2, "Z"),
        ("X/Z/D", 3, "X"),
        ("X/D", 1, "D"),
        ("X/D", 2, "D"),
        ("X/D", 3, "X"),
        ("X/Z", 1, "Z"),
        ("X/Z", 3, "X"),
        ("Z/D", 1, "D"),
        ("Z/D", 2, "Z"),
        ("Z/D", 3, "Z"),
        ("X/Z/U*", 1, "U"),
        ("X/Z/U*", 3, "U"),
    ],
)
def test_a_compound_action_follows_the_attribute_type(printed: str, required: int, action: str) -> None:
    # PS3.15 Table E.1-1a: X unless Z or D is needed by the object's definition (type 2, type 1).
    assert resolve(printed, required) == action


def test_the_type_of_an_attribute_depends_on_the_class_of_the_object() -> None:
    # Content Date is type 2 in a CT's General Image Module, and type 1 in a structured report.
    content_date = 0x00080023
    assert required_type(content_date, sop_class=CT, within="") == 2
    assert required_type(content_date, sop_class="1.2.840.10008.5.1.4.1.1.88.22", within="") == 1


def test_an_object_of_an_unknown_class_counts_as_needing_every_value() -> None:
    assert required_type(0x00080023, sop_class="1.2.3.4", within="") == 1


def test_the_codes_of_the_options_are_those_of_context_group_7050() -> None:
    # PS3.16 CID 7050 De-identification Method.
    codes = dict(PROFILES["research"].codes())
    assert codes["113100"] == "Basic Application Confidentiality Profile"
    assert codes["113105"] == "Clean Descriptors Option"
    assert codes["113107"] == "Retain Longitudinal Temporal Information Modified Dates Option"
    assert codes["113109"] == "Retain Device Identity Option"
    assert codes["113111"] == "Retain Safe Private Option"
    assert "113102" not in codes  # faces are off by default
