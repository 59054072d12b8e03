import json
import unittest

from componentize_py_types import Err
from plugin import Decomposition
from wit_world.exports import decomposition
from wit_world.imports import types


def decompose(characteristics):
    text = json.dumps(characteristics)
    request = decomposition.Request("WAN", types.Action.ADD, text, "{}", [])
    return [json.loads(made.characteristics) for made in Decomposition.decompose(request)]


class Tests(unittest.TestCase):
    def test_each_site_has_an_access(self):
        made = decompose({"sites": ["Bern", "Basel"]})
        self.assertEqual(made, [{"site": "Bern"}, {"site": "Basel"}])

    def test_sites_that_are_no_list_are_rejected(self):
        with self.assertRaises(Err) as raised:
            decompose({"sites": 2})
        self.assertEqual(raised.exception.value.class_, types.FailureClass.REJECT)
