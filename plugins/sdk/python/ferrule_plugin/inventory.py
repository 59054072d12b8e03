"""Reads the inventories, as last committed."""

import json
from typing import Any

from componentize_py_types import Err
from wit_world.imports import inventory

from . import Failure


def get(kind: str, id: str) -> Any:
    """The document of this kind and id; None if there is none."""
    found = _asked(lambda: inventory.get(kind, id))
    return None if found is None else json.loads(found)


def find(kind: str, attribute: str, value: str) -> list:
    """The documents of this kind with this value at this attribute, at most a hundred."""
    return [json.loads(one) for one in _asked(lambda: inventory.find(kind, attribute, value))]


def _asked(ask):
    try:
        return ask()
    except Err as error:
        failure = error.value
        raise Failure(failure.class_, failure.code, failure.message) from None
