"""Controllers that keep things as they were when the fault began: GitOps and Terraform, in the middle of our work."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from migrator.lab.faults.board import Active, Board
from migrator.lab.faults.hands import AwsHands, KubeHands, account_path
from migrator.lab.faults.matching import AwsCall, KubeCall, who_of
from migrator.lab.faults.model import Json, named
from migrator.lab.kubeclient import KubeError, resource_path

_PREFIX = "eks.amazonaws.com/"
_CHANGES = ("update", "patch", "create")
_TEMPLATED = {"deployments", "statefulsets", "daemonsets", "rollouts"}
_VERSIONS = {"rollouts": "argoproj.io/v1alpha1"}


class PutBack:
    """Takes note of how things are before they are changed, and changes them back."""

    def __init__(self, board: Board, aws: AwsHands, kube: Mapping[str, KubeHands]) -> None:
        self._board = board
        self._aws = aws
        self._kube = kube

    def before_aws(self, call: AwsCall) -> None:
        """Notes the trust policy that is about to be changed."""
        for one, account, role in self._about_trust(call):
            with one.lock:
                if (account, role) not in one.memory:
                    one.memory[account, role] = self._trust_of(account, role)

    def _trust_of(self, account: str, role: str) -> Any | None:
        try:
            return self._aws.trust(account, role)
        except ClientError:
            return None  # whoever changes a role that is not there is about to be told so

    def after_aws(self, call: AwsCall) -> None:
        """Has the trust policy put back."""
        for one, account, role in self._about_trust(call):
            self._soon(one, partial(self._trust_back, one, account, role))

    def _about_trust(self, call: AwsCall) -> list[tuple[Active, str, str]]:
        request = call.request
        if request.action != "UpdateAssumeRolePolicy" or who_of(request.caller) == "own":
            return []
        return [
            (one, *found)
            for one in self._board.on("putBack")
            for found in call.roles
            if one.fault.role is not None and one.fault.role.fits(*found) and one.fault.in_account(request.account)
        ]

    def _trust_back(self, one: Active, account: str, role: str) -> bool:
        wanted = one.memory.get((account, role))
        if wanted is None or _same(self._trust_of(account, role), wanted):
            return False
        self._aws.set_trust(account, role, wanted)
        self._board.took(one, f"trust of {role} was put back")
        return True

    def before_kube(self, call: KubeCall) -> None:
        """Notes the ServiceAccount or the workload that is about to be changed."""
        for one, path in self._about_object(call):
            with one.lock:
                if (call.cluster, path) not in one.memory:
                    found = self._kube[call.cluster].find([path])
                    one.memory[call.cluster, path] = found[1] if found else None

    def after_kube(self, call: KubeCall) -> None:
        """Has the annotations or the pod template put back."""
        for one, path in self._about_object(call):
            self._soon(one, partial(self._object_back, one, call.cluster, path))

    def _about_object(self, call: KubeCall) -> list[tuple[Active, str]]:
        asked = call.asked
        if asked.verb not in _CHANGES or asked.dry_run or not asked.name:
            return []
        field = "annotation" if asked.resource == "serviceaccounts" else "template"
        if field == "template" and asked.resource not in _TEMPLATED:
            return []
        path = _path(asked.resource, asked.namespace, asked.name)
        return [
            (one, path)
            for one in self._board.on("putBack")
            if field in one.fault.given
            and one.fault.on_cluster(call.cluster)
            and named(one.fault.given[field], asked.namespace, asked.name)
        ]

    def _object_back(self, one: Active, alias: str, path: str) -> bool:
        wanted, found = one.memory.get((alias, path)), self._kube[alias].find([path])
        if wanted is None or found is None:
            return False
        put = self._annotations_back if "annotation" in one.fault.given else self._template_back
        if not put(alias, path, wanted, found[1]):
            return False
        self._board.took(one, f"{path.rpartition('/')[2]} of {alias} was put back")
        return True

    def _annotations_back(self, alias: str, path: str, wanted: Json, found: Json) -> bool:
        before, now = _annotations(wanted), _annotations(found)
        if before == now:
            return False
        changes: Json = {**dict.fromkeys(set(now) - set(before)), **before}
        self._kube[alias].patch(path, {"metadata": {"annotations": changes}})
        return True

    def _template_back(self, alias: str, path: str, wanted: Json, found: Json) -> bool:
        if wanted["spec"]["template"] == found["spec"]["template"]:
            return False
        self._kube[alias].set_template(path, wanted["spec"]["template"])
        return True

    def _soon(self, one: Active, put: Callable[[], bool]) -> None:
        delay = float(one.fault.given.get("delay", 0))
        if delay:
            self._board.agenda.later(delay, lambda: self._do(one, put))
        else:
            self._do(one, put)

    def _do(self, one: Active, put: Callable[[], bool]) -> None:
        """Puts back, unless that has been done often enough, or the fault is over."""
        with one.lock:
            done = one.memory.get("times", 0)
            if done >= one.fault.given.get("times", done + 1) or not one.is_on(self._board.now()):
                return
            try:
                if put():
                    one.memory["times"] = done + 1
            except (KubeError, ClientError, BotoCoreError) as error:
                self._board.took(one, f"could not put back: {error}", failed=True)


def _annotations(document: Json) -> dict[str, str]:
    found = document["metadata"].get("annotations") or {}
    return {key: value for key, value in found.items() if key.startswith(_PREFIX)}


def _path(resource: str, namespace: str, name: str) -> str:
    if resource == "serviceaccounts":
        return account_path(namespace, name)
    return resource_path(_VERSIONS.get(resource, "apps/v1"), resource, namespace, name)


def _same(left: Any, right: Any) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
