// Reads the inventories, as last committed.

import inventory from "ferrule:plugin/inventory@0.2.0";

/** The document of this kind and id; undefined if there is none. */
export function get(kind, id) {
  const found = inventory.get(kind, id);
  return found === undefined || found === null ? undefined : JSON.parse(found);
}

/** The documents of this kind with this value at this attribute, at most a hundred. */
export const find = (kind, attribute, value) =>
  inventory.find(kind, attribute, value).map((document) => JSON.parse(document));
