// Reserves a VLAN and, if the input asks for it, an address.

import { allocator } from "ferrule-plugin";
import { reserve } from "ferrule-plugin/reservation";

export const { allocation, description } = allocator({
  input: {
    type: "object",
    properties: {
      vlans: { type: "string", description: "the pool of VLANs" },
      addresses: { type: "string", description: "the pool of addresses, if one is wanted" },
    },
    required: ["vlans"],
    additionalProperties: false,
  },
  output: {
    type: "object",
    properties: { vlan: { type: "string" }, address: { type: "string" } },
    required: ["vlan"],
  },

  allocate(context, input) {
    const vlan = reserve(input.vlans, "vlan").value;
    return input.addresses === undefined
      ? { vlan }
      : { vlan, address: reserve(input.addresses, "address").value };
  },
});
