// Rejects an order without a contact.

import { Failure, validator } from "ferrule-plugin";

export const { validation, description } = validator({
  input: { type: "object", properties: { relatedParty: { type: "array" } } },
  output: {
    type: "object",
    properties: { contacts: { type: "integer", description: "the number of contacts" } },
    required: ["contacts"],
  },

  validate(context, order) {
    const contacts = (order.relatedParty ?? []).filter((party) => party.role === "contact").length;
    if (contacts === 0) {
      const message = "the order has no contact: add a `relatedParty` with the role `contact`";
      throw Failure.reject("CONTACT_MISSING", message);
    }
    return { contacts };
  },
});
