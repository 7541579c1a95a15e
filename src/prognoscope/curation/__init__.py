"""Is this series what it claims, and which role has it."""

from prognoscope.curation.quality import check, check_coverage, same_pixels, slice_thumbnail, thumbnail
from prognoscope.curation.roles import Choice, Role, choose
from prognoscope.curation.rules import RoleRules, Verdict, assign_roles, read_rules, rules_refused

__all__ = [
    "Choice",
    "Role",
    "RoleRules",
    "Verdict",
    "assign_roles",
    "check",
    "check_coverage",
    "choose",
    "read_rules",
    "rules_refused",
    "same_pixels",
    "slice_thumbnail",
    "thumbnail",
]
