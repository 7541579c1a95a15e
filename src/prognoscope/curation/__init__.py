"""Is this series what it claims, and which role has it."""

from prognoscope.curation.roles import Choice, Role, choose

__all__ = ["Choice", "Role", "choose"]
