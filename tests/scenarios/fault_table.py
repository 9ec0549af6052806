"""Every fault that concerns one service at a time, with its promised outcome."""

from typing import Any

from tests.scenarios.faulty import (
    APPLIED,
    BLOCKED,
    DONE,
    DRIFT,
    ERROR,
    PODS,
    ROLLED_BACK,
    STRANDED,
    THERE_AND_BACK,
    UNFINISHED,
    WEB,
    Scenario,
)

ME = "shop/NAME"
FAILED = (("apply", ROLLED_BACK),)
BACK = (("rollback", DONE),)
LAST = {"order": "annotation-last"}
THEIR_STATEMENT = {
    "Sid": "Theirs",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
    "Action": "sts:AssumeRole",
}
OTHER = "arn:aws:iam::111111111111:role/other"


def aws(operation: str) -> dict[str, Any]:
    """Calls of that operation that are about the scenario's service."""
    about = {"role": "NAME"} if operation in {"UpdateAssumeRolePolicy", "GetRole"} else {"serviceAccount": ME}
    return {"operation": operation, **about}


def kube(verb: str, resource: str) -> dict[str, Any]:
    """Calls of the API server about the scenario's own objects."""
    return {"verb": verb, "resource": resource, "namespace": "shop", "name": "NAME"}


def after(operation: str) -> dict[str, Any]:
    """The moment just after that change."""
    return {"side": "after", "aws": aws(operation)}


def patched(resource: str) -> dict[str, Any]:
    """The moment just after our patch."""
    return {"side": "after", "kube": kube("patch", resource)}


LATE = (
    Scenario(
        name="seen-late", tag="association", faults=[{"associationLate": {"serviceAccount": ME, "create": 2}}],
        during=APPLIED, stands=PODS,
    ),
    Scenario(
        name="seen-late-by-one", tag="association",
        faults=[{"associationLate": {"serviceAccount": ME, "create": [0, 2]}}], during=APPLIED, stands=PODS,
    ),
    Scenario(
        name="never-seen", tag="association", faults=[{"associationLate": {"serviceAccount": ME, "create": "never"}}],
        during=FAILED, says="admission gate", stands=WEB,
    ),
    Scenario(
        name="never-seen-by-one", tag="association",
        faults=[{"associationLate": {"serviceAccount": ME, "create": [0, "never"]}}],
        during=FAILED, says="admission gate", stands=WEB,
    ),
    Scenario(
        name="gone-late", tag="association", faults=[{"associationLate": {"serviceAccount": ME, "delete": [0, 2]}}],
        during=THERE_AND_BACK, stands=WEB,
    ),
    Scenario(
        name="never-gone", tag="association", faults=[{"associationLate": {"serviceAccount": ME, "delete": "never"}}],
        before=APPLIED, during=(("rollback", STRANDED),), says="migrate rollback --service main/shop/NAME",
        after=BACK, stands=WEB,
    ),
    Scenario(
        name="iam-late", tag="iam", faults=[{"iamLate": {"role": "NAME", "seconds": 1}}],
        during=THERE_AND_BACK, stands=WEB,
    ),
    Scenario(
        name="iam-half-late", tag="iam", faults=[{"iamLate": {"role": "NAME", "seconds": 1, "share": 0.5}}],
        during=THERE_AND_BACK, stands=WEB,
    ),
    Scenario(
        name="iam-later", tag="iam", faults=[{"iamLate": {"role": "NAME", "seconds": 4}}],
        during=THERE_AND_BACK, stands=WEB,
    ),
    Scenario(
        name="trust-late", tag="trust", faults=[{"trustLate": {"role": "NAME", "association": 4}}],
        during=APPLIED, stands=PODS,
    ),
    Scenario(
        name="trust-never", tag="trust", faults=[{"trustLate": {"role": "NAME", "association": "never"}}],
        during=FAILED, says="trust", stands=WEB,
    ),
)  # fmt: skip

CHANGES_THERE = (
    ("trust", {"aws": aws("UpdateAssumeRolePolicy")}),
    ("assoc", {"aws": aws("CreatePodIdentityAssociation")}),
    ("annot", {"kube": kube("patch", "serviceaccounts")}),
    ("stamp", {"kube": kube("patch", "deployments")}),
)
CHANGES_BACK = (
    ("untrust", {"aws": aws("UpdateAssumeRolePolicy")}),
    ("unassoc", {"aws": aws("DeletePodIdentityAssociation")}),
    ("unannot", {"kube": kube("patch", "serviceaccounts")}),
    ("unstamp", {"kube": kube("patch", "deployments")}),
)
DROPPED = tuple(
    Scenario(
        name=f"{where}-dropped-{side}", tag="dropped", faults=[{"drop": {**calls, "side": side, "first": 2}}],
        before=before, during=during, stands=stands,
    )
    for changes, before, during, stands in (
        (CHANGES_THERE, (), APPLIED, PODS),
        (CHANGES_BACK, APPLIED, BACK, WEB),
    )
    for where, calls in changes
    for side in ("before", "after")
)  # fmt: skip
FAILING = tuple(
    Scenario(
        name=f"{where}-{kind}", tag="failing", faults=[{"fail": {**calls, "with": kind, "first": 2}}],
        during=APPLIED, stands=PODS,
    )
    for (where, calls), kind in zip(
        CHANGES_THERE * 2,
        ("throttled", "internal", "unavailable", "throttled", "internal", "throttled", "timeout", "unavailable"),
        strict=True,
    )
)  # fmt: skip
REFUSED = (
    Scenario(
        name="throttled-for-good", tag="failing",
        faults=[{"fail": {"aws": aws("CreatePodIdentityAssociation"), "with": "throttled"}}],
        during=(("apply", ERROR),), after=APPLIED, stands=PODS,
    ),
    Scenario(
        name="denied", tag="failing", faults=[{"fail": {"aws": aws("UpdateAssumeRolePolicy"), "with": "denied"}}],
        during=(("apply", ERROR),), says="UpdateAssumeRolePolicy", after=APPLIED, stands=PODS,
    ),
    Scenario(
        name="expired", tag="credentials", faults=[{"expire": {"aws": aws("CreatePodIdentityAssociation")}}],
        during=(("apply", UNFINISHED), ("apply", UNFINISHED)), says="expired", after=APPLIED, stands=PODS,
    ),
    Scenario(
        name="expired-back", tag="credentials", faults=[{"expire": {"aws": aws("DeletePodIdentityAssociation")}}],
        before=APPLIED, during=(("rollback", UNFINISHED),), says="expired", after=BACK, stands=WEB,
    ),
    Scenario(
        name="token-expired", tag="credentials",
        faults=[{"expire": {"kube": kube("patch", "serviceaccounts"), "first": 1}}], during=APPLIED, stands=PODS,
    ),
)  # fmt: skip

PUT_BACKS = (
    Scenario(
        name="annotation-put-back", tag="put back", faults=[{"putBack": {"annotation": ME}}],
        during=FAILED, says="something reconciles it", stands=WEB,
    ),
    Scenario(
        name="annotation-put-back-last", tag="put back", faults=[{"putBack": {"annotation": ME}}], edit=LAST,
        during=(("apply", BLOCKED),), says="at its source", after=APPLIED, stands=PODS,
    ),
    Scenario(
        name="annotation-put-back-once", tag="put back", faults=[{"putBack": {"annotation": ME, "delay": 7}}],
        during=(("apply", DONE), ("wait", DONE), ("apply", DRIFT)), says="main/shop/NAME", stands=PODS,
        waived={"agree": "the controller put the annotation back, and the store cannot know"},
    ),
    Scenario(
        name="trust-put-back", tag="put back", faults=[{"putBack": {"trust": "NAME"}}],
        during=FAILED, says="trust", stands=WEB,
    ),
    Scenario(
        name="template-put-back", tag="put back", faults=[{"putBack": {"template": ME}}],
        during=FAILED, says="Deployment NAME", stands=WEB,
    ),
)  # fmt: skip

PODS_AND_WEBHOOK = (
    Scenario(
        name="one-missed", tag="webhook", faults=[{"webhookMisses": {"serviceAccount": ME, "first": 1}}], replicas=3,
        during=APPLIED, stands=PODS, waived={"credentials": "the webhook gave the first pod nothing"},
    ),
    Scenario(
        name="one-missed-last", tag="webhook", edit=LAST, replicas=3,
        faults=[{"webhookMisses": {"serviceAccount": ME, "first": 1, "leaves": "annotation"}}],
        during=APPLIED, stands=PODS,
    ),
    Scenario(
        name="all-missed", tag="webhook", faults=[{"webhookMisses": {"serviceAccount": ME}}], replicas=2,
        during=FAILED, says="expected pod-identity", stands=WEB,
        waived={"credentials": "the webhook gave every pod nothing, until the way back"},
    ),
    Scenario(
        name="all-missed-last", tag="webhook", edit=LAST, replicas=2,
        faults=[{"webhookMisses": {"serviceAccount": ME, "leaves": "annotation"}}],
        during=FAILED, says="expected pod-identity", stands=WEB,
    ),
    Scenario(
        name="crash-loop", tag="crash loop", faults=[{"crashLoop": {"workload": ME, "identity": "podIdentity"}}],
        during=FAILED, says="CrashLoopBackOff", stands=WEB,
    ),
    Scenario(
        name="crash-loop-last", tag="crash loop", edit=LAST,
        faults=[{"crashLoop": {"workload": ME, "identity": "podIdentity"}}],
        during=FAILED, says="CrashLoopBackOff", stands=WEB,
    ),
)  # fmt: skip

FOREIGN = (
    Scenario(
        name="statement-added", tag="foreign edit", during=THERE_AND_BACK, stands=WEB, keeps=["Theirs"],
        faults=[
            {
                "when": after("UpdateAssumeRolePolicy"),
                "edit": [{"trust": {"role": "NAME", "add": THEIR_STATEMENT}}],
            }
        ],
    ),
    Scenario(
        name="statement-added-before", tag="foreign edit", during=THERE_AND_BACK, stands=WEB, keeps=["Theirs"],
        faults=[
            {
                "when": {"side": "after", "aws": aws("GetRole"), "skip": 1},
                "edit": [{"trust": {"role": "NAME", "add": THEIR_STATEMENT}}],
            }
        ],
    ),
    Scenario(
        name="marked", tag="foreign edit", during=THERE_AND_BACK, stands=WEB, keeps=["theirs"],
        faults=[
            {
                "when": after("CreatePodIdentityAssociation"),
                "edit": [{"annotate": {"serviceAccount": ME, "key": "theirs", "value": "kept"}}],
            }
        ],
    ),
    Scenario(
        name="annotated-anew", tag="foreign edit", during=(("apply", DRIFT),), says=OTHER, stands=WEB,
        faults=[
            {
                "when": after("CreatePodIdentityAssociation"),
                "edit": [{"annotate": {"serviceAccount": ME, "value": OTHER}}],
            }
        ],
        waived={"agree": "somebody else's annotation stays, and the run is open"},
    ),
    Scenario(
        name="recreated", tag="foreign edit", during=(("apply", DRIFT),), says="made anew", stands=WEB,
        faults=[{"when": after("CreatePodIdentityAssociation"), "edit": [{"recreate": ME}]}],
    ),
    Scenario(
        name="dissociated", tag="foreign edit", during=FAILED, stands=WEB, says="association",
        faults=[{"when": patched("serviceaccounts"), "edit": [{"dissociate": ME}]}],
        waived={
            "credentials": "somebody deleted the association when the annotation was gone",
            "once": "the association was deleted by somebody else",
        },
    ),
    Scenario(
        name="associated-before-us", tag="foreign edit", during=(("apply", DRIFT),), after=BACK, stands=WEB,
        says="somebody else associated",
        faults=[
            {
                "when": {"side": "before", "aws": aws("CreatePodIdentityAssociation")},
                "edit": [{"associate": {"serviceAccount": ME, "role": "other"}}],
            }
        ],
    ),
    Scenario(
        name="scaled", tag="foreign edit", during=THERE_AND_BACK, stands=WEB,
        faults=[{"when": patched("deployments"), "edit": [{"scale": {"workload": ME, "replicas": 3}}]}],
    ),
    Scenario(
        name="pods-deleted", tag="foreign edit", during=THERE_AND_BACK, stands=WEB, replicas=2,
        faults=[{"when": patched("deployments"), "afterSeconds": 0.3, "edit": [{"deletePods": "shop/NAME-*"}]}],
    ),
)  # fmt: skip

SCENARIOS = (*LATE, *DROPPED, *FAILING, *REFUSED, *PUT_BACKS, *PODS_AND_WEBHOOK, *FOREIGN)
