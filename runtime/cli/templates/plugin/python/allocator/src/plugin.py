"""Reserves a VLAN and, if the input asks for it, an address."""

from ferrule_plugin import Allocator, exports
from ferrule_plugin.reservation import reserve


class Adapter(Allocator):
    input = {
        "type": "object",
        "properties": {
            "vlans": {"type": "string", "description": "the pool of VLANs"},
            "addresses": {"type": "string", "description": "the pool of addresses, if one is wanted"},
        },
        "required": ["vlans"],
        "additionalProperties": False,
    }
    output = {
        "type": "object",
        "properties": {"vlan": {"type": "string"}, "address": {"type": "string"}},
        "required": ["vlan"],
    }

    def allocate(self, context, input):
        output = {"vlan": reserve(input["vlans"], "vlan")}
        if "addresses" in input:
            output["address"] = reserve(input["addresses"], "address")
        return output


Allocation, Description = exports(Adapter)
