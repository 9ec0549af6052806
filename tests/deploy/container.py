"""A rendered pod's container, run by hand on an image made by hand: command, variables, mounts, security context."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.base import Bind
from tests.deploy.confined import Cell
from tests.deploy.image import Image

Json = dict[str, Any]


@dataclass(frozen=True)
class Container:
    """The first container of a pod, whose name is `host`; `volumes` are folders by the names of the pod's volumes."""

    image: Image
    pod: Json
    volumes: Mapping[str, Path]
    host: str = "pod"

    @property
    def spec(self) -> Json:
        """The container."""
        spec: Json = self.pod["containers"][0]
        return spec

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs its command with these arguments, or with its own."""
        return self.execute([*self.spec["command"], *(arguments or self.spec["args"])])

    def execute(self, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Runs another command in it."""
        return self._cell().run(command, limit=170)

    def _cell(self) -> Cell:
        pod, own = self.pod["securityContext"], self.spec["securityContext"]
        assert pod["seccompProfile"]["type"] == "RuntimeDefault"
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert not own["allowPrivilegeEscalation"]
        return Cell(
            self.image.root,
            (*self.image.binds, *self._mounts(pod["fsGroup"])),
            {**self.image.environment, **{one["name"]: one["value"] for one in self.spec["env"]}},
            self.image.folder,
            user=(pod["runAsUser"], pod["runAsGroup"]),
            groups=(pod["fsGroup"],),
            host=self.host,
            read_only=own["readOnlyRootFilesystem"],
            confined=True,
        )

    def _mounts(self, group: int) -> list[Bind]:
        for folder in self.volumes.values():
            _give(folder, group)
        return [
            Bind(self.volumes[one["name"]], one["mountPath"], read_only=one.get("readOnly", False))
            for one in self.spec["volumeMounts"]
        ]


def _give(folder: Path, group: int) -> None:
    """Makes a volume the group's, as a kubelet does with `fsGroup`."""
    for place, _, files in os.walk(folder):
        os.chown(place, -1, group)
        Path(place).chmod(0o2770)
        for name in files:
            os.chown(Path(place, name), -1, group)
            Path(place, name).chmod(0o660)
