"""The four roles, each of which may do what those before it may."""

from typing import Literal, get_args

Role = Literal["viewer", "operator", "engineer", "administrator"]
"""viewer: looks. operator: acknowledges alarms, excludes periods. engineer: cameras, views, jobs.
administrator: accounts and secrets."""

ROLES: tuple[Role, ...] = get_args(Role)


def allows(role: Role, needed: Role) -> bool:
    """Whether somebody of a role may do what needs another.

    Example:
        >>> allows("engineer", "operator"), allows("viewer", "operator")
        (True, False)
    """
    return ROLES.index(role) >= ROLES.index(needed)


def smaller(one: Role, other: Role) -> Role:
    """The lesser of two roles."""
    return min(one, other, key=ROLES.index)
