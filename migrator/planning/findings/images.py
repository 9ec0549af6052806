"""Rule about images whose version is known to be too old for Pod Identity; the table is `images.toml`.

What an image without a version in its tag holds cannot be told, and neither can images that are not in the table.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from migrator.model.plan import Finding
from migrator.planning.case import Case, Template
from migrator.planning.findings.catalogue import found

Version = tuple[int, int, int]

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?![\d])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One line of the table: either the first versions that work, or one that does not."""

    names: tuple[str, ...]
    source: str
    working: tuple[Version, ...] = ()
    failing: Version | None = None

    def means(self, repository: str) -> bool:
        """Whether the repository, with or without a registry, is this image's."""
        return any(repository == name or repository.endswith(f"/{name}") for name in self.names)

    def lacks(self, version: Version) -> str:
        """Why the version is too old, in one clause, or nothing."""
        if self.failing is not None:
            return f"{_shown(self.failing)} was reported not to work" if version <= self.failing else ""
        first = next((one for one in self.working if one[0] >= version[0]), None)
        return f"{_shown(first)} is the first that works" if first is not None and version < first else ""


def judge(case: Case) -> Iterator[Finding]:
    """Findings about the images of every template."""
    for template in case.templates:
        yield from _about(template)


def _about(template: Template) -> Iterator[Finding]:
    for container in template.touched:
        repository, version = parsed(container.image)
        for known in _TABLE:
            if version is not None and known.means(repository) and (why := known.lacks(version)):
                field = f"containers[{container.name}].image"
                yield found("image-too-old", template.object, field, container.image, why=why, source=known.source)


def parsed(image: str) -> tuple[str, Version | None]:
    """Repository and version of an image; no version where the tag holds none."""
    name, _, _digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # a registry's port is no tag
        return name, None
    return repository, _version(tag)


def _version(text: str) -> Version | None:
    match = _VERSION.match(text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match is not None else None


def _shown(version: Version) -> str:
    return ".".join(map(str, version))


def _versions(texts: Sequence[str]) -> tuple[Version, ...]:
    return tuple(sorted(version for text in texts if (version := _version(text)) is not None))


def _load() -> tuple[Known, ...]:
    text = resources.files(__package__).joinpath("images.toml").read_text(encoding="utf-8")
    return tuple(
        Known(
            names=tuple(table["names"]),
            source=table["source"],
            working=_versions(table.get("from", ())),
            failing=_version(table.get("not_in", "")),
        )
        for table in tomllib.loads(text)["image"]
    )


_TABLE = _load()
