#!/usr/bin/python3
"""The worker of the scenarios: worker.py ACT [ARGUMENT ...]

dump FILE          what it was given, as JSON into FILE, then sleeps
notify [WORD ...]  speaks sd_notify: each WORD in order (`sleep=SECONDS`, `wait=FILE`: until it
                   exists, `fork-mainpid=FILE`, or a line such as READY=1), then sleeps;
                   SIGHUP: RELOADING, once the file $RELOADED exists READY; SIGTERM: STOPPING, then ends
serve              answers each connection on descriptor 3 with its pid
stubborn [FILE]    ignores TERM; a byte in FILE once it does
tree FILE          a daemonised, double-forked grandchild in a session of its own, and a
                   child; their pids into FILE, then sleeps
fdready N          a newline to descriptor N, then sleeps
count N            prints lines 1..N as fast as it can, then sleeps
"""
import os
import signal
import socket
import sys
import time


def sleep_long():
    while True:
        time.sleep(1000)


def dump(path, *_):
    import json
    import resource
    fields = dict(line.rstrip("\n").split(":\t", 1)
                  for line in open("/proc/self/status", encoding="utf-8") if ":\t" in line)
    fds = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            fds[name] = os.readlink("/proc/self/fd/" + name)
        except OSError:
            pass
    mask = os.umask(0)
    os.umask(mask)
    facts = {
        "pid": os.getpid(), "uid": os.getresuid(), "gid": os.getresgid(),
        "groups": sorted(os.getgroups()), "cwd": os.getcwd(), "umask": mask,
        "env": dict(os.environ), "nice": os.nice(0), "sid": os.getsid(0),
        "affinity": sorted(os.sched_getaffinity(0)),
        "oom": int(open("/proc/self/oom_score_adj", encoding="ascii").read()),
        "status": {k: fields[k].strip() for k in (
            "NoNewPrivs", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
            "SigBlk", "SigIgn", "SigCgt")},
        "rlimits": {name[7:].lower(): resource.getrlimit(getattr(resource, name))
                    for name in dir(resource) if name.startswith("RLIMIT_")},
        "fds": fds, "argv": sys.argv[3:],
    }
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        json.dump(facts, f)
    os.rename(path + ".tmp", path)
    sleep_long()


def say(text):
    path = os.environ["NOTIFY_SOCKET"]
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    while True:
        try:
            sock.sendto(text.encode(), "\0" + path[1:] if path[0] == "@" else path)
            break
        except (ConnectionRefusedError, FileNotFoundError):
            time.sleep(0.01)  # the whole node is gone; the next one opens it again
    sock.close()


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def fork_mainpid(path):
    """A child takes over, as daemons do: told by the parent, which ends when it was heard."""
    pid = os.fork()
    if pid == 0:
        sleep_long()
    say("MAINPID=%d" % pid)
    wait_for(path)
    os._exit(0)


def notify(*words):
    def stopping(*_):
        say("STOPPING=1\nSTATUS=packing up")
        time.sleep(0.2)
        os._exit(0)

    def reloading(*_):
        say("RELOADING=1")
        wait_for(os.environ["RELOADED"])
        say("READY=1\nSTATUS=reloaded")
    signal.signal(signal.SIGTERM, stopping)
    signal.signal(signal.SIGHUP, reloading)
    for word in words:
        if word.startswith("sleep="):
            time.sleep(float(word[6:]))
        elif word.startswith("wait="):
            wait_for(word[5:])
        elif word.startswith("fork-mainpid="):
            fork_mainpid(word[13:])
        else:
            say(word)
    sleep_long()


def serve():
    sock = socket.socket(fileno=3)
    while True:
        peer, _ = sock.accept()
        peer.sendall(b"%d\n" % os.getpid())
        peer.close()


def stubborn(path=None):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if path:
        with open(path, "a", encoding="ascii") as f:
            f.write("%d\n" % os.getpid())
    sleep_long()


def tree(path):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open(path, "a", encoding="ascii") as f:
                f.write("%d\n" % os.getpid())
            for fd in range(3):
                os.close(fd)
            sleep_long()
        os._exit(0)
    os.wait()
    if os.fork() == 0:
        sleep_long()
    with open(path, "a", encoding="ascii") as f:
        f.write("%d\n" % os.getpid())
    sleep_long()


def fdready(number):
    os.write(int(number), b"\n")
    sleep_long()


def count(number):
    for i in range(int(number)):
        sys.stdout.write("line %d\n" % (i + 1))
        sys.stdout.flush()
    sleep_long()


if __name__ == "__main__":
    {f.__name__: f for f in (dump, notify, serve, stubborn, tree, fdready, count)}[
        sys.argv[1]](*sys.argv[2:])
