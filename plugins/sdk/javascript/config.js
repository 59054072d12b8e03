// The settings that the operator gave this plugin.

import config from "ferrule:plugin/config@0.2.0";

import { Failure } from "./index.js";

/** The value of a setting; undefined if it is not set. */
export const get = (name) => config.get(name) ?? undefined;

/** The value of a mandatory setting. */
export function require(name) {
  const value = get(name);
  if (value === undefined) {
    const lines = `"${name}" = "..."`;
    const message = `setting \`${name}\` is missing; add \`${lines}\` under \`[plugins.<id>.config]\` in the operator's ferrule.toml`;
    throw Failure.operator("SETTING_MISSING", message);
  }
  return value;
}
