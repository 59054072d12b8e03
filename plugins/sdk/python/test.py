"""Runs the unit tests of a project natively, with the bindings that its component would have."""

import shutil
import sys
import unittest

from build import componentize

BINDINGS = "build/bindings"

shutil.rmtree(BINDINGS, ignore_errors=True)
componentize("bindings", BINDINGS)
sys.path[:0] = ["src", "vendor", BINDINGS]
unittest.main(module=None, argv=["test", "discover", "-s", "tests"])
