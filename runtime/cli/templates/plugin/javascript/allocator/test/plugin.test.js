import assert from "node:assert/strict";
import { test } from "node:test";

import { Context } from "ferrule-plugin";
import { Host } from "ferrule-plugin/fake";

import { allocation } from "../src/plugin.js";

test("values come from the pools of the input", () => {
  new Host().pool("vlans", ["100"]).pool("addresses", ["10.0.0.4"]).start();
  const { outputs } = allocation.allocate(Context.task({ vlans: "vlans", addresses: "addresses" }));
  assert.deepEqual(JSON.parse(outputs), { vlan: "100", address: "10.0.0.4" });
});

test("an empty pool is for the operator", () => {
  new Host().pool("vlans", []).start();
  const allocate = () => allocation.allocate(Context.task({ vlans: "vlans" }));
  assert.throws(allocate, { class: "operator", code: "POOL_EXHAUSTED" });
});
