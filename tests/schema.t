#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves: the JSON Schemas of nfqd.yaml and of packs (nfqd --schema) are valid, take what is shipped, and refuse what
`nfqd -t` refuses for its shape; and `nfqd -t --json` names file, line, key and value of every mistake and warning."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, "tests/lib")
from tap import check, done_testing  # noqa: E402

NFQD = os.environ.get("NFQD", "build/nfqd")
PACK = os.path.abspath("rules/kaspersky.yaml")
RULES = f"rules: [{PACK}]\n"


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: `off` is a text, a date as well."""
    yaml_implicit_resolvers = {}


for tag, pattern, first in [("bool", r"^(true|false)$", "tf"), ("int", r"^([-+]?[0-9]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
                            ("float", r"^[-+]?[0-9]+\.[0-9]*$", "-+0123456789"), ("null", r"^(null|~|)$", ["n", "~", ""])]:
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))

work = tempfile.TemporaryDirectory()
validator = {}
for of in ("config", "pack"):
    schema = json.loads(subprocess.run([NFQD, "--schema", of], capture_output=True, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator[of] = jsonschema.Draft7Validator(schema)


def schema_says(of, text):
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:200]}"
            for e in validator[of].iter_errors(yaml.load(text, Core))]


def nfqd_says(of, text):
    """what -t --json prints of a file with this text"""
    path = os.path.join(work.name, f"{of}.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    run = subprocess.run([NFQD, "-t", "--json", "-c" if of == "config" else "--rules", path], capture_output=True)
    said = json.loads(run.stdout)
    if (run.returncode == 0) != said["ok"] or run.stderr:
        check(False, "-t --json: exit status and `ok` agree, standard error is empty", run.returncode, run.stderr)
    return said


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def both_take(of, what, text):
    by_schema, by_nfqd = schema_says(of, text), nfqd_says(of, text)["mistakes"]
    check(not by_schema and not by_nfqd, f"{of}: {what}: schema and nfqd -t take it", by_schema, by_nfqd)


def both_refuse(of, key, text):
    by_schema, said = schema_says(of, text), nfqd_says(of, text)
    keys = [m.get("key") for m in said["mistakes"]]
    whole = all(m.get("file") and m.get("line") for m in said["mistakes"])
    check(by_schema and key in keys and whole, f"{of}: schema and nfqd -t refuse {key}: {text.splitlines()[-1][:60]}",
          by_schema, said["mistakes"])


# ---- what is shipped, and forms that are less usual ----

check(not schema_says("config", read("nfqd/man/nfqd.yaml")), "config: the one that is shipped")
for path in sorted(set(glob.glob("rules/*.yaml")) - {"rules/never.yaml", "rules/TEMPLATE.yaml"}):
    wrong = schema_says("pack", read(path))
    check(not wrong, f"pack: {path}", *wrong)
for what, text in {
    "every default, written out": re.sub(r"^#.*\n", "", subprocess.run(
        [NFQD, "-t", "-d", "--rules", PACK], capture_output=True, text=True, check=True).stdout),
    "one value for a list of interfaces": RULES + "inspect: {inside: auto}",
    "a word that stands for a number": RULES + "inspect: {queues: auto}\nheartbeat: off",
    "a number in hexadecimal": RULES + "inspect: {queue-num: 0x40}",
    "a number in quotes": RULES + "inspect: {queues: '2'}",
    "numbers as texts": RULES + "policies: [{name: 1, match: {packs: [kaspersky]}, action: log, until: 2099-01-01}]",
    "a version that is a number": RULES + "log: {outputs: [{type: file, path: /tmp/x, dns: 2}]}",
    "the old name of on-fault": RULES + "on-exception: {decode: pass}",
    "yes and no": RULES + "inspect: {forward: no}",
}.items():
    wrong = schema_says("config", text)
    said = nfqd_says("config", text)
    check(not wrong and said["ok"], f"config: {what}", wrong, said)

# ---- what is wrong, by key ----

for key, text in [
    ("mode", "mode: enforc"), ("mode", "mode: [log]"), ("fail", "fail: half"), ("colour", "colour: red"),
    ("policies", "policies: {name: x}"), ("action", "policies: [{name: a}]"), ("action", "policies: [{name: a, action: alow}]"),
    ("name", "policies: [{action: log}]"), ("colour", "policies: [{name: a, action: log, colour: red}]"),
    ("dns", "policies: [{name: a, action: reject, dns: 7}]"), ("clients", "policies: [{name: a, action: log, clients: []}]"),
    ("match", "policies: [{name: a, action: log, match: kaspersky}]"),
    ("vendors", "policies: [{name: a, action: log, match: {vendors: [x]}}]"),
    ("packs", "policies: [{name: a, action: log, match: {packs: kaspersky}}]"),
    ("queues", "inspect: {queues: 17}"), ("queues", "inspect: {queues: many}"), ("queue-num", "inspect: {queue-num: -1}"),
    ("forward", "inspect: {forward: maybe}"), ("inside", "inspect: {inside: []}"), ("offload", "inspect: {offload: run}"),
    ("prefilter", "inspect: {prefilter: on}"), ("heartbeat", "heartbeat: 5"), ("heartbeat", "heartbeat: soon"),
    ("server", "resolve: {interval: 6h}"), ("interval", "resolve: {server: 9.9.9.9, interval: 6}"),
    ("decode", "on-fault: {decode: shrug}"), ("type", "log: {outputs: [{path: x}]}"), ("type", "log: {outputs: [{type: fil}]}"),
    ("fold", "log: {fold: 1y}"), ("max-size", "sightings: {max-size: 0}"), ("reason",
     "exceptions: [{name: x, names: [a.example], owner: o, expires: 2099-01-01}]"),
]:
    both_refuse("config", key, RULES + text)
both_refuse("config", "rules", "mode: log")

HEAD = "pack: p\nvendor: v\nversion: 2026.01.01.1\nsources: [{id: s, title: t, url: 'https://a.example/', publisher: x, retrieved: 2026-01-01}]\n"
STAGE = "stages: [{id: t, from: 2026-01-01, action: reject, basis: site-policy}]\n"
ENTRY = "id: e, names: [a.example.com], category: telemetry, sources: [s], confidence: vendor-documented, side_effect: none"
for key, text in [
    ("vendor", "pack: p\nversion: 1\nsources: []\nstages: []\nentries: []"), ("entries", HEAD + STAGE), ("colour", HEAD + STAGE + "entries: []\ncolour: red"),
    ("action", HEAD + "entries: []\nstages: [{id: t, from: 2026-01-01, action: maybe, basis: site-policy}]"),
    ("basis", HEAD + "entries: []\nstages: [{id: t, from: 2026-01-01, action: log}]"),
    ("category", HEAD + STAGE + f"entries: [{{{ENTRY.replace('telemetry', 'telemetri')}}}]"),
    ("sources", HEAD + STAGE + f"entries: [{{{ENTRY.replace('sources: [s]', 'sources: []')}}}]"),
    ("sid", HEAD + STAGE + f"entries: [{{{ENTRY}, sid: many}}]"), ("shared", HEAD + STAGE + f"entries: [{{{ENTRY}, shared: perhaps}}]"),
    ("cidr", HEAD + STAGE + "entries: []\nnets: [{category: telemetry, sources: [s], confidence: observed}]"),
    ("entries", HEAD + STAGE + "entries: none"), ("names", HEAD + STAGE + f"entries: [{{{ENTRY.replace('[a.example.com]', 'a.example.com')}}}]"),
]:
    both_refuse("pack", key, text)

# ---- -t --json ----

said = nfqd_says("config", RULES + "mode: enforc\npolicies:\n  - {name: a, clients: [10.0.0.300], action: log}\n"
                 "  - {name: b, match: {packs: [kasperski]}, action: log}\ninspect: {proxies: [70000]}\n")
check([(m["line"], m.get("item"), m["key"], m["value"]) for m in sorted(said["mistakes"], key=lambda m: m["line"])] == [
    (2, None, "mode", "enforc"), (4, "policy 'a'", "client", "10.0.0.300"), (5, "policy 'b'", "pack", "kasperski"),
    (6, None, "proxies", "70000")], "-t --json: line, item, key and value of each mistake", said)
said = nfqd_says("config", RULES + "inspect: {inside: [nfqd-none0]}\npolicies: [{name: a, action: log}, {name: b, action: reject}]\n")
check(said["ok"] and [(w.get("line"), w.get("item"), w.get("key"), w.get("value")) for w in said["warnings"]] == [
    (2, None, "inside", "nfqd-none0"), (None, "policy 'b'", None, None)], "-t --json: so for warnings", said)
said = nfqd_says("config", "rules: [")
check(not said["ok"] and said["mistakes"][0]["line"] == 2, "-t --json: no YAML is a mistake with a line", said)
run = subprocess.run([NFQD, "-t", "--json", "-c", "/nonexistent"], capture_output=True)
check(run.returncode == 1 and "No such file" in json.loads(run.stdout)["mistakes"][0]["text"], "-t --json: nor is a file that is not there", run)
run = subprocess.run([NFQD, "--schema", "packs"], capture_output=True, text=True)
check(run.returncode == 1 and "allowed: config, pack" in run.stderr, "--schema: of what there is no schema", run.stderr)
done_testing()
