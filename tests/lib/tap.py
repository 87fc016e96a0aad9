# SPDX-License-Identifier: GPL-2.0-or-later
"""Test Anything Protocol for tests in Python, as tap.sh is for those in shell."""
import os
import sys

# where the programs are that tools/deps has unpacked
os.environ["PATH"] += ":" + os.path.abspath(os.path.join(os.path.dirname(__file__), "../../build/unpacked/programs"))
rows = failed = 0


def check(good, what, *why):
    """A row; why explains a failure."""
    global rows, failed
    rows += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {rows} - {what}", flush=True)
    if not good:
        print(*(f"# {w}" for w in why), sep="\n", flush=True)


def done_testing():
    """Prints the plan; the exit status is the test's."""
    print(f"1..{rows}")
    sys.exit(failed != 0)
