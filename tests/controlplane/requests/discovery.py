"""What a server tells of itself: its groups, kinds and version, its keys and its health."""

from tests.controlplane.asking import Ask, get, post

OLD = "application/json"
NEW = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
OLDER = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
KUBECTL = f"{NEW},{OLDER},{OLD}"
KEYS = "application/jwk-set+json"
GROUPS = (
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "apps/v1",
    "authentication.k8s.io/v1",
    "authorization.k8s.io/v1",
    "autoscaling/v2",
    "batch/v1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "networking.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1",
)

CASES: dict[str, tuple[Ask, ...]] = {
    "[discovery] of versions and groups": (get("/api"), get("/api/"), get("/apis"), get("/apis/"), get("/")),
    "[discovery] of the core group": (get("/api/v1"), get("/api/v1/")),
    "[discovery] of a group": tuple(get(f"/apis/{one.partition('/')[0]}") for one in GROUPS),
    "[discovery] of a group's version": tuple(get(f"/apis/{one}") for one in GROUPS),
    "[discovery] of everything at once": (
        get("/api", KUBECTL),
        get("/apis", KUBECTL),
        get("/apis", NEW),
        get("/apis", f"{OLDER},{OLD}"),
        get("/apis", NEW.replace(";", "; ")),
        get("/apis", KUBECTL, If_None_Match="$1.headers.Etag"),
    ),
    "[discovery] in YAML, or in no language": (
        get("/apis", "application/yaml"),
        get("/api", "application/yaml"),
        get("/apis/apps/v1", "application/yaml"),
        get("/apis", OLDER),
        get("/apis/apps/v1", NEW),
        get("/apis/apps/v1", "text/html"),
    ),
    "[server] its version": (
        get("/version"),
        get("/version/"),
        get("/version", "text/html"),
        get("/version", "application/yaml"),
        post("/version"),
    ),
    "[server] its keys": (
        get("/openid/v1/jwks"),
        get("/openid/v1/jwks", KEYS),
        get("/openid/v1/jwks", "*/*"),
        get("/openid/v1/jwks", f"{OLD}, {KEYS}"),
        get("/.well-known/openid-configuration"),
        get("/.well-known/openid-configuration", "text/html"),
        get("/.well-known/nothing"),
        get("/openid/v1/keys"),
    ),
    "[server] its health": (
        *(
            get(f"/{path}")
            for path in ("healthz", "livez", "readyz", "readyz?verbose", "livez/ping", "healthz/nothing")
        ),
        get("/healthz", "text/html"),
    ),
}
