import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Context } from "ferrule-plugin";
import { Host } from "ferrule-plugin/fake";

import { probe, undo, work } from "../src/plugin.js";

const cases = JSON.parse(readFileSync(new URL("./cases.json", import.meta.url), "utf8"));
const host = () => new Host().setting("element.main", "http://element.test"){{settings}};
const answered = (host, { method, url }, { status, body }) => host.answer(method, url, status, body ?? undefined);

for (const one of cases) {
  const name = one.operation;

  test(`${name} sends its request under the key of the task`, () => {
    const { requests } = answered(host(), one.request, one.answer).start();
    assert.deepEqual(JSON.parse(work.run(Context.task(one.input)).val.outputs), one.outputs);
    assert.equal(requests.length, 1);
    assert.deepEqual(requests[0].text ? JSON.parse(requests[0].text) : null, one.request.body);
    assert.equal(requests[0].header("idempotency-key"), "key-1");
  });

  test(`a lost answer to ${name} is retried, and a refusal is for the operator`, () => {
    host().noAnswer(one.request.method, one.request.url, "broken").start();
    assert.throws(() => work.run(Context.task(one.input)), { class: "retry" });
    answered(host(), one.request, { status: 400 }).start();
    assert.throws(() => work.run(Context.task(one.input)), { class: "operator" });
  });

  test(`accepted work of ${name} is not taken for done`, () => {
    answered(host(), one.request, { status: 202 }).start();
    let told;
    try {
      const answer = work.run(Context.task(one.input));
      told = answer.tag === "waiting" ? answer.val.keys.join() : answer.tag;
    } catch (failure) {
      told = failure.code;
    }
    assert.equal(told, one.accepted);
  });

  test(`${name} is undone also if it is not there`, () => {
    for (const status of [204, 404]) {
      const running = host();
      if (one.undo) answered(running, one.undo, { status });
      running.start();
      const act = () => undo.undo(Context.undo(Context.task(one.input)), JSON.stringify(one.outputs));
      if (one.undoUndecided) assert.throws(act, { code: "UNDO_UNDECIDED" });
      else assert.equal(act().tag, "done");
      assert.equal(running.answers.length, 0);
    }
  });

  test(`a probe finds the work of ${name}`, () => {
    for (const { request, answer, finding } of one.probes) {
      const running = host();
      if (request) answered(running, request, answer);
      running.start();
      const act = () => probe.probe(Context.task(one.input));
      if (finding === "undecided") assert.throws(act, { code: "PROBE_UNDECIDED" });
      else assert.equal(act().tag, finding);
    }
  });
}
