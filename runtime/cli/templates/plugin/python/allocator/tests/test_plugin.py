import unittest

from componentize_py_types import Err
from ferrule_plugin import fake
from plugin import Allocation


class Tests(unittest.TestCase):
    def test_values_come_from_the_pools_of_the_input(self):
        fake.Host().pool("vlans", ["100"]).pool("addresses", ["10.0.0.4"]).start()
        done = Allocation.allocate(fake.task({"vlans": "vlans", "addresses": "addresses"}))
        self.assertEqual(fake.outputs(done), {"vlan": "100", "address": "10.0.0.4"})

    def test_an_empty_pool_is_for_the_operator(self):
        fake.Host().pool("vlans", []).start()
        with self.assertRaises(Err) as raised:
            Allocation.allocate(fake.task({"vlans": "vlans"}))
        self.assertEqual(raised.exception.value.code, "POOL_EXHAUSTED")
