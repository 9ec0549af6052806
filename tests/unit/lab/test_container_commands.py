"""The programs and the little shell of a practice container."""

from typing import Any

import pytest

from migrator.lab.nodes.commands import run
from migrator.lab.nodes.process import Process

FILES = {"/etc/app/key": b"value\n", "/empty": b""}


class Console:
    """A process whose output is kept."""

    def __init__(self, env: dict[str, str], stdin: tuple[bytes, ...] = ()) -> None:
        self.out, self.err = b"", b""
        self._stdin = [*stdin, b""]
        self.process = Process(
            pod={"metadata": {"name": "pod-1"}, "spec": {}},
            container={"name": "main"},
            env=env,
            read=self._read,
            names=lambda _path: ["key"],
            aws=self._aws,
            stdin=lambda: self._stdin.pop(0) if self._stdin else b"",
            out=self._write_out,
            err=self._write_err,
        )

    def run(self, *words: str) -> tuple[int, str]:
        code = run(self.process, list(words))
        return code, self.out.decode()

    def _read(self, path: str) -> bytes:
        if path == "/etc":
            raise IsADirectoryError(path)
        if path not in FILES:
            raise FileNotFoundError(path)
        return FILES[path]

    def _write_out(self, data: bytes) -> None:
        self.out += data

    def _write_err(self, data: bytes) -> None:
        self.err += data

    def _aws(self, process: Process, words: list[str]) -> int:
        process.print("aws " + " ".join(words) + " as " + process.env.get("AWS_ROLE_ARN", "nobody"))
        return 0


@pytest.mark.parametrize(
    ("script", "code", "output"),
    [
        ("true && echo yes || echo no", 0, "yes\n"),
        ("false && echo yes || echo no", 0, "no\n"),
        ("false; echo $?", 0, "1\n"),
        ("false || true && echo both", 0, "both\n"),
        ("echo \"$NAME\" '$NAME' ${NAME} ${NONE:-fallback}", 0, "world $NAME world fallback\n"),
        ("echo a  b   c", 0, "a b c\n"),
        ('echo "a  b"', 0, "a  b\n"),
        ("X=5; echo $X", 0, "5\n"),
        ("X=5 env | true", 2, ""),
        ("X=5 printenv X", 0, "5\n"),
        ("exit 7", 7, ""),
        ("echo one\necho two", 0, "one\ntwo\n"),
        ("nonesuch", 127, ""),
        ("cat /none 2>/dev/null || echo missing", 0, "missing\n"),
        ("cat /none 2>&1", 1, "cat: /none: No such file or directory\n"),
        ('[ -n "$NAME" ] && echo set', 0, "set\n"),
        ("[ -z $NONE ] && echo unset", 0, "unset\n"),
        ("test 2 -gt 1", 0, ""),
        ("! test -f /none", 0, ""),
        ("unset NAME; printenv NAME", 1, ""),
        ("unset AWS_ROLE_ARN; aws sts get-caller-identity", 0, "aws sts get-caller-identity as nobody\n"),
        ("AWS_ROLE_ARN=other aws x # comment", 0, "aws x as other\n"),
        ("echo $(date)", 2, ""),
        ("while true; do echo x; done", 2, ""),
        ("echo it\\'s", 0, "it's\n"),
    ],
)
def test_scripts(script: str, code: int, output: str) -> None:
    console = Console({"NAME": "world", "AWS_ROLE_ARN": "arn:role"})
    assert console.run("sh", "-c", script) == (code, output)


@pytest.mark.parametrize(
    ("words", "code", "output"),
    [
        (["env"], 0, "A=1\nB=2\n"),
        (["env", "-u", "A", "env"], 0, "B=2\n"),
        (["env", "C=3", "printenv", "C"], 0, "3\n"),
        (["/usr/bin/printenv", "A", "B"], 0, "1\n2\n"),
        (["printenv", "Z"], 1, ""),
        (["cat", "/etc/app/key"], 0, "value\n"),
        (["cat", "/etc"], 1, ""),
        (["cat"], 0, "from stdin"),
        (["ls", "/etc/app"], 0, "key\n"),
        (["hostname"], 0, "pod-1\n"),
        (["echo", "-n", "x"], 0, "x"),
        (["sleep", "0.01"], 0, ""),
        (["sleep", "soon"], 1, ""),
        (["test", "a", "=", "b"], 1, ""),
        (["test", "-s", "/empty"], 1, ""),
        (["/opt/app/env"], 127, ""),
    ],
)
def test_programs(words: list[str], code: int, output: str) -> None:
    assert Console({"A": "1", "B": "2"}, (b"from ", b"stdin")).run(*words) == (code, output)


def test_unknown_program_is_reported_like_a_container_runtime() -> None:
    console = Console({})
    assert console.run("python")[0] == 127
    assert b'exec: "python": executable file not found in $PATH' in console.err


def test_a_child_does_not_change_its_parent() -> None:
    console = Console({"A": "1"})
    console.run("sh", "-c", "export A=2; X=1")
    assert console.process.env == {"A": "1"}


def test_aws_gets_its_words() -> None:
    output: Any = Console({}).run("aws", "sts", "get-caller-identity")
    assert output == (0, "aws sts get-caller-identity as nobody\n")
