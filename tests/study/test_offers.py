"""Other people's measures and models join by entry point, without an edit of the study package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import Field

from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.measures import Feature, Measure
from prognoscope.core.problems import Refused
from prognoscope.core.settings import Settings
from prognoscope.study import offers
from prognoscope.study.file import read_study
from prognoscope.study.reference import reference
from tests.make import studies


class PeakSettings(Settings):
    """Settings of a made-up measure."""

    radius_mm: float = Field(6.2, gt=0, description="radius of the sphere")


def peak(volume: Volume, mask: Mask, settings: PeakSettings, modality: str) -> tuple[Feature, ...]:
    return (Feature("peak", float(np.max(volume.voxels[mask.voxels])), "intensity"),)


PEAK = Measure("peak", PeakSettings, 1, peak)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if another package were installed that offers the measure `peak`."""

    def entry_points(*, group: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="peak", load=lambda: PEAK)] if group == "prognoscope.measures" else []

    monkeypatch.setattr(offers, "entry_points", entry_points)
    offers.measures.cache_clear()
    yield
    offers.measures.cache_clear()


def with_peak(folder: Path, settings: dict[str, object]) -> Path:
    image = {"image": "CT", "region": "GTV", "measure": {"peak": settings}}
    return studies.write(folder, studies.binary(predictors=[image], data={"table": "table.csv", "images": "."}))


def test_its_key_is_understood_in_a_study_file(tmp_path: Path) -> None:
    (measurement,) = read_study(with_peak(tmp_path, {"radius_mm": 5})).measurements
    assert measurement.measure is PEAK
    assert measurement.settings == PeakSettings(radius_mm=5)


def test_its_settings_class_checks_the_file_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="unknown key “radius”; did you mean “radius_mm”"):
        read_study(with_peak(tmp_path, {"radius": 5}))


def test_its_keys_join_the_reference() -> None:
    assert "| `radius_mm` | number | `6.2` | radius of the sphere (above 0) |" in reference()
