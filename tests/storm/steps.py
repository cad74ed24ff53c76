#!/usr/bin/python3
"""Steps: one process is killed at each system call of an operation, one after the other.

    steps.py [--sample K] [--op NAME] [--victim NAME] [--first N] [--seed S] [--bin DIR]

For each case of the table below a node of its own does the operation again and again; the
N-th time the victim is killed at its N-th step (stepkill.c: the entry to or the exit from
a system call), until the operation is done before the step comes.  After each kill the
same must hold as in storms, and each line written until then must arrive.  With --sample
only K steps of each case are taken, spread over the whole of it by the seed.
"""
import argparse
import os
import re
import select
import signal
import subprocess
import sys
import time

from crowd import Crowd, harness, options_of, processes_of, program_named
from harness import Fault, stat_of, until

# operation: victims.  A victim with a + is one that the operation itself starts.
CASES = {
    "spawn": ["master", "keeper", "logger", "control", "probe"],
    "group": ["master", "keeper", "logger", "control", "probe"],
    "orphan": ["master", "keeper"],
    "adopt": ["master+", "keeper", "logger", "logger+", "control+", "probe+"],
    "inherit": ["master", "master+", "logger"],
    "reload": ["master", "keeper", "load+", "logger", "control", "probe"],
    "reexec": ["master", "keeper", "logger", "control", "probe"],
    "reexec_keeper": ["keeper", "master"],
    "shutdown": ["master", "keeper", "logger", "control", "probe"],
}
# Linux tells from a pidfd how a process ended that somebody else has reaped: without it,
# nobody knows of the orphan that dies with the keeper before it was reaped
KNOWS_THE_REAPED = [int(part) for part in re.findall(r"\d+", os.uname().release)[:2]] >= [6, 15]
HEARD = 20  # steps of the keeper after which it has passed on a signal
MISSES = 3  # how often the operation is done first, before it is believed
LIMIT = 3000  # steps, of a victim that is never quiet


class Stepper:
    """stepkill, at work on one process."""

    def __init__(self, crowd, pid, program, n):
        self.process = subprocess.Popen(
            [os.path.join(crowd.node.bin, "stepkill"), str(pid), program, str(n)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        harness.started_here.append(self.process)
        self.said = self.process.stdout.readline().split()
        if self.said != ["ready"]:
            raise AssertionError("pid %d cannot be traced" % pid)

    def ended(self, timeout):
        """Has killed, or has seen its program end."""
        if select.select([self.process.stdout], [], [], timeout)[0]:
            self.said = self.process.stdout.readline().split()
            self.process.wait()
            return True
        return False

    def finish(self):
        """Lets go; the words of its last line."""
        if self.said == ["ready"]:
            self.process.terminate()
            self.said = self.process.stdout.readline().split()
        self.process.wait()
        self.process.stdout.close()
        return self.said


class Steps(Crowd):
    def __init__(self, options, op, victim):
        super().__init__(options)
        self.op, self.victim = op, victim

    # --- operations: the ids that may change, and whether it was done

    def hit(self, name, nodes):
        """A worker exits with a status that must be known afterwards."""
        pid, status = nodes[name]["pid"], self.rng.randint(1, 29)
        self.counted = nodes[name]["parent"]
        parents = processes_of(self.node, "supervisord-master")
        if self.victim != "keeper" or KNOWS_THE_REAPED:
            parents += processes_of(self.node, "supervisord")
        ours = int(stat_of(pid)[1]) in parents
        self.reason = (name, ["{exit,%d}" % status] + ([] if ours else ["{unknown}"]))
        os.kill(pid, signal.SIGRTMIN + status)
        return self.taken_along(name), lambda: self.find().get(name, [pid]) != [pid]

    def op_spawn(self, nodes):
        return self.hit("write/w1", nodes)

    def op_group(self, nodes):
        return self.hit("group/r1", nodes)

    def op_orphan(self, nodes):
        return self.hit("plain/p1", nodes)

    def op_adopt(self, _):
        old = processes_of(self.node, "supervisord-master")
        self.kill(["master"])
        return [], lambda: processes_of(self.node, "supervisord-master") not in ([], old)

    def op_inherit(self, _):
        old = self.keeper()
        self.kill(["keeper"])
        return [], lambda: self.node.keeper_now() not in (0, old)

    def op_reload(self, _):
        self.turn += 1
        self.extra = not self.extra
        self.write_conf()
        self.ask("reload")
        return ["write/turn", "plain/extra"], lambda: True

    def op_reexec(self, _):
        self.ask("reexec")
        return [], lambda: True

    def op_reexec_keeper(self, _):
        self.ask("reexec", "keeper")
        return [], lambda: True

    def op_shutdown(self, nodes):
        os.kill(self.keeper(), signal.SIGTERM)
        return list(nodes), lambda: self.lock_is_free() and not self.programs()

    # --- a step

    def trace(self, n):
        who = self.victim.rstrip("+")
        if self.victim == who:
            above = program_named(who)
        elif who == "load" or self.op == "inherit":
            above = "supervisord-master"
        else:
            above = "supervisord"
        pids = processes_of(self.node, above)
        return Stepper(self, pids[0], program_named(who), n)

    def done(self, changed):
        self.asked = [process for process in self.asked if process.poll() is None]
        if self.asked or not changed():
            return False
        return self.op == "shutdown" or self.looks_well()

    def looks_well(self):
        try:
            return self.look()
        except (OSError, Fault, ValueError, KeyError):
            return False

    def step(self, n):
        """True if the victim got so far and was killed; what it took else."""
        if self.op == "orphan":  # whose parent is the keeper
            self.settled()
            self.kill(["master"])
        before = self.settled()
        newest = until(lambda: self.node.call("node.info"), "it answers")["newest_event"]
        self.counted, self.reason, self.killed_at = None, None, []
        stepper = self.trace(n)
        try:
            touched, changed = getattr(self, "op_" + self.op)(before)
            end = time.monotonic() + harness.DEADLINE
            while not stepper.ended(0.01) and not self.done(changed):
                if time.monotonic() > end:
                    raise AssertionError("neither killed nor done")
        finally:
            said = stepper.finish()
        if said[0] == "killed" and self.victim.rstrip("+") in ("master", "keeper"):
            self.killed_at.append(int(said[4]))
        self.now = "%d: %s" % (n, " ".join(said))
        if self.op == "shutdown":
            if self.killed_at and self.victim == "keeper" and n <= HEARD:
                until(self.ask_again, "the node is on its way down")
            self.wait_down(True, "the node ends")
            self.start()
        else:
            self.judge(before, set(touched), newest)
        return said

    def ask_again(self):
        """SIGTERM died with the keeper, before that could pass it on: who asked sees it."""
        if self.lock_is_free():
            return True
        if self.node.call("node.info")["state"] != "up":
            return True
        os.kill(self.keeper(), signal.SIGTERM)
        return False

    def judge(self, before, touched, newest):
        self.settled("the tree is whole again")
        while self.asked:
            self.asked.pop().wait()
        after = self.settled("the tree is whole when all has been answered")
        self.compare(before, after, touched)
        if self.killed_at:
            self.measure(newest)
        if self.reason is not None:
            name, known = self.reason
            last = after[name].get("last") or {}
            if last.get("reason") not in known:
                raise AssertionError("%s: the end is told as %r, it was %s" % (
                    name, last.get("reason"), known[0]))
        self.lines.arrive(self.names)

    # --- a case

    def walk(self, options):
        """All steps, or the sample; how many there were."""
        total = int(self.step(0)[1])
        wanted = range(options.first, LIMIT)
        if options.sample:
            each = max(total, 1) / options.sample
            wanted = sorted({1 + int((k + self.rng.random()) * each)
                             for k in range(options.sample)})
        taken = missed = 0
        for n in wanted:
            said = self.step(n)
            if options.verbose:
                print("  %s, %s: step %d: %s" % (self.op, self.victim, n, " ".join(said)),
                      flush=True)
            taken += said[0] == "killed"
            missed = 0 if said[0] == "killed" else missed + 1
            if missed == MISSES and not options.sample:
                break
        return taken, total


def run_case(options, op, victim):
    steps = Steps(options, op, victim)
    begin = time.monotonic()
    try:
        steps.start()
        taken, total = steps.walk(options)
        steps.finish()
    except BaseException as error:
        print("FAIL seed %d %s, %s at step %s: %s" % (options.seed, op, victim, steps.now, error),
              flush=True)
        steps.fail(options)
        raise
    print("%-14s %-9s %4d kills of about %d steps in %.0f s; %s" % (
        op, victim, taken, total, time.monotonic() - begin, steps.adoption()), flush=True)
    return taken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sample", type=int, default=0, help="so many steps of each case")
    parser.add_argument("--first", type=int, default=1, help="begin at this step")
    parser.add_argument("--op", help="only this operation")
    parser.add_argument("--victim", help="only this victim")
    options = options_of(parser, __doc__)
    print("steps: seed %d" % options.seed, flush=True)
    begin, taken, failed = time.monotonic(), 0, 0
    for op, victims in CASES.items():
        for victim in victims:
            if options.op not in (None, op) or options.victim not in (None, victim):
                continue
            try:
                taken += run_case(options, op, victim)
            except (AssertionError, Fault, OSError):
                failed += 1
                if options.verbose:
                    raise
    print("steps: %d kills in %.0f s, %d cases failed" % (taken, time.monotonic() - begin, failed))
    return 1 if failed or not taken else 0


if __name__ == "__main__":
    sys.exit(main())
