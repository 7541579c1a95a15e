"""The reference of a study file's keys, made from the classes that check it."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from prognoscope.core.settings import Settings
from prognoscope.study.file import Study
from prognoscope.study.offers import measures, models, plans


def reference() -> str:
    """Return the reference as Markdown: one table per part of the file, every key with type, default and meaning."""
    parts = [f"## {title}\n\n{_table(settings)}" for title, settings in sections()]
    return "\n\n".join(parts) + "\n"


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield each part of the file with its settings class: the study's own, then plans, measures and models."""
    seen: list[type[BaseModel]] = []
    yield from _parts("the file", Study, seen)
    for plan in plans():
        yield from _parts(f"validate: plan: {plan.name}", plan.settings, seen)
    for measure in measures():
        yield from _parts(f"measure: {measure.name}", measure.settings, seen)
    for model in models():
        yield from _parts(f"models: try: {model.name}", model.settings, seen)


def _parts(title: str, settings: type[BaseModel], seen: list[type[BaseModel]]) -> Iterator[tuple[str, type[BaseModel]]]:
    if settings in seen:
        return
    seen.append(settings)
    yield title, settings
    for name, field in settings.model_fields.items():
        for inner in _settings_in(field.annotation):
            words = (inner.__doc__ or "").split("\n", maxsplit=1)[0].rstrip(".")
            yield from _parts(f"{field.alias or name}: {words[:1].lower() + words[1:]}", inner, seen)


def _settings_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for argument in get_args(annotation):
        yield from _settings_in(argument)


def _table(settings: type[BaseModel]) -> str:
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in settings.model_fields.items():
        cells = (f"`{field.alias or name}`", _kind(field.annotation), _default(field), _meaning(field))
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(rows)


def _meaning(field: FieldInfo) -> str:
    signs = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = [
        f"{words} {getattr(rule, sign):g}"
        for rule in field.metadata
        for sign, words in signs.items()
        if isinstance(getattr(rule, sign, None), (int, float))
    ]
    return (field.description or "") + (f" ({', '.join(bounds)})" if bounds else "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value in ("", (), None, {}):
        return "–"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, (tuple, dict)):
        return ", ".join(f"`{_plain(one)}`" for one in value)
    return f"`{_plain(value)}`"


def _plain(value: object) -> object:
    return getattr(value, "value", value)


def _kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        members = [one for one in arguments if one is not type(None)]
        if {str, int, float, bool} <= set(members):
            rest = [one for one in members if one not in (str, int, float, bool)]
            return " or ".join(["value", *("list of values" for _ in rest)])
        return " or ".join(dict.fromkeys(_kind(one) for one in members))
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return "names with settings"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(annotation, "value")
