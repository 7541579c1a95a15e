"""Which series has which role, by rules in a file that a person reads and changes, with the reason for each choice.

```toml
[[role]]
name = "venous CT"
modality = "CT"
description = ["*venous*", "*portal*"]   # any of these, upper and lower case alike
not_description = ["*scout*", "*mip*"]   # and none of these
slices_at_least = 20
prefer = "most slices"                   # or "thinnest slices", "newest", "oldest"
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, ValidationError

from prognoscope.core.images import ImageSeries
from prognoscope.core.patterns import matches
from prognoscope.core.problems import Refused, refuse
from prognoscope.core.settings import Settings

Preference = Literal["most slices", "thinnest slices", "newest", "oldest"]


class RoleRule(Settings):
    """One role and what a series must be to have it."""

    name: str = Field(min_length=1, max_length=80)
    modality: str
    description: tuple[str, ...] = ("*",)
    not_description: tuple[str, ...] = ()
    slices_at_least: int = Field(default=3, ge=1)
    spacing_mm_at_most: float | None = Field(default=None, gt=0)
    prefer: Preference = "most slices"


class RoleRules(Settings):
    """The roles of a file, in their order; a series has the first that fits."""

    role: tuple[RoleRule, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a series for a role: chosen or not, and why."""

    uid: str
    role: str
    chosen: bool
    reason: str


PREFERENCES: dict[Preference, Callable[[ImageSeries], tuple[float | str, ...]]] = {
    "most slices": lambda series: (-series.grid.shape[0], series.uid),
    "thinnest slices": lambda series: (series.grid.spacing[0], series.uid),
    "newest": lambda series: ("".join(chr(0x10FFFF - ord(sign)) for sign in series.date or ""), series.uid),
    "oldest": lambda series: (series.date or "9999", series.uid),
}


def read_rules(data: bytes, *, subject: str) -> RoleRules:
    """Read the rules of a file; refuses `role-rules`, naming the key that is wrong."""
    try:
        return RoleRules.model_validate(tomllib.loads(data.decode("utf-8-sig")))
    except UnicodeDecodeError as cause:
        raise rules_refused(subject, f"it is no text in UTF-8 (byte {cause.start + 1})") from cause
    except (tomllib.TOMLDecodeError, ValidationError) as cause:
        told = str(cause) if isinstance(cause, tomllib.TOMLDecodeError) else _first(cause)
        raise rules_refused(subject, told) from cause


def rules_refused(subject: str, found: str) -> Refused:
    """The problem of a file of rules that cannot be used."""
    remedy = 'write [[role]] with name, modality and description = ["*…*"]'
    return refuse("role-rules", subject=subject, found=found, remedy=remedy)


def assign_roles(series: Sequence[ImageSeries], rules: RoleRules, *, held: Collection[str] = ()) -> tuple[Verdict, ...]:
    """Give each role to at most one of a patient's series; every series that is not chosen has a reason too.

    `held` are the UIDs of series in quarantine, which have no role.
    """
    verdicts: list[Verdict] = []
    taken: set[str] = set()
    for rule in rules.role:
        fitting = []
        for one in series:
            against = "it has another role" if one.uid in taken else _against(one, rule)
            if not against and one.uid in held:
                against = "it fits, but is in quarantine"
            if against:
                verdicts.append(Verdict(one.uid, rule.name, chosen=False, reason=against))
            else:
                fitting.append(one)
        ordered = sorted(fitting, key=PREFERENCES[rule.prefer])
        for place, one in enumerate(ordered):
            taken |= {one.uid} if place == 0 else set()
            verdicts.append(Verdict(one.uid, rule.name, chosen=place == 0, reason=_why(one, rule, ordered)))
    return tuple(verdicts)


def _against(one: ImageSeries, rule: RoleRule) -> str:
    told = one.description.casefold()
    if one.modality.casefold() != rule.modality.casefold():
        return f"it is {one.modality}, not {rule.modality}"
    if not any(matches(told, pattern.casefold()) for pattern in rule.description):
        return f"“{one.description}” matches none of {', '.join(rule.description)}"
    for pattern in rule.not_description:
        if matches(told, pattern.casefold()):
            return f"“{one.description}” matches {pattern}, which is ruled out"
    if one.grid.shape[0] < rule.slices_at_least:
        return f"it has {one.grid.shape[0]} slices, fewer than {rule.slices_at_least}"
    if rule.spacing_mm_at_most is not None and one.grid.spacing[0] > rule.spacing_mm_at_most:
        return f"its slices lie {one.grid.spacing[0]:.2f} mm apart, more than {rule.spacing_mm_at_most}"
    return ""


def _why(one: ImageSeries, rule: RoleRule, ordered: Sequence[ImageSeries]) -> str:
    facts = f"{one.grid.shape[0]} slices of {one.grid.spacing[0]:.2f} mm, {one.date or 'no date'}"
    if len(ordered) == 1:
        return f"the only {rule.modality} that fits ({facts})"
    if one is ordered[0]:
        return f"{rule.prefer} of {len(ordered)} that fit ({facts})"
    return f"it fits, but {ordered[0].uid} comes first by {rule.prefer} ({facts})"


def _first(cause: ValidationError) -> str:
    error = cause.errors()[0]
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
