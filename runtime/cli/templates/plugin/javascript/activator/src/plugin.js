// Sets the speed of a line on an element that speaks REST.

import { NOT_APPLIED, activator } from "ferrule-plugin";
import * as config from "ferrule-plugin/config";
import { refused, send } from "ferrule-plugin/http";
import * as log from "ferrule-plugin/log";

export const { work, undo, probe, description } = activator({
  input: {
    type: "object",
    properties: {
      element: { type: "string", description: "the element; its address is the setting `element.<name>`" },
      line: { type: "integer", description: "the line" },
    },
    required: ["element", "line"],
    additionalProperties: false,
  },
  output: {
    type: "object",
    properties: { mbps: { type: "integer", description: "the speed that was set" } },
    required: ["mbps"],
  },

  run(context, input) {
    const mbps = context.characteristic("downstreamSpeed");
    const response = send(context, "PUT", address(input), { json: { mbps } });
    if (!response.ok) throw refused(response, input.element);
    log.info(`line ${input.line} runs at ${mbps} Mb/s`);
    return { mbps };
  },

  undo(context, input) {
    const response = send(context, "DELETE", address(input));
    // Work that is not there is as good as undone.
    if (!response.ok && response.status !== 404) throw refused(response, input.element);
  },

  probe(context, input) {
    const response = send(context, "GET", address(input));
    if (response.status === 404) return NOT_APPLIED;
    if (!response.ok) throw refused(response, input.element);
    // Only a line that carries our key was set by us.
    const line = response.json();
    return line?.idempotencyKey === context.key ? { mbps: line.mbps } : NOT_APPLIED;
  },
});

const address = (input) => `${config.require(`element.${input.element}`)}/lines/${input.line}`;
