"""A process in a root folder of its own: mounts, process numbers, user, capabilities and system calls as a container's.

`python -m tests.deploy.confined` reads what to do as JSON from its first argument. It is started by `Cell.run` in new
namespaces, as root, mounts, and then becomes the program, without any way back. The network is that of the machine.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.deploy.base import Bind

ROOT = Path(__file__).parents[2]
_DEVICES = ("null", "zero", "full", "random", "urandom")
_UNSHARE = ("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--propagation", "private")
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM)
_REFUSED = """
acct add_key bpf clock_adjtime clock_settime create_module delete_module fanotify_init finit_module fsconfig fsmount
fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load
keyctl lookup_dcookie mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl open_by_handle_at open_tree
perf_event_open personality pivot_root process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot request_key
setdomainname sethostname setns settimeofday swapoff swapon sysfs syslog umount2 unshare userfaultfd ustat vhangup
"""
"""What the profile RuntimeDefault of a container without capabilities keeps from it, as far as a system knows it."""


@dataclass(frozen=True)
class Cell:
    """Where a program runs, and as whom; without a user it is root and may write everywhere, as in a build.

    Attributes:
        root: the root folder.
        binds: what is seen in it from outside.
        environment: all its variables.
        folder: its working directory.
        user: user and group, by number; groups beside it in `groups`.
        read_only: whether nothing of the root can be written.
        host: what it is told that its machine is called.
        confined: whether it has no capabilities, gets no new privileges, and is refused dangerous system calls.
    """

    root: Path
    binds: Sequence[Bind]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: tuple[int, int] = (0, 0)
    groups: Sequence[int] = ()
    host: str = "container"
    read_only: bool = False
    confined: bool = False

    def run(self, command: Sequence[str], limit: float = 600.0) -> "subprocess.CompletedProcess[str]":
        """Runs a program in it to its end."""
        told = json.dumps({**asdict(self), "command": list(command)}, default=str)
        return subprocess.run(
            [*_UNSHARE, sys.executable, "-m", "tests.deploy.confined", told],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )

    def with_binds(self, *more: Bind) -> "Cell":
        """Itself, with more to be seen in it."""
        return replace(self, binds=(*self.binds, *more))


def may_be_used() -> bool:
    """Whether this user may make namespaces, mount, and become another user."""
    return os.geteuid() == 0 and not subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode


def _enter(told: Mapping[str, Any]) -> None:
    root = Path(told["root"])
    socket.sethostname(told["host"])
    _mount(root, told["binds"], read_only=told["read_only"])
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True) if told["confined"] else None
    os.chroot(root)
    os.chdir(told["folder"])
    if seccomp is not None:
        _refuse(seccomp)
    user, group = told["user"]
    who = ["setpriv", f"--reuid={user}", f"--regid={group}"]
    who += [f"--groups={','.join(map(str, told['groups']))}" if told["groups"] else "--clear-groups"]
    if told["confined"]:
        who += ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    path = told["environment"].get("PATH", os.defpath)
    os.execvpe("/usr/bin/env", ["env", "-i", *_pairs(told["environment"]), *who, *told["command"]], {"PATH": path})  # noqa: S606


def _pairs(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def _mount(root: Path, binds: Sequence[Mapping[str, Any]], *, read_only: bool) -> None:
    _call("mount", "--bind", str(root), str(root))
    for bind in binds:
        _point(Path(bind["source"]), root / bind["target"].lstrip("/"))
    if read_only:
        _call("mount", "-o", "remount,bind,ro", str(root))
    for bind in binds:
        target = str(root / bind["target"].lstrip("/"))
        _call("mount", "--bind", bind["source"], target)
        if bind["read_only"]:
            _call("mount", "-o", "remount,bind,ro", target)
    _call("mount", "-t", "proc", "-o", "nosuid,nodev,noexec", "proc", str(root / "proc"))
    _call("mount", "-t", "tmpfs", "-o", "mode=755,nosuid", "tmpfs", str(root / "dev"))
    for name in _DEVICES:
        _point(Path("/dev") / name, root / "dev" / name)
        _call("mount", "--bind", f"/dev/{name}", str(root / "dev" / name))
    if read_only:
        _call("mount", "-o", "remount,ro", str(root / "dev"))


def _point(source: Path, target: Path) -> None:
    """Makes what the source is mounted on."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _call(*command: str) -> None:
    subprocess.run(command, check=True)


def _refuse(library: ctypes.CDLL) -> None:
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    context = library.seccomp_init(_ALLOW)
    for name in _REFUSED.split():
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and library.seccomp_rule_add(context, _REFUSE, number, 0):
            raise OSError(f"the system call {name} cannot be refused")
    if library.seccomp_load(context):
        raise OSError("the filter of system calls cannot be loaded")


if __name__ == "__main__":
    _enter(json.loads(sys.argv[1]))
