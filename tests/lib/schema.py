#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks records (files, or standard input) against the JSON Schema that is shipped, with Debian's
python3-jsonschema: each line keeps to it and is shorter than 8 KiB. Prints what does not, exit status 1."""
import json
import os
import sys

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(HERE, "..", "..", "nfqd", "man", "nfqd-records.schema.json")
LONGEST = 8191

with open(SCHEMA) as f:
    schema = json.load(f)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)


def complaints(lines):
    """yields (line number, what is wrong)"""
    for n, line in enumerate(lines, 1):
        if len(line) > LONGEST + 1:
            yield n, f"{len(line)} bytes"
        for error in validator.iter_errors(json.loads(line)):
            yield n, f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"


if __name__ == "__main__":
    bad = 0
    for path in sys.argv[1:] or ["/dev/stdin"]:
        with open(path) as f:
            for number, what in complaints(f):
                bad += 1
                print(f"{path}:{number}: {what}")
    sys.exit(1 if bad else 0)
