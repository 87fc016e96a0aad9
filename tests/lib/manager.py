#!/usr/bin/env python3
"""What systemd is to nfqd at a restart: keeps the descriptors that it is given (FDSTORE), and gives them to the next one.

  manager.py SOCKET COMMAND...   until COMMAND ends otherwise than after SIGHUP; its exit code

SIGHUP: SIGTERM for the command, then again the command. SIGTERM goes to the command, and what was kept is closed.
Prints how many descriptors each command got.
"""
import array
import fcntl
import os
import signal
import socket
import sys

PATH, *COMMAND = sys.argv[1:]
HIGH = 100  # above all descriptors of the command's
wanted = {"again": False}
kept = []
child = 0


def begin():
    """starts the command with what is kept as its descriptors 3, 4, ... (sd_listen_fds(3))"""
    global child
    print("started with", len(kept), "descriptors", flush=True)
    child = os.fork()
    if child:
        return
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH) for _, fd in kept]  # none is another's place
    for i, fd in enumerate(sources):
        os.dup2(fd, 3 + i, inheritable=True)
    env = dict(os.environ, NOTIFY_SOCKET=PATH)
    if kept:
        env.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=":".join(n for n, _ in kept))
    os.execvpe(COMMAND[0], COMMAND, env)


def forget(name):
    for row in [r for r in kept if r[0] == name]:
        kept.remove(row)
        os.close(row[1])


def read(sock):
    """one message of sd_notify(3)"""
    data, ancillary, _, _ = sock.recvmsg(4096, socket.CMSG_SPACE(64 * 4))
    fds = array.array("i")
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(value[:len(value) - len(value) % fds.itemsize])
    words = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
    if words.get("FDSTORE") == "1":
        kept.extend((words["FDNAME"], fd) for fd in fds)
        return
    if words.get("FDSTOREREMOVE") == "1":
        forget(words["FDNAME"])
    for fd in fds:  # of a barrier: it ends when they are closed
        os.close(fd)


def on_signal(number, _):
    wanted["again"] = number == signal.SIGHUP
    os.kill(child, signal.SIGTERM)


def main():
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(PATH)
    sock.settimeout(0.01)
    signal.signal(signal.SIGHUP, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    begin()
    while True:
        try:
            read(sock)
            continue
        except TimeoutError:
            pass
        pid, status = os.waitpid(child, os.WNOHANG)
        if not pid:
            continue
        if not wanted["again"]:
            return os.waitstatus_to_exitcode(status)
        wanted["again"] = False
        begin()


sys.exit(main())
