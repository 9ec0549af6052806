"""Checks data against a JSON Schema and says the first thing wrong in words a person can act on."""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

_SHOWN = 60


@dataclass(frozen=True)
class Violation:
    """Where in the data, and what is wrong there."""

    path: tuple[str | int, ...]
    problem: str


def first_violation(data: Any, schema: Mapping[str, Any]) -> Violation | None:
    """The violation nearest the root, or None when the data fits."""
    validator = _validator(json.dumps(schema, sort_keys=True))
    error = best_match(validator.iter_errors(data), key=_nearest_root)
    if error is None:
        return None
    path: tuple[str | int, ...] = tuple(error.absolute_path)
    unknown = _unknown_key(error)
    if unknown is not None:
        return Violation((*path, unknown), _unknown_problem(unknown, error))
    return Violation(path, _problem(error))


@lru_cache(maxsize=16)
def _validator(schema: str) -> Draft202012Validator:
    parsed = json.loads(schema)
    strict = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer).redefine("number", _is_number)
    build: Any = extend  # untyped in its stubs
    validator: Draft202012Validator = build(Draft202012Validator, {"pattern": _pattern}, type_checker=strict)(parsed)
    return validator


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """As JSON Schema means it: the `$` at its end lets no line break pass, as Python's would."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _is_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: Any, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _nearest_root(error: ValidationError) -> tuple[int, str, str]:
    return (-len(error.absolute_path), str(error.validator != "anyOf"), str(list(error.absolute_path)))


def _unknown_key(error: ValidationError) -> str | None:
    if error.validator != "additionalProperties" or error.validator_value is not False:
        return None
    known = _known(error)
    instance: Any = error.instance
    return next((str(key) for key in instance if key not in known), None)


def _known(error: ValidationError) -> list[str]:
    schema: Any = error.schema
    return sorted(schema.get("properties", {}))


def _unknown_problem(key: str, error: ValidationError) -> str:
    known = _known(error)
    near = difflib.get_close_matches(key, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known) or 'nothing'}"
    return f"unknown field; {hint}"


def _problem(error: ValidationError) -> str:
    words = _WORDS.get(str(error.validator))
    wrong = _shown(error.instance)
    if words is not None:
        return words(error.validator_value, wrong, error.instance) + _advice(error)
    schema: Any = error.schema
    if error.validator in {"anyOf", "oneOf"} and "description" in schema:
        return f"{wrong} is not {schema['description']}"
    return error.message if len(error.message) < 200 else f"{wrong} does not fit"


def _advice(error: ValidationError) -> str:
    """What to write instead, where the schema knows it."""
    schema: Any = error.schema
    if error.validator == "pattern" and "examples" in schema:
        return f"; write it like {_shown(schema['examples'][0])}"
    if error.validator in {"minProperties", "maxProperties"} and len(schema.get("properties", ())) == 2:
        one, other = schema["properties"]
        return f"; give {one} or {other}{', not both' * (error.validator == 'maxProperties')}"
    return ""


def _missing(required: Any, _wrong: str, instance: Any) -> str:
    return "missing: " + ", ".join(f'"{name}"' for name in required if name not in instance)


def _one_of(values: Iterable[Any], wrong: str, _instance: Any) -> str:
    return f"{wrong} is not one of {', '.join(_shown(value) for value in values)}"


_NAMES = {
    "object": "a map",
    "array": "a list",
    "string": "a string (quote it)",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def _type(wanted: Any, wrong: str, _instance: Any) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return f"{wrong} is not {' or '.join(_NAMES[name] for name in names)}"


_WORDS: Mapping[str, Callable[[Any, str, Any], str]] = {
    "required": _missing,
    "enum": _one_of,
    "type": _type,
    "const": lambda value, wrong, _i: f"{wrong} is not {_shown(value)}",
    "pattern": lambda value, wrong, _i: f"{wrong} does not match {value}",
    "minLength": lambda value, wrong, _i: f"{wrong} is too short (at least {value})",
    "maxLength": lambda value, wrong, _i: f"{wrong} is too long (at most {value})",
    "minimum": lambda value, wrong, _i: f"{wrong} is less than {value}",
    "exclusiveMinimum": lambda value, wrong, _i: f"{wrong} is not more than {value}",
    "maximum": lambda value, wrong, _i: f"{wrong} is more than {value}",
    "minItems": lambda value, wrong, _i: f"{wrong} has too few entries (at least {value})",
    "maxItems": lambda value, wrong, _i: f"{wrong} has too many entries (at most {value})",
    "minProperties": lambda value, wrong, _i: f"{wrong} has too few entries (at least {value})",
    "maxProperties": lambda value, wrong, _i: f"{wrong} has too many entries (at most {value})",
}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
