"""Which series and region has a role in a patient."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prognoscope.core.geometry import Grid
from prognoscope.core.images import ImageIndex, ImageSeries, RefusedSeries, RegionSet
from prognoscope.core.problems import Problem, Refused
from prognoscope.curation import Role, choose

PET = Role(name="PT", modality="PT", region="GTV*")


def series(uid: str, *, modality: str = "PT", description: str = "body", frame: str = "F") -> ImageSeries:
    return ImageSeries(
        "P1", modality, uid, "study", frame, description, None, "SUV", Grid((2, 2, 2), (1, 1, 1)), (), ()
    )


def regions(
    uid: str, *names: str, on: str = "S1", label: str = "first", date: str | None = None, frame: str = "F"
) -> RegionSet:
    return RegionSet("P1", uid, label, date, frame, on, names, f"{uid}.dcm", "0" * 64)


def code_of(index: ImageIndex, role: Role) -> str:
    with pytest.raises(Refused) as refused:
        choose(index, "P1", role)
    return refused.value.problem.code


def test_a_region_goes_to_the_series_it_references_and_not_to_another_in_the_same_frame() -> None:
    index = ImageIndex(
        (series("S1"), series("S2", modality="MR")), (regions("R1", "GTV_PET"), regions("R2", "GTV_MR", on="S2"))
    )
    assert choose(index, "P1", PET).region == "GTV_PET"
    assert choose(index, "P1", Role("MR", "MR", "GTV*")).region == "GTV_MR"


def test_without_a_reference_the_only_series_of_the_modality_in_the_frame_is_meant() -> None:
    index = ImageIndex((series("S1"),), (regions("R1", "GTV", on=""),))
    assert choose(index, "P1", PET).series.uid == "S1"
    twice = ImageIndex((series("S1"), series("S2")), (regions("R1", "GTV", on=""),))
    assert code_of(twice, PET) == "no-region"


def test_more_than_one_match_is_refused_with_the_list_unless_a_rule_chooses() -> None:
    sets = (regions("R1", "GTV", date="2020-01-01"), regions("R2", "GTV", label="second", date="2021-01-01"))
    index = ImageIndex((series("S1"),), sets)
    with pytest.raises(Refused, match=r"“first” of 2020-01-01.*“second” of 2021-01-01"):
        choose(index, "P1", PET)
    assert choose(index, "P1", Role("PT", "PT", "GTV*", rule="newest")).region_set.uid == "R2"
    assert choose(index, "P1", Role("PT", "PT", "GTV*", rule="oldest")).region_set.uid == "R1"
    assert choose(index, "P1", Role("PT", "PT", "GTV*", label="sec*")).region_set.uid == "R2"


def test_a_rule_by_date_does_not_choose_where_a_date_is_missing() -> None:
    index = ImageIndex((series("S1"),), (regions("R1", "GTV", date="2020-01-01"), regions("R2", "GTV")))
    assert code_of(index, Role("PT", "PT", "GTV*", rule="newest")) == "region-ambiguous"


def test_a_pattern_of_the_description_tells_two_series_of_one_modality_apart() -> None:
    both = (series("S1", modality="MR", description="ax T1"), series("S2", modality="MR", description="ax T2"))
    index = ImageIndex(both, (regions("R1", "GTV"), regions("R2", "GTV", on="S2")))
    assert choose(index, "P1", Role("T2", "MR", "GTV", series="*T2*")).series.uid == "S2"


def test_upper_and_lower_case_count_and_the_names_there_are_are_told() -> None:
    index = ImageIndex((series("S1"),), (regions("R1", "gtv", "Liver"),))
    with pytest.raises(Refused, match="there are: Liver, gtv") as refused:
        choose(index, "P1", PET)
    assert refused.value.problem.code == "region-unmatched"


def test_a_series_that_was_refused_keeps_its_reason() -> None:
    problem = Problem("missing-slices", "series S9", "2 slices missing", "fetch it again")
    index = ImageIndex((), (), (RefusedSeries("P1", "PT", "S9", "body", problem),))
    assert code_of(index, PET) == "missing-slices"


def test_a_patient_without_the_modality_is_told_what_there_is() -> None:
    index = ImageIndex((series("S1", modality="CT"),), ())
    with pytest.raises(Refused, match="there are: CT “body”"):
        choose(index, "P1", PET)


def test_brackets_in_a_name_mean_themselves() -> None:
    index = ImageIndex((series("S1", description="T1 [axial]"),), (regions("R1", "GTV[1]", "GTV1", label="[a]"),))
    assert choose(index, "P1", Role("PT", "PT", "GTV[1]", series="*[axial]", label="[a]")).region == "GTV[1]"


def test_a_region_on_a_series_of_several_volumes_goes_to_the_one_it_names_or_the_study_chooses() -> None:
    echoes = (series("S1#echo time 5", description="MR [echo time 5]"), series("S1#echo time 9", description="MR [9]"))
    named = replace(regions("R1", "GTV"), volume_uid="S1#echo time 9")
    assert choose(ImageIndex(echoes, (named,)), "P1", PET).series.uid == "S1#echo time 9"
    index = ImageIndex(echoes, (regions("R1", "GTV"),))
    with pytest.raises(Refused, match=r"a series of 2 volumes \(MR \[echo time 5\]; MR \[9\]\).*with `series:`"):
        choose(index, "P1", PET)
    chosen = choose(index, "P1", Role("PT", "PT", "GTV", series="*echo time 5*"))
    assert chosen.series.uid == "S1#echo time 5"


def test_a_region_on_a_series_that_was_refused_is_told_with_its_reason_though_another_series_is_sound() -> None:
    problem = Problem("mixed-orientations", "series S9", "20 slices are turned", "fetch it again")
    index = ImageIndex(
        (series("S1"),), (regions("R1", "GTV", on="S9"),), (RefusedSeries("P1", "PT", "S9", "body", problem),)
    )
    assert code_of(index, PET) == "mixed-orientations"
