#!/usr/bin/env python3
"""records.py STATE FILE: reads a log that is no longer written, adds what it holds to STATE (JSON): records of
traffic, records of the daemon itself, numbers that are missing, numbers that came twice, lines that are no JSON."""
import json
import os
import sys

STATE, FILE = sys.argv[1:]
state = {"traffic": 0, "own": 0, "missing": 0, "twice": 0, "bad": 0, "next": 1}
if os.path.exists(STATE):
    with open(STATE, encoding="ascii") as f:
        state = json.load(f)
with open(FILE, encoding="utf-8") as f:
    for line in f:
        try:
            record = json.loads(line)
            seq = record["nfqd"]["seq"]
        except (ValueError, KeyError):
            state["bad"] += 1
            continue
        state["own" if record["event_type"] == "nfqd" else "traffic"] += 1
        if seq < state["next"]:
            state["twice"] += 1
        else:
            state["missing"] += seq - state["next"]
            state["next"] = seq + 1
with open(STATE + ".new", "w", encoding="ascii") as f:
    json.dump(state, f)
os.rename(STATE + ".new", STATE)
