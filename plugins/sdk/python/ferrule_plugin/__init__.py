"""Write a Ferrule plugin as a class: derive it from its role, and export what `exports` makes of it.

    from ferrule_plugin import Step, exports

    class Echo(Step):
        def run(self, context, input):
            return input

    Work, Description = exports(Echo)

An input that the schema of the plugin does not allow fails with `BAD_INPUT` before a method of the class is called.
"""

import json
from dataclasses import dataclass
from typing import Any

from componentize_py_types import Err
from wit_world.imports import types

from ferrule_plugin.schema import known, mismatch


class Failure(Exception):
    """Why a call did not succeed. Raise it."""

    def __init__(self, who: types.FailureClass, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.who = who
        self.code = code
        self.message = message
        self.retry_after_ms: int | None = None
        self.attributes: dict[str, str] = {}

    @classmethod
    def retry(cls, code: str, message: str) -> "Failure":
        """The host must act: the same call may succeed later."""
        return cls(types.FailureClass.RETRY, code, message)

    @classmethod
    def reject(cls, code: str, message: str) -> "Failure":
        """The customer's side must act: the order asks for the impossible."""
        return cls(types.FailureClass.REJECT, code, message)

    @classmethod
    def operator(cls, code: str, message: str) -> "Failure":
        """The operator must act: something here must be repaired first."""
        return cls(types.FailureClass.OPERATOR, code, message)

    def after_ms(self, ms: int) -> "Failure":
        """The same with a minimum delay of the retry."""
        self.retry_after_ms = ms
        return self


@dataclass
class Waiting:
    """An answer that comes later, by callback, under one of these keys."""

    keys: list[str]
    timeout_ms: int


class NotApplied:
    """The result of a probe: the work was not applied."""


class Context:
    """The task that a plugin is called for."""

    def __init__(self, task: types.Task):
        self._task = task

    @property
    def fulfilment(self) -> str:
        """The fulfilment that the task belongs to."""
        return self._task.fulfilment

    @property
    def name(self) -> str:
        """The task's name, unique in its fulfilment."""
        return self._task.name

    @property
    def key(self) -> str:
        """The idempotency key: the same for every attempt. Pass it on to the systems that you call."""
        return self._task.idempotency_key

    @property
    def replaces(self) -> str | None:
        """The key of the prior work that this task changes; None if the work is new."""
        return self._task.replaces

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self._task.attempt

    @property
    def deadline_ms(self) -> int:
        """Milliseconds left, when the call began, until the host stops it."""
        return self._task.deadline_ms

    @property
    def callback_url(self) -> str:
        """Where an element may post its answer later."""
        return self._task.callback_url

    @property
    def spec(self) -> str | None:
        """The specification of the item; None for a step of the whole order."""
        return self._task.item.spec if self._task.item else None

    @property
    def input(self) -> Any:
        """The input of the step."""
        return json.loads(self._task.input)

    @property
    def characteristics(self) -> dict[str, Any]:
        """The characteristics of the item, name to value."""
        return json.loads(self._task.item.characteristics) if self._task.item else {}

    def characteristic(self, name: str) -> Any:
        """The value of a mandatory characteristic."""
        value = self.characteristics.get(name)
        if value is None:
            message = f"characteristic `{name}` of `{self.spec}` is missing"
            raise Failure.reject("CHARACTERISTIC_MISSING", message)
        return value


class Described:
    """What a plugin describes of its JSON, as JSON Schemas."""

    input: dict | None = None
    output: dict | None = None
    settings: dict | None = None


class Validator(Described):
    """Validates orders."""

    def validate(self, context: Context, order: Any) -> dict:
        """Gives outputs, or raises a failure of class reject with a message for the order's sender."""
        raise NotImplementedError


class Allocator(Described):
    """Reserves values of pools."""

    def allocate(self, context: Context, input: Any) -> dict:
        """Reserves the values that the input asks for and gives them as outputs."""
        raise NotImplementedError


@dataclass
class Item:
    """An item to decompose."""

    spec: str
    action: str
    characteristics: dict[str, Any]
    order: Any


class Decomposer:
    """Decomposes items where rules in YAML do not suffice."""

    def decompose(self, item: Item) -> list[tuple[str, dict]]:
        """The specification and the characteristics of each part."""
        raise NotImplementedError


class Rater:
    """Turns prices into charges."""

    def rate(self, request: Any) -> list:
        """The charges of a request, as the contract has both."""
        raise NotImplementedError


class Step(Described):
    """Does any step. It may have the methods `undo`, `resume_undo`, `probe` and `resume` too."""

    def run(self, context: Context, input: Any) -> dict | Waiting | None:
        """Does the work; doing it twice must be as good as once."""
        raise NotImplementedError


class Activator(Step):
    """Drives an element: a step whose work can be undone and probed."""

    def undo(self, context: Context, input: Any, output: Any) -> None | Waiting:
        """Undoes the work. If there is none, that is success."""
        raise NotImplementedError

    def probe(self, context: Context, input: Any) -> dict | Waiting | type[NotApplied]:
        """Finds out whether the work was applied. It changes nothing."""
        raise NotImplementedError


def exports(plugin: type):
    """The classes that the component exports, in the order of the world of a new project."""
    if issubclass(plugin, Validator):
        validation = _interface("Validation", validate=lambda task: _done(_call(plugin(), "validate", task)))
        return validation, _description(plugin)
    if issubclass(plugin, Allocator):
        allocation = _interface("Allocation", allocate=lambda task: _done(_call(plugin(), "allocate", task)))
        return allocation, _description(plugin)
    if issubclass(plugin, Decomposer):
        return _interface("Decomposition", decompose=lambda request: _decomposed(plugin(), request))
    if issubclass(plugin, Rater):
        return _interface("Rating", rate=lambda request: plugin().rate(request))
    return *_step(plugin), _description(plugin)


def _interface(name: str, **functions):
    """The class of an exported interface; what its functions raise are failures of the contract."""
    return type(name, (), {key: staticmethod(_answer(act)) for key, act in functions.items()})


def _step(plugin):
    """The interfaces of a step, by the methods that it has."""

    def resumed(name: str):
        return lambda task, answer: _resumed(plugin(), name, task, answer)

    def undo(task, outputs):
        output = None if outputs is None else json.loads(outputs)
        return _outcome(_call(plugin(), "undo", task, output))

    yield _interface("Work", run=lambda task: _outcome(_call(plugin(), "run", task)))
    if hasattr(plugin, "undo"):
        yield _interface("Undo", undo=undo, resume=resumed("resume_undo"))
    if hasattr(plugin, "probe"):
        yield _interface("Probe", probe=lambda task: _finding(_call(plugin(), "probe", task)))
    if hasattr(plugin, "resume"):
        yield _interface("Callbacks", resume=resumed("resume"))


def _answer(act):
    """Turns a failure into that of the contract."""

    def answered(*arguments):
        try:
            return act(*arguments)
        except Failure as failure:
            told = [types.Attribute(name, value) for name, value in failure.attributes.items()]
            made = types.Failure(failure.who, failure.code, failure.message, failure.retry_after_ms, told)
            raise Err(made) from failure

    return answered


def _done(outputs) -> types.Done:
    return types.Done(json.dumps({} if outputs is None else outputs), [])


def _callback(waiting: Waiting) -> types.Callback:
    return types.Callback(waiting.keys, waiting.timeout_ms, [])


def _outcome(answer) -> types.Outcome:
    if isinstance(answer, Waiting):
        return types.Outcome_Waiting(_callback(answer))
    return types.Outcome_Done(_done(answer))


def _finding(answer) -> types.Finding:
    if answer is NotApplied:
        return types.Finding_NotApplied()
    if isinstance(answer, Waiting):
        return types.Finding_Waiting(_callback(answer))
    return types.Finding_Applied(_done(answer))


def _call(plugin: Described, name: str, task: types.Task, *more):
    context = Context(task)
    return getattr(plugin, name)(context, _input(plugin, context), *more)


def _input(plugin: Described, context: Context) -> Any:
    """The input of a task, if it is as the plugin declares it."""
    refused = f"the input of task `{context.name}` cannot be used: "
    try:
        input = context.input
    except ValueError:
        raise Failure.operator("BAD_INPUT", f"{refused}it is no JSON") from None
    wrong = mismatch(plugin.input, input)
    if wrong is None:
        return input
    path, expected, got = wrong.path, wrong.expected, wrong.got
    failure = Failure.operator("BAD_INPUT", f"{refused}`{path}`: expected {expected}, got {got}")
    failure.attributes = {"path": path, "expected": expected, "got": got}
    raise failure


def _decomposed(plugin: Decomposer, request):
    from wit_world.exports import decomposition

    action = request.action.name.lower().replace("_", "-")
    characteristics = json.loads(request.characteristics)
    item = Item(request.spec, action, characteristics, json.loads(request.order))
    made = plugin.decompose(item)
    return [decomposition.Production(spec, json.dumps(values), []) for spec, values in made]


def _resumed(plugin, name: str, task: types.Task, answer: str) -> types.Outcome:
    if not hasattr(plugin, name):
        message = f"task `{task.name}` never waits, yet an answer came for it"
        raise Failure.operator("UNEXPECTED_CALLBACK", message)
    return _outcome(_call(plugin, name, task, json.loads(answer)))


def _description(plugin):
    from wit_world.exports import description

    known(plugin.input, "input")

    def describe():
        schemas = (plugin.input, plugin.output, plugin.settings)
        texts = (None if schema is None else json.dumps(schema) for schema in schemas)
        return description.Schemas(*texts, [])

    return _interface("Description", describe=describe)
