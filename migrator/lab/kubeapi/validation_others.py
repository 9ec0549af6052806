"""The checks of the kinds that run no pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from migrator.lab.kubeapi import names
from migrator.lab.kubeapi.errors import FieldError, forbidden_field, invalid_value, required, unsupported_value

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
_SEALED = "field is immutable when `immutable` is set"
_FIXED_TEXT = "field is immutable"
_REVIEWS = ("v1", "v1beta1")
_EFFECTS = ("None", "NoneOnDryRun")
_HTTPS = "'https' is the only allowed URL scheme; desired format: https://host[/path]"
_RULE_PARTS = {"apiGroups": "api group", "resources": "resource"}


def _config_map(obj: Json) -> list[FieldError]:
    found = []
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for key in data:
        found += [invalid_value(f"data[{key}]", key, text) for text in names.config_key(key)]
        if key in binary:
            found.append(invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData"))
    for key in binary:
        found += [invalid_value(f"binaryData[{key}]", key, text) for text in names.config_key(key)]
    return found


def _secret(obj: Json) -> list[FieldError]:
    data = obj.get("data") or {}
    found = [invalid_value(f"data[{key}]", key, text) for key in data for text in names.config_key(key)]
    if obj.get("type") == "kubernetes.io/tls":
        found += [required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]
    return found


def _sealed(old: Json, new: Json) -> list[FieldError]:
    if not old.get("immutable"):
        return []
    if not new.get("immutable"):
        return [forbidden_field("immutable", _SEALED)]
    changed = [name for name in ("data", "binaryData") if (old.get(name) or {}) != (new.get(name) or {})]
    return [forbidden_field(name, _SEALED) for name in changed]


def _changed_secret(old: Json, new: Json) -> list[FieldError]:
    found = [invalid_value("type", new.get("type"), _FIXED_TEXT)] if old.get("type") != new.get("type") else []
    return found + _sealed(old, new)


def _service(obj: Json) -> list[FieldError]:
    spec = obj.get("spec") or {}
    if spec.get("type") != "ExternalName" and not spec.get("ports") and spec.get("clusterIP") != "None":
        return [required("spec.ports")]
    return []


def _lease(obj: Json) -> list[FieldError]:
    spec = obj.get("spec") or {}
    seconds, changes = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    found = []
    if seconds is not None and seconds <= 0:
        found.append(invalid_value("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    if changes is not None and changes < 0:
        found.append(invalid_value("spec.leaseTransitions", changes, "must be greater than or equal to 0"))
    return found


def _role(obj: Json) -> list[FieldError]:
    return [one for number, rule in enumerate(obj.get("rules") or ()) for one in _rule(rule, f"rules[{number}]")]


def _rule(rule: Json, where: str) -> list[FieldError]:
    found = [] if rule.get("verbs") else [required(f"{where}.verbs", "verbs must contain at least one value")]
    if not rule.get("nonResourceURLs"):
        found += [
            required(f"{where}.{field}", f"resource rules must supply at least one {noun}")
            for field, noun in _RULE_PARTS.items()
            if not rule.get(field)
        ]
    return found


def _binding(*kinds: str) -> Callable[[Json], list[FieldError]]:
    def check(obj: Json) -> list[FieldError]:
        reference = obj.get("roleRef") or {}
        found = []
        if reference.get("kind") not in kinds:
            found.append(unsupported_value("roleRef.kind", reference.get("kind", ""), kinds))
        return found if reference.get("name") else [*found, required("roleRef.name")]

    return check


def _rebound(old: Json, new: Json) -> list[FieldError]:
    if old.get("roleRef") == new.get("roleRef"):
        return []
    return [invalid_value("roleRef", new.get("roleRef"), "cannot change roleRef")]


def _webhooks(obj: Json) -> list[FieldError]:
    hooks = enumerate(obj.get("webhooks") or ())
    return [one for number, hook in hooks for one in _webhook(hook, f"webhooks[{number}]")]


def _webhook(hook: Json, where: str) -> list[FieldError]:
    found = []
    if hook.get("name", "").count(".") < 2:
        text = "should be a domain with at least three segments separated by dots"
        found.append(invalid_value(f"{where}.name", hook.get("name", ""), text))
    effects, config = hook.get("sideEffects"), hook.get("clientConfig") or {}
    if effects is None:
        found.append(required(f"{where}.sideEffects", f"must specify one of {', '.join(_EFFECTS)}"))
    elif effects not in _EFFECTS:
        found.append(unsupported_value(f"{where}.sideEffects", effects, _EFFECTS))
    if ("url" in config) == ("service" in config):
        found.append(required(f"{where}.clientConfig", "exactly one of url or service is required"))
    elif "url" in config and urlsplit(config["url"]).scheme != "https":
        found.append(invalid_value(f"{where}.clientConfig.url", urlsplit(config["url"]).scheme, _HTTPS))
    if not hook.get("admissionReviewVersions"):
        text = f"must specify one of {', '.join(_REVIEWS)}"
        found.append(required(f"{where}.admissionReviewVersions", text))
    return found


CHECKS: dict[str, Callable[[Json], list[FieldError]]] = {
    "services": _service,
    "configmaps": _config_map,
    "secrets": _secret,
    "leases.coordination.k8s.io": _lease,
    f"roles.{_RBAC}": _role,
    f"clusterroles.{_RBAC}": _role,
    f"rolebindings.{_RBAC}": _binding("Role", "ClusterRole"),
    f"clusterrolebindings.{_RBAC}": _binding("ClusterRole"),
    f"mutatingwebhookconfigurations.{_ADMISSION}": _webhooks,
    f"validatingwebhookconfigurations.{_ADMISSION}": _webhooks,
}
FIXED: dict[str, Callable[[Json, Json], list[FieldError]]] = {
    "configmaps": _sealed,
    "secrets": _changed_secret,
    f"rolebindings.{_RBAC}": _rebound,
    f"clusterrolebindings.{_RBAC}": _rebound,
}
