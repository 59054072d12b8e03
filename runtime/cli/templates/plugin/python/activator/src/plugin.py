"""Sets the speed of a line on an element that speaks REST."""

from ferrule_plugin import Activator, NotApplied, config, exports, log
from ferrule_plugin.http import refused, send


class Adapter(Activator):
    input = {
        "type": "object",
        "properties": {
            "element": {
                "type": "string",
                "description": "the element; its address is the setting `element.<name>`",
            },
            "line": {"type": "integer", "description": "the line"},
        },
        "required": ["element", "line"],
        "additionalProperties": False,
    }
    output = {
        "type": "object",
        "properties": {"mbps": {"type": "integer", "description": "the speed that was set"}},
        "required": ["mbps"],
    }

    def run(self, context, input):
        mbps = context.characteristic("downstreamSpeed")
        response = send(context, "PUT", address(input), body={"mbps": mbps})
        if not response.ok:
            raise refused(response, input["element"])
        log.info(f"line {input['line']} runs at {mbps} Mb/s")
        return {"mbps": mbps}

    def undo(self, context, input, output):
        response = send(context, "DELETE", address(input))
        # Work that is not there is as good as undone.
        if not response.ok and response.status != 404:
            raise refused(response, input["element"])

    def probe(self, context, input):
        response = send(context, "GET", address(input))
        if response.status == 404:
            return NotApplied
        if not response.ok:
            raise refused(response, input["element"])
        # Only a line that carries our key was set by us.
        line = response.json() or {}
        if line.get("idempotencyKey") != context.key:
            return NotApplied
        return {"mbps": line["mbps"]}


def address(input):
    return f"{config.require('element.' + input['element'])}/lines/{input['line']}"


Work, Undo, Probe, Description = exports(Adapter)
