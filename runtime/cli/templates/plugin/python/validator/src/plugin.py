"""Rejects an order without a contact."""

from ferrule_plugin import Failure, Validator, exports


class Adapter(Validator):
    input = {"type": "object", "properties": {"relatedParty": {"type": "array"}}}
    output = {
        "type": "object",
        "properties": {"contacts": {"type": "integer", "description": "the number of contacts"}},
        "required": ["contacts"],
    }

    def validate(self, context, order):
        parties = order.get("relatedParty", [])
        contacts = sum(1 for party in parties if party.get("role") == "contact")
        if contacts == 0:
            message = "the order has no contact: add a `relatedParty` with the role `contact`"
            raise Failure.reject("CONTACT_MISSING", message)
        return {"contacts": contacts}


Validation, Description = exports(Adapter)
