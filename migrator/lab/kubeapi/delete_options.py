"""How to delete: what the body of a deletion says, or its query if it has no body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import decoding, errors, schema, shapes
from migrator.lab.kubeapi.calls import number

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
FINALIZERS = {"Foreground": FOREGROUND, "Orphan": ORPHAN}
_POLICIES = ("Foreground", "Background", "Orphan", "nil")
_KEEPS_PODS = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
# kinds whose dependents stay unless the caller says otherwise
_ORPHANING = ("jobs.batch", "replicationcontrollers")


@dataclass(frozen=True)
class Options:
    """How to delete."""

    grace: int | None = None
    propagation: str = ""
    uid: str | None = None
    version: str | None = None
    dry_run: bool = False
    unsaid: bool = False

    def warnings(self, kind: Kind) -> list[str]:
        """What the caller may not have meant."""
        return [_KEEPS_PODS] if self.unsaid and kind.key == ("batch", "jobs") else []


def options_of(call: Call) -> Options:
    """The delete options of a call.

    Raises:
        ApiError: 400, they cannot be read; 415, not in that language; 422, they are not allowed.
    """
    given = decoding.options(call)
    return read_options(call.kind, _of_query(call) if given is None else given)


def _of_query(call: Call) -> Json:
    request = call.request
    given: Json = {"dryRun": request.query.get("dryRun"), "propagationPolicy": request.param("propagationPolicy")}
    if request.param("gracePeriodSeconds"):
        given["gracePeriodSeconds"] = number(request.param("gracePeriodSeconds"))
    if "orphanDependents" in request.query:
        given["orphanDependents"] = request.flag("orphanDependents")
    return given


def read_options(kind: Kind, body: Json) -> Options:
    """Delete options as an object has them.

    Raises:
        ApiError: 400, a field is of another type; 422, they are not allowed.
    """
    try:
        given = schema.read_part(shapes.DELETE_OPTIONS, body)
    except schema.MismatchError as error:
        raise errors.bad_request(str(error)) from error
    _check(given)
    conditions, orphan = given.get("preconditions") or {}, given.get("orphanDependents")
    propagation = given.get("propagationPolicy") or ""
    if orphan is not None:
        propagation = "Orphan" if orphan else "Background"
    unsaid = not propagation
    if unsaid and kind.qualified in _ORPHANING:
        propagation = "Orphan"
    return Options(
        given.get("gracePeriodSeconds"),
        propagation,
        conditions.get("uid"),
        conditions.get("resourceVersion"),
        "All" in (given.get("dryRun") or ()),
        unsaid,
    )


def _check(given: Json) -> None:
    propagation = given.get("propagationPolicy") or ""
    problems = []
    if propagation and given.get("orphanDependents") is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        problems.append(errors.invalid_value("propagationPolicy", propagation, text))
    elif propagation not in ("", "Background", *FINALIZERS):
        problems.append(errors.unsupported_value("propagationPolicy", propagation, _POLICIES))
    problems += errors.dry_run_problems(given.get("dryRun") or ())
    if problems:
        raise errors.invalid_options("DeleteOptions", problems)
