import assert from "node:assert/strict";
import { test } from "node:test";

import { Context } from "ferrule-plugin";
import { Host } from "ferrule-plugin/fake";

import { probe, undo, work } from "../src/plugin.js";

const LINE = "http://olt.test/lines/7";
const host = () => new Host().setting("element.olt-1", "http://olt.test");
const task = () =>
  Context.task({ element: "olt-1", line: 7 }, { characteristics: { downstreamSpeed: 200 } });
const outputs = (answer) => JSON.parse(answer.val.outputs);

test("a line is set under the key of the task", () => {
  const { requests } = host().answer("PUT", LINE, 204).start();
  assert.deepEqual(outputs(work.run(task())), { mbps: 200 });
  assert.deepEqual(JSON.parse(requests[0].text), { mbps: 200 });
  assert.equal(requests[0].header("idempotency-key"), "key-1");
});

test("a lost answer is retried", () => {
  host().noAnswer("PUT", LINE, "broken").start();
  assert.throws(() => work.run(task()), { class: "retry", code: "ELEMENT_UNREACHABLE" });
});

test("a line that is not there is as good as undone", () => {
  host().answer("DELETE", LINE, 404).start();
  assert.equal(undo.undo(Context.undo(task())).tag, "done");
});

test("only a line with the key of the task was set by it", () => {
  for (const [key, tag] of [["key-1", "applied"], ["other", "not-applied"]]) {
    host().answer("GET", LINE, 200, { mbps: 200, idempotencyKey: key }).start();
    assert.equal(probe.probe(task()).tag, tag);
  }
});
