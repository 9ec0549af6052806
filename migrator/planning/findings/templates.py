"""Rules about what is written in pod templates: other credentials, and what keeps the webhook's work from counting.

Never shows the value of a variable that may be a secret. Source: the EKS user guide on Pod Identity and the SDKs'
credential chains; the webhook's source for what it leaves alone.
"""

from collections.abc import Iterable, Iterator

from migrator.model.facts import Container, EnvVar
from migrator.model.identity import IRSA_PAIR, SKIP_CONTAINERS
from migrator.model.plan import Finding
from migrator.planning.case import Case, Template
from migrator.planning.egress import AGENT, AGENT_IPV6
from migrator.planning.findings.catalogue import found

KUBE2IAM = "iam.amazonaws.com/role"
SKIP_LABEL = "eks.amazonaws.com/skip-pod-identity-webhook"
_STATIC = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_SHARED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")
_CONTAINER = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)
_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_NO_PROXY = ("NO_PROXY", "no_proxy")
_STS = "sts.amazonaws.com"
_IRSA_VOLUME = "aws-iam-token"
_IRSA_TOKEN = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"  # noqa: S105 - a path
_AGENT_TOKEN = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token"  # noqa: S105 - a path


def judge(case: Case) -> Iterator[Finding]:
    """Findings about every template of the service."""
    for template in case.templates:
        yield from _about_pod(template)
        for container in template.touched:
            yield from _about_container(case, template, container)


def _about_pod(template: Template) -> Iterator[Finding]:
    names = [container.name for container in template.spec.containers]
    touched = {container.name for container in template.touched}
    left_out = [name for name in names if name not in touched]
    if names and left_out == names:
        yield found("skip-all-containers", template.object, SKIP_CONTAINERS, ", ".join(left_out))
    elif left_out:
        yield found("skip-containers", template.object, SKIP_CONTAINERS, ", ".join(left_out))
    if SKIP_LABEL in template.labels:
        yield found("skip-webhook", template.object, SKIP_LABEL, template.labels[SKIP_LABEL])
    if KUBE2IAM in template.annotations:
        yield found("kube2iam", template.object, KUBE2IAM, template.annotations[KUBE2IAM])
    for volume, audience in sorted(template.spec.token_audiences.items()):
        if audience == _STS and not (template.live and volume == _IRSA_VOLUME):
            yield found("projected-sts-token", template.object, volume, audience)


def _about_container(case: Case, template: Template, container: Container) -> Iterator[Finding]:
    own = {variable.name: variable for variable in container.env}
    taken = {name: variable for name, variable in _taken(case, container).items() if name not in own}
    for place, written in (("env", own), ("envFrom", taken)):
        yield from _about_variables(template, f"containers[{container.name}].{place}", written)
    for source in sorted(set(container.env_from) - case.keys.keys()):
        yield found("env-from", template.object, f"containers[{container.name}].envFrom", source)
    yield from _proxy(case, template, container, {**taken, **own})


def _taken(case: Case, container: Container) -> dict[str, EnvVar]:
    """The variables that come from ConfigMaps and Secrets whose keys are known; of two of one name the last counts."""
    return {
        name: EnvVar(name=name, source=source)
        for source in container.env_from
        for key in sorted(case.keys.get(source, ()))
        for name in (container.prefixes.get(source, "") + key,)
    }


def _about_variables(template: Template, place: str, written: dict[str, EnvVar]) -> Iterator[Finding]:
    yield from _named("static-keys", template, place, _those(written, _STATIC))
    yield from _named("shared-credentials", template, place, _those(written, _SHARED), show=True)
    if not (template.live and _injected(written)):
        yield from _named("web-identity-written", template, place, _those(written, IRSA_PAIR), show=True)
        yield from _named("container-credentials-written", template, place, _those(written, _CONTAINER))


def _injected(written: dict[str, EnvVar]) -> bool:
    """In a live pod, the variables with exactly the webhook's values are the webhook's."""
    paths = {
        written[name].value
        for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if name in written
    }
    return len(paths) == 1 and paths <= {_IRSA_TOKEN, _AGENT_TOKEN}


def _those(written: dict[str, EnvVar], names: Iterable[str]) -> list[EnvVar]:
    return [written[name] for name in names if name in written]


def _named(
    code: str, template: Template, place: str, variables: list[EnvVar], *, show: bool = False
) -> Iterator[Finding]:
    """One finding for all variables of one kind in one place; `show` only for values that cannot be secret."""
    if variables:
        names = ", ".join(variable.name for variable in variables)
        values = ", ".join(_shown(variable, show=show) for variable in variables)
        yield found(code, template.object, f"{place}[{names}]", values)


def _shown(variable: EnvVar, *, show: bool) -> str:
    if variable.source is not None:
        return f"from {variable.source}"
    return variable.value or "" if show else "(written)"


def _proxy(case: Case, template: Template, container: Container, written: dict[str, EnvVar]) -> Iterator[Finding]:
    address = AGENT_IPV6 if case.cluster.ipv6 else AGENT
    proxies = [name for name in _PROXIES if name in written and written[name].value != ""]
    exceptions = [written[name] for name in _NO_PROXY if name in written]
    if not proxies or any(_excepts(variable, address) for variable in exceptions):
        return
    field = f"containers[{container.name}].env[{', '.join(proxies)}]"
    unseen = [variable.source for variable in exceptions if variable.source is not None]
    if unseen:
        yield found("proxy-unseen", template.object, field, ", ".join(unseen))
    else:
        yield found("proxy", template.object, field, address)


def _excepts(variable: EnvVar, address: str) -> bool:
    """Whether one of its entries is the address, as some write it in brackets, or everything."""
    return any(entry.strip().strip("[]") in {address, "*"} for entry in (variable.value or "").split(","))
