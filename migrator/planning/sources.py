"""Source roles that are there already: of a service that has moved, or of somebody who took the name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from migrator.model.facts import Role
from migrator.model.ports.planning import Roles
from migrator.planning.case import RoleView


def with_sources(views: Sequence[RoleView], roles: Roles) -> Sequence[RoleView]:
    """The same views, those that need a source role with whether it is there, and its tags."""
    wanted = {one.wanted.source for one in views if one.wanted is not None} - {""}
    there = roles.roles(sorted(wanted)) if wanted else {}
    tags = _tags(there, roles)
    return [_with(one, there, tags) for one in views]


def _with(view: RoleView, there: Mapping[str, Role], tags: Mapping[str, Mapping[str, str]]) -> RoleView:
    source = view.wanted.source if view.wanted is not None else ""
    return replace(view, source_there=source in there, source_tags=tags.get(source))


def _tags(there: Mapping[str, Role], roles: Roles) -> Mapping[str, Mapping[str, str]]:
    """Of those whose tags can be known; IAM's list of roles, by which many are read at once, leaves them out."""
    bare = [role for role in there.values() if not role.tags]
    read = roles.permissions(bare) if bare else {}
    known = {arn: role.tags for arn, role in there.items() if role.tags}
    return {**known, **{arn: found.tags for arn, found in read.items() if found.tags or not found.unread}}
