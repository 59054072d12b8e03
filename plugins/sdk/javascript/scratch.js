// Small facts that the plugin keeps between its calls, as far as the operator granted it a scratch space. Writes are
// committed with the answer of the call, if that is done or waits.

import scratch from "ferrule:plugin/scratch@0.2.0";

import { Failure } from "./index.js";
import { decode, encode } from "./text.js";

const read = (revision) => {
  if (revision === undefined) return { tag: "any" };
  return revision === null ? { tag: "absent" } : { tag: "revision", val: revision };
};

// A failure of the host is one of the plugin, unless it catches it.
const asked = (ask) => {
  try {
    return ask();
  } catch (error) {
    const cause = error?.payload ?? error;
    throw cause?.class ? new Failure(cause.class, cause.code, cause.message) : error;
  }
};

/** The value of a key as `{ value, text, revision }`; undefined if it has none. */
export function get(key) {
  const entry = asked(() => scratch.get(key));
  if (entry === undefined || entry === null) return undefined;
  const { value, revision } = entry;
  return { value, revision, text: decode(value) };
}

/**
 * Writes the value of a key, a text or bytes. `revision` is the one with which it was read, null if it had no value;
 * without it the last write counts.
 */
export function put(key, value, revision) {
  const bytes = typeof value === "string" ? encode(value) : value;
  asked(() => scratch.put(key, bytes, read(revision)));
}

/** Deletes the value of a key, if it has one. */
export const remove = (key, revision) => asked(() => scratch.delete(key, read(revision)));

/** The keys that begin with `prefix` and come after `after`, at most `limit`: `{ key, bytes, revision }`. */
export const keys = (prefix = "", after = undefined, limit = 1000) =>
  asked(() => scratch.keys(prefix, after, limit));
