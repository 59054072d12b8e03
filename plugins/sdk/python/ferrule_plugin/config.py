"""The settings that the operator gave this plugin."""

from wit_world.imports import config

from . import Failure


def get(name: str) -> str | None:
    """The value of a setting; None if it is not set."""
    return config.get(name)


def require(name: str) -> str:
    """The value of a mandatory setting."""
    value = get(name)
    if value is None:
        line = f'"{name}" = "..."'
        message = (
            f"setting `{name}` is missing; add `{line}` under `[plugins.<id>.config]` in the "
            "operator's ferrule.toml"
        )
        raise Failure.operator("SETTING_MISSING", message)
    return value
