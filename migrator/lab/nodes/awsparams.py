"""Command-line words of `aws SERVICE OPERATION` turned into the operation's parameters, by its model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore import xform_name

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

_GLOBAL_VALUES = frozenset({"--query", "--output", "--region", "--profile", "--endpoint-url", "--color"})
_GLOBAL_FLAGS = frozenset({"--no-cli-pager", "--no-paginate", "--no-verify-ssl", "--debug", "--no-sign-request"})
_SCALARS = frozenset({"string", "integer", "long", "float", "double", "boolean", "timestamp", "blob"})


class UsageError(Exception):
    """The words make no command."""


@dataclass
class Options:
    """A command line read: global options, and the operation's own words by option."""

    globals: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    own: dict[str, list[str]] = field(default_factory=dict)
    positional: list[str] = field(default_factory=list)


def read(words: list[str]) -> Options:
    """Sort the words into options and their values."""
    options = Options()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and "=" in word:
            word, _, value = word.partition("=")
            rest.insert(0, value)
        if word in _GLOBAL_FLAGS:
            options.flags.add(word)
        elif word in _GLOBAL_VALUES:
            if not rest:
                raise UsageError(f"argument {word}: expected one argument")
            options.globals[word] = rest.pop(0)
        elif word.startswith("--"):
            values = options.own.setdefault(word, [])
            while rest and not rest[0].startswith("--"):
                values.append(rest.pop(0))
        else:
            options.positional.append(word)
    return options


def parameters(operation: OperationModel, own: dict[str, list[str]]) -> dict[str, Any]:
    """The operation's input.

    Raises:
        UsageError: an option is not the operation's, or its value is not of the right type.
    """
    shape = operation.input_shape
    members = dict(shape.members) if shape else {}
    names = {"--" + xform_name(name, "-"): name for name in members}
    found: dict[str, Any] = {}
    for option, values in own.items():
        if option == "--cli-input-json":
            found = {**json.loads(values[0]), **found}
            continue
        name = names.get(option) or names.get(option.replace("--no-", "--", 1))
        if name is None:
            raise UsageError(f"Unknown options: {', '.join([option, *values])}")
        if members[name].type_name == "boolean":
            found[name] = option in names
        elif not values:
            raise UsageError(f"argument {option}: expected one argument")
        else:
            found[name] = _value(option, members[name], values)
    return found


def missing(operation: OperationModel, given: dict[str, Any]) -> list[str]:
    """The options that the operation requires and were not given."""
    shape = operation.input_shape
    required = shape.required_members if shape else []
    return ["--" + xform_name(name, "-") for name in required if name not in given]


def _value(option: str, shape: Any, values: list[str]) -> Any:
    kind = shape.type_name
    if kind in _SCALARS:
        return _scalar(option, shape, values[0])
    text = values[0]
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(" ".join(values))
        except ValueError as error:
            raise UsageError(
                f"Error parsing parameter '{option}': Invalid JSON: {error}\nJSON received: {text}"
            ) from error
    if kind == "list":
        if shape.member.type_name in _SCALARS:
            return [_scalar(option, shape.member, one) for one in values]
        return [_shorthand(option, shape.member, one) for one in values]
    return _shorthand(option, shape, text)


def _shorthand(option: str, shape: Any, text: str) -> dict[str, Any]:
    """`Key=value,Key2=value2` of a structure or map of plain values."""
    result: dict[str, Any] = {}
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        inner = shape.value if shape.type_name == "map" else shape.members.get(name)
        if not equals or inner is None or inner.type_name not in _SCALARS:
            raise UsageError(f"Error parsing parameter '{option}': give it as JSON; received: {text}")
        result[name] = _scalar(option, inner, value)
    return result


def _scalar(option: str, shape: Shape, text: str) -> Any:
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError):
        raise UsageError(f"Parameter validation failed:\nInvalid value for {option}: {text}") from None
    return text
