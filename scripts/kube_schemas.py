"""Writes what the practice API server knows of the built-in kinds: the fields of their types, and their tables.

Run by hand when Kubernetes is raised: ``python scripts/kube_schemas.py``. It starts the real API server that
``migrator.lab.controlplane`` pins, and reads its OpenAPI documents and the tables it prints; which fields are pointers,
and so keep a zero, only the Go source tells. The two results are committed.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import urllib3

from migrator.lab.certs import Authority
from migrator.lab.controlplane.apiserver import RealApiServer
from migrator.lab.controlplane.plane import programs_at_hand
from migrator.lab.controlplane.programs import MODULES
from migrator.lab.kubeapi.kinds import BUILTIN, Kind
from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]
HERE = Path(__file__).parent.parent / "migrator" / "lab" / "kubeapi"
LABELS = {"app": "a"}
SCALED = {
    "metadata": {"name": "a"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "a", "image": "a"}]}},
    },
}
# kinds that are not stored under their own name
OTHERS = ("policy/v1/Eviction", "authentication.k8s.io/v1/TokenRequest", "autoscaling/v1/Scale", "v1/DeleteOptions")
# types that are written as a scalar; the letters are those of shapes.py
LETTERS = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "m",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "p",
}
SCALARS = {"string": "s", "byte": "y", "int32": "i", "int64": "l", "boolean": "b", "double": "f"}
MERGING = ("list-type", "list-map-keys", "patch-merge-key", "patch-strategy", "map-type")
SOURCES = {"io.k8s.api.": "k8s.io/api", "io.k8s.apimachinery.pkg.": "k8s.io/apimachinery/pkg"}
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg."
LONGEST = 320
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
FIELD = re.compile(r'^\s+(?:(\w+)\s+)?(\S+)\s+`[^`]*json:"([\w$-]*)((?:,\w+)*)"')


def main() -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority("schemas")
        api = RealApiServer(
            "https://example.invalid", programs_at_hand().servers, Path(folder), authority, lambda _token: None
        )
        api.start()
        try:
            with KubeClient(api.url, api.ca_pem, api.admin_token) as kube:
                write("schemas.json", types(kube))
            write("columns.json", columns(api))
        finally:
            api.stop()


def write(name: str, body: Json) -> None:
    """Write one file."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    (HERE / name).write_text(text + "\n", encoding="utf-8")
    print(f"{name}: {len(text)} characters")


def types(kube: KubeClient) -> Json:
    """Every type that a built-in kind is made of, by the name that OpenAPI has for it."""
    known: Json = {}
    roots = {}
    for group, version in sorted({(kind.group, kind.version) for kind in BUILTIN}):
        place = f"apis/{group}/{version}" if group else f"api/{version}"
        known |= kube.get(f"/openapi/v3/{place}")["components"]["schemas"]
    for name, schema in known.items():
        for one in schema.get("x-kubernetes-group-version-kind", ()):
            roots[f"{one['group']}/{one['version']}/{one['kind']}".lstrip("/")] = name
    served = {name: roots[name] for name in (*(f"{kind.api_version}/{kind.kind}" for kind in BUILTIN), *OTHERS)}
    found: Json = {}
    queue = list(served.values())
    while queue:
        name = queue.pop()
        if name not in found:
            found[name] = described(name, known[name])
            queue += [code for field in found[name]["fields"].values() if len(code := field[0].lstrip("[{")) > 1]
    return {"roots": served, "types": dict(sorted(found.items()))}


def described(name: str, schema: Json) -> Json:
    """One type: what it is about, and each field's type, text, and what else is to be known of it."""
    fields = {}
    for field, spec in schema.get("properties", {}).items():
        code = type_code(spec)
        more = {key: spec[f"x-kubernetes-{key}"] for key in MERGING if f"x-kubernetes-{key}" in spec}
        more |= held(name, field, spec)
        fields[field] = [code, shortened(spec.get("description", "")), *([more] if more else [])]
    body: Json = {"about": shortened(schema.get("description", "")), "fields": fields}
    body["required"] = schema.get("required", [])
    if schema.get("x-kubernetes-map-type") == "atomic":
        body["atomic"] = True
    return body


def held(name: str, field: str, spec: Json) -> Json:
    """Whether a field is always there, even if it is null or zero then; and whether it may be there with a zero."""
    go_type, options = go_fields(name)[field]
    more: Json = {"pointer": True} if go_type.startswith("*") else {}
    known = go_type.startswith(("*", "[]", "map["))
    struct = not known and (spec.get("default") == {} or type_code(spec) in LETTERS.values())
    if "omitzero" not in options and (struct or "omitempty" not in options):
        more["always"] = True
    scalar = len(type_code(spec)) == 1
    return more | ({"default": spec["default"]} if scalar and spec.get("default") else {})


def type_code(spec: Json) -> str:
    """One field's type: a scalar's letter, ``[`` a list of, ``{`` a map of, or a type's name; ``o`` is anything."""
    reference = spec.get("$ref") or next((one["$ref"] for one in spec.get("allOf", ()) if "$ref" in one), "")
    if reference:
        name = reference.rpartition("/")[2]
        return LETTERS.get(name, "o" if name.rpartition(".")[2] in FREE else name)
    if spec.get("type") == "array":
        return "[" + type_code(spec["items"])
    if spec.get("type") == "object" and "additionalProperties" in spec:
        return "{" + type_code(spec["additionalProperties"])
    return SCALARS.get(spec.get("format", ""), SCALARS.get(spec.get("type", ""), "o"))


FREE = {"RawExtension", "FieldsV1", "JSON", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool",
        "JSONSchemaPropsOrStringArray"}  # fmt: skip


def go_fields(name: str) -> dict[str, tuple[str, str]]:
    """The fields of a type as Go has them: JSON name to Go type and options; embedded structs opened up."""
    package, _, plain = name.rpartition(".")
    return _opened(go_package(package), plain)


def _opened(structs: dict[str, list[tuple[str, str, str]]], name: str) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for json_name, go_type, options in structs.get(name, ()):
        if json_name:
            found[json_name] = (go_type, options)
        elif go_type == "metav1.TypeMeta":
            found |= _opened(go_package("io.k8s.apimachinery.pkg.apis.meta.v1"), "TypeMeta")
        elif "inline" in options:
            found |= _opened(structs, go_type)
    return found


@cache
def go_package(package: str) -> dict[str, list[tuple[str, str, str]]]:
    """The structs that a package's source declares."""
    folder = source_of(package)
    structs: dict[str, list[tuple[str, str, str]]] = {}
    for file in sorted(folder.glob("*.go")):
        if file.name.startswith(("zz_", "generated")) or file.name.endswith("_test.go"):
            continue
        current: list[tuple[str, str, str]] = []
        for line in file.read_text(encoding="utf-8").splitlines():
            if opened := re.match(r"^type (\w+) struct", line):
                current = structs.setdefault(opened[1], [])
            elif found := FIELD.match(line):
                current.append((found[3], found[2], found[4]))
    return structs


def source_of(package: str) -> Path:
    """Where a package's source is, as the go client has it."""
    if package.startswith(EXTENSIONS):
        module, rest = "k8s.io/apiextensions-apiserver", "pkg/" + package.removeprefix(EXTENSIONS)
    else:
        prefix, place = next((one, at) for one, at in SOURCES.items() if package.startswith(one))
        module, _, below = place.removeprefix("k8s.io/").partition("/")
        module, rest = f"k8s.io/{module}", "/".join(filter(None, (below, package.removeprefix(prefix))))
    return module_folder(module) / rest.replace(".", "/")


@cache
def module_folder(module: str) -> Path:
    """The folder of one of the modules that the API server is built from."""
    asked = ["go", "list", "-m", "-f", "{{.Dir}}", module]
    done = subprocess.run(asked, cwd=MODULES / "kubernetes", capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def shortened(text: str) -> str:
    """A description of bearable length, cut after a sentence."""
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rpartition(". ")[0] + "." if ". " in text[:LONGEST] else text[:LONGEST] + "..."


def columns(api: RealApiServer) -> Json:
    """The columns of every kind's table: an empty list has them all."""
    pool = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False)
    urllib3.disable_warnings()
    headers = {"Authorization": f"Bearer {api.admin_token}", "Accept": TABLE}
    found = {}
    for kind in BUILTIN:
        if "list" in kind.verbs:
            answer = pool.request("GET", f"{api.url}{_listed(kind)}?limit=1", headers=headers)
            found[kind.qualified] = answer.json()["columnDefinitions"]
    path = f"{api.url}/apis/apps/v1/namespaces/default/replicasets"
    pool.request("POST", path, headers=headers, json=SCALED)
    found["scales.autoscaling"] = pool.request("GET", f"{path}/a/scale", headers=headers).json()["columnDefinitions"]
    return found


def _listed(kind: Kind) -> str:
    return f"/apis/{kind.api_version}/{kind.plural}" if kind.group else f"/api/v1/{kind.plural}"


if __name__ == "__main__":
    main()
