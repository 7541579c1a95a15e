"""What the docs of radiomics say is so."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel
from ruamel.yaml import YAML

from prognoscope.radiomics import FAMILIES, RadiomicsSettings, extract
from prognoscope.radiomics.filters import FILTERS
from prognoscope.radiomics.presets import PRESETS
from tests.make.radiomics import lesion

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/radiomics.md").read_text(encoding="utf-8")


def keys(model: type[BaseModel], before: str = "") -> list[str]:
    """Every key that a settings file may have, with dots."""
    found = []
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        below = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        found += keys(below[0], f"{before}{name}.") if below and name != "filters" else [f"{before}{name}"]
    return found


def test_every_key_is_in_the_docs() -> None:
    told = {key for row in re.findall(r"^\| `([^|]*) \|", PAGE, flags=re.MULTILINE) for key in expanded(row)}
    assert set(keys(RadiomicsSettings)) - told == set()


def expanded(cell: str) -> list[str]:
    """`a.b`, `.c` in one cell are a.b and a.c."""
    words = re.findall(r"[\w.]+", cell)
    start = words[0].rpartition(".")[0]
    return [f"{start}{word}" if word.startswith(".") else word for word in words]


def test_the_settings_of_the_docs_are_valid() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    chain, filters = (RadiomicsSettings.model_validate(YAML(typ="safe").load(block)) for block in blocks)
    assert chain.bin_width == 25
    assert len(filters.filters) == len(FILTERS), "one example of each kind"


def test_every_family_and_ready_setting_is_in_the_docs() -> None:
    for name in (*FAMILIES, *PRESETS):
        assert f"`{name}`" in PAGE


def test_the_code_of_the_docs_runs() -> None:
    volume, mask = lesion()
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    space = {"volume": volume, "mask": mask, "volume2": volume, "mask2": mask, "settings": RadiomicsSettings()}
    exec("".join(blocks), space)  # the docs are ours
    assert list(space["maps"]) == ["stat_mean", "cm_contrast", "szm_sze"]  # type: ignore[call-overload]
    assert len(space["table"]) == 2  # type: ignore[arg-type]
    assert space["agreement"].icc.shape == (169,)  # type: ignore[attr-defined]
    names = [
        f.name for f in extract(volume, mask, RadiomicsSettings(families=("morphology", "texture")), modality="CT")
    ]
    assert [feature.name for feature in space["features"]] == names  # type: ignore[attr-defined]


def test_every_problem_is_in_the_docs() -> None:
    sources = [*(ROOT / "src/prognoscope/radiomics").glob("*.py"), ROOT / "src/prognoscope/jobs/radiomics.py"]
    used = {code for path in sources for code in re.findall(r'refuse\(\s*"([a-z0-9-]+)"', path.read_text("utf-8"))}
    tables = [(ROOT / f"docs/problems.d/{room}.md").read_text("utf-8") for room in ("radiomics", "filters")]
    assert used - set(re.findall(r"^\| `([a-z0-9-]+)`", "\n".join(tables), flags=re.MULTILINE)) == set()
