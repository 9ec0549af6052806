"""The cells of everything that runs no pods."""

from __future__ import annotations

from typing import Any

from migrator.lab.kubeapi.ages import age
from migrator.lab.kubeapi.table_cells import NONE, UNSET, age_of, at, labels, name_of, selector

Json = dict[str, Any]

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_SHOWN = 3
_NEVER = "0001-01-01T00:00:00Z"


def stamped(obj: Json) -> list[Any]:
    """The row of a kind that has no columns of its own."""
    return [name_of(obj), obj["metadata"].get("creationTimestamp", _NEVER)]


def service(obj: Json) -> list[Any]:
    """The row of a service."""
    spec = obj.get("spec") or {}
    addresses = spec.get("clusterIPs") or [NONE]
    return [
        name_of(obj),
        spec.get("type", ""),
        addresses[0],
        _outside(obj, spec),
        ",".join(_port(one) for one in spec.get("ports") or ()) or NONE,
        age_of(obj),
        labels(spec.get("selector")),
    ]


def _outside(obj: Json, spec: Json) -> str:
    if not spec.get("type"):
        return "<unknown>"
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    given = spec.get("externalIPs") or []
    if spec.get("type") != "LoadBalancer":
        return ",".join(given) or NONE
    return ",".join([*balancers(obj), *given]) or "<pending>"


def balancers(obj: Json) -> list[str]:
    """Where a load balancer is reached."""
    return sorted(one.get("ip") or one.get("hostname", "") for one in at(obj, "status.loadBalancer.ingress", []))


def _port(port: Json) -> str:
    outside = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port')}{outside}/{port.get('protocol', '')}"


def endpoints(obj: Json) -> list[Any]:
    """The row of an Endpoints object."""
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return [name_of(obj), _first_of(found), age_of(obj)]


def endpoint_slice(obj: Json) -> list[Any]:
    """The row of an endpoint slice."""
    ports = [str(one.get("port", "*")) for one in obj.get("ports") or ()]
    found = [address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()]
    shown = _first_of(ports, UNSET)
    return [name_of(obj), obj.get("addressType", ""), shown, _first_of(found, UNSET), age_of(obj)]


def _first_of(found: list[str], nothing: str = NONE) -> str:
    if not found:
        return nothing
    more = f" + {len(found) - _SHOWN} more..." if len(found) > _SHOWN else ""
    return ",".join(found[:_SHOWN]) + more


def ingress(obj: Json) -> list[Any]:
    """The row of an ingress."""
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    return [
        name_of(obj),
        spec.get("ingressClassName", NONE),
        _first_of(hosts, "*"),
        ",".join(balancers(obj)),
        "80, 443" if spec.get("tls") else "80",
        age_of(obj),
    ]


def ingress_class(obj: Json) -> list[Any]:
    """The row of an ingress class."""
    default = at(obj, "metadata.annotations", {}).get("ingressclass.kubernetes.io/is-default-class") == "true"
    parameters = at(obj, "spec.parameters")
    shown = NONE
    if parameters is not None:
        group = f".{parameters['apiGroup']}" if "apiGroup" in parameters else ""
        shown = f"{parameters['kind']}{group}/{parameters['name']}"
    return [name_of(obj) + (" (default)" if default else ""), at(obj, "spec.controller", ""), shown, age_of(obj)]


def network_policy(obj: Json) -> list[Any]:
    """The row of a network policy."""
    return [name_of(obj), selector(at(obj, "spec.podSelector")), age_of(obj)]


def volume(obj: Json) -> list[Any]:
    """The row of a persistent volume."""
    spec, claim = obj.get("spec") or {}, at(obj, "spec.claimRef")
    ends = "deletionTimestamp" in obj["metadata"]
    return [
        name_of(obj),
        at(spec, "capacity.storage", "0"),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        "Terminating" if ends else at(obj, "status.phase", ""),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", UNSET),
        at(obj, "status.reason", ""),
        age_of(obj),
        spec.get("volumeMode", UNSET),
    ]


def claim(obj: Json) -> list[Any]:
    """The row of a claim to a volume."""
    spec, bound = obj.get("spec") or {}, at(obj, "spec.volumeName", "")
    ends = "deletionTimestamp" in obj["metadata"]
    return [
        name_of(obj),
        "Terminating" if ends else at(obj, "status.phase", ""),
        bound,
        at(obj, "status.capacity.storage", "0") if bound else "",
        _modes(at(obj, "status.accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", UNSET),
        age_of(obj),
        spec.get("volumeMode", UNSET),
    ]


def _modes(found: list[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (found or ()))


def storage_class(obj: Json) -> list[Any]:
    """The row of a storage class."""
    default = at(obj, "metadata.annotations", {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    return [
        name_of(obj) + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        obj.get("allowVolumeExpansion", False),
        age_of(obj),
    ]


def driver(obj: Json) -> list[Any]:
    """The row of a storage driver."""
    spec = obj.get("spec") or {}
    requests = spec.get("tokenRequests")
    return [
        name_of(obj),
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        UNSET if requests is None else ",".join(one["audience"] for one in requests),
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()) or NONE,
        age_of(obj),
    ]


def quota(obj: Json) -> list[Any]:
    """The row of a quota: what is used of what may be."""
    hard, used = at(obj, "status.hard", {}), at(obj, "status.used", {})
    parts = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    asked = ", ".join(text for name, text in parts.items() if not name.startswith("limits."))
    return [name_of(obj), asked, ", ".join(t for n, t in parts.items() if n.startswith("limits.")), age_of(obj)]


def priority(obj: Json) -> list[Any]:
    """The row of a priority class."""
    default = obj.get("globalDefault", False)
    return [name_of(obj), obj.get("value", 0), default, age_of(obj), obj.get("preemptionPolicy", "")]


def event(obj: Json) -> list[Any]:
    """The row of an event."""
    involved = obj.get("involvedObject") or {}
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"))
    last = age(obj["lastTimestamp"]) if obj.get("lastTimestamp") else first
    host = at(obj, "source.host") or obj.get("reportingInstance")
    component = at(obj, "source.component") or obj.get("reportingComponent") or ""
    kind = involved.get("kind", "").lower()
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{involved['name']}" if involved.get("name") else kind,
        involved.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        (obj.get("message") or "").strip(),
        first,
        obj.get("count") or 1,
        name_of(obj),
    ]


def binding(obj: Json) -> list[Any]:
    """The row of a role binding."""
    reference, subjects = obj.get("roleRef") or {}, obj.get("subjects") or []
    named = {kind: [one for one in subjects if one.get("kind") == kind] for kind in ("User", "Group", "ServiceAccount")}
    accounts = [f"{one.get('namespace', '')}/{one['name']}" for one in named["ServiceAccount"]]
    return [
        name_of(obj),
        f"{reference.get('kind', '')}/{reference.get('name', '')}",
        age_of(obj),
        ", ".join(one["name"] for one in named["User"]),
        ", ".join(one["name"] for one in named["Group"]),
        ", ".join(accounts),
    ]
