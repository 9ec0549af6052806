"""One root error: a code, whose fault it is, what was being done, and what to do about it.

    MigrateError
      UsageError          the command line asks for something that is not there           exit 2
      EnvironmentFault    credentials, network, permissions, a service that fails         exit 1
      CredentialsExpired  stopped at a checkpoint; resumes after renewal                  exit 3
      Blocked             a finding or a failed gate needs a person                       exit 4
      Locked              another runner holds the service, the role or the agent         exit 5
      Drift               the live state is neither before nor after                      exit 6
      Interrupted         a signal was honoured at a checkpoint                       exit 130/143

Messages: lower case, names quoted, the wrong value, then the next command.
"""

from signal import SIGALRM, SIGTERM
from typing import ClassVar

from migrator.model.exits import Exit

_EXITS = {int(SIGTERM): Exit.TERMINATED, int(SIGALRM): Exit.UNFINISHED}


class MigrateError(Exception):
    """Root of everything that ends a command with a sentence instead of a traceback."""

    exit: ClassVar[Exit] = Exit.ERROR
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, doing: str = "", remedy: str = "") -> None:
        self.message = message
        self.doing = doing
        self.remedy = remedy
        super().__init__(message)

    def sentence(self) -> str:
        """The whole complaint on one line: while doing what, what happened, what to do."""
        text = f"{self.doing}: {self.message}" if self.doing else self.message
        return f"{text}; {self.remedy}" if self.remedy else text


class UsageError(MigrateError):
    """The command line asks for something that is not there, or twice for different things."""

    exit = Exit.USAGE
    code = "usage"


class EnvironmentFault(MigrateError):
    """Credentials, network, permissions, or a service that fails: nothing of ours to mend."""

    code = "environment"


class NotPermitted(EnvironmentFault):
    """The operator may not do this; the message names the permission."""

    code = "not-permitted"


class Rejected(EnvironmentFault):
    """The other side understood and refused; `reason` is its error code, for callers that know a way on."""

    code = "rejected"

    def __init__(self, message: str, *, reason: str, doing: str = "", remedy: str = "") -> None:
        self.reason = reason
        super().__init__(message, doing=doing, remedy=remedy)


class CredentialsExpired(MigrateError):
    """The operator's credentials ran out; the run stopped at a checkpoint."""

    exit = Exit.UNFINISHED
    code = "credentials-expired"


class Blocked(MigrateError):
    """A finding, a hold or a failed gate that needs a person."""

    exit = Exit.BLOCKED
    code = "blocked"


class Locked(MigrateError):
    """Another runner holds what this one needs."""

    exit = Exit.LOCKED
    code = "locked"


class Drift(MigrateError):
    """The live state is neither what the plan found nor what it wants."""

    exit = Exit.DRIFT
    code = "drift"


class StoreFault(MigrateError):
    """The state store cannot be read or written; nothing was changed after the fault."""

    code = "store"


class RecordFault(StoreFault):
    """What the store holds of one service, or should, cannot be used; no other service is concerned."""


class Interrupted(MigrateError):
    """A signal was honoured at a checkpoint."""

    code = "interrupted"

    def __init__(self, signal: int) -> None:
        self.signal = signal
        super().__init__("interrupted at a checkpoint", remedy="the same command resumes")

    @property
    def code_of_exit(self) -> Exit:
        """130 for SIGINT, 143 for SIGTERM, as shells count them; an alarm says that the time of a run is up."""
        return _EXITS.get(self.signal, Exit.INTERRUPTED)
