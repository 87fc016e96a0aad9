#!/usr/bin/env python3
"""freeze.py TID [hold]: stops one thread of a process, not the others. Ends with the thread; with hold it
stays, and the process, though killed, cannot be reaped, like one in an uninterruptible sleep."""
import ctypes
import os
import sys
import time

SEIZE, INTERRUPT = 0x4206, 0x4207
libc = ctypes.CDLL(None, use_errno=True)
tid = int(sys.argv[1])
for request in SEIZE, INTERRUPT:
    if libc.ptrace(request, tid, None, None) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
os.waitpid(tid, 0x40000000)     # __WALL
print("frozen", flush=True)
if sys.argv[2:]:
    time.sleep(600)
os.waitpid(tid, 0x40000000)
