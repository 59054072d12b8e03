import json
import pathlib
import unittest

from componentize_py_types import Err
from ferrule_plugin import fake
from plugin import Probe, Undo, Work
from wit_world.imports import types

CASES = json.loads(pathlib.Path(__file__).with_name("cases.json").read_text())

FINDINGS = {"applied": types.Finding_Applied, "not-applied": types.Finding_NotApplied}


def host():
    return fake.Host().setting("element.main", "http://element.test"){{settings}}


def answered(host, request, answer):
    return host.answer(request["method"], request["url"], answer["status"], answer.get("body"))


class Tests(unittest.TestCase):
    def failure(self, act):
        with self.assertRaises(Err) as raised:
            act()
        return raised.exception.value

    def test_each_operation_sends_its_request_under_the_key_of_the_task(self):
        for case in CASES:
            running = answered(host(), case["request"], case["answer"]).start()
            self.assertEqual(fake.outputs(Work.run(fake.task(case["input"]))), case["outputs"])
            [request] = running.requests
            sent = json.loads(request.body) if request.body else None
            self.assertEqual(sent, case["request"]["body"])
            headers = {header.name: header.value for header in request.headers}
            self.assertEqual(headers["idempotency-key"], "key-1")

    def test_a_lost_answer_is_retried_and_a_refusal_is_for_the_operator(self):
        for case in CASES:
            request = case["request"]
            act = lambda: Work.run(fake.task(case["input"]))
            host().no_answer(request["method"], request["url"], "broken").start()
            self.assertEqual(self.failure(act).class_, types.FailureClass.RETRY)
            answered(host(), request, {"status": 400}).start()
            self.assertEqual(self.failure(act).class_, types.FailureClass.OPERATOR)

    def test_accepted_work_is_not_taken_for_done(self):
        for case in CASES:
            answered(host(), case["request"], {"status": 202}).start()
            try:
                answer = Work.run(fake.task(case["input"]))
                is_done = isinstance(answer, types.Outcome_Done)
                told = "done" if is_done else "".join(answer.value.keys)
            except Err as failure:
                told = failure.value.code
            self.assertEqual(told, case["accepted"], case["operation"])

    def test_work_is_undone_also_if_it_is_not_there(self):
        for case in CASES:
            for status in (204, 404):
                running = host()
                if case["undo"]:
                    answered(running, case["undo"], {"status": status})
                running.start()
                act = lambda: Undo.undo(fake.undo(fake.task(case["input"])), json.dumps(case["outputs"]))
                if case["undoUndecided"]:
                    self.assertEqual(self.failure(act).code, "UNDO_UNDECIDED")
                else:
                    self.assertIsInstance(act(), types.Outcome_Done)
                self.assertEqual(running.answers, [])

    def test_a_probe_finds_the_work_of_its_task(self):
        for case in CASES:
            for probed in case["probes"]:
                running = host()
                if probed["request"]:
                    answered(running, probed["request"], probed["answer"])
                running.start()
                act = lambda: Probe.probe(fake.task(case["input"]))
                if probed["finding"] == "undecided":
                    self.assertEqual(self.failure(act).code, "PROBE_UNDECIDED")
                else:
                    self.assertIsInstance(act(), FINDINGS[probed["finding"]])
