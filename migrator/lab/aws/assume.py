"""Whether a role lets itself be assumed: the rule AssumeRole, web identity and EKS Pod Identity share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.aws.policy import Ask, Principal, Verdict, context_of, trust_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.authorise import Gate
    from migrator.lab.aws.callers import Caller


def tag_context(tags: Mapping[str, str], extra: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    """The condition keys of a request that sets session tags."""
    values: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        values["aws:TagKeys"] = tuple(tags)
    return context_of(values | dict(extra))


class Assumption:
    """Asks a role's trust policy, and the caller's own policies where the trust leaves it to them."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def refused_to_caller(
        self, role: Any, caller: Caller, tags: Mapping[str, str], context: Mapping[str, tuple[str, ...]]
    ) -> str:
        """The action that a signed caller may not do on the role; empty when it may assume it."""
        whole = {**self._gate.context(caller), **context}
        foreign = caller.account != role.account_id
        for action in _actions(tags):
            verdict = trust_verdict(role.assume_role_policy_document, caller.principal, Ask(action, role.arn, whole))
            if verdict in (Verdict.DENIED, Verdict.SILENT):
                return action
            own = self._gate.allows(caller, action, str(role.arn), context)
            if not own and (foreign or verdict is Verdict.BY_ACCOUNT):
                return action
        return ""

    def refused_to_other(
        self,
        role: Any,
        principal: Principal,
        action: str,
        tags: Mapping[str, str],
        context: Mapping[str, tuple[str, ...]],
    ) -> str:
        """The action that a service or a federated caller may not do on the role; empty when it may assume it."""
        whole = {**self._gate.moment(), **context}
        for asked in [action, *_actions(tags)[1:]]:
            verdict = trust_verdict(role.assume_role_policy_document, principal, Ask(asked, role.arn, whole))
            if verdict is not Verdict.ALLOWED:
                return asked
        return ""


def _actions(tags: Mapping[str, str]) -> list[str]:
    return ["sts:AssumeRole", "sts:TagSession"] if tags else ["sts:AssumeRole"]
