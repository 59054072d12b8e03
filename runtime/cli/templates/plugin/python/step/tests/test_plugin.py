import unittest

from componentize_py_types import Err
from ferrule_plugin import fake
from plugin import Work


class Tests(unittest.TestCase):
    def test_a_profile_follows_from_the_speed(self):
        for mbps, profile in {1: "bronze", 100: "bronze", 101: "silver", 1000: "gold"}.items():
            answer = Work.run(fake.task({"mbps": mbps}))
            self.assertEqual(fake.outputs(answer), {"profile": profile})

    def test_no_speed_is_rejected(self):
        with self.assertRaises(Err) as raised:
            Work.run(fake.task({"mbps": 0}))
        self.assertEqual(raised.exception.value.code, "SPEED_INVALID")
