"""Checks the table of `schema.json`: prints the path, expected and got of each row, or `null`."""

import importlib.util
import json
import sys

# The module alone: its package needs the bindings of a project.
spec = importlib.util.spec_from_file_location("schema_of_sdk", f"{sys.argv[1]}/ferrule_plugin/schema.py")
schema = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = schema
spec.loader.exec_module(schema)

with open(sys.argv[2], encoding="utf-8") as table:
    rows = json.load(table)
for row in rows:
    schema.known(row["schema"], "input")
    wrong = schema.mismatch(row["schema"], row["value"])
    print(json.dumps(wrong and [wrong.path, wrong.expected, wrong.got], ensure_ascii=False))
try:
    schema.known({"properties": {"a": {"dependentRequired": {}}}}, "input")
except TypeError as refused:
    print(refused)
