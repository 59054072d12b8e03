"""Addresses, requests and answers of the API."""

import json
from urllib.parse import quote

import schema
from ferrule_plugin import Failure, config
from ferrule_plugin.http import refused, send


class Address:
    """An address that is put together."""

    def __init__(self, url):
        self.url = url

    def text(self, text):
        """Segments as they are."""
        return Address(self.url + text)

    def value(self, name, value):
        """A value as one segment."""
        if value is None or _text(value) in ("", ".", ".."):
            shown = "missing" if value is None else value
            raise Failure.operator("BAD_INPUT", f"`{name}` is `{shown}`, which cannot be a part of an address")
        return Address(f"{self.url}/{quote(_text(value), safe='')}")

    def query(self, name, values):
        """A parameter of the query for a value, or for each of several."""
        url = self.url
        for value in values if isinstance(values, list) else [values]:
            if value is not None:
                mark = "&" if "?" in url else "?"
                url += f"{mark}{quote(name, safe='')}={quote(_text(value), safe='')}"
        return Address(url)


def _text(value):
    return value if isinstance(value, str) else json.dumps(value)


def setting(name):
    """The value of a setting."""
    return config.require(name)


def address(given):
    """The base address of the element of an input."""
    return Address(config.require(f"element.{given.get('element')}").rstrip("/"))


def find(context, given, method, address, *, body=None, media="application/json", headers=None):
    """Sends a request; None if there is nothing at its address."""
    own = {name: _text(value) for name, value in (headers or {}).items() if value is not None}
{{login}}
    response = send(context, method, address.url, body=body, media=media, headers=own)
    if response.status in (404, 410):
        return None
    if not response.ok:
        raise refused(response, given["element"])
    return response


def call(context, given, method, address, **more):
    """Sends a request; fails unless its answer is a success."""
    response = find(context, given, method, address, **more)
    if response is None:
        raise Failure.operator("ELEMENT_REFUSED", f"{given['element']} has nothing at {address.url}")
    return response


def remove(context, given, address):
    """Deletes what is at an address. Work that is not there is as good as undone."""
    response = find(context, given, "DELETE", address)
    if response is not None and response.status == 202:
        raise accepted(given)


def accepted(given):
    """The element has accepted the work and goes on with it: the next attempt looks for it."""
    message = f"`{given['element']}` has accepted the work and goes on with it"
    return Failure.retry("ELEMENT_ACCEPTED", message).after_ms(5000)


def undecided(given):
    """The element has accepted the work, and no request shows its end."""
    message = f"`{given['element']}` has accepted the work: look whether it is done"
    return Failure.operator("ACCEPTED_UNDECIDED", message)


PENDING = (
    "pending", "inprogress", "running", "accepted", "acknowledged", "queued", "processing", "creating", "updating",
    "deleting", "provisioning", "scheduled", "waiting",
)

FAILED = ("failed", "failure", "error", "rejected", "cancelled", "canceled", "aborted")


def settled(given, document):
    """Fails if the `state` or `status` of a document is one of work that goes on, or that failed."""
    found = document if isinstance(document, dict) else {}
    state = str(found.get("state") or found.get("status") or "")
    plain = "".join(one for one in state.lower() if one.isalnum())
    if plain in PENDING:
        raise accepted(given)
    if plain in FAILED:
        raise Failure.operator("ELEMENT_FAILED", f"the work on `{given['element']}` is `{state}`")


def outputs(given, answer):
    """The outputs of an answer: those of its properties that the description has."""
    if not isinstance(answer, dict):
        message = f"`{given['element']}` did the work but its answer cannot be used"
        raise Failure.operator("ELEMENT_ANSWER", message)
    known = schema.OUTPUT.get("properties", {})
    return {name: answer[name] for name in known if answer.get(name) is not None}


def entry(response, name, value):
    """The entry of a list that has a value in a property."""
    found = response.json() if response else None
    of = (one for one in found if isinstance(one, dict) and one.get(name) == value)
    return next(of, None) if isinstance(found, list) else None


def agrees(sent, found):
    """Whether a document has all that was sent."""
    if isinstance(sent, dict) and isinstance(found, dict):
        return all(name in found and agrees(value, found[name]) for name, value in sent.items())
    return sent == found
