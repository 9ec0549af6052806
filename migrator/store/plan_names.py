"""Where a service's plan file stands, and whose a path is. Names from the cloud never become paths unescaped."""

import hashlib
import re
from pathlib import Path

from migrator.model.ids import ServiceId

SUFFIX = ".yaml"
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_ESCAPED = re.compile(r"%([0-9A-F]{2})")
_LONGEST = 240  # bytes, of the 255 that file systems allow
_KEPT = 200
_CUT = "~"  # never stands in an escaped name otherwise
_SHORTENED = re.compile(r"[A-Za-z0-9_%-][A-Za-z0-9._%-]*~[0-9a-f]{16}")


def path_of(folder: Path, service: ServiceId) -> Path:
    """`FOLDER/CLUSTER/NAMESPACE/SERVICEACCOUNT.yaml`."""
    return folder / escaped(service.cluster) / escaped(service.namespace) / (escaped(service.name) + SUFFIX)


def service_at(folder: Path, path: Path) -> ServiceId | None:
    """Whose plan the path is by its name alone, or None where a name was too long to be kept whole."""
    cluster, namespace, file = path.relative_to(folder).parts
    parts = (cluster, namespace, file.removesuffix(SUFFIX))
    return None if any(_CUT in part for part in parts) else ServiceId(*map(_plain, parts))


def written_so(folder: Path, path: Path) -> bool:
    """Whether migrate writes plan files at such a path, or below it; the file's suffix is not looked at."""
    *folders, last = path.relative_to(folder).parts
    return all(map(_ours, (*folders, last.removesuffix(SUFFIX))))


def escaped(name: str) -> str:
    """The name as one part of a path: letters, digits, `_`, `-` and inner dots stay, other bytes become `%XX`."""
    text = name if _PLAIN.fullmatch(name) else "".join(map(_byte, name.encode("utf-8", "surrogatepass")))
    text = f"%2E{text[1:]}" if text.startswith(".") else text
    if len(text) <= _LONGEST:
        return text or "%"
    return text[:_KEPT].rsplit("%", 1)[0] + _CUT + hashlib.sha256(text.encode()).hexdigest()[:16]


def _byte(code: int) -> str:
    letter = chr(code)
    return letter if code < 128 and (letter.isalnum() or letter in "._-") else f"%{code:02X}"


def _ours(part: str) -> bool:
    return bool(_SHORTENED.fullmatch(part)) or escaped(_plain(part)) == part


def _plain(text: str) -> str:
    if text == "%":
        return ""
    raw = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text).encode("latin-1", "replace")
    return raw.decode("utf-8", "replace")
