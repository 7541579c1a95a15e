"""Which of many series is the venous CT: by rules in a file, with a reason for each series."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prognoscope.core.geometry import Grid
from prognoscope.core.images import ImageSeries
from prognoscope.core.problems import Refused
from prognoscope.curation import assign_roles, read_rules

RULES = """
[[role]]
name = "venous CT"
modality = "CT"
description = ["*venous*", "*portal*"]
not_description = ["*scout*"]
slices_at_least = 20

[[role]]
name = "late CT"
modality = "CT"
prefer = "newest"
"""


def series(
    uid: str, description: str, *, modality: str = "CT", slices: int = 30, date: str = "2020-01-01"
) -> ImageSeries:
    grid = Grid((slices, 4, 4), (3.0, 1.0, 1.0))
    return ImageSeries("P1", modality, uid, "1", "1.9", description, date, "HU", grid, (), ())


def test_one_series_has_the_role_and_each_other_a_reason() -> None:
    rules = read_rules(RULES.encode(), subject="roles.toml")
    found = assign_roles(
        [
            series("1", "Abdomen VENOUS 3.0"),
            series("2", "portal venous thin", slices=90),
            series("3", "venous scout"),
            series("4", "venous", slices=5),
            series("5", "venous", modality="MR"),
            series("6", "arterial", date="2021-05-05"),
        ],
        rules,
    )
    first = {one.uid: one for one in found if one.role == "venous CT"}
    assert [uid for uid, one in first.items() if one.chosen] == ["2"]
    assert first["2"].reason == "most slices of 2 that fit (90 slices of 3.00 mm, 2020-01-01)"
    assert "comes first by most slices" in first["1"].reason
    assert "ruled out" in first["3"].reason
    assert first["4"].reason == "it has 5 slices, fewer than 20"
    assert first["5"].reason == "it is MR, not CT"
    assert "matches none" in first["6"].reason
    second = {one.uid: one for one in found if one.role == "late CT"}
    assert [uid for uid, one in second.items() if one.chosen] == ["6"]
    assert second["2"].reason == "it has another role"


EXAMINATION = (  # of an abdomen, as a workstation lists it: description, slices, spacing in mm
    ("Topogram 0.6 T20f", 3, 0.6),
    ("Nativ 5.0 B30f", 80, 5.0),
    ("Nativ 1.0 B30f", 400, 1.0),
    ("PreMonitoring", 3, 10.0),
    ("Monitoring", 12, 10.0),
    ("Art 5.0 B30f", 80, 5.0),
    ("Art 1.0 B30f", 400, 1.0),
    ("PortVen 5.0 B30f", 80, 5.0),
    ("PortVen 1.0 B30f", 400, 1.0),
    ("PortVen 1.0 B70f Lunge", 400, 1.0),
    ("PortVen MIP cor 10.0", 60, 10.0),
    ("PortVen MPR sag 3.0", 90, 3.0),
    ("Spaet 5.0 B30f", 80, 5.0),
    ("Dose Report", 3, 1.0),
)
VENOUS = """
[[role]]
name = "venous CT"
modality = "CT"
description = ["*portven*", "*venous*"]
not_description = ["*mip*", "*mpr*", "*b70f*"]
slices_at_least = 20
prefer = "thinnest slices"
"""


def test_which_of_fourteen_series_is_the_venous_ct() -> None:
    found = assign_roles(examination(), read_rules(VENOUS.encode(), subject="roles.toml"))
    assert [one.uid for one in found if one.chosen] == ["PortVen 1.0 B30f"]
    reasons = {one.uid: one.reason for one in found}
    assert len(reasons) == len(EXAMINATION) == 14
    assert reasons["PortVen 1.0 B30f"] == "thinnest slices of 2 that fit (400 slices of 1.00 mm, 2020-01-01)"
    assert reasons["PortVen 5.0 B30f"].startswith("it fits, but PortVen 1.0 B30f comes first by thinnest slices")
    assert "*mip*, which is ruled out" in reasons["PortVen MIP cor 10.0"]
    assert "*b70f*, which is ruled out" in reasons["PortVen 1.0 B70f Lunge"]
    assert all("matches none" in reasons[name] for name in ("Nativ 5.0 B30f", "Art 1.0 B30f", "Topogram 0.6 T20f"))


def test_another_rule_is_another_choice() -> None:
    """The department measures thick slices: one line of the file changes."""
    thin = VENOUS.replace('"thinnest slices"', '"thinnest slices"\nspacing_mm_at_most = 0.5')
    rules = read_rules(thin.encode(), subject="roles.toml")
    found = assign_roles(examination(), rules)
    assert not any(one.chosen for one in found)
    assert {one.uid: one.reason for one in found}["PortVen 1.0 B30f"] == "its slices lie 1.00 mm apart, more than 0.5"
    soft = read_rules(VENOUS.replace('"*portven*"', '"portven 5.0*"').encode(), subject="roles.toml")
    assert [one.uid for one in assign_roles(examination(), soft) if one.chosen] == ["PortVen 5.0 B30f"]


def examination() -> list[ImageSeries]:
    return [
        replace(series(name, name, slices=slices), grid=Grid((slices, 4, 4), (spacing, 1.0, 1.0)))
        for name, slices, spacing in EXAMINATION
    ]


def test_the_order_of_series_changes_nothing() -> None:
    rules = read_rules(RULES.encode(), subject="roles.toml")
    some = [series("1", "venous"), series("2", "venous"), series("3", "late")]
    chosen = [{one.uid for one in assign_roles(order, rules) if one.chosen} for order in (some, some[::-1])]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize(
    ("text", "told"), [("[[role", "Expected"), ('[[role]]\nname = "a"\nmodalty = "CT"', "modality")]
)
def test_rules_that_cannot_be_read(text: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        read_rules(text.encode(), subject="roles.toml")
    assert refused.value.problem.code == "role-rules"
    assert told in refused.value.problem.found


def test_a_file_that_is_no_text() -> None:
    with pytest.raises(Refused, match="no text in UTF-8 \\(byte 12\\)"):
        read_rules(b"[[role]]\n# \xff", subject="roles.toml")


def test_a_modality_is_written_in_any_case() -> None:
    (found,) = assign_roles([series("1", "venous")], read_rules(b'[[role]]\nname = "a"\nmodality = "ct"', subject="r"))
    assert found.chosen


def test_a_series_in_quarantine_takes_the_role_from_nobody() -> None:
    some = [series("1", "venous", slices=90), series("2", "venous", slices=30)]
    found = assign_roles(some, read_rules(RULES.encode(), subject="roles.toml"), held={"1"})
    first = {one.uid: one for one in found if one.role == "venous CT"}
    assert (first["1"].chosen, first["1"].reason) == (False, "it fits, but is in quarantine")
    assert first["2"].chosen
