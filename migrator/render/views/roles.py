"""`migrate plan --by role`: each role with its users in all clusters, who else may assume it, and how large it gets."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from migrator.model.facts import Role
from migrator.model.ids import RoleArn, ServiceId
from migrator.model.plan import Plan, Verdict
from migrator.model.trust import QUOTA
from migrator.planning.by_role import parties, sizes
from migrator.planning.users import User
from migrator.render.blocks import Block, Column, Line, Table, Tone
from migrator.render.json_out import result
from migrator.render.steps import role_name
from migrator.render.views.plan import LeftOut, Planning, Seen, role_of

_SHOWN = 3
_PLANNED = "planned"


def document(planning: Planning, seen: Seen) -> dict[str, Any]:
    """The result document, `schemas/plan-roles.json`; the roles are those of the services selected."""
    plans = {planned.plan.service: planned.plan for planned in planning.planned}
    found: dict[str, list[Plan]] = {}
    for plan in plans.values():
        found.setdefault(role_of(plan) or "", []).append(plan)
    return result(
        "plan-roles",
        dry_run=planning.dry_run,
        folder=planning.folder,
        roles=[_role(arn, some, plans, seen) for arn, some in sorted(found.items()) if arn],
        left_out=[{"cluster": one.cluster, "why": one.why} for one in _closed(planning, seen)],
        unreadable=[{"service": str(one.service), "problem": one.problem} for one in planning.unread],
    )


def _closed(planning: Planning, seen: Seen) -> list[LeftOut]:
    """Of all clusters of the fleet: also one that was not selected may hold users."""
    every = {one.cluster: one for one in (*seen.closed, *planning.left_out)}
    return [every[alias] for alias in sorted(every)]


def _role(arn: str, some: Sequence[Plan], plans: Mapping[ServiceId, Plan], seen: Seen) -> dict[str, Any]:
    users = seen.users.get(arn, ())
    services = {user.service for user in users} | {plan.service for plan in some}
    services |= {service for service, stand in seen.standings.items() if stand.role == arn}
    listed = [_user(service, plans.get(service), seen) for service in sorted(services)]
    verdicts = Counter(str(user["verdict"] or "unplanned") for user in listed)
    return {
        "role": arn,
        "users": listed,
        "trusted": _trusted(_live(some), users, seen),
        "size": _size(some, users, seen),
        "verdicts": {word: verdicts[word] for word in (*map(str, Verdict), "unplanned")},
    }


def _user(service: ServiceId, plan: Plan | None, seen: Seen) -> dict[str, Any]:
    stand = seen.standings.get(service)
    return {
        "service": str(service),
        "standing": stand.standing if stand else _PLANNED,
        "verdict": str(plan.verdict) if plan else None,
    }


def _live(some: Sequence[Plan]) -> Role | None:
    """The role as the plans' facts have it; None where its trust policy could not be read."""
    facts = next((plan.facts["role"] for plan in some if (plan.facts.get("role") or {}).get("trust")), None)
    arn = RoleArn.parse(facts["arn"]) if facts else None
    if facts is None or arn is None:
        return None
    return Role(arn=facts["arn"], name=arn.name, id=facts["id"], account=arn.account, trust=json.dumps(facts["trust"]))


def _trusted(role: Role | None, users: Iterable[User], seen: Seen) -> list[dict[str, Any]]:
    if role is None:
        return []
    found = parties(role, users, seen.issuers)
    return [
        {"kind": one.kind, "principal": one.principal, "subjects": list(one.subjects), "statement": one.statement}
        for one in found
    ]


def _size(some: Sequence[Plan], users: Iterable[User], seen: Seen) -> dict[str, int] | None:
    role = _live(some)
    if role is None:
        return None
    told = sizes(role, users, seen.policy)
    quota = max(plan.facts["role"].get("trust_quota", QUOTA) for plan in some if plan.facts.get("role"))
    return {"now": told.now, "after": told.after, "by_cluster": told.by_cluster, "quota": quota}


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    columns = (
        Column("role"),
        Column("users"),
        Column("they stand"),
        Column("verdicts"),
        Column("others trusted"),
        Column("trust policy"),
    )
    rows = tuple(_row(role) for role in data["roles"])
    table: list[Block] = [Table(columns, rows), Line()] if rows else []
    return [*table, *_closing(data)]


def _row(role: Mapping[str, Any]) -> tuple[str, ...]:
    users = role["users"]
    verdicts = ", ".join(f"{count} {word}" for word, count in role["verdicts"].items() if count)
    standings = Counter(user["standing"] for user in users)
    others = [f"{one['kind']} {role_name(one['principal'])}" for one in role["trusted"]]
    return (
        role_name(role["role"]),
        _some([user["service"] for user in users]),
        ", ".join(f"{count} {word}" for word, count in sorted(standings.items())),
        verdicts,
        _some(list(dict.fromkeys(others))) or "-",
        _room(role["size"]),
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _room(size: Mapping[str, int] | None) -> str:
    if size is None:
        return "not read"
    over = f"; {size['by_cluster']} with trust_conditions cluster" if size["after"] > size["quota"] else ""
    return f"{size['now']} → {size['after']} of {size['quota']}{over}"


def _closing(data: Mapping[str, Any]) -> list[Block]:
    shared = sum(len(role["users"]) > 1 for role in data["roles"])
    over = sum(bool(role["size"]) and role["size"]["after"] > role["size"]["quota"] for role in data["roles"])
    said = f"{len(data['roles'])} roles: {shared} shared, {over} without room for all their services"
    lines: list[Block] = [Line(said, Tone.HEAD)]
    lines += [
        Line(f"not seen: whoever uses them in cluster {one['cluster']}: {one['why']}", Tone.BAD)
        for one in data["left_out"]
    ]
    lines += [Line(f"not planned: {one['service']}: {one['problem']}", Tone.BAD) for one in data["unreadable"]]
    return lines
