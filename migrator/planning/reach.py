"""What the services' roles may do, and the roles they may go on to assume: read for all of a cluster at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrator.model.chains import targets
from migrator.model.facts import Role
from migrator.model.ids import RoleArn
from migrator.model.permissions import Permissions, lines
from migrator.model.ports.planning import Roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A role that may be assumed; `role` is None when there is none, or when its account could not be read."""

    arn: str
    role: Role | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A role's permissions and, by ARN, what it may assume: whole ARNs, and patterns with where they stand."""

    permissions: Permissions = field(default_factory=Permissions)
    targets: tuple[Target, ...] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)


NOWHERE = Reach()


def reaches(live: Mapping[str, Role], roles: Roles) -> Mapping[str, Reach]:
    """How far each of the roles reaches, by ARN; the trust policies of all targets are read in one go."""
    granted = roles.permissions(live.values())
    named = {arn: targets(lines(permissions)) for arn, permissions in granted.items()}
    wanted = {target for exact, _ in named.values() for target in exact} - live.keys()
    known = {**live, **(roles.roles(sorted(wanted)) if wanted else {})}
    return {
        arn: Reach(
            permissions=permissions,
            targets=tuple(_target(target, known, roles) for target in sorted(named[arn][0])),
            patterns=named[arn][1],
        )
        for arn, permissions in granted.items()
    }


def _target(arn: str, known: Mapping[str, Role], roles: Roles) -> Target:
    role, parsed = known.get(arn), RoleArn.parse(arn)
    why = roles.unreadable(parsed.account) if role is None and parsed is not None else None
    return Target(arn=arn, role=role, unreadable=why or "")
