"""HTTP, as far as the operator granted it: no cookies, no retries, redirects only where a grant has them."""

import json
from typing import Any

from componentize_py_types import Err
from wit_world.imports import http
from wit_world.imports.http import Header, Reason

from . import Context, Failure

# The codes are those of the SDK for Rust.
_FAILURES = {
    Reason.INVALID: (Failure.operator, "ELEMENT_REQUEST"),
    Reason.DENIED: (Failure.operator, "ELEMENT_NOT_GRANTED"),
    Reason.UNREACHABLE: (Failure.retry, "ELEMENT_UNREACHABLE"),
    Reason.TIMEOUT: (Failure.retry, "ELEMENT_TIMEOUT"),
    Reason.BROKEN: (Failure.retry, "ELEMENT_UNREACHABLE"),
    Reason.TOO_LARGE: (Failure.operator, "ELEMENT_ANSWER"),
}


class Response:
    """An answer, whatever its status."""

    def __init__(self, response: http.Response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.body

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """The first header of this name, whatever its case."""
        found = (one.value for one in self.headers if one.name.lower() == name.lower())
        return next(found, None)

    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def send(
    context: Context,
    method: str,
    url: str,
    *,
    body: Any = None,
    media: str = "application/json",
    headers: dict[str, str] | None = None,
    timeout_ms: int | None = None,
) -> Response:
    """Sends a request for a task: it carries the task's idempotency key, and ends before the task must.

    The body is sent as JSON of this media type. Raises a failure if there is no answer."""
    sent = [Header(name, value) for name, value in (headers or {}).items()]
    sent.append(Header("idempotency-key", context.key))
    sent.append(Header("x-callback-url", context.callback_url))
    if context.replaces is not None:
        sent.append(Header("x-replace", "true"))
    if body is not None:
        sent.append(Header("content-type", media))
    data = b"" if body is None else json.dumps(body).encode()
    timeout = int(context.deadline_ms * 0.6) if timeout_ms is None else timeout_ms
    try:
        return Response(http.send(http.Request(method, url, sent, data, timeout, None, None, [])))
    except Err as error:
        make, code = _FAILURES[error.value.reason]
        raise make(code, f"{method} {url}: {error.value.message}") from None


def refused(response: Response, what: str) -> Failure:
    """The failure for an answer that is no success: by its status, who must act."""
    message = f"{what} answered {response.status}: {response.text()[:500]}"
    if response.status == 409:
        return Failure.operator("ELEMENT_CONFLICT", message)
    if response.status not in (408, 425, 429) and response.status < 500:
        return Failure.operator("ELEMENT_REFUSED", message)
    seconds = response.header("retry-after") or ""
    failure = Failure.retry(f"ELEMENT_{response.status}", message)
    return failure.after_ms(int(seconds) * 1000) if seconds.isdigit() else failure
