import assert from "node:assert/strict";
import { test } from "node:test";

import { Context } from "ferrule-plugin";

import { work } from "../src/plugin.js";

const run = (mbps) => work.run(Context.task({ mbps }));

test("a profile follows from the speed", () => {
  for (const [mbps, profile] of [[1, "bronze"], [100, "bronze"], [101, "silver"], [1000, "gold"]]) {
    assert.deepEqual(JSON.parse(run(mbps).val.outputs), { profile });
  }
});

test("no speed is rejected", () => {
  assert.throws(() => run(0), { class: "reject", code: "SPEED_INVALID" });
});
