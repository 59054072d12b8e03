// Computes something of the input, without reaching outside.

import { Failure, step } from "ferrule-plugin";

export const { work, description } = step({
  input: {
    type: "object",
    properties: { mbps: { type: "integer", description: "the speed in Mb/s" } },
    required: ["mbps"],
    additionalProperties: false,
  },
  output: {
    type: "object",
    properties: { profile: { type: "string", description: "the name of the profile" } },
    required: ["profile"],
  },

  run(context, { mbps }) {
    if (mbps < 1) throw Failure.reject("SPEED_INVALID", "`mbps` must be at least 1");
    return { profile: mbps <= 100 ? "bronze" : mbps <= 500 ? "silver" : "gold" };
  },
});
