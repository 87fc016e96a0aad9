#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: long work says on a terminal how far it is, and takes the line away when it is done; not into a pipe.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
python3 - "$(realpath "${NFQCTL:-build/nfqctl}")" <<'END'
import os, pty, subprocess, sys, tempfile, threading, time

nfqctl, rows = sys.argv[1], 0

def row(good, what, seen=b""):
    global rows
    rows += 1
    print(("" if good else "not ") + "ok %d - %s" % (rows, what))
    if not good:
        print("# %r" % seen[-400:])

def run(slowly, until, terminal):
    """What is said while a pipe is read that brings a line now and then, until a text was seen."""
    with tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, "pipe")
        os.mkfifo(fifo)
        ours, theirs = pty.openpty() if terminal else os.pipe()
        process = subprocess.Popen([nfqctl, "log", "verify", fifo], stdout=subprocess.DEVNULL, stderr=theirs,
                                   env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        said = bytearray()

        def read():
            try:
                while data := os.read(ours, 4096):
                    said.extend(data)
            except OSError:     # a terminal that nobody writes to any more
                pass

        reader = threading.Thread(target=read)
        reader.start()
        with open(fifo, "wb", buffering=0) as out:
            end = time.monotonic() + slowly
            while time.monotonic() < end and (not until or until not in said):
                out.write(b"no record\n")
                time.sleep(0.02)
        process.wait()
        reader.join()
        os.close(ours)
        return bytes(said)

said = run(60, b" lines", True)
row(b"reading " in said and b" lines" in said, "on a terminal: how far", said)
row(b"\r\x1b[K" in said[said.find(b" lines"):], "and the line is gone when it is done", said)
said = run(2, None, False)
row(b"\x1b" not in said and b"reading" not in said, "into a pipe: nothing", said)
print("1..%d" % rows)
END
