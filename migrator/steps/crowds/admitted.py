"""What the cluster would give to a pod of the service that is made now, asked several times in a row."""

from migrator.model import identity
from migrator.model.facts import Probe
from migrator.model.identity import Identity
from migrator.steps.step import Context


def otherwise(context: Context, expected: Identity) -> str:
    """Which probe of `waits.gate_probes` saw what instead; empty when all agree. The first that does not ends it."""
    for number in range(1, context.waits.gate_probes + 1):
        problem = _problem(context, expected)
        if problem:
            return f"admission gate, probe {number} of {context.waits.gate_probes}: {problem}"
    return ""


def passed(context: Context, expected: Identity) -> str:
    """The note of a gate that passed."""
    return f"gate: {context.waits.gate_probes} dry-run pods in a row came as {expected}"


def _problem(context: Context, expected: Identity) -> str:
    probe: Probe = context.cluster.probe(context.service.namespace, context.service.name)
    if probe.pod is None:
        return f"no answer: {probe.refusal}"
    wrong = [f"{name}: {seen}" for name, seen in identity.by_container(probe.pod) if seen is not expected]
    return f"expected {expected}, got {', '.join(wrong)}" if wrong else ""
