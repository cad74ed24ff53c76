#!/usr/bin/python3
"""Storms: master, keeper and roles are killed while the node works.

    storm.py [--rounds N] [--seed S] [--op NAME] [--victim NAME] [--bin DIR]

Each round starts one operation, kills at a random moment, and then looks: who was not
concerned kept its pid, nobody is lost or doubled, counters and windows are what they
were, a status told in between is known, and at the end no numbered line is missing.
A seed repeats choices and delays, not the machine's scheduling.
"""
import argparse
import collections
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
import harness  # noqa: E402
from harness import (DEADLINE, Fault, alive, children_of, environ_of, read, stat_of,  # noqa: E402
                     until, words_of)

WHAT_MAY_BE_LOST = """
If master and logger are killed within the same tenth of a second, and a worker is removed
for good (not restarted) in between, then nobody is left who knows whose lines are in its
pipe.  Rounds leave the logger the time to come back.

A notify message that is on its way when keeper and master die at once.  A worker whose
READY it was is tried again after its start_timeout; those of the storm say it again.
"""
ADOPT_MS = 1000         # promised
ADOPT_DEADLINE_MS = 1000 * DEADLINE  # of a loaded machine

CONF = """
[socket front]
listen = tcp:127.0.0.1:{PORT}
[application plain]
[supervisor plain/all]
intensity = 1000
period = 1h
[worker p1]
supervisor = plain/all
command = {S} plain
[worker p2]
supervisor = plain/all
command = {S} plain
sockets = front
[worker p3]
supervisor = plain/all
command = {S} plain
log = none
[worker p4]
supervisor = plain/all
command = {S} plain
[application group]
[supervisor group/rest]
strategy = rest_for_one
intensity = 1000
period = 1h
[worker r1]
supervisor = group/rest
command = {S} plain
[worker r2]
supervisor = group/rest
command = {S} notify
ready = notify
[worker r3]
supervisor = group/rest
command = {S} write {D}/count 3000
log_size = infinity
[worker r4]
supervisor = group/rest
command = {S} plain
[supervisor group/every]
strategy = one_for_all
intensity = 1000
period = 1h
[worker e1]
supervisor = group/every
command = {S} plain
[worker e2]
supervisor = group/every
command = {S} notify
ready = notify
[application write]
[supervisor write/all]
intensity = 1000
period = 1h
[worker w1]
supervisor = write/all
command = {S} write {D}/count 1000
log_size = infinity
[worker w2]
supervisor = write/all
command = {S} write {D}/count 5000
log_size = infinity
[worker w3]
supervisor = write/all
command = {S} write {D}/count 20000
log_size = infinity
[worker turn]
supervisor = write/all
command = {S} plain
environment = TURN={TURN}
[supervisor write/swarm]
intensity = 1000
period = 1h
[worker pool]
supervisor = write/swarm
command = {S} write {D}/count 10000
instances = 4
sockets = front
intensity = 1000
period = 1h
log_size = infinity
"""
EXTRA = """
[worker extra]
supervisor = plain/all
command = {S} plain
"""
# whom a death takes along, in groups
REST = ["group/r1", "group/r2", "group/r3", "group/r4"]
EVERY = ["group/e1", "group/e2"]


def hears(pid):
    """Its handlers are there, which is a moment after exec."""
    caught = [line for line in read("/proc/%d/status" % pid).splitlines() if line.startswith("SigCgt")]
    return caught and int(caught[0].split()[1], 16) >> 62


class Storm:
    def __init__(self, options):
        self.rng = random.Random(options.seed)
        self.node = harness.Node("")
        self.node.bin = os.path.join(self.node.base, "bin")
        shutil.copytree(options.bin, self.node.bin)
        os.mkdir(self.node.path("count"))
        self.program = os.path.join(self.node.bin, "storm-worker")
        self.port = harness.free_port()
        self.turn = 0
        self.names = {}
        self.late = set()  # what a signal asked for may come a round later
        self.now = None
        self.extra = False
        self.adopt_ms = []
        self.killed_at = []
        self.seen = collections.Counter()
        self.asked = []
        self.write_conf()

    # --- the node

    def write_conf(self):
        text = CONF + (EXTRA if self.extra else "")
        text = text.replace("{S}", self.program).replace("{TURN}", str(self.turn))
        self.node.configure(text.replace("{PORT}", str(self.port)))

    def start(self):
        self.node.start(wait=False)
        until(self.again, "the tree is whole again after a start")

    def find(self):
        """{id: [pid, ...]} of all workers of this node, from /proc alone."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink("/proc/%s/exe" % pid) != self.program:
                    continue
                env = environ_of(int(pid))
            except OSError:
                continue
            name = [e[11:] for e in env if e.startswith("STEWARD_ID=")]
            if name and alive(int(pid)):
                found.setdefault(name[0], []).append(int(pid))
                self.names.setdefault(int(pid), "%s since round %s" % (name[0], self.now))
        return found

    def programs(self):
        """What runs of the node's own programs."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink("/proc/%s/exe" % pid).startswith(self.node.bin) and \
                        alive(int(pid)):
                    found.append((int(pid), words_of(int(pid))))
            except OSError:
                pass
        return found

    def look(self):
        """The settled tree, or None: nothing on its way, and /proc shows the same."""
        info = self.node.call("node.info")
        if info["state"] != "up" or not alive(info["master_pid"]):
            return None
        if any(not alive(role["pid"]) for role in info["roles"]):
            return None
        nodes = self.node.nodes()
        for n in nodes.values():
            if n["state"] != "up":
                return None
        want = {n["id"]: n["pid"] for n in nodes.values() if n["kind"] == "worker"}
        found = self.find()
        self.no_doubles(found)
        if {k: [v] for k, v in want.items()} != found:
            return None
        swarm = nodes["write/pool"]
        return nodes if swarm["instances"] == swarm["children"] else None

    @staticmethod
    def no_doubles(found):
        for name, pids in found.items():
            if len(pids) > 1:
                raise AssertionError("%s runs %d times: %r" % (name, len(pids), pids))

    def settled(self):
        return until(self.look, "the tree is whole again")

    # --- operations: what is asked; returns the ids that may change

    def ask(self, *words):
        self.asked.append(subprocess.Popen(
            [os.path.join(self.node.bin, "relctl"), "--root", self.node.dir, "--timeout", "3s",
             *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        harness.started_here.append(self.asked[-1])

    def taken_along(self, name):
        if name in REST:
            return REST[REST.index(name):]
        return EVERY if name in EVERY else [name]

    def worker_to_hit(self, nodes):
        return self.rng.choice(sorted(n for n in nodes if nodes[n]["kind"] == "worker"))

    def op_none(self, _):
        return []

    def op_spawn(self, nodes):
        name = self.worker_to_hit(nodes)
        os.kill(nodes[name]["pid"], signal.SIGKILL)
        self.counted = nodes[name]["parent"]
        return self.taken_along(name)

    def op_reload(self, _):
        self.turn += 1
        self.extra = not self.extra
        self.write_conf()
        if self.rng.random() < 0.5:
            self.ask("reload")
        else:
            os.kill(self.keeper(), signal.SIGHUP)
        return ["write/turn", "plain/extra"]

    def op_reexec(self, _):
        self.ask("reexec")
        return []

    def op_reexec_keeper(self, _):
        self.ask("reexec", "keeper")
        return []

    def op_scale(self, nodes):
        self.ask("scale", "write/pool", str(self.rng.randint(1, 6)))
        return [n for n in nodes if n.startswith("write/pool#")] + \
            ["write/pool#%d" % i for i in range(1, 4000)]

    def op_restart(self, nodes):
        name = self.worker_to_hit(nodes)
        self.ask("restart", name)
        return self.taken_along(name)

    def op_adopt(self, _):
        self.kill(["master"])
        return []

    # --- kills

    def kill(self, victims):
        """SIGKILL to all of them, as nearly at once as can be."""
        keeper = self.node.keeper_now()
        pids = []
        for who in victims:
            if who == "keeper":
                pids.append(keeper)
            elif who == "master":
                pids += [p for p in children_of(keeper) if "supervisord-master" in words_of(p)]
            else:
                pids += [p for m in children_of(keeper) for p in [m] + children_of(m)
                         if "supervisord-" + who in words_of(p)]
        pids = [p for p in pids if p]
        for pid in pids:
            if "master" in victims and "keeper" in victims:
                os.kill(pid, signal.SIGSTOP)  # neither is to see the other's death
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if pids and ("master" in victims or "keeper" in victims):
            self.killed_at.append(time.time() * 1000)
        until(lambda: not any(alive(pid) for pid in pids), "those killed are dead")
        return len(pids)

    def service_manager(self):
        """Starts supervisord again when its main process is gone, as systemd would."""
        if self.node.keeper_now() == 0 or not alive(self.node.keeper_now()):
            harness.reap_strangers(0)
            self.node.process.poll()
            self.node.start(wait=False)

    def keeper(self):
        """Never 0, which would signal ourselves."""
        return until(self.node.keeper_now, "the lock names the keeper")

    def lock_is_free(self):
        """Nobody of the node is left: keeper and master share the lock."""
        with open(self.node.path("run", "lock"), "rb") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    # --- a round

    def round(self, op, victims):
        before = self.settled()
        newest = self.node.call("node.info")["newest_event"]
        self.counted = None
        self.killed_at = []
        touched = set(getattr(self, "op_" + op)(before))
        touched, self.late = touched | self.late, touched if op == "reload" else set()
        delay = self.rng.choice([0, 0.0005, 0.002, 0.005, 0.01, 0.03, 0.1]) * self.rng.random() * 2
        time.sleep(delay)
        if not self.kill(victims):
            self.seen["nobody to kill"] += 1
        if "keeper" in victims and "master" in victims:
            time.sleep(self.rng.choice([0, 0.02]))
            self.service_manager()
        after = until(self.again, "the tree is whole again after %s + kill %s after %.1f ms" % (
            op, "+".join(victims), delay * 1000))
        while self.asked:
            self.asked.pop().wait()
        if op in ("scale", "restart", "reexec"):
            after = until(self.again, "the tree is whole when all has been answered")
        self.compare(before, after, touched)
        if self.killed_at:
            self.measure(newest)
        if {"keeper", "master", "logger"} & set(victims) or op in ("adopt", "reexec"):
            time.sleep(0.1)  # till the logger is back: see WHAT_MAY_BE_LOST

    def again(self):
        self.service_manager()
        return self.look()

    def compare(self, before, after, touched):
        for name in set(before) | set(after):
            old, new = before.get(name), after.get(name)
            if name in touched:
                continue
            if old is None or new is None:
                raise AssertionError("%s came or went: %r, %r" % (name, old, new))
            keys = ["pid", "gen", "starts", "restarts"]
            if old["kind"] != "worker":
                keys = ["restarts", "gave_up", "intensity"]
            for key in keys:
                want = old.get(key)
                if key == "restarts" and name == self.counted:
                    want += 1
                if new.get(key) != want:
                    raise AssertionError("%s: %s was %r, is %r, should be %r" % (
                        name, key, old.get(key), new.get(key), want))

    def measure(self, newest):
        """How long after the first kill the last of the masters had adopted."""
        events = until(lambda: [self.node.events("node_adopted", "node_started")], "events")[0]
        adopted = [e["time_ms"] for e in events
                   if e["n"] > newest and e["type"] == "node_adopted"]
        if not adopted:
            if any(e["n"] > newest and e["type"] == "node_started" for e in events):
                raise AssertionError("the node was started anew instead of adopted")
            return
        if not any(k <= a + 2 for a in adopted for k in self.killed_at):
            return
        took = max(a - max(k for k in self.killed_at if k <= a + 2)
                   for a in adopted if any(k <= a + 2 for k in self.killed_at))
        self.adopt_ms.append(took)
        if took > ADOPT_DEADLINE_MS:
            raise AssertionError("adoption took %d ms" % took)

    def told_exit(self):
        """A worker that ends while there is no master: how, is known afterwards."""
        before = self.settled()
        name = self.worker_to_hit(before)
        status = self.rng.randint(1, 29)
        until(lambda: hears(before[name]["pid"]), "%s hears signals" % name)
        keeper = self.keeper()
        held = self.rng.random() < 0.5
        self.killed_at = []
        ours = int(stat_of(before[name]["pid"])[1]) in (keeper, self.node.master())
        if held:
            os.kill(keeper, signal.SIGSTOP)
        self.kill(["master"])
        if self.rng.random() < 0.5:
            time.sleep(self.rng.random() * 0.02)
        os.kill(before[name]["pid"], signal.SIGRTMIN + status)
        if held:
            until(lambda: not alive(before[name]["pid"]), "%s ends" % name)
            os.kill(keeper, signal.SIGCONT)
        if self.rng.random() < 0.3:
            time.sleep(self.rng.random() * 0.01)
            self.kill(["master"])
        self.counted = before[name]["parent"]
        after = until(lambda: self.look() and self.node.pid(name) != before[name]["pid"] and
                      self.look(), "%s runs again" % name)
        self.compare(before, after, set(self.taken_along(name)) | self.late)
        self.late = set()
        last = after[name].get("last")
        known = ["{exit,%d}" % status] + ([] if ours else ["{unknown}"])
        if last is None or last.get("reason") not in known:
            raise AssertionError("%s exited with %d while there was no master; the node says %r"
                                 % (name, status, last))

    def shutdown(self, victims):
        """Killed on its way down, the node still comes to its end; nothing is left."""
        self.settled()
        os.kill(self.keeper(), signal.SIGTERM)
        time.sleep(self.rng.random() * 0.02)
        self.kill(victims)
        both = "master" in victims and "keeper" in victims
        begin = time.monotonic()

        def down():
            if both and self.lock_is_free() and os.path.exists(self.node.path("run", "state")):
                self.service_manager()  # the next one carries on with the stop
            return not self.find() and self.lock_is_free() and \
                not os.path.exists(self.node.path("run", "state"))
        try:
            until(down, "the node stops after a kill of %s" % "+".join(victims))
        finally:
            self.seen["slowest shutdown ms"] = max(
                self.seen["slowest shutdown ms"], int((time.monotonic() - begin) * 1000))
        end = time.monotonic() + DEADLINE
        while self.programs():
            if time.monotonic() > end:
                raise AssertionError("the node has ended, not: %r" % self.programs())
            time.sleep(0.01)
        harness.reap_strangers(0)
        self.node.process.poll()
        self.check_lines()
        self.start()

    # --- lines

    def check_lines(self):
        """Each counted line stands in the log of its writer, in order but for repeats."""
        told, lines, repeats = {}, collections.defaultdict(set), 0
        for at, _, names in os.walk(self.node.path("log")):
            for name in names:
                with open(os.path.join(at, name), encoding="utf-8", errors="replace") as f:
                    for line in f:
                        words = line.split()
                        if len(words) < 3 or words[-3] != "line":
                            continue
                        pid, number = int(words[-2]), int(words[-1])
                        repeats += number in lines[pid]
                        lines[pid].add(number)
        lost = []
        for name in os.listdir(self.node.path("count")):
            with open(self.node.path("count", name), "rb") as f:
                told[int(name)] = int.from_bytes(f.read(8), "little")
        for pid, count in told.items():
            missing = [n for n in range(1, count + 1) if n not in lines[pid]]
            if missing:
                lost.append("%d (%s): %d of %d, first %d, last %d" % (
                    pid, self.names.get(pid), len(missing), count, missing[0], missing[-1]))
        self.seen["lines"] = sum(told.values())
        self.seen["repeated lines"] = repeats
        if lost:
            raise AssertionError("lines were lost: " + "; ".join(lost[:5]))


OPS = ["none", "spawn", "spawn", "reload", "reexec", "reexec_keeper", "scale", "restart", "adopt"]
VICTIMS = [["master"], ["master"], ["keeper"], ["master", "keeper"], ["control"], ["logger"],
           ["probe"], ["load", "master"], ["master", "logger"], ["keeper", "control"]]


def one_round(storm, k, options):
    rng = storm.rng
    if options.op is None and k % 10 == 4 or options.op == "exit":
        storm.told_exit()
        return "exit while there is no master"
    if options.op is None and k % 10 == 9 or options.op == "shutdown":
        victims = rng.choice([["master"], ["keeper"], ["master", "keeper"], ["logger"]])
        storm.shutdown(victims)
        return "shutdown, kill " + "+".join(victims)
    op = options.op or rng.choice(OPS)
    victims = options.victim.split("+") if options.victim else rng.choice(VICTIMS)
    if op == "scale" and victims == ["master", "logger"]:
        victims = ["master"]  # WHAT_MAY_BE_LOST
    storm.round(op, victims)
    return "%s, kill %s" % (op, "+".join(victims))


def run(options):
    storm = Storm(options)
    k = what = None
    try:
        storm.start()
        for k in range(options.rounds):
            storm.now = k
            what = "round %d" % k
            what = one_round(storm, k, options)
            if options.verbose:
                print("round %d: %s" % (k, what), flush=True)
            storm.seen[what.split(",")[0]] += 1
        storm.settled()
        storm.node.end_all()
        storm.check_lines()
        end = time.monotonic() + DEADLINE
        while storm.node.leftovers():
            if time.monotonic() > end:
                raise AssertionError("left behind: " + "; ".join(storm.node.leftovers()))
            time.sleep(0.05)
    except BaseException as error:
        print("FAIL seed %d round %s (%s): %s" % (options.seed, k, what, error), flush=True)
        if options.keep:
            print("kept: %s" % storm.node.base)
            if not isinstance(error, KeyboardInterrupt):
                input("enter to end ")
        else:
            storm.node.tell()
        storm.node.destroy()
        raise
    shutil.rmtree(storm.node.base)
    return storm


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--op", help="only this operation")
    parser.add_argument("--victim", help="only these victims, such as master+keeper")
    parser.add_argument("--bin", default=harness.BIN)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", action="store_true", help="wait after a failure")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = int(time.time() * 1000) & 0x7FFFFFFF
    options.bin = os.path.abspath(options.bin)
    print("storm: seed %d, %d rounds" % (options.seed, options.rounds), flush=True)
    harness.become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # cleans up, too
    begin = time.monotonic()
    try:
        storm = run(options)
    except (AssertionError, Fault, OSError):
        if options.verbose:
            raise
        return 1
    took = sorted(storm.adopt_ms) or [0]
    print("storm: %d rounds in %.0f s; adoption: median %d ms, worst %d ms (of %d)" % (
        options.rounds, time.monotonic() - begin, took[len(took) // 2], took[-1],
        len(storm.adopt_ms)))
    print("storm: " + ", ".join("%s %d" % kv for kv in sorted(storm.seen.items())))
    if took[-1] > ADOPT_MS:
        print("storm: note: an adoption took longer than the promised %d ms" % ADOPT_MS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
