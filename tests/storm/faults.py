#!/usr/bin/python3
"""Faults: a process of the node gets errors from the kernel, and then no more.

Wanted of each: nothing is given up for ever, workers that ran are not touched, no line
is lost, and a second after the fault's end all is as it was.
"""
import errno
import mmap
import os
import re
import signal
import struct
import subprocess
import sys
import time

import runner
import harness
from crowd import Lines, processes_of
from harness import NOBODY, Node, ROOT, Skip, alive, until

CONF = """
[application a]
[supervisor a/s]
intensity = 1000
period = 1h
[worker w1]
supervisor = a/s
command = {S} write {D}/count 2000
log_size = infinity
[worker w2]
supervisor = a/s
command = {S} write {D}/count 5000
log_size = infinity
[worker hit]
supervisor = a/s
command = {S} notify
ready = notify
"""
ALL = ["a/w1", "a/w2", "a/hit"]
STEADY = ["a/w1", "a/w2"]
ERRORS = ["EAGAIN", "EMFILE", "ENFILE", "ENOSPC", "EIO", "ENOMEM"]
worst = {}


class Faulty(Node):
    """A node into which faults can be put."""

    def __init__(self, preload=True, uid=None):
        if preload and "-none" not in os.path.realpath(harness.BIN):
            raise Skip("a sanitizer's runtime wants to be loaded first")
        program = os.path.join(harness.BIN, "storm-worker")
        super().__init__(CONF.replace("{S}", program), uid=uid)
        os.mkdir(self.path("count"))
        os.chmod(self.path("count"), 0o777)
        self.order = None
        if preload:
            path = self.write("inject", "\0" * 64, 0o666)
            with open(path, "r+b") as f:
                self.order = mmap.mmap(f.fileno(), 64)
            self.clean_env["STEWARD_INJECT"] = path
            self.clean_env["LD_PRELOAD"] = os.path.join(harness.BIN, "inject.so")

    def __enter__(self):
        self.start()
        self.wait_up(*ALL)
        return self

    def arm(self, program, name):
        self.order[:64] = struct.pack("=iiQ48s", 0, 0, 0, program.encode())
        self.order[:4] = struct.pack("=i", getattr(errno, name))

    def heal(self):
        hits = struct.unpack_from("=Q", self.order, 8)[0]
        self.order[:4] = struct.pack("=i", 0)
        return hits

    def process_of(self, program):
        return (processes_of(self, program) or [0])[0]

    def check_lines(self):
        """Each line that its writer counted stands in a log."""
        Lines(self).check()


def settled(node):
    info = node.call("node.info")
    nodes = node.nodes()
    roles = all(alive(r["pid"]) for r in info["roles"])
    return roles and alive(info["master_pid"]) and all(
        nodes[n]["state"] == "up" and alive(nodes[n]["pid"]) for n in ALL) and nodes


def cycle(node, begin, end, provoke, what):
    """One fault: begins, something happens under it, it ends; all must be back soon."""
    before = until(lambda: settled(node), "all is well before")
    begin()
    touched = provoke()
    time.sleep(0.15)
    end()
    healed = time.monotonic()
    after = until(lambda: settled(node), "all is well again after " + what)
    took = time.monotonic() - healed
    worst[what] = max(worst.get(what, 0), took)
    for name in ALL:
        if name not in touched:
            harness.equal(after[name]["pid"], before[name]["pid"],
                          "%s after %s: pid of %s" % (what, touched, name))
    return after


def provocations(node, program):
    """What is done under a fault; each returns the workers it concerns."""
    def nothing():
        return []

    def hit():
        os.kill(node.nodes_before["a/hit"]["pid"], signal.SIGKILL)
        return ["a/hit"]

    def kill():
        pid = node.process_of(program)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return []

    def master():
        pid = node.process_of("supervisord-master")
        if pid:
            os.kill(pid, signal.SIGKILL)
        return []
    return [nothing, hit, kill, master]


def injected(program):
    node = Faulty()
    hits = 0
    with node:
        for name in ERRORS:
            for provoke in provocations(node, program):
                node.nodes_before = until(lambda: settled(node), "all is well")
                what = "%s in %s, %s" % (name, program, provoke.__name__)
                cycle(node, lambda: node.arm(program, name), node.heal, provoke, what)
                hits += struct.unpack_from("=Q", node.order, 8)[0]
        node.end_all()
        node.check_lines()
    slow = sorted((t, w) for w, t in worst.items() if program in w)[-1]
    return "%d calls failed; slowest: %.2f s after %s" % ((hits,) + (slow[0], slow[1]))


def test_errors_in_the_master():
    """Every error in the master: it goes on, or the next one adopts."""
    return injected("supervisord-master")


def test_errors_in_the_keeper():
    """Every error in the keeper."""
    return injected("supervisord")


def test_errors_in_control():
    """Every error in the control role: it answers again."""
    return injected("supervisord-control")


def test_errors_in_the_logger():
    """Every error in the logger: lines wait, none is lost."""
    return injected("supervisord-logger")


def test_errors_in_the_probe():
    """Every error in the probe: ready is heard afterwards."""
    return injected("supervisord-probe")


def own_limit(pid, name):
    """Soft and hard limit from /proc, as text."""
    titles = {"nproc": "Max processes", "nofile": "Max open files"}
    with open("/proc/%d/limits" % pid, encoding="ascii") as f:
        for line in f:
            if line.startswith(titles[name]):
                return line[len(titles[name]):].split()[:2]
    raise LookupError(name)


def set_limit(pid, name, soft):
    """By prlimit(1) as the owner of the process, who alone may without capabilities."""
    if alive(pid):
        kwargs = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ROOT else {}
        subprocess.run(["prlimit", "--pid", str(pid), "--%s=%s:" % (name, soft)], check=alive(pid),
                       stderr=subprocess.DEVNULL, **kwargs)


def limited(program, limit, low):
    """A resource limit set from outside on one process, later lifted."""
    node = Faulty(preload=False, uid=NOBODY if ROOT else None)
    if ROOT:
        os.chown(node.path("count"), NOBODY, NOBODY)
    with node:
        for provoke in provocations(node, program)[:2]:
            node.nodes_before = until(lambda: settled(node), "all is well")
            pid = node.process_of(program)
            hard = own_limit(pid, limit)[1]
            cycle(node, lambda: set_limit(pid, limit, low), lambda: set_limit(pid, limit, hard),
                  provoke, "limit in %s, %s" % (program, provoke.__name__))
        node.end_all()
        node.check_lines()


def test_no_process_to_be_had():
    """RLIMIT_NPROC of the master: a worker that died comes back when there is room."""
    if not ROOT:
        raise Skip("needs root, to run the node as another user")
    limited("supervisord-master", "nproc", 1)


def test_no_descriptors_in_the_master():
    """RLIMIT_NOFILE of the master."""
    limited("supervisord-master", "nofile", 3)


def test_no_descriptors_in_the_keeper():
    """RLIMIT_NOFILE of the keeper."""
    limited("supervisord", "nofile", 3)


def test_no_descriptors_in_the_roles():
    """RLIMIT_NOFILE of each role."""
    for program in ("control", "logger", "probe"):
        limited("supervisord-" + program, "nofile", 3)


def test_a_full_disk():
    """The disk of logs and state is full and has room again: workers go on, what died
    comes back, and each line that found no room was counted as dropped."""
    if not ROOT:
        raise Skip("needs root, to mount a small disk")
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", __file__,
         "--inside"], capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def inner_full_disk():
    node = Faulty(preload=False)
    for place in ("log", "run"):
        os.makedirs(node.path(place))
        size = {"log": "4m", "run": "8m"}[place]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "small", node.path(place)],
                       check=True)

    def fill():
        for place in ("log", "run"):
            with open(node.path(place, "filler"), "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 4096)
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error

    def empty():
        for place in ("log", "run"):
            os.unlink(node.path(place, "filler"))
    with node:
        try:
            for provoke in provocations(node, "supervisord"):  # a killed logger counts no more
                node.nodes_before = until(lambda: settled(node), "all is well")
                cycle(node, fill, empty, provoke, "full disk, " + provoke.__name__)
            node.end_all()
            written = 0
            for pid in os.listdir(node.path("count")):
                with open(node.path("count", pid), "rb") as f:
                    written += int.from_bytes(f.read(8), "little")
            text = node.log("a/w1") + node.log("a/w2")
            logged = sum(len(w) >= 3 and w[-3] == "line" for w in map(str.split, text.splitlines()))
            drops = [int(n) for n in re.findall(r"-- (\d+) lines \(", text)]
            assert drops, "no line was dropped"
            assert logged + sum(drops) + 2 * len(drops) >= written, "%d + %r of %d lines" % (
                logged, drops, written)
        finally:
            for place in ("log", "run"):
                subprocess.run(["umount", "--lazy", node.path(place)], check=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--inside"]:
        harness.become_subreaper()
        inner_full_disk()
        sys.exit(0)
    sys.exit(runner.run(globals(), sys.argv[1:]))
