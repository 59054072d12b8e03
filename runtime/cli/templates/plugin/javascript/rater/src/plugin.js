// Charges every price whole, for the quantity of the item. Amounts are text, and computed in cents.

import { Failure, rater } from "ferrule-plugin";

export const { rating } = rater({
  rate({ prices, quantity, taxRate }) {
    return prices.map((price) => {
      const rate = price.taxRate ?? taxRate;
      const net = cents(price.amount.amount) * quantity;
      // Half up, as bills are rounded.
      const tax = Math.floor((net * Number(rate)) / 100 + 0.5);
      const money = (amount) => ({ currency: price.amount.currency, amount: text(amount) });
      return { price: price.id, net: money(net), tax: money(tax), taxRate: rate };
    });
  },
});

function cents(amount) {
  const found = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(amount);
  if (!found) throw Failure.operator("AMOUNT", `the amount \`${amount}\` is not one in cents`);
  return Number(found[1]) * 100 + Number((found[2] ?? "0").padEnd(2, "0"));
}

function text(amount) {
  return `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, "0")}`;
}
