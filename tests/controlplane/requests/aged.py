"""Questions about a past that is forgotten."""

from tests.controlplane.asking import PARTIAL, PARTIAL_LIST, TABLE, core, get, patch, post
from tests.controlplane.requests.manifests import small

SECRETS = core("secrets")
SINCE = "resourceVersion=$0.metadata.resourceVersion"

BEFORE = (
    *(post(SECRETS, small(name)) for name in ("s1", "s2", "s3", "s4")),
    get(f"{SECRETS}?limit=2"),
    patch(f"{SECRETS}/s3", {"metadata": {"labels": {"a": "b"}}}),
)
AFTER = (
    get(f"{SECRETS}?limit=2&continue=$4.metadata.continue"),
    get(f"{SECRETS}?limit=2&continue=$4.metadata.continue", TABLE),
    get(f"{SECRETS}?limit=1&continue=$6.metadata.continue"),
    get(f"{SECRETS}?{SINCE}&resourceVersionMatch=Exact"),
    get(f"{SECRETS}?{SINCE}&resourceVersionMatch=NotOlderThan", PARTIAL_LIST),
    get(f"{SECRETS}?{SINCE}", PARTIAL_LIST),
    get(f"{SECRETS}?resourceVersion=99999999&resourceVersionMatch=Exact"),
    get(f"{SECRETS}?resourceVersion=99999999", PARTIAL_LIST),
    get(f"{SECRETS}/s1?resourceVersion=99999999"),
    get(f"{SECRETS}/s1?resourceVersion=0", PARTIAL),
    get(f"{SECRETS}/s1?resourceVersion=x"),
    get(f"{SECRETS}/s1?{SINCE}", PARTIAL),
    get(f"{SECRETS}?watch=1&timeoutSeconds=1&{SINCE}"),
    get(f"{SECRETS}?watch=1&timeoutSeconds=1&{SINCE}", TABLE),
)
