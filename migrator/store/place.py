"""Where a process runs, written so that another process can tell later whether it is surely dead.

A host's name proves little: containers share names without sharing process numbers, and numbers are used again. Linux
tells a machine (/etc/machine-id), its boot (/proc/sys/kernel/random/boot_id), the pid namespace (/proc/self/ns/pid) and
a process's start (field 22 of /proc/PID/stat, proc(5)). Where one of them is missing, nothing is concluded from it.
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """One process of one boot of one machine; a part that could not be told is empty."""

    machine: str
    boot: str
    namespace: str
    pid: int
    started: str

    @classmethod
    def here(cls) -> "Place":
        """This process."""
        pid = os.getpid()
        return cls(
            machine=_text("/etc/machine-id"),
            boot=_text("/proc/sys/kernel/random/boot_id"),
            namespace=_link("/proc/self/ns/pid"),
            pid=pid,
            started=_started(pid),
        )

    def written(self) -> str:
        """As `read` takes it."""
        return "|".join((self.machine, self.boot, self.namespace, str(self.pid), self.started))

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """The place that was written, or None when it says nothing."""
        parts = text.split("|")
        if len(parts) != 5 or not parts[3].isdigit():
            return None
        machine, boot, namespace, pid, started = parts
        return cls(machine, boot, namespace, int(pid), started)


def is_dead(there: Place | None, here: Place) -> bool:
    """Whether the process at `there` is surely gone, as seen from `here`."""
    if there is None or not there.boot or not there.started:
        return False
    if there.boot == here.boot:
        return bool(there.namespace) and there.namespace == here.namespace and _started(there.pid) != there.started
    return bool(there.machine) and there.machine == here.machine  # the same machine, started anew since


def is_alive(there: Place | None, here: Place) -> bool:
    """Whether the process at `there` surely runs, as seen from `here`."""
    if there is None or not (there.boot and there.namespace and there.started):
        return False
    return (there.boot, there.namespace) == (here.boot, here.namespace) and _started(there.pid) == there.started


def _started(pid: int) -> str:
    """When the process was started, in ticks since the boot; empty if it is gone, or a zombie."""
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return "" if len(fields) < 20 or fields[0] == "Z" else fields[19]


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
