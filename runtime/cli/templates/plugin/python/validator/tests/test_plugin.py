import unittest

from componentize_py_types import Err
from ferrule_plugin import fake
from plugin import Validation


class Tests(unittest.TestCase):
    def test_an_order_with_a_contact_is_accepted(self):
        order = {"relatedParty": [{"role": "customer"}, {"role": "contact"}]}
        self.assertEqual(fake.outputs(Validation.validate(fake.task(order))), {"contacts": 1})

    def test_an_order_without_a_contact_is_rejected(self):
        with self.assertRaises(Err) as raised:
            Validation.validate(fake.task({}))
        self.assertEqual(raised.exception.value.code, "CONTACT_MISSING")
