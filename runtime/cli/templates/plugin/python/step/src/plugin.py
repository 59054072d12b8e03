"""Computes something of the input, without reaching outside."""

from ferrule_plugin import Failure, Step, exports


class Adapter(Step):
    input = {
        "type": "object",
        "properties": {"mbps": {"type": "integer", "description": "the speed in Mb/s"}},
        "required": ["mbps"],
        "additionalProperties": False,
    }
    output = {
        "type": "object",
        "properties": {"profile": {"type": "string", "description": "the name of the profile"}},
        "required": ["profile"],
    }

    def run(self, context, input):
        mbps = input["mbps"]
        if mbps < 1:
            raise Failure.reject("SPEED_INVALID", "`mbps` must be at least 1")
        return {"profile": "bronze" if mbps <= 100 else "silver" if mbps <= 500 else "gold"}


Work, Description = exports(Adapter)
