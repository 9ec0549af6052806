"""Source roles in memory, as IAM keeps them; typed against `SourceRoles`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from migrator.model.errors import Rejected
from migrator.model.facts import SourceRole


class FakeSources:
    """What a fake world has of source roles. `hanging` is what others hung on a role, by its ARN."""

    sources: dict[str, SourceRole]
    hanging: dict[str, list[str]]
    before_call: Callable[[str], None]
    after_call: Callable[[str], None]

    def _change(self, name: str) -> None:
        raise NotImplementedError(name)

    def source_role(self, arn: str) -> SourceRole | None:
        return self.sources.get(arn)

    def create_source_role(self, arn: str, *, trust: str, tags: Mapping[str, str]) -> None:
        self._change("create-role")
        if arn in self.sources:
            raise Rejected(f"role {arn} already exists", reason="exists")
        self.sources[arn] = SourceRole(arn=arn, id=f"AROA{len(self.sources)}", trust=trust, tags=dict(tags))
        self.after_call("create-role")

    def permit(self, arn: str, policy: str) -> None:
        self._change("permit")
        self.sources[arn] = replace(self.sources[arn], policy=policy)
        self.after_call("permit")

    def attached_to(self, arn: str) -> Sequence[str]:
        return self.hanging.get(arn, [])

    def delete_source_role(self, role: SourceRole) -> None:
        """Two calls, and a kill may come between them."""
        arn = role.arn
        if self.sources[arn].policy is not None:
            self._change("forbid")
            self._unless_replaced(role)
            self.sources[arn] = replace(self.sources[arn], policy=None)
            self.after_call("forbid")
        if self.hanging.get(arn):
            raise Rejected(f"role {arn} is in use", reason="in-use")
        self._change("delete-role")
        self._unless_replaced(role)
        del self.sources[arn]
        self.after_call("delete-role")

    def _unless_replaced(self, role: SourceRole) -> None:
        if self.sources[role.arn].id != role.id:
            raise Rejected("somebody made another role of that name", reason="replaced")


class NoSources:
    """A world whose roles are all in the cluster's own account."""

    def source_role(self, arn: str) -> SourceRole | None:
        raise AssertionError(arn)

    def create_source_role(self, arn: str, *, trust: str, tags: Mapping[str, str]) -> None:
        raise AssertionError(arn, trust, tags)

    def permit(self, arn: str, policy: str) -> None:
        raise AssertionError(arn, policy)

    def attached_to(self, arn: str) -> Sequence[str]:
        raise AssertionError(arn)

    def delete_source_role(self, role: SourceRole) -> None:
        raise AssertionError(role)
