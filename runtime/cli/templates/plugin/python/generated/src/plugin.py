"""An adapter for {{api}}.

Comments with `DECIDE` are for a person: the description of the API leaves them open."""

import schema
from ferrule_plugin import Activator, Failure, NotApplied, exports
from operations import OPERATIONS


def chosen(input):
    names = list(input)
    if len(names) != 1 or names[0] not in OPERATIONS or not isinstance(input[names[0]], dict):
        known = "`, `".join(OPERATIONS)
        raise Failure.operator("BAD_INPUT", f"the input has one of the keys `{known}`, with what it is given")
    return OPERATIONS[names[0]], input[names[0]]


class Adapter(Activator):
    input = schema.INPUT
    output = schema.OUTPUT

    def run(self, context, input):
        operation, given = chosen(input)
        return operation.run(context, given)

    def undo(self, context, input, output):
        operation, given = chosen(input)
        return operation.undo(context, given, output or {})

    def probe(self, context, input):
        operation, given = chosen(input)
        return operation.probe(context, given)
{{resume}}

Work, Undo, Probe, {{callbacks}}Description = exports(Adapter)
