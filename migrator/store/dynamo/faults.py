"""The one place where a call's failure becomes one of the store: a sentence that names the table."""

from collections.abc import Iterator
from contextlib import contextmanager

from migrator.model.errors import EnvironmentFault, NotPermitted, Rejected, StoreFault
from migrator.model.fleet import DynamoState

_MISSING = frozenset({"ResourceNotFoundException", "TableNotFoundException"})


@contextmanager
def mapped(state: DynamoState) -> Iterator[None]:
    """Turns what a call raises into the store's error; expired credentials and missing rights stay what they are.

    Raises:
        StoreFault: the table is not there, cannot be reached, or refused.
        CredentialsExpired, NotPermitted: as they come.
    """
    try:
        yield
    except NotPermitted:
        raise
    except Rejected as error:
        raise _refused(error, state) from error
    except EnvironmentFault as error:
        remedy = error.remedy or "nothing was changed after this; run the same command again later"
        raise StoreFault(f"{state} cannot be used: {error.message}", remedy=remedy) from error


def _refused(error: Rejected, state: DynamoState) -> StoreFault:
    if error.reason in _MISSING:
        remedy = 'check "state.dynamodb" in the fleet file (region, account), or make it: migrate store init'
        return StoreFault(f"{state} does not exist", remedy=remedy)
    return StoreFault(f"{state} refused: {error.message}", remedy="nothing was changed after this")
