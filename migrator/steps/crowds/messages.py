"""What SDKs are known to write into a log when they do not use Pod Identity; the table is `messages.toml`."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

_AGENT = r"(?:169\.254\.170\.23(?!\d)|\[?fd00:ec2::23\]?)"
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of the table; `refused` proves that the SDK does not use Pod Identity, the others only suggest it."""

    sdk: str
    says: re.Pattern[str]
    since: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message in a log: its own words and nothing else of the line, which may hold anything."""

    message: Message
    words: str


def heard(log: str) -> Heard | None:
    """The last message in a log that proves something, else the last one that suggests it."""
    found = [(match, one) for one in _table() for match in one.says.finditer(log)]
    if not found:
        return None
    match, message = max(found, key=lambda pair: (pair[1].refused, pair[0].start()))
    return Heard(message=message, words=match[0][:_SHOWN])


@cache
def _table() -> tuple[Message, ...]:
    text = resources.files(__package__).joinpath("messages.toml").read_text(encoding="utf-8")
    return tuple(_messages(tomllib.loads(text)))


def _messages(tables: dict[str, list[dict[str, str]]]) -> Iterator[Message]:
    for kind, entries in tables.items():
        for entry in entries:
            pattern = re.compile(entry["says"].replace("AGENT", _AGENT))
            yield Message(sdk=entry["sdk"], says=pattern, since=entry["since"], refused=kind == "refused")
