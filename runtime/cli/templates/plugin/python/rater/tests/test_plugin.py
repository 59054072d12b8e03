import unittest

from plugin import Rating
from wit_world.exports.rating import Price, Request
from wit_world.imports.types import Money


class Tests(unittest.TestCase):
    def test_a_price_is_charged_for_the_quantity_with_its_tax(self):
        price = Price("activation", "Activation", Money("EUR", "9.99"), None, None, [])
        [charge] = Rating.rate(Request([price], 3, "2026-03-10", None, "20", []))
        self.assertEqual((charge.net.amount, charge.tax.amount), ("29.97", "5.99"))
