"""Reads a Dockerfile, as far as ours goes: an instruction or a flag that is not known here is an error, not a guess."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_KNOWN = frozenset({"ARG", "FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "LABEL", "ENTRYPOINT"})
_FLAGS: Mapping[str, frozenset[str]] = {"COPY": frozenset({"from", "chown"})}
_FLAG = re.compile(r"--([a-z]+)=(\S+)\s+")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Instruction:
    """One instruction; `text` is what follows its word and flags."""

    word: str
    text: str
    flags: Mapping[str, str] = field(default_factory=dict)

    @property
    def pairs(self) -> Mapping[str, str]:
        """The NAME=VALUE pairs of ENV and LABEL."""
        return dict(part.split("=", 1) for part in shlex.split(self.text))


@dataclass(frozen=True)
class Stage:
    """One stage: what it begins from, its name if it has one, and what is done."""

    base: str
    name: str
    instructions: tuple[Instruction, ...]


def parse(text: str) -> tuple[Stage, ...]:
    """The stages, with the ARGs before the first of them filled in by their defaults.

    Raises:
        ValueError: something that is not known here.
    """
    arguments: dict[str, str] = {}
    stages: list[tuple[str, list[Instruction]]] = []
    for one in _instructions(text):
        if one.word == "FROM":
            stages.append((_filled(one.text, arguments), []))
        elif stages:
            stages[-1][1].append(one)
        elif one.word == "ARG":
            arguments |= one.pairs
        else:
            raise ValueError(f'"{one.word}" stands before the first FROM')
    return tuple(_stage(head, done) for head, done in stages)


def _stage(head: str, instructions: list[Instruction]) -> Stage:
    base, _, name = head.partition(" AS ")
    return Stage(base, name, tuple(instructions))


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        if word not in _KNOWN:
            raise ValueError(f'the instruction "{word}" is not known here')
        flags = dict(_FLAG.findall(rest)) if word in _FLAGS else {}
        if set(flags) - _FLAGS.get(word, frozenset()):
            raise ValueError(f'a flag of "{line}" is not known here')
        yield Instruction(word, _FLAG.sub("", rest) if flags else rest, flags)


def _filled(text: str, arguments: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: arguments[found[1]], text)
