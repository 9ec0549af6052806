"""How it is said that somebody else holds a lock; the same whatever the store."""

from migrator.model.errors import Locked
from migrator.model.journal import Holder


def held_by(holder: Holder) -> Locked:
    """The error that names the holder; the caller raises it."""
    return Locked(
        f'"{holder.key}" is held by process {holder.pid} on "{holder.host}" since {holder.since} ({holder.doing})',
        remedy="wait for it, or stop it; a dead runner's lock is taken over by itself",
    )


def taken_over(key: str) -> Locked:
    """The error of whoever held it once; the caller raises it."""
    return Locked(f'another runner took over "{key}", whose lock had expired', remedy="look at migrate status")
