"""Where a test or a fault gets in: before a call is carried out, and after, before its answer is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.lab.kubeapi.tokens import User


class ConnectionClosedError(Exception):
    """What a hook raises to have the connection closed instead of an answer."""


@dataclass(frozen=True)
class Asked:
    """A call whose caller is known and may do it.

    Attributes:
        user: the caller.
        verb: as in RBAC.
        group: API group, empty for the core.
        resource: as in RBAC, subresource included; empty for paths that are no resource.
        namespace: empty for what lives outside of namespaces.
        name: empty for collections.
        path: of the URL.
        dry_run: whether nothing is to be written.
        instance: which instance of the API server was asked.
    """

    user: User
    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    path: str
    dry_run: bool
    instance: int = 0

    @property
    def writes(self) -> bool:
        """Whether the verb changes anything."""
        return self.verb not in ("get", "list", "watch", "head", "options")


@dataclass
class Hooks:
    """What is called on every authorised call; both may raise ApiError, or ConnectionClosedError.

    Attributes:
        before: nothing has been done yet; what it raises is the answer.
        after: it has been done, or was refused; told the HTTP status.
    """

    before: Callable[[Asked], None] = lambda _asked: None
    after: Callable[[Asked, int], None] = lambda _asked, _status: None
