"""One sentence per step: what it is about, what is there before, what after. Nothing else ever words a step."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migrator.model.facts import Json
from migrator.model.ids import RoleArn
from migrator.model.plan import PlannedStep, StepKind
from migrator.model.trust import Scope


@dataclass(frozen=True, slots=True)
class StepWords:
    """`about` names the thing; equal `before` and `after` mean that nothing is left to do."""

    about: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.before == self.after:
            return f"{self.about}: {self.after} already"
        return f"{self.about}: {self.before} → {self.after}"


def words(step: PlannedStep) -> StepWords:
    """The step in words."""
    about, side = _WORDS[step.kind]
    if step.kind is StepKind.TRUST:
        both = {**step.before, **step.after}  # the subject stands on one side only
        return StepWords(about(step.on), side({**both, **step.before}), side({**both, **step.after}))
    if step.kind is StepKind.RESTART:  # there and back alike
        return StepWords(about(step.on), "running pods", "new pods")
    if owner := step.on.get("owner"):
        value = step.before["value"] if step.before["value"] is not None else step.after["value"]
        return StepWords(about(step.on), side({"value": value}), f"left to {owner}")
    return StepWords(about(step.on), side(step.before), side(step.after))


def changes(step: PlannedStep) -> bool:
    """Whether the step was planned to do anything; a look at the pods is always taken."""
    if step.on.get("owner"):
        return False
    said = words(step)
    return step.kind is StepKind.VERIFY or said.before != said.after


def role_name(arn: str) -> str:
    """A role's path and name without the ARN's head, as people say it; the text itself when it is no role ARN."""
    parsed = RoleArn.parse(arn)
    return f"{parsed.path}{parsed.name}".lstrip("/") if parsed else arn


def _agent(on: Mapping[str, Json]) -> str:
    return f"add-on {on.get('addon', 'of the agent')} on {on.get('cluster', 'the cluster')}"


def _agent_side(side: Mapping[str, Json]) -> str:
    return str(side.get("agent", "unknown"))


def _trust(on: Mapping[str, Json]) -> str:
    return f"trust policy of role {role_name(str(on.get('role', '')))}"


def _trust_side(side: Mapping[str, Json]) -> str:
    if not side.get("pod_identity"):
        return "no Pod Identity"
    return f"trusts Pod Identity for {_TRUSTED[(side.get('subject') or {}).get('trust_conditions', Scope.SERVICE)]}"


_TRUSTED = {
    Scope.SERVICE: "this service",
    Scope.CLUSTER: "every ServiceAccount of the cluster",
    Scope.NONE: "every association of the account",
}


def _source(on: Mapping[str, Json]) -> str:
    return f"source role {role_name(str(on.get('role', '')))}"


def _source_side(side: Mapping[str, Json]) -> str:
    return "there, may assume the target role only" if side.get("made") else "none"


def _target_side(side: Mapping[str, Json]) -> str:
    return "lets the source role in" if side.get("pod_identity") else "does not let the source role in"


def _association(on: Mapping[str, Json]) -> str:
    return f"association of {on.get('namespace')}/{on.get('service_account')}"


def _association_side(side: Mapping[str, Json]) -> str:
    arn, target = side.get("role_arn"), side.get("target_role_arn")
    if not arn:
        return "none"
    untagged = "" if side.get("session_tags", True) else ", without session tags"
    return f"{role_name(str(arn))}{f', target role {target}' if target else ''}{untagged}"


def _addon(on: Mapping[str, Json]) -> str:
    pair = f"{on.get('namespace')}/{on.get('service_account')}"
    return f"add-on {on.get('addon')}, which rolls its pods itself: its association of {pair}"


def _addon_side(side: Mapping[str, Json]) -> str:
    back = side.get("service_account_role_arn")
    return f"none, and the add-on's role is {role_name(str(back))} again" if back else _association_side(side)


def _annotation(on: Mapping[str, Json]) -> str:
    return f"annotation {on.get('key')} of {on.get('namespace')}/{on.get('service_account')}"


def _annotation_side(side: Mapping[str, Json]) -> str:
    value = side.get("value")
    return "none" if value is None else json.dumps(value)


_HOW = {"evict": " (its pods evicted one after another)", "restartAt": " (by spec.restartAt)"}


def _restart(on: Mapping[str, Json]) -> str:
    named = ", ".join(f"{one['kind']} {one['name']}{_HOW.get(one.get('how'), '')}" for one in on.get("workloads", ()))
    left = ", ".join(f"{one['kind']} {one['name']} ({one.get('why', '')})" for one in on.get("left", ()))
    return (named or "no workload to restart") + (f"; left alone: {left}" if left else "")


def _verify(_on: Mapping[str, Json]) -> str:
    return "every container of every pod"


def _verify_side(side: Mapping[str, Json]) -> str:
    return str(side.get("identity", "unknown"))


_Side = Callable[[Mapping[str, Json]], str]

_WORDS: Mapping[StepKind, tuple[_Side, _Side]] = {
    StepKind.AGENT: (_agent, _agent_side),
    StepKind.TRUST: (_trust, _trust_side),
    StepKind.SOURCE_ROLE: (_source, _source_side),
    StepKind.TARGET_TRUST: (_trust, _target_side),
    StepKind.ASSOCIATION: (_association, _association_side),
    StepKind.ADDON: (_addon, _addon_side),
    StepKind.ANNOTATION: (_annotation, _annotation_side),
    StepKind.RESTART: (_restart, str),
    StepKind.VERIFY: (_verify, _verify_side),
}
