import assert from "node:assert/strict";
import { test } from "node:test";

import { decomposition } from "../src/plugin.js";

const decompose = (characteristics) =>
  decomposition.decompose({
    spec: "WAN",
    action: "add",
    characteristics: JSON.stringify(characteristics),
    order: "{}",
    attributes: [],
  });

test("each site has an access", () => {
  const made = decompose({ sites: ["Bern", "Basel"] });
  assert.deepEqual(made.map((one) => one.characteristics), ['{"site":"Bern"}', '{"site":"Basel"}']);
});

test("sites that are no list are rejected", () => {
  assert.throws(() => decompose({ sites: 2 }), { class: "reject" });
});
