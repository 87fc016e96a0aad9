#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves: over a day of traffic of 60 clients, 5 of which have the product, each question of the manual's
section QUESTIONS has its answer from the records alone, by the very line that stands there."""
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from tap import check, done_testing  # noqa: E402

NFQD = os.environ.get("NFQD", "build/nfqd")
folder = tempfile.TemporaryDirectory()
pcap, log = os.path.join(folder.name, "day.pcap"), os.path.join(folder.name, "eve.json")
truth = json.loads(subprocess.run(["tools/day", pcap], check=True, capture_output=True, timeout=120).stdout)
with open(log, "w") as f:
    subprocess.run([NFQD, "-r", pcap, "--rules", "rules/kaspersky.yaml"], check=True, stdout=f,
                   stderr=subprocess.DEVNULL, timeout=120)


def questions():
    """the manual's lines, by the first words of what stands above each"""
    with open("nfqd/man/nfqd.8") as manual:
        section = re.search(r"^\.Sh QUESTIONS\n(.*?)^\.Sh ", manual.read(), re.S | re.M).group(1)
    for part in section.split("\n.Pp\n"):
        line = re.search(r"^jq .*$", part, re.M)
        if line:
            yield " ".join(part.split()[:3]), line.group(0)


def answer(line):
    p = subprocess.run(line, shell=True, cwd=folder.name, capture_output=True, text=True, timeout=60)
    return p.stderr or [tuple(row.split("\t")) for row in p.stdout.splitlines()]


def counted(*keys):
    """rows of those keys of the truth, with how often each came"""
    return sorted((*key, str(n)) for key, n in Counter(tuple(t[k] for k in keys) for t in truth).items())


def stamp(second):
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


lines = dict(questions())
clients = sorted({t["client"] for t in truth})
check(len(clients) == 5 and len(truth) > 150, "the day has five machines with the product", (clients, len(truth)))
got = answer(lines["Which machines have"])
check(got == [(c,) for c in clients], "which", got)
got = [(c, first[:19], last[:19]) for c, first, last in answer(lines["Since when, and"])]
seconds = {c: [t["second"] for t in truth if t["client"] == c] for c in clients}
check(got == [(c, stamp(min(seconds[c])), stamp(max(seconds[c]))) for c in clients], "since when", got)
got = answer(lines["How often, each"])
check(got == [(c, "2026-11-23", n) for c, n in counted("client")], "how often", got)
got = [(c, name, n) for c, name, _, n in answer(lines["To what: .Bd"])]
check(sorted(got) == counted("client", "name"), "to what", got)
got = answer(lines["Over which channel:"])
check(sorted(got) == counted("client", "channel"), "over which channel", got)
got = answer(lines["Under whose date"])
check(len(got) >= 1 and sum(int(row[5]) for row in got) == len(truth) and
      all(row[0] == "kaspersky" and row[3] in ("law", "vendor", "site") and row[4] for row in got),
      "by whose date", got)
got = answer(lines["What was to"])
check(got == [(c, "log", "capture", n) for c, n in counted("client")], "leaked: all of it, since nothing was blocked",
      got)
check(len(lines) == 8, "and whether nfqd was watching, which tests/kernel/45-records.t asks", sorted(lines))
done_testing()
