"""Which of many series is the venous CT: by rules in a file, with a reason for each series."""

from __future__ import annotations

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
    rules = read_rules(RULES, subject="roles.toml")
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


def test_the_order_of_series_changes_nothing() -> None:
    rules = read_rules(RULES, subject="roles.toml")
    some = [series("1", "venous"), series("2", "venous"), series("3", "late")]
    chosen = [{one.uid for one in assign_roles(order, rules) if one.chosen} for order in (some, some[::-1])]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize(
    ("text", "told"), [("[[role", "Expected"), ('[[role]]\nname = "a"\nmodalty = "CT"', "modality")]
)
def test_rules_that_cannot_be_read(text: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        read_rules(text, subject="roles.toml")
    assert refused.value.problem.code == "role-rules"
    assert told in refused.value.problem.found
