"""Settings as a study file writes them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from prognoscope.radiomics import FAMILIES, RadiomicsSettings
from prognoscope.radiomics.presets import PRESETS
from prognoscope.radiomics.reference import CONFIGURATIONS


def test_what_a_study_file_writes_is_enough() -> None:
    settings = RadiomicsSettings.model_validate({"families": ["morphology", "intensity", "texture"], "bins": 32})
    assert settings.binning == "fbn32"
    left_out = {"autocorrelation", "local_intensity"}
    assert settings.chosen_families == tuple(family for family in FAMILIES if family not in left_out)


def test_all_families_are_the_default_in_a_fixed_order() -> None:
    assert RadiomicsSettings().chosen_families == FAMILIES
    assert RadiomicsSettings(families=("ngldm", "morphology")).chosen_families == ("morphology", "ngldm")


@pytest.mark.parametrize(("width", "name"), [(25, "fbs25"), (0.25, "fbs0_25"), (2.5, "fbs2_5")])
def test_the_size_of_bins_is_part_of_the_name_without_a_point(width: float, name: str) -> None:
    assert RadiomicsSettings(bin_width=width).binning == name


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"families": ["textures"]}, "did you mean `texture`"),
        ({"families": []}, "at least one family"),
        ({"bins": 32, "bin_width": 25}, "not both"),
        ({"bins": 1}, "greater than or equal to 2"),
        ({"bin_start": 0}, "belongs to `bin_width`"),
        ({"resegmentation": {"range": [400, -1000]}}, "not below the highest"),
        ({"interpolation": {"spacing_mm": 2, "slices": "keep", "slice_spacing_mm": 3}}, "no room"),
        ({"interpolation": {}}, "Field required"),
        ({"volume_histogram": {"bins": 10, "whole_intensities": True}}, "needs neither"),
        ({"bin": 32}, "did you mean “bins”"),
        ({"aggregations": ["3d merged"]}, "3D merged"),
    ],
)
def test_contradictions_are_refused_with_what_is_wrong(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        RadiomicsSettings.model_validate(wrong)


@pytest.mark.parametrize("settings", [*CONFIGURATIONS.values(), *(preset.settings for preset in PRESETS.values())])
def test_ready_settings_survive_being_written_down(settings: RadiomicsSettings) -> None:
    assert RadiomicsSettings.model_validate_json(settings.model_dump_json()) == settings
