"""Values out of pools, committed together with the outcome of the task."""

from componentize_py_types import Err
from wit_world.imports import reservation

from . import Failure


def reserve(pool: str, name: str = "value") -> str:
    """Reserves the next free value of a pool; the same value when asked twice under one name."""
    try:
        return reservation.reserve(reservation.Request(pool, name, [])).value
    except Err as error:
        failure = error.value
        raise Failure(failure.class_, failure.code, failure.message) from None
