"""Small facts that the plugin keeps between its calls, as far as the operator granted it a scratch space.

Writes are committed with the answer of the call, if that is done or waits.
"""

from componentize_py_types import Err
from wit_world.imports import scratch

from . import Failure

#: What a writer passes instead of a revision: the last write counts, or the key has no value.
ANY = object()
ABSENT = None


def get(key: str):
    """The value of a key, with `value` (bytes) and `revision`; None if it has none."""
    return _asked(lambda: scratch.get(key))


def put(key: str, value: bytes | str, revision=ANY) -> None:
    """Writes the value of a key. `revision` is the one with which it was read, or ABSENT."""
    data = value.encode() if isinstance(value, str) else value
    _asked(lambda: scratch.put(key, data, _expected(revision)))


def delete(key: str, revision=ANY) -> None:
    """Deletes the value of a key, if it has one."""
    _asked(lambda: scratch.delete(key, _expected(revision)))


def keys(prefix: str = "", after: str | None = None, limit: int = 1000) -> list:
    """The keys that begin with `prefix` and come after `after`, each with `key`, `bytes` and `revision`."""
    return _asked(lambda: scratch.keys(prefix, after, limit))


def _expected(revision):
    if revision is ANY:
        return scratch.Expected_Any()
    return scratch.Expected_Absent() if revision is ABSENT else scratch.Expected_Revision(revision)


def _asked(ask):
    try:
        return ask()
    except Err as error:
        failure = error.value
        raise Failure(failure.class_, failure.code, failure.message) from None
