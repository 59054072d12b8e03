"""The log that is kept with the attempt."""

from wit_world.imports import log
from wit_world.imports.log import Level


def debug(message: str) -> None:
    """For the developer of the plugin."""
    log.write(Level.DEBUG, str(message))


def info(message: str) -> None:
    """For the people who follow the order."""
    log.write(Level.INFO, str(message))


def warn(message: str) -> None:
    """Something is odd, the work goes on."""
    log.write(Level.WARN, str(message))


def error(message: str) -> None:
    """The work cannot go on."""
    log.write(Level.ERROR, str(message))
