import assert from "node:assert/strict";
import { test } from "node:test";

import { Context } from "ferrule-plugin";

import { validation } from "../src/plugin.js";

test("an order with a contact is accepted", () => {
  const order = { relatedParty: [{ role: "customer" }, { role: "contact" }] };
  assert.equal(validation.validate(Context.task(order)).outputs, '{"contacts":1}');
});

test("an order without a contact is rejected", () => {
  const rejected = { class: "reject", code: "CONTACT_MISSING" };
  assert.throws(() => validation.validate(Context.task({})), rejected);
});
