"""Rules about others that use the ServiceAccount's annotation, its token or its role without the webhook.

They go by the annotation and the role's OIDC trust, whatever the pods show. Source: the documentation of External
Secrets, cert-manager, the Secrets Store CSI driver's AWS provider, Mountpoint for S3 and Crossplane's AWS providers.
"""

from collections.abc import Iterator

from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.plan import Finding
from migrator.model.surroundings import ProviderConfig, RoleUse, RuntimeConfig, S3Volume, SecretClass
from migrator.planning.case import Case, template_of_pod
from migrator.planning.findings.catalogue import found
from migrator.planning.findings.controllers import is_crossplane_provider, runs

_BORROWERS = {"external-secrets": "external-secrets-token", "cert-manager": "cert-manager-token"}
_SECRETS, _CLASS = "secrets-store.csi.k8s.io", "secretProviderClass"
_S3, _SOURCE = "s3.csi.aws.com", "authenticationSource"
_POD = "pod"
_WEB_IDENTITY = frozenset({"IRSA", "WebIdentity"})


def judge(case: Case) -> Iterator[Finding]:
    """Findings about objects and controllers beside the service."""
    for use in case.around.of(RoleUse, case.service.namespace):
        yield from _borrowed(case, use)
        yield from _by_itself(case, use)
    yield from _volumes(case)
    yield from _crossplane(case)
    for daemon in case.around.daemons:
        yield found("association-daemon", daemon, "image")


def _borrowed(case: Case, use: RoleUse) -> Iterator[Finding]:
    """Somebody exchanges this ServiceAccount's token; what cert-manager gets for it is the role it names itself."""
    if _names(case, use) and (use.controller != "cert-manager" or use.role == case.role.written):
        yield found(_BORROWERS[use.controller], str(use.ref), use.field, use.account)


def _names(case: Case, use: RoleUse) -> bool:
    return use.account == case.service.name and use.account_namespace in {"", case.service.namespace}


def _by_itself(case: Case, use: RoleUse) -> Iterator[Finding]:
    """The role that is to be taken on is the one that the service has already."""
    own = _names(case, use) if use.account else runs(case, use.controller)
    if own and use.role == case.role.written and not (use.account and use.controller == "cert-manager"):
        yield found("self-assume", str(use.ref), use.field, use.role)


def _volumes(case: Case) -> Iterator[Finding]:
    classes = {one.ref.name: one for one in case.around.of(SecretClass, case.service.namespace)}
    buckets = {one.claim: one for one in case.around.of(S3Volume, case.service.namespace)}
    for template in (*case.templates, *map(template_of_pod, case.pods)):
        for volume in template.spec.volumes:
            secrets = classes.get(volume.attributes.get(_CLASS, "")) if volume.driver == _SECRETS else None
            if secrets is not None and not secrets.pod_identity:
                yield found("secrets-store-irsa", str(secrets.ref), "spec.parameters.usePodIdentity", template.object)
            bucket = buckets.get(volume.claim)
            if bucket is not None and bucket.source == _POD:
                yield found("s3-csi-pod", template.object, f"volume {volume.name}", str(bucket.ref))
            elif volume.driver == _S3 and volume.attributes.get(_SOURCE) == _POD:
                yield found("s3-csi-pod", template.object, f"volume {volume.name}", "written in the pod")


def _crossplane(case: Case) -> Iterator[Finding]:
    provider = is_crossplane_provider(case)
    if provider:
        for config in case.around.of(ProviderConfig, case.service.namespace):
            if config.source in _WEB_IDENTITY:
                yield found("crossplane-irsa", str(config.ref), "spec.credentials.source", config.source)
    for runtime in case.around.of(RuntimeConfig, case.service.namespace):
        named = runtime.account == case.service.name if runtime.account else provider
        if named and runtime.role == case.role.written:
            name = f"name {runtime.account}" if runtime.account else "a generated name"
            yield found("crossplane-annotation", str(runtime.ref), ROLE_ARN_ANNOTATION, name)
