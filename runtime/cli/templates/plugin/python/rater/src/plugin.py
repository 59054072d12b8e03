"""Charges every price whole, for the quantity of the item."""

from decimal import ROUND_HALF_UP, Decimal

from ferrule_plugin import Rater, exports
from wit_world.exports.rating import Charge
from wit_world.imports.types import Money

CENT = Decimal("0.01")


class Adapter(Rater):
    def rate(self, request):
        return [charge(price, request) for price in request.prices]


def charge(price, request):
    rate = price.tax_rate or request.tax_rate
    net = Decimal(price.amount.amount) * request.quantity
    net = net.quantize(CENT, ROUND_HALF_UP)
    tax = (net * Decimal(rate) / 100).quantize(CENT, ROUND_HALF_UP)
    currency = price.amount.currency
    return Charge(
        price=price.id,
        net=Money(currency, str(net)),
        tax=Money(currency, str(tax)),
        tax_rate=rate,
        covers=None,
        prorated=None,
        attributes=[],
    )


Rating = exports(Adapter)
