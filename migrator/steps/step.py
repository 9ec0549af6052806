"""What every step is: it reads, it changes once, it tells whether the change has taken effect.

There is no undo. A step of the way back is a step with before and after swapped, run by the same executor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from migrator.model.facts import Json
from migrator.model.fleet import Waits
from migrator.model.ids import ServiceId
from migrator.model.plan import Check, PlannedStep
from migrator.model.ports.steps import ClusterWorld, IamWorld
from migrator.model.trust import Subject


class Position(StrEnum):
    """Where the world stands between the step's before and after."""

    BEFORE = "before"
    AFTER = "after"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a look showed. `image` is what would be needed to say later how it was; `note` is for people.

    `ours` is False when the thing is as wanted but bears the mark of somebody else. `shared` is True when it is as
    wanted by what serves several of this tool's services: each of them remembers its share, also who found it there.
    """

    position: Position
    image: Json = None
    note: str = ""
    ours: bool = True
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The change has taken effect; `result` goes to the journal."""

    result: Json = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """Look again; with `again`, the change is to be tried once more.

    `memo` is then recorded first, durably: the step finds it in `Context.memory`, also after a kill. It is how a step
    counts what it may do only so often, or remembers what it is about to touch. `stage` names what is being waited for:
    with each new one the step's deadline begins anew. `holding` says that the change is in effect and the look was only
    not through yet: the settle period goes on.
    """

    reason: str
    again: bool = False
    memo: Json = None
    stage: str = ""
    holding: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Waiting will not help. `memo` is what a later try must know all the same; without one it begins afresh."""

    reason: str
    memo: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Waiting in this run is of no use, and nothing has failed: a later run looks again."""

    reason: str


Settling = Settled | NotYet | Failed | Later


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePast:
    """What the journal knows of a role's trust policy; dear to ask.

    `users` are the other services that still have a share in it, `images` the documents as they were before shares of
    ours came, the oldest first.
    """

    users: Mapping[Subject, frozenset[ServiceId]] = field(default_factory=dict)
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a step may use besides its own plan: the world, the run it belongs to, and what the journal remembers.

    `forward` is what the walk there recorded for the same step: `image`, `result`, and `runs`, the ids of the runs that
    began it. Empty on the way there, and for steps the walk there never began. `last_look` is False while a settle
    period still runs: what is dear to ask need not be asked yet. `memory` is the memo this run last recorded,
    `refused` why the step's last try was refused, where time may mend that.
    `restart` and `recreate_bare_pods` are the person's word: there, `rollout` or `natural`; both ways, whether bare
    pods may be deleted and made anew. `made_anew` are the names of those that walks there made anew, or meant to, since
    the last way back: whatever the option says now, the way back makes them anew too. `between` is what looks of this
    process leave for the next one.

    `keys_accepted` is that a person has said in the plan that the program does not use the keys in its pods.

    `image` is what the look before this process's first try showed. `cut_off` is True when that try takes up one that
    was cut off: the change may have been made a moment ago. `waited` is for how many seconds, since the last try, looks
    have not found the change in effect. `lately` is what this tool changed in the step's role a moment ago, by the
    journal: whose share was put in (True) or taken out (False). `past` is all that the journal knows of the role.
    """

    service: ServiceId
    run: str
    cluster: ClusterWorld
    trust: IamWorld
    waits: Waits
    check: Check | None = None
    keys_accepted: bool = False
    role_arn: str = ""  # the role that the service's association is to name
    target: str = ""  # and the target role of another account, which its pods are then to have
    lets_in: Mapping[str, Subject] = field(default_factory=dict)  # role ARN to whom it must let in
    cluster_arn: str = ""  # where the service's sessions come from, as the role's trust policy sees it
    last_look: bool = True
    forward: Mapping[str, Json] = field(default_factory=dict)
    memory: Json = None
    refused: str = ""
    restart: str = "rollout"
    recreate_bare_pods: bool = False
    made_anew: frozenset[str] = frozenset()
    between: dict[str, Json] = field(default_factory=dict)
    image: Json = None
    cut_off: bool = False
    waited: float = 0.0
    lately: Mapping[Subject, bool] = field(default_factory=dict)
    past: Callable[[], RolePast] = RolePast

    @property
    def identity_arn(self) -> str:
        """The role that the pods are to have, and that IRSA gives them."""
        return self.target or self.role_arn

    @property
    def judges_bare(self) -> bool:
        """Whether verify answers for bare pods: a restart that is over before a person allows them left them be."""
        return self.recreate_bare_pods and bool(self.made_anew)


class Step(Protocol):
    """One kind of step."""

    def read(self, step: PlannedStep, context: Context) -> Reading:
        """Looks; changes nothing."""
        ...

    def apply(self, step: PlannedStep, context: Context) -> None:
        """Makes the change, after `read` said BEFORE. May be repeated: it looks at the live thing itself."""
        ...

    def settled(self, step: PlannedStep, context: Context) -> Settling:
        """Whether the change has taken effect; changes nothing."""
        ...

    def deadline(self, step: PlannedStep, waits: Waits) -> float:
        """Seconds after which a step that has not settled has failed."""
        ...

    def hold(self, step: PlannedStep, waits: Waits) -> float:
        """Seconds for which `settled` must go on saying so."""
        ...
