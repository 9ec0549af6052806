"""Pods on Pod Identity that the way back does not replace: with the association they would lose their credentials."""

from migrator.model.facts import Pod
from migrator.model.identity import Identity, by_container
from migrator.steps.crowds.judged import live, replaced_here
from migrator.steps.step import Context


def stuck(context: Context) -> list[Pod]:
    """A Job's pods, those of unknown owners, and bare ones that are not to be made anew; by name."""
    service = context.service
    here = replaced_here(context.cluster.workloads_of(service.namespace, service.name))
    pods = live(context.cluster.pods_of(service.namespace, service.name))
    left = (pod for pod in pods if not (may_be_made_anew(context, pod) if pod.owner is None else pod.owner in here))
    return [pod for pod in left if on_pod_identity(pod)]


def may_be_made_anew(context: Context, pod: Pod) -> bool:
    """On the way back: a person allows it for all bare pods now, or allowed it for this one on the way there."""
    return context.recreate_bare_pods or pod.name in context.made_anew


def on_pod_identity(pod: Pod) -> bool:
    """Whether any of its containers is."""
    return any(seen is Identity.POD_IDENTITY for _, seen in by_container(pod))
