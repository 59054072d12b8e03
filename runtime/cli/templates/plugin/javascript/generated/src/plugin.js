// An adapter for {{api}}. Comments with `DECIDE` are for a person: the description of the API leaves them open.

import { Failure, NOT_APPLIED, activator } from "ferrule-plugin";

import { operations } from "./operations.js";
import { input, output } from "./schema.js";

const chosen = (input) => {
  const [[name, given] = []] = Object.entries(input);
  const operation = Object.hasOwn(operations, name ?? "") ? operations[name] : undefined;
  if (!operation || Object.keys(input).length !== 1 || typeof given !== "object" || !given) {
    const names = Object.keys(operations).join("`, `");
    throw Failure.operator("BAD_INPUT", `the input has one of the keys \`${names}\`, with what it is given`);
  }
  return [operation, given];
};

export const { work, undo, probe, {{callbacks}}description } = activator({
  input,
  output,

  run(context, input) {
    const [operation, given] = chosen(input);
    return operation.run(context, given);
  },

  undo(context, input, output) {
    const [operation, given] = chosen(input);
    return operation.undo(context, given, output ?? {});
  },

  probe(context, input) {
    const [operation, given] = chosen(input);
    return operation.probe(context, given);
  },
{{resume}}});
