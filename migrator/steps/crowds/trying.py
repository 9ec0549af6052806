"""Several changes that have nothing to do with each other: what is refused of one must not keep the others."""

from collections.abc import Callable, Iterable

from migrator.model.errors import Rejected

BUDGET = "budget"


def each(deeds: Iterable[Callable[[], object]]) -> None:
    """Does all of them.

    Raises:
        Rejected: at the end, the first refusal; one that a PodDisruptionBudget lifts in time only when there is no
            other.
    """
    refused = []
    for deed in deeds:
        try:
            deed()
        except Rejected as error:
            refused.append(error)
    if refused:
        raise next((error for error in refused if error.reason != BUDGET), refused[0])
