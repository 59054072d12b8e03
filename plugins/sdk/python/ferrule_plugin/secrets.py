"""Secrets of the operator.

The plugin never has a value: it gets a placeholder, which it puts into a header or the body of a request, and
the host puts the value in on the way to a place that the secret was granted for.
"""

from base64 import b64encode

from wit_world.imports import secrets

from . import Failure


def get(name: str) -> str | None:
    """The placeholder of a secret; None if it was not granted or has no value, which the log explains."""
    return secrets.get(name)


def require(name: str) -> str:
    """The placeholder of a mandatory secret."""
    placeholder = get(name)
    if placeholder is None:
        message = (
            f"secret `{name}` is missing; grant it under `[plugins.<id>.secrets]` in the operator's "
            "ferrule.toml, the log has the lines"
        )
        raise Failure.operator("SECRET_MISSING", message)
    return placeholder


def basic(user: str, password: str) -> str:
    """The header `Authorization` of a user and a password, which may be a placeholder."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
