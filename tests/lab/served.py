"""Whether every pod of a service we touched had credentials, from first to last."""

from collections.abc import Iterator, Mapping

from migrator.model.journal import Direction, Status
from tests.lab.deeds import Judgement, by_us, creates, done, pods_of, trust_edits, where, where_linked
from tests.lab.seen import Seen, Service, Unanswered, Walked, shares
from tests.lab.witness import PodLife, moment


def credentials(seen: Seen) -> Judgement:
    """Pods made after we came have an identity; those on Pod Identity are served from first to last."""
    for service in seen.services:
        name = str(service.id)
        for pod in pods_of(seen, service):
            if pod.born > service.first and pod.identity in {"none", "part"}:
                yield name, f"pod {pod.name} was admitted with identity {pod.identity}"
            if pod.identity == "pod-identity" and pod.born > service.first and not _served_when_ready(seen, pod):
                yield name, f"pod {pod.name} became ready on Pod Identity while its service had no association"
            for at in _shares_removed(seen, service):
                if _alive_at(pod, at) and pod.identity == "pod-identity":
                    yield name, f"pod {pod.name} was still on Pod Identity when its role's trust was taken away"
        for text in _left_behind(seen, service):
            yield name, text
    touched = {(one.id.cluster, one.id.namespace, one.id.name): one for one in seen.services}
    for one in seen.unanswered:
        service_of = touched.get((one.cluster, one.namespace, one.account))
        if service_of is not None and one.since > service_of.first and not _on_its_way_back(service_of, one):
            yield str(service_of.id), f"pod {one.pod} was refused credentials: {one.why}"


def _on_its_way_back(service: Service, one: Unanswered) -> bool:
    """Between the association's end and the restart, a pod lives on what it was given; a fleet's may not have asked.

    EKS offers no other order: the webhook honours the annotation only when the association is gone.
    """
    return not one.served_before and any(
        begin <= one.at and one.since <= end for walked in service.walked for begin, end in _returning(walked)
    )


def _returning(walked: Walked) -> Iterator[tuple[float, float]]:
    """When the run was between the association's end and the restart, and at work on it or cut off.

    An add-on's association goes with its update, and its pods are new once they are verified. Once a step has failed
    nobody is at work any more: what is without credentials then stays so.
    """
    begun = None
    gone = False
    last = ("verify" if any(line.step == "addon" for line in walked.lines) else "restart", Status.DONE)
    for line in walked.lines if walked.run.direction is Direction.BACK else ():
        gone = gone or (line.status is Status.STARTED and line.step in {"association", "addon"})
        if gone and begun is None and line.status is Status.STARTED:
            begun = moment(line.at)
        over = line.status is Status.FAILED or (line.step, line.status) == last
        if begun is not None and over:
            yield begun, moment(line.at)
            begun = None
        if (line.step, line.status) == last:
            return
    if begun is not None:
        yield begun, float("inf")


def _left_behind(seen: Seen, service: Service) -> Iterator[str]:
    """At the end: no pod on Pod Identity whose association we deleted, and no annotation taken without one."""
    linked = any(where_linked(one) == where(service) for one in seen.links)
    at_work = any(end == float("inf") for walked in service.walked for _, end in _returning(walked))
    if linked or at_work:
        return
    left = [
        pod.name for pod in pods_of(seen, service) if pod.well and not pod.finished and pod.identity == "pod-identity"
    ]
    if left and _deleted_by_us(seen, service):
        yield f"pods were left on Pod Identity when their association was deleted: {', '.join(left)}"
    if seen.accounts.get(where(service), service.annotation) is None and service.annotation is not None:
        for at in _taken_out(service):
            spans = [span for pod in pods_of(seen, service)[:1] for span in _association_spans(seen, pod)]
            if "association" not in service.found and not any(begin <= at <= end for begin, end in spans):
                yield "its annotation was taken out while there was no association"


def _deleted_by_us(seen: Seen, service: Service) -> bool:
    gone = {call["params"].get("associationId") for call in done(seen, "DeletePodIdentityAssociation") if by_us(call)}
    return any(gone & _association_ids(seen, pod) for pod in pods_of(seen, service)[:1])


def _taken_out(service: Service) -> Iterator[float]:
    """When our walks there took the annotation out."""
    for walked in service.walked:
        for line in walked.lines if walked.run.direction is Direction.FORWARD else ():
            if (line.step, line.status) == ("annotation", Status.DONE):
                yield moment(line.at)


def _alive_at(pod: PodLife, at: float) -> bool:
    """`at` is well inside the pod's ready life: whole seconds are all that the API tells of ends."""
    return (
        pod.ready is not None and pod.ready[1] < at and not pod.finished and (pod.leaving is None or pod.leaving > at)
    )


def _served_when_ready(seen: Seen, pod: PodLife) -> bool:
    if pod.ready is None:
        return True
    since, until = pod.ready
    return any(begin <= until and since <= end for begin, end in _association_spans(seen, pod))


def _association_spans(seen: Seen, pod: PodLife) -> list[tuple[float, float]]:
    """When there was an association for the pod's ServiceAccount, as far as the call log tells."""
    cluster = seen.clusters[pod.cluster]
    made = creates(seen, cluster, pod.namespace, pod.account)
    ours = _association_ids(seen, pod)
    gone = [
        moment(call["time"])
        for call in done(seen, "DeletePodIdentityAssociation")
        if call["params"].get("associationId") in ours
    ]
    begins = [moment(call["time"]) for call in made] or [0.0]
    return [(begin, min((end for end in gone if end > begin), default=float("inf"))) for begin in begins]


def _association_ids(seen: Seen, pod: PodLife) -> set[str]:
    key = (pod.cluster, pod.namespace, pod.account)
    walked = [one for service in seen.services if where(service) == key for one in service.walked]
    results = [line.result for one in walked for line in one.lines if line.step == "association"]
    return {result["association"] for result in results if isinstance(result, Mapping) and result.get("association")}


def _shares_removed(seen: Seen, service: Service) -> list[float]:
    """When one of our calls took the service's share out of its role's trust."""
    times = []
    for before, call in trust_edits(seen, service.role):
        had, has = shares(before) if before else set(), shares(call["params"]["PolicyDocument"])
        share = (service.cluster_arn, service.id.namespace, service.id.name)
        if share in had and share not in has and by_us(call):
            times.append(moment(call["time"]))
    return times
