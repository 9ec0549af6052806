"""What may differ between the two servers, and why. Nothing else may."""

from tests.controlplane.comparing import Ignored

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
VERSION = r"^[1-9]\d*$"
SUFFIX = r"(?<=^kube-api-access-)[bcdfghjklmnpqrstvwxz2456789]{5}$"
END = r"(?<=-|x)[bcdfghjklmnpqrstvwxz2456789]{5}$"
BEGUN = r"(?<=Web-)[bcdfghjklmnpqrstvwxz2456789]{5}"
JITTERED = r"^(79[2-9]\d\d|8[0-5]\d\d\d|86[0-3]\d\d|86400)$"
INTERNAL = (
    r"(?s)(?<=Invalid value: )\{.*\}(?=: (?:field is immutable|minAvailable and|.selector. not auto))"
    r"|(?<=previously negative\)\n).*$|(?<=may not be changed\n).*$"
    r"|(?<=Unsupported value: )\{.*\}(?=: supported values)"
    r"|(?<=patch: Invalid value: )\"\{.*\}\"(?=: )|(?<=^Invalid value: )\"\{.*\}\"(?=: )"
)

_UIDS = "each server makes its own uids"
_COUNTED = "each server counts its own versions"
_PROTOBUF = "the practice fleet speaks no protobuf"
_BUILD = "it is another program"
_HTTP = "what HTTP adds to an answer is not the API's"
_BEGUN = "a name that is only begun gets a random end"
_NUMBERED = "every token has its own number"
_CLOCK = "the clocks are not read at the same moment"
_SCOPE = "the practice fleet serves what the product and its tests ask for, and no more"
_INTERNAL = "a real server shows what it refuses in the form it has inside"
PROTOBUF = r", application/vnd\.kubernetes\.protobuf(;stream=watch)?"
PROBES = ("healthz", "livez", "readyz")
UNSERVED_GROUPS = (
    "apiregistration?k8s?io",
    "certificates?k8s?io",
    "events?k8s?io",
    "flowcontrol?apiserver?k8s?io",
    "node?k8s?io",
    "resource?k8s?io",
)
UNSERVED_KINDS = (
    "componentstatuses",
    "csistoragecapacities",
    "ipaddresses",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "servicecidrs",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "volumeattachments",
    "volumeattributesclasses",
)
UNSERVED_PARTS = (
    "nodes/proxy",
    "pods/proxy",
    "pods/resize",
    "services/proxy",
    "servicecidrs/status",
    "validatingadmissionpolicies/status",
    "volumeattachments/status",
)
UNSERVED_PAGES = (
    "flagz",
    "statusz",
    "metrics*",
    *(f"{probe}/[!p]*" for probe in PROBES),
    *(f"{probe}/post*" for probe in PROBES),
)
BUILD = ("buildDate", "compiler", "gitCommit", "gitVersion", "goVersion")

_FEWER = (
    *(f"body.{where}.{group}" for where in ("groups", "items") for group in UNSERVED_GROUPS),
    *(f"body.paths./apis/{group}*" for group in UNSERVED_GROUPS),
    *(f"body.**.resources.{kind}" for kind in (*UNSERVED_KINDS, *UNSERVED_PARTS)),
    *(f"body.paths./{page}" for page in UNSERVED_PAGES),
    *(f"body.items.*.versions.v1.resources.*.subresources.{part}" for part in ("proxy", "resize")),
    "body.versions.v1", "body.*.autoscaling.versions.v1", "body.paths./apis/autoscaling/v1",
)  # fmt: skip

IGNORED = (
    Ignored(
        "the webhook spreads the ends of its tokens at random",
        "body.**.serviceAccountToken.expirationSeconds",
        like=JITTERED,
    ),
    Ignored(
        "each parser has its own words",
        "body.response.status.message",
        like=r"^(couldn't get version/|Expecting value: ).*",
    ),
    Ignored(_HTTP, "headers.Date", only="theirs"),
    Ignored(_CLOCK, "headers.Date", like=r"\d\d:\d\d:\d\d"),
    Ignored(_HTTP, "headers.Content-Length", like=r"^\d+$"),
    Ignored(_HTTP, "headers.Content-Length", only="ours"),
    Ignored(_HTTP, "headers.Transfer-Encoding", only="theirs"),
    Ignored(
        "a real server reads its users from a file, which gives everybody a uid",
        "body.status.userInfo.uid",
        asked="^POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
        only="theirs",
    ),
    Ignored("nothing is audited on the practice fleet", "headers.Audit-Id", only="theirs"),
    Ignored("each server signs its own tokens", "body.status.token.raw", like=r"^[\w-]+\.[\w-]+\.[\w-]+$"),
    Ignored("each server has its own keys", "body.status.token.head.kid", like=r"^[\w-]{43}$"),
    *(
        Ignored(_CLOCK, f"body.status.token.claims.{name}", like=r"^\d{10}$")
        for name in ("exp", "iat", "nbf", "kubernetes?io.warnafter")
    ),
    Ignored(_CLOCK, "body.status.disruptedPods.*", like=TIME),
    Ignored("each server signs its own tokens", "body.spec.token", like=r"^[\w-]+\.[\w-]+\.[\w-]+$"),
    Ignored(_NUMBERED, "body.status.**.authentication?kubernetes?io/credential-id.0", like=rf"(?<=^JTI=){UUID}$"),
    Ignored(_NUMBERED, "body.status.token.claims.jti", like=UUID),
    Ignored(_UIDS, "**.uid", like=UUID, same=True),
    Ignored("others write meanwhile", "body.metadata.resourceVersion", asked=r" \w*(List|Table)$", like=VERSION),
    Ignored(_COUNTED, "body.message", like=r"(?<=current: )\d+$"),
    Ignored(_COUNTED, "events.*.ERROR.message", like=r"(?<=resource version: )\d+ \(\d+\)$"),
    Ignored("others write meanwhile", "events.*.BOOKMARK.**.resourceVersion", like=VERSION),
    Ignored(_COUNTED, "**.metadata.resourceVersion", like=VERSION, same=True),
    Ignored(_COUNTED, "body.message", like=r"(?<=ResourceVersion in record \()\d+|(?<=in object meta: )\d+", same=True),
    Ignored("a Job's selector is made from its uid", "**.*controller-uid", like=UUID, same=True),
    Ignored("a Job's selector is made from its uid", "**.rows.*.cells.*", like=UUID, same=True),
    Ignored(_BEGUN, "body.metadata.name", like=END, same=True),
    *(
        Ignored(_BEGUN, at, asked=r"pods -> 422 ", like=BEGUN, same=True)
        for at in ("body.message", "body.details.name")
    ),
    Ignored(_BEGUN, "body.details.causes.*.message", asked=r"pods -> 422 ", like=BEGUN, same=True),
    Ignored("the volume of a token has a generated name", "**.name", like=SUFFIX, same=True),
    Ignored("an age is counted from a clock", "**.rows.*.cells.*", like=r"^\d+s$"),
    Ignored(_CLOCK, "body.status.expirationTimestamp", like=TIME),
    Ignored(_CLOCK, "**.rows.*.cells.1", like=TIME),
    Ignored(_CLOCK, "**.creationTimestamp", like=TIME),
    Ignored(_CLOCK, "**.deletionTimestamp", like=TIME),
    Ignored(_CLOCK, "body.**.lastPhaseTransitionTime", like=TIME),
    Ignored(_CLOCK, "**.lastTransitionTime", like=TIME),
    Ignored(_CLOCK, "**.managedFields.*.time", like=TIME),
    Ignored("a token has the version of the list in it", "body.metadata.continue", like=r"^[\w-]{60,}$"),
    Ignored(_INTERNAL, "body.message", like=INTERNAL),
    *(Ignored(_UIDS, at, like=UUID, same=True) for at in ("body.message", "body.details.causes.*.message")),
    Ignored("each parser has its own words", "body.message", like=r"(?s)(?<=^error decoding YAML: ).*"),
    Ignored(_PROTOBUF, "body.message", like=PROTOBUF),
    *(Ignored(_SCOPE, at, asked="^GET /(apis?(/.*)?)? ", only="theirs") for at in _FEWER),
    Ignored("the documents are not the same", "headers.Etag", like='^"[0-9A-F]{128}"$'),
    Ignored("each server has its own checks", "text", asked=r"\?verbose", like=r"\[\+\][^\n]+ ok\n"),
    *(Ignored("each server has its own keys", f"body.keys.0.{name}", like=r"^[\w-]+$") for name in ("kid", "n")),
    *(Ignored(_BUILD, f"body.{name}", asked="GET /version") for name in BUILD),
    Ignored(
        "a real server tells of another of its machine's addresses",
        "body.serverAddressByClientCIDRs.0.serverAddress",
        asked="GET /api/? ",
        like=r"^[\d.]+:\d+$",
    ),
    Ignored(_INTERNAL, "body.details.causes.*.message", like=INTERNAL),
)
