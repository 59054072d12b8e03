import json
import unittest

from componentize_py_types import Err
from ferrule_plugin import fake
from plugin import Probe, Undo, Work
from wit_world.imports import types

LINE = "http://olt.test/lines/7"


def host():
    return fake.Host().setting("element.olt-1", "http://olt.test")


def task():
    characteristics = {"downstreamSpeed": 200}
    return fake.task({"element": "olt-1", "line": 7}, characteristics=characteristics)


class Tests(unittest.TestCase):
    def test_a_line_is_set_under_the_key_of_the_task(self):
        running = host().answer("PUT", LINE, 204).start()
        self.assertEqual(fake.outputs(Work.run(task())), {"mbps": 200})
        [request] = running.requests
        self.assertEqual(json.loads(request.body), {"mbps": 200})
        headers = {header.name: header.value for header in request.headers}
        self.assertEqual(headers["idempotency-key"], "key-1")

    def test_a_lost_answer_is_retried(self):
        host().no_answer("PUT", LINE, "broken").start()
        with self.assertRaises(Err) as raised:
            Work.run(task())
        self.assertEqual(raised.exception.value.class_, types.FailureClass.RETRY)

    def test_a_line_that_is_not_there_is_as_good_as_undone(self):
        host().answer("DELETE", LINE, 404).start()
        self.assertIsInstance(Undo.undo(fake.undo(task()), None), types.Outcome_Done)

    def test_only_a_line_with_the_key_of_the_task_was_set_by_it(self):
        findings = {"key-1": types.Finding_Applied, "other": types.Finding_NotApplied}
        for key, finding in findings.items():
            line = {"mbps": 200, "idempotencyKey": key}
            host().answer("GET", LINE, 200, line).start()
            self.assertIsInstance(Probe.probe(task()), finding)
