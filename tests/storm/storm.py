#!/usr/bin/python3
"""Storms: master, keeper and roles are killed while the node works.

    storm.py [--rounds N] [--seed S] [--op NAME] [--victim NAME] [--bin DIR]

Each round starts one operation, kills at a random moment, and then looks: who was not
concerned kept its pid, nobody is lost or doubled, counters and windows are what they
were, a status told in between is known, and at the end no numbered line is missing.
A seed repeats choices and delays, not the machine's scheduling.
"""
import argparse
import os
import signal
import sys
import time

from crowd import Crowd, options_of
from harness import Fault, alive, read, stat_of, until

WHAT_MAY_BE_LOST = """
If master and logger are killed within the same tenth of a second, and a worker is removed
for good (not restarted) in between, then nobody is left who knows whose lines are in its
pipe.  Rounds leave the logger the time to come back.

A notify message that is on its way when keeper and master die at once.  A worker whose
READY it was is tried again after its start_timeout; those of the storm say it again.
"""


def hears(pid):
    """Its handlers are there, which is a moment after exec."""
    caught = [line for line in read("/proc/%d/status" % pid).splitlines() if line.startswith("SigCgt")]
    return caught and int(caught[0].split()[1], 16) >> 62


class Storm(Crowd):
    def __init__(self, options):
        super().__init__(options)
        self.late = set()  # what a signal asked for may come a round later

    # --- operations: what is asked; returns the ids that may change

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

    # --- a round

    def round(self, op, victims):
        before = self.settled()
        newest = until(lambda: self.node.call("node.info"), "it answers")["newest_event"]
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
        after = self.settled("the tree is whole again after %s + kill %s after %.1f ms" % (
            op, "+".join(victims), delay * 1000))
        while self.asked:
            self.asked.pop().wait()
        if op in ("scale", "restart", "reexec"):
            after = self.settled("the tree is whole when all has been answered")
        self.compare(before, after, touched)
        if self.killed_at:
            self.measure(newest)
        if {"keeper", "master", "logger"} & set(victims) or op in ("adopt", "reexec"):
            time.sleep(0.1)  # till the logger is back: see WHAT_MAY_BE_LOST

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
        self.wait_down({"master", "keeper"} <= set(victims),
                       "the node stops after a kill of %s" % "+".join(victims))
        self.start()


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
        storm.finish()
    except BaseException as error:
        print("FAIL seed %d round %s (%s): %s" % (options.seed, k, what, error), flush=True)
        storm.fail(options)
        raise
    return storm


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--op", help="only this operation")
    parser.add_argument("--victim", help="only these victims, such as master+keeper")
    options = options_of(parser, __doc__)
    print("storm: seed %d, %d rounds" % (options.seed, options.rounds), flush=True)
    begin = time.monotonic()
    try:
        storm = run(options)
    except (AssertionError, Fault, OSError):
        if options.verbose:
            raise
        return 1
    print("storm: %d rounds in %.0f s; %s" % (
        options.rounds, time.monotonic() - begin, storm.adoption()))
    print("storm: " + ", ".join("%s %d" % kv for kv in sorted(storm.seen.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
