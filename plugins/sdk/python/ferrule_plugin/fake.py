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
        self.scratch: dict[str, tuple[bytes, str]] = {}
        self.writes = 0
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

    def kept(self, key: str, value: str) -> "Host":
        """The same with a value in the scratch space of the plugin."""
        self.scratch[key] = (value.encode(), "0")
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
            "scratch": {
                "get": self._kept,
                "put": self._put,
                "delete": lambda key, expected: self._put(key, None, expected),
                "keys": self._keys,
            },
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

    def _kept(self, key):
        self._check_key(key)
        if key not in self.scratch:
            return None
        value, revision = self.scratch[key]
        return _import("scratch").Entry(value, revision)

    def _put(self, key, value, expected):
        """Writes are kept at once, whatever the call answers."""
        self._check_key(key)
        scratch = _import("scratch")
        revision = self.scratch[key][1] if key in self.scratch else None
        wanted = None if isinstance(expected, scratch.Expected_Absent) else getattr(expected, "value", None)
        if not isinstance(expected, scratch.Expected_Any) and revision != wanted:
            message = f"the key `{key}` of the scratch space was written meanwhile"
            raise _failure("SCRATCH_CONFLICT", message, types.FailureClass.RETRY)
        self.writes += 1
        if value is None:
            self.scratch.pop(key, None)
        else:
            self.scratch[key] = (value, str(self.writes))

    def _keys(self, prefix, after, limit):
        found = [key for key in sorted(self.scratch) if key.startswith(prefix) and key > (after or "")]
        listed = _import("scratch").Listed
        return [listed(key, len(self.scratch[key][0]), self.scratch[key][1]) for key in found[: min(limit, 1000)]]

    def _check_key(self, key):
        if not 1 <= len(key.encode()) <= 128 or any(ord(one) < 32 for one in key):
            raise _failure("SCRATCH_KEY", "a key of the scratch space has 1 to 128 bytes and no control character")

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


def _failure(code: str, message: str, who=types.FailureClass.OPERATOR) -> Err:
    return Err(types.Failure(who, code, message, None, []))


def _leads_to(found: Any, path: list[str], value: str) -> bool:
    if isinstance(found, list):
        return any(_leads_to(one, path, value) for one in found)
    if not path:
        return str(found) == value
    return isinstance(found, dict) and path[0] in found and _leads_to(found[path[0]], path[1:], value)
