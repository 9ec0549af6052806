"""What a container of the practice fleet has written: that it started, and whatever its command echoes. Pure.

Nothing is executed: the words of each `echo` stand in the log as they are written in the script, whatever is around it.
"""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]

_ECHO = re.compile(r"""\becho +(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<plain>[^;&|\n]+))""")


def written(pod: Json, name: str, *, stamped: bool = False, tail: int | None = None, limit: int | None = None) -> str:
    """The log of a container.

    Args:
        pod: its pod.
        name: the container's.
        stamped: each line begins with the time.
        tail: only so many lines from the end.
        limit: cut after so many bytes.
    """
    stamp = f"{(pod.get('status') or {}).get('startTime', '')} " if stamped else ""
    lines = [f"{name} of {pod['metadata']['name']} started", *_echoed(_container(pod, name))]
    kept = lines if tail is None else lines[max(len(lines) - tail, 0) :]
    text = "".join(f"{stamp}{line}\n" for line in kept)
    return text if limit is None else text.encode()[:limit].decode(errors="ignore")


def _container(pod: Json, name: str) -> Json:
    spec = pod.get("spec") or {}
    found: Json = next(
        (one for field in ("containers", "initContainers") for one in spec.get(field) or () if one["name"] == name), {}
    )
    return found


def _echoed(container: Json) -> list[str]:
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    return [
        next(word for word in match.groups() if word is not None) for word in words for match in _ECHO.finditer(word)
    ]
