"""One lease: who has it until when, and the write that proves that he still has."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from migrator.model.journal import Holder
from migrator.store.dynamo.table import Key, Refused, changed
from migrator.store.dynamo.values import Attributes, number, read_number, read_text, text

LEASES = "leases"
_AFTERWARDS = 7 * 86400  # seconds for which DynamoDB keeps one that ran out: longer than clocks can be apart


@dataclass(slots=True)
class Lease:
    """One taking of a key by a thread of this process.

    Attributes:
        owner: names this taking, and no other.
        token: the fencing token: greater than that of every earlier taking of the key.
        deadline: when it may have run out, by the local monotonic clock.
        renewed: when it was last renewed, by the same.
        lost: whether another runner was seen to have taken it.
        guard: whoever renews it holds this, so that two writes of one process do not meet.
    """

    key: str
    owner: str
    token: int
    deadline: float
    renewed: float
    thread: int = field(default_factory=threading.get_ident)
    lost: bool = False
    guard: threading.RLock = field(default_factory=threading.RLock)
    _written: int = 0

    def order(self) -> str:
        """A place in time for an item written under this lease: after all earlier ones, of whatever holder."""
        with self.guard:
            self._written += 1
            return place(self.token, self._written)

    def renewal(self, expires: float) -> dict[str, Any]:
        """The write that puts off its end, and is refused if it is another's by now."""
        return self._write({"expires": number(expires), "ttl": _ttl(expires)})

    def release(self) -> dict[str, Any]:
        """The write that gives it back; the item stays for the sake of its token."""
        return self._write({"owner": text(""), "expires": number(0)})

    def _write(self, values: Attributes) -> dict[str, Any]:
        return changed(_key(self.key), values, where={"owner": text(self.owner), "token": number(self.token)})


def place(token: int, count: int) -> str:
    """Sorts by token, and then by count."""
    return f"{token:016d}#{count:08d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What a runner writes to take a key; `seen` is what was there before, nobody's or one that ran out."""

    key: str
    owner: str
    host: str
    pid: int
    doing: str
    now: float
    expires: float
    seen: Attributes | None

    @property
    def token(self) -> int:
        """The last one and one more; or the time, which is greater than all that were forgotten with their items."""
        last = int(read_number(self.seen or {}, "token"))
        return max(last + 1, int(self.now * 1000))

    def write(self) -> dict[str, Any]:
        """The write; it is refused if anything happened to the lease since it was seen."""
        values = {
            "owner": text(self.owner),
            "token": number(self.token),
            "host": text(self.host),
            "pid": number(self.pid),
            "since": text(_shown(self.now)),
            "doing": text(self.doing),
            "expires": number(self.expires),
            "ttl": _ttl(self.expires),
        }
        where = {name: self.seen[name] for name in ("owner", "token", "expires")} if self.seen else {}
        return changed(_key(self.key), values, where=where)

    def done(self, refused: Refused | None) -> bool:
        """Whether it was written, by an attempt whose answer was lost as well."""
        return refused is None or any(item.get("owner") == text(self.owner) for item in refused.there)


def living(item: Attributes | None, earliest: float) -> bool:
    """Whether the lease may still be somebody's, if it is at least so late."""
    return item is not None and item["owner"] != text("") and read_number(item, "expires") > earliest


def holder(item: Attributes) -> Holder:
    """Who has it."""
    return Holder(
        key=read_text(item, "sk"),
        owner=read_text(item, "owner"),
        host=read_text(item, "host"),
        pid=int(read_number(item, "pid")),
        since=read_text(item, "since"),
        doing=read_text(item, "doing"),
        expires=_shown(read_number(item, "expires")),
    )


def _ttl(expires: float) -> Attributes:
    return number(int(expires) + _AFTERWARDS)


def _shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _key(key: str) -> Key:
    return LEASES, key
