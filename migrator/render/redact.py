"""Takes secrets out of text before anybody sees it. The last line of defence: nothing upstream is meant to hold any."""

import re
from collections.abc import Mapping
from typing import Any

_HIDDEN = "[hidden]"

_PATTERNS = (
    re.compile(r"k8s-aws-v1\.[A-Za-z0-9_=-]+"),  # a cluster token: a signed URL in base64
    re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"),  # a JSON web token
    re.compile(r"(?i)(?<=X-Amz-Signature=)[^&\s\"']+"),
    re.compile(r"(?i)(?<=X-Amz-Security-Token=)[^&\s\"']+"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{12,}"),
    re.compile(
        r"(?i)(?<![a-z0-9])(?P<name>(?:aws_)?(?:secret_?access_?key|session_?token|security_?token)[\"']?\s*[=:]\s*[\"']?)"
        r"[A-Za-z0-9/+=]{12,}"
    ),
)


def redact(text: str) -> str:
    """`text` with tokens, signatures and secret keys replaced; everything else unchanged."""
    for pattern in _PATTERNS:
        if pattern.groups:
            text = pattern.sub(lambda match: match["name"] + _HIDDEN, text)
        else:
            text = pattern.sub(_HIDDEN, text)
    return text


def redacted(data: Any) -> Any:
    """A copy of plain data (maps, lists, scalars) with every string redacted; keys stay."""
    if isinstance(data, str):
        return redact(data)
    if isinstance(data, Mapping):
        return {key: redacted(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [redacted(item) for item in data]
    return data
