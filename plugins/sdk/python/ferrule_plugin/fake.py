"""A host for the tests of a plugin: it answers what the plugin asks of it with what the test gave it."""

import importlib
import json
from dataclasses import replace
from typing import Any

from componentize_py_types import Err
from wit_world.imports import types


class Host:
    """What the host of a test has. `start` takes it into use, in place of the one before."""

    def __init__(self):
        self.settings: dict[str, str] = {}
        self.secrets: set[str] = set()
        self.documents: dict[tuple[str, str], Any] = {}
        self.pools: dict[str, list[str]] = {}
        self.reserved: dict[tuple[str, str], str] = {}
        self.answers: list[tuple] = []
        self.requests: list = []
        self.log: list[tuple] = []

    def setting(self, name: str, value: str) -> "Host":
        """The same with a setting of the plugin."""
        self.settings[name] = value
        return self

    def secret(self, name: str) -> "Host":
        """The same with a secret of the plugin, whose placeholder is `secret-<name>`."""
        self.secrets.add(name)
        return self

    def document(self, kind: str, document: dict) -> "Host":
        """The same with a document of a kind, such as `service`, in the inventory."""
        self.documents[kind, document["id"]] = document
        return self

    def pool(self, name: str, values: list[str]) -> "Host":
        """The same with a pool of these values."""
        self.pools[name] = list(values)
        return self

    def answer(self, method: str, url: str, status: int, body: Any = None) -> "Host":
        """The same with an answer to the next request of this method and address."""
        data = b"" if body is None else json.dumps(body).encode()
        http = _import("http")
        self.answers.append((method, url, http.Response(status, [], data, [])))
        return self

    def no_answer(self, method: str, url: str, reason: str) -> "Host":
        """The same with no answer to that request: `unreachable`, `timeout`, `broken`, `denied`."""
        http = _import("http")
        error = http.Error(http.Reason[reason.upper().replace("-", "_")], reason, [])
        self.answers.append((method, url, Err(error)))
        return self

    def start(self) -> "Host":
        """Takes it into use."""
        parts = {
            "log": {"write": lambda level, message: self.log.append((level, message))},
            "config": {"get": self.settings.get},
            "secrets": {"get": self._secret},
            "inventory": {"get": self._get, "find": self._find},
            "reservation": {"reserve": self._reserve},
            "http": {"send": self._send},
        }
        for name, functions in parts.items():
            # The world of a plugin has only what it imports.
            module = _import(name)
            for function, act in functions.items() if module else ():
                setattr(module, function, act)
        return self

    def _secret(self, name):
        return f"secret-{name}" if name in self.secrets else None

    def _get(self, kind, id):
        found = self.documents.get((kind, id))
        return None if found is None else json.dumps(found)

    def _find(self, kind, attribute, value):
        found = [
            document
            for (own, _), document in sorted(self.documents.items(), reverse=True)
            if own == kind and _leads_to(document, attribute.split("."), value)
        ]
        return [json.dumps(document) for document in found[:100]]

    def _reserve(self, request):
        place = (request.pool, request.name)
        if place not in self.reserved:
            if request.pool not in self.pools:
                raise _failure("UNKNOWN_POOL", f"there is no pool `{request.pool}`")
            if not self.pools[request.pool]:
                raise _failure("POOL_EXHAUSTED", f"pool `{request.pool}` has no free value")
            self.reserved[place] = self.pools[request.pool].pop(0)
        return _import("reservation").Reserved(request.pool, self.reserved[place], [])

    def _send(self, request):
        self.requests.append(request)
        for place, (method, url, answer) in enumerate(self.answers):
            if (method, url) == (request.method, request.url):
                del self.answers[place]
                if isinstance(answer, Err):
                    raise answer
                return answer
        raise AssertionError(f"there is no answer to {request.method} {request.url}")


def task(
    input: Any,
    *,
    characteristics: dict | None = None,
    spec: str = "EXAMPLE",
    replaces: str | None = None,
) -> types.Task:
    """A task for tests: this input, an item with these characteristics, the key `key-1`."""
    item = types.Item(spec, types.Action.ADD, json.dumps(characteristics or {}))
    callback = "http://localhost/callback/key-1"
    return types.Task(
        "fulfilment-1", "EXAMPLE.run", item, json.dumps(input), 1, "key-1", replaces, callback, 10_000, []
    )


def undo(task: types.Task) -> types.Task:
    """The task of an undo: the host gives undos a key of their own, that of the work followed by `:undo`."""
    return replace(task, idempotency_key=f"{task.idempotency_key}:undo")


def outputs(answer) -> Any:
    """The outputs of a call that did its work."""
    done = answer if isinstance(answer, types.Done) else answer.value
    return json.loads(done.outputs)


def _import(name: str):
    try:
        return importlib.import_module(f"wit_world.imports.{name}")
    except ImportError:
        return None


def _failure(code: str, message: str) -> Err:
    return Err(types.Failure(types.FailureClass.OPERATOR, code, message, None, []))


def _leads_to(found: Any, path: list[str], value: str) -> bool:
    if isinstance(found, list):
        return any(_leads_to(one, path, value) for one in found)
    if not path:
        return str(found) == value
    return isinstance(found, dict) and path[0] in found and _leads_to(found[path[0]], path[1:], value)
