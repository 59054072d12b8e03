import assert from "node:assert/strict";
import { test } from "node:test";

import { rating } from "../src/plugin.js";

test("a price is charged for the quantity with its tax", () => {
  const [charge] = rating.rate({
    prices: [{ id: "activation", name: "Activation", amount: { currency: "EUR", amount: "9.99" } }],
    quantity: 3,
    start: "2026-03-10",
    taxRate: "20",
  });
  assert.equal(charge.net.amount, "29.97");
  assert.equal(charge.tax.amount, "5.99");
});
