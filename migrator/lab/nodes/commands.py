"""The programs every container of the practice fleet has. Each returns its exit code."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from datetime import UTC, datetime

from migrator.lab.nodes.environment import hostname
from migrator.lab.nodes.process import Process

_COMPARISONS = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-gt": operator.gt,
    "-ge": operator.ge,
    "-lt": operator.lt,
    "-le": operator.le,
}
Command = Callable[[Process, list[str]], int]
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def env(process: Process, words: list[str]) -> int:
    """Print the environment, or run a command in a changed one (`env -u NAME NAME=VALUE command`)."""
    changed = {} if words[:1] == ["-i"] else dict(process.env)
    words = words[1:] if words[:1] == ["-i"] else words
    while words and (words[0] == "-u" or "=" in words[0]):
        if words[0] == "-u":
            changed.pop(words[1], None)
            words = words[2:]
        else:
            name, _, value = words[0].partition("=")
            changed[name] = value
            words = words[1:]
    if words:
        return run(process.child(env=changed), words)
    for name, value in changed.items():
        process.print(f"{name}={value}")
    return 0


def printenv(process: Process, words: list[str]) -> int:
    """Print the environment, or the values of some variables."""
    if not words:
        return env(process, [])
    for name in words:
        if name in process.env:
            process.print(process.env[name])
    return int(any(name not in process.env for name in words))


def cat(process: Process, words: list[str]) -> int:
    """Print files, or standard input."""
    code = 0
    for path in words or ["-"]:
        if path == "-":
            while piece := process.stdin():
                process.out(piece)
            continue
        try:
            process.out(process.read(path))
        except FileNotFoundError:
            process.complain(f"cat: {path}: No such file or directory")
            code = 1
        except IsADirectoryError:
            process.complain(f"cat: {path}: Is a directory")
            code = 1
    return code


def ls(process: Process, words: list[str]) -> int:
    """List folders."""
    code = 0
    for path in [word for word in words if not word.startswith("-")] or ["/"]:
        try:
            for name in process.names(path):
                process.print(name)
        except FileNotFoundError:
            process.complain(f"ls: cannot access '{path}': No such file or directory")
            code = 2
    return code


def echo(process: Process, words: list[str]) -> int:
    """Print the arguments."""
    if words[:1] == ["-n"]:
        process.out(" ".join(words[1:]).encode())
    else:
        process.print(" ".join(words))
    return 0


def sleep(process: Process, words: list[str]) -> int:
    """Wait, unless the caller goes away."""
    try:
        seconds = sum(float(word.rstrip("smhd")) * _UNITS.get(word[-1], 1.0) for word in words)
    except ValueError:
        seconds = -1.0
    if not words or seconds < 0:
        process.complain(f"sleep: invalid time interval '{' '.join(words)}'")
        return 1
    until = time.monotonic() + min(seconds, 10.0 * 365 * 86400)
    while (left := until - time.monotonic()) > 0:
        if process.cancelled.wait(min(left, 3600)):
            return 143
    return 0


def test(process: Process, words: list[str]) -> int:
    """Evaluate a condition: strings, integers, `-n -z -e -f -d -s`, `!`."""
    if words[:1] == ["!"]:
        return int(not test(process, words[1:]))
    try:
        return int(not _holds(process, words))
    except ValueError as error:
        process.complain(f"test: {error}")
        return 2


def _holds(process: Process, words: list[str]) -> bool:
    if len(words) < 2:
        return bool(words and words[0])
    if len(words) == 2 and words[0] in ("-n", "-z"):
        return bool(words[1]) == (words[0] == "-n")
    if len(words) == 2 and words[0] in ("-e", "-f", "-s", "-r", "-d"):
        return _exists(process, words[0], words[1])
    if len(words) == 3 and words[1] in ("=", "==", "!="):
        return (words[0] == words[2]) == (words[1] != "!=")
    if len(words) == 3 and words[1] in _COMPARISONS:
        try:
            left, right = int(words[0]), int(words[2])
        except ValueError:
            raise ValueError(f"{' '.join(words)}: integer expression expected") from None
        return bool(_COMPARISONS[words[1]](left, right))
    raise ValueError(f"{' '.join(words)}: unexpected operator")


def _exists(process: Process, wanted: str, path: str) -> bool:
    try:
        content = process.read(path)
    except IsADirectoryError:
        return wanted in ("-e", "-d", "-r")
    except FileNotFoundError:
        return False
    return wanted != "-d" and (wanted != "-s" or bool(content))


def bracket(process: Process, words: list[str]) -> int:
    """`[ condition ]`."""
    if words[-1:] != ["]"]:
        process.complain("[: missing ]")
        return 2
    return test(process, words[:-1])


def shell(process: Process, words: list[str]) -> int:
    """`sh -c SCRIPT [NAME [ARGUMENT...]]`, or a script from standard input."""
    from migrator.lab.nodes.shell import run_script  # noqa: PLC0415  the shell runs these very commands

    for position, word in enumerate(words):
        if word.startswith("-") and word.endswith("c") and words[position + 1 :]:
            return run_script(process.child(), words[position + 1], words[position + 2 :])
    script = b""
    while piece := process.stdin():
        script += piece
    return run_script(process.child(), script.decode(errors="replace"), [])


def _date(process: Process, words: list[str]) -> int:
    now = datetime.now(UTC)
    form = next((word[1:] for word in words if word.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    process.print(now.strftime(form.replace("%s", str(int(now.timestamp())))))
    return 0


def _id(process: Process, _words: list[str]) -> int:
    contexts = (process.pod["spec"].get("securityContext"), process.container.get("securityContext"))
    users = [context["runAsUser"] for context in contexts if context and "runAsUser" in context]
    process.print(f"uid={users[-1]} gid=0" if users else "uid=0(root) gid=0(root) groups=0(root)")
    return 0


def _hostname(process: Process, _words: list[str]) -> int:
    process.print(hostname(process.pod))
    return 0


def _aws(process: Process, words: list[str]) -> int:
    return process.aws(process, words)


def _true(_process: Process, _words: list[str]) -> int:
    return 0


def _false(_process: Process, _words: list[str]) -> int:
    return 1


COMMANDS: dict[str, Command] = {
    "env": env,
    "printenv": printenv,
    "cat": cat,
    "ls": ls,
    "echo": echo,
    "true": _true,
    "false": _false,
    ":": _true,
    "sleep": sleep,
    "date": _date,
    "id": _id,
    "hostname": _hostname,
    "test": test,
    "[": bracket,
    "aws": _aws,
    "sh": shell,
    "bash": shell,
    "ash": shell,
}


def find(word: str) -> Command | None:
    """A program by name or by path."""
    folder, slash, name = word.rpartition("/")
    if slash and not folder.endswith("bin"):
        return None
    return COMMANDS.get(name)


def run(process: Process, words: list[str]) -> int:
    """Run a program; 127 and the container runtime's words if there is none of that name."""
    command = find(words[0]) if words else None
    if command is None:
        name = words[0] if words else ""
        where = "stat " + name + ": no such file or directory" if "/" in name else "executable file not found in $PATH"
        process.complain(
            f'OCI runtime exec failed: exec failed: unable to start container process: exec: "{name}": {where}: unknown'
        )
        return 127
    return command(process, words[1:])
