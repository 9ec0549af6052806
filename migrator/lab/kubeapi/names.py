"""What names, labels and keys may look like, and how a real server says that they do not."""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_PATTERNS = {text: re.compile(f"^{text}$") for text in (_LABEL, _SUBDOMAIN, _KEY, _VALUE, _CONFIG_KEY)}

_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character"
)
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character"
)
_KEY_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character"
)
_CONFIG_KEY_RULE = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_KEY_EXAMPLES = ("MyName", "my.name", "123-abc")
_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_SHORT, _LONG = 63, 253


def label(text: str) -> list[str]:
    """What is wrong with the name of a namespace or container."""
    found = _length(text, _SHORT, "characters")
    if _fits(_LABEL, text):
        return found
    if _fits(_SUBDOMAIN, text):
        return [*found, "must not contain dots"]
    return [*found, _said(_LABEL_RULE, _LABEL, "my-name", "123-abc")]


def subdomain(text: str) -> list[str]:
    """What is wrong with the name of most objects."""
    found = _length(text, _LONG, "characters")
    return found if _fits(_SUBDOMAIN, text) else [*found, _said(_SUBDOMAIN_RULE, _SUBDOMAIN, "example.com")]


def path_segment(text: str) -> list[str]:
    """What is wrong with the name of a role."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{letter}'" for letter in ("/", "%") if letter in text]


def label_key(text: str) -> list[str]:
    """What is wrong with the key of a label or an annotation."""
    *prefixes, name = text.split("/")
    if len(prefixes) > 1:
        rule = _said(f"a valid label key {_KEY_RULE}", _KEY, *_KEY_EXAMPLES)
        return [f"{rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    found = []
    for prefix in prefixes:
        problems = subdomain(prefix) if prefix else ["must be non-empty"]
        found += [f"prefix part {problem}" for problem in problems]
    found += ["name part must be non-empty"] if not name else [f"name part {one}" for one in _length(name, _SHORT)]
    return found if _fits(_KEY, name) else [*found, _said(f"name part {_KEY_RULE}", _KEY, *_KEY_EXAMPLES)]


def label_value(text: str) -> list[str]:
    """What is wrong with the value of a label."""
    found = _length(text, _SHORT)
    return found if _fits(_VALUE, text) else [*found, _said(_VALUE_RULE, _VALUE, "MyValue", "my_value", "12345")]


def finalizer(text: str, *, short: bool) -> list[str]:
    """What is wrong with the name of a finalizer; of the `short` ones without a domain there are but a few."""
    problems = label_key(text)
    if not problems and short and "/" not in text and text not in _FINALIZERS:
        problems = ["name is neither a standard finalizer name nor is it fully qualified"]
    return problems


def config_key(text: str) -> list[str]:
    """What is wrong with a key of a config map or a secret."""
    found = _length(text, _LONG)
    if not _fits(_CONFIG_KEY, text):
        found.append(_said(_CONFIG_KEY_RULE, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return found


def _fits(pattern: str, text: str) -> bool:
    return _PATTERNS[pattern].match(text) is not None


def _length(text: str, longest: int, unit: str = "bytes") -> list[str]:
    return [f"must be no more than {longest} {unit}"] if len(text) > longest else []


def _said(rule: str, pattern: str, *examples: str) -> str:
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{rule} (e.g. {listed}regex used for validation is '{pattern}')"
