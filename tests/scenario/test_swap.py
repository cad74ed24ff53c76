"""Modules swapped while they run: all or none, nothing dropped, undone when it fails."""
import json
import os
import random
import select
import signal
import subprocess

from harness import BIN, Fault, Node, Skip, children_of, equal, holds, start, until
from test_handler import build, call

MODES = {1: "code_change refused in the rehearsal", 2: "died of SIGABRT", 3: "hangs",
         4: "code_change refused", 5: "ended in the middle", 6: "did not answer in time"}


def config(module, extra=""):
    return """
[application app]
intensity = 1000
[worker counter]
supervisor = app
handler = {D}/%s
args = 100
%s""" % (module, extra)


def node(module="counter.so", extra="", modules=("counter", "counter2")):
    n = Node(config(module, extra))
    for name in modules:
        build(n, name)
    return n


def bad(n, mode):
    build(n, "counter2", "-DMODE=%d" % mode, out="bad%d.so" % mode)
    return "bad%d.so" % mode


def to(n, module, code=0, extra=""):
    """A reload with that module; what it says."""
    n.configure(config(module, extra))

    def reloaded():
        done = n.relctl("reload", timeout=100)
        return done.returncode != 75 and done  # a worker had not come back to a new master yet
    done = until(reloaded, "it is not too early")
    equal(done.returncode, code, done.stdout + done.stderr)
    return done.stdout + done.stderr


def count(n, name="counter"):
    """The counter, whichever version answers."""
    value = call(n, name)
    return value["count"] if isinstance(value, dict) else value


def test_up_and_down():
    """Another module and a reload: same process, same data, the new words; and back."""
    with node() as n:
        n.wait_up("app/counter")
        pid = n.pid("app/counter")
        call(n, "counter", "add 5")
        n.configure(config("counter2.so"))
        holds(n.do("reload", "--check"), "= would swap app/counter")
        equal(call(n, "counter"), 105)
        holds(to(n, "counter2.so"), "= swap app/counter", "1 modules swapped", "applied")
        equal(call(n, "counter", "add 1"), {"count": 106})
        holds(n.do("inspect", "counter"), "module counter 2, state version 2", "digits 106")
        to(n, "counter.so")
        equal(call(n, "counter", "add 1"), 107)
        equal((n.pid("app/counter"), n.get("app/counter")["restarts"]), (pid, 0))
        maps = open("/proc/%d/maps" % pid, encoding="ascii").read()
        assert n.path("counter.so") in maps and "counter2.so" not in maps


def test_the_next_life_runs_it_too():
    """After a swap a restarted worker begins with the module in force."""
    with node() as n:
        n.wait_up("app/counter")
        to(n, "counter2.so")
        n.bounce("app/counter")
        equal(call(n, "counter"), {"count": 100})
        n.kill_master()
        n.wait_up("app/counter")
        to(n, "counter.so")
        equal(call(n, "counter"), 100)


def test_what_is_on_its_way_lives_on():
    """A deferred reply and a timer outlive the swap; the new module answers."""
    with node() as n:
        n.wait_up("app/counter")
        caller = start([os.path.join(n.bin, "relctl"), "--root", n.dir, "call", "counter",
                        '"later 1500"', "--timeout", "60s"], stdout=subprocess.PIPE, text=True)
        until(lambda: json.loads(n.do("inspect", "counter", "--json"))["open_calls"] == 1,
              "the call has come")
        to(n, "counter2.so")
        equal(json.loads(caller.communicate(timeout=60)[0]), {"count": 100})


def test_under_load():
    """Calls without a pause while the module is swapped up and down: none fails, none is
    lost, the worker lives on."""
    drivers = "".join("[worker d%d]\nsupervisor = app\nhandler = {D}/driver.so\n" % i for i in range(3))
    each = 6000
    with node(extra=drivers, modules=("counter", "counter2", "driver")) as n:
        n.wait_up("app/counter", "app/d0", "app/d1", "app/d2")
        pid = n.pid("app/counter")
        callers = [start([os.path.join(n.bin, "relctl"), "--root", n.dir, "call", "d%d" % i,
                          '"storm app/counter %d"' % each, "--timeout", "110s"],
                         stdout=subprocess.PIPE, text=True) for i in range(3)]
        swaps = 0
        while swaps < 10 or any(c.poll() is None for c in callers):
            to(n, ("counter2.so", "counter.so")[swaps % 2], extra=drivers)
            swaps += 1
        for c in callers:
            said = json.loads(c.communicate()[0])
            assert not (isinstance(said, dict) and "status" in said), said
        equal(count(n), 100 + 3 * each)
        equal((n.pid("app/counter"), n.get("app/counter")["restarts"]), (pid, 0))


def test_code_change_that_misbehaves():
    """In the rehearsal nothing is touched; after it only the culprit is started anew, on the
    old version; exit 6 and the reason in both."""
    with node() as n:
        n.wait_up("app/counter")
        for mode, words in MODES.items():
            call(n, "counter", "add 1")
            before, pid = count(n), n.pid("app/counter")
            holds(to(n, bad(n, mode), code=6), "nothing was changed: app/counter", words)
            n.wait_up("app/counter")
            equal(count(n), before if mode < 5 else 100)
            equal(n.pid("app/counter") == pid, mode < 5, "mode %d" % mode)
        equal(to(n, "counter2.so") != "", True)
        equal(call(n, "counter"), {"count": 100})


def test_all_or_none():
    """One of many refuses at the last moment: all others go back, and none is restarted."""
    others = "".join("[worker c%d]\nsupervisor = app\nhandler = {D}/%%s\nargs = %d\n" % (i, i)
                     for i in range(20))
    with node(extra=others.replace("%s", "counter.so")) as n:
        names = ["app/counter"] + ["app/c%d" % i for i in range(20)]
        n.wait_up(*names)
        pids = n.pids(*names)
        module = bad(n, 7)  # refuses where the count is 13, once the rehearsal is over
        holds(to(n, module, code=6, extra=others.replace("%s", module)), "app/c13", "refused")
        equal([count(n, name) for name in names], [100] + list(range(20)))
        holds(to(n, "counter2.so", extra=others.replace("%s", "counter2.so")), "21 modules swapped")
        equal([call(n, name) for name in names], [{"count": c} for c in [100] + list(range(20))])
        equal(n.pids(*names), pids)


def test_pool():
    """The instances of a pool are swapped together."""
    extra = "instances = 5\n"
    with node(extra=extra) as n:
        names = ["app/counter#%d" % i for i in range(1, 6)]
        n.wait_up(*names)
        pids = n.pids(*names)
        holds(to(n, "counter2.so", extra=extra), "5 modules swapped")
        equal(call(n, "counter"), {"count": 100})
        equal(n.pids(*names), pids)


def test_modules_that_do_not_fit():
    """Another module, none, a torn one: exit 6, a sentence, nothing is touched."""
    with node(modules=("counter", "counter2", "driver")) as n:
        n.wait_up("app/counter")
        pid = n.pid("app/counter")
        n.write("text.so", "no module\n")
        build(n, "counter2", out="torn.so")
        os.truncate(n.path("torn.so"), 6000)
        for module, words in (("driver.so", "another module"), ("nosuch.so", "No such file"),
                              ("text.so", "ELF file"), ("torn.so", "cut off")):
            holds(to(n, module, code=6), "nothing was changed", words)
            equal((call(n, "counter"), n.pid("app/counter")), (100, pid))


def test_other_changes_come_along():
    """A reload that also changes the tree: both, or neither."""
    more = "[worker more]\nsupervisor = app\ncommand = /bin/sleep 1000\n"
    with node() as n:
        n.wait_up("app/counter")
        to(n, bad(n, 4), code=6, extra=more)
        assert "app/more" not in n.nodes()
        to(n, "counter2.so", extra=more)
        n.wait_up("app/more")
        equal(call(n, "counter"), {"count": 100})


def test_suspended_stays_suspended():
    """A worker that the operator has suspended is swapped and stays suspended."""
    with node() as n:
        n.wait_up("app/counter")
        n.do("suspend", "counter")
        to(n, "counter2.so")
        shown = json.loads(n.do("inspect", "counter", "--json"))
        equal((shown["version"], shown["suspended"]), ("2", True))
        n.do("resume", "counter")
        equal(call(n, "counter"), {"count": 100})


def test_a_worker_started_in_the_middle():
    """A worker that is started while others rehearse would keep the old module: all is undone,
    and the next reload has them all."""
    extra = "[worker late]\nsupervisor = app\nhandler = {D}/%s\nargs = 7\n"
    with node(extra=extra % "counter.so") as n:
        n.wait_up("app/counter", "app/late")
        n.do("stop", "late")
        module = bad(n, 8)
        n.configure(config(module, extra % module))
        reload = start([os.path.join(n.bin, "relctl"), "--root", n.dir, "reload"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until(lambda: len([e for e in n.events("role_started") if e["id"] == "load"]) == 2,
              "it is under way")
        until(lambda: rehearses(n), "it rehearses")
        n.do("start", "late")
        holds(reload.communicate(timeout=60)[1], "started in the middle of it")
        equal((reload.returncode, call(n, "counter"), call(n, "late")), (6, 100, 7))
        to(n, "counter2.so", extra=extra % "counter2.so")
        equal((call(n, "counter"), call(n, "late")), ({"count": 100}, {"count": 7}))


def rehearses(n, name="app/counter"):
    return children_of(n.pid(name))


def test_suspend_in_the_middle():
    """What the operator says of suspension during a swap holds when it is over."""
    with node() as n:
        n.wait_up("app/counter")
        module = bad(n, 8)
        n.configure(config(module))
        reload = start([os.path.join(n.bin, "relctl"), "--root", n.dir, "reload"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: rehearses(n), "it rehearses")
        n.do("suspend", "counter")
        equal(reload.wait(60), 0)
        equal(json.loads(n.do("inspect", "counter", "--json"))["suspended"], True)
        n.do("resume", "counter")
        equal(call(n, "counter"), {"count": 100})


def test_a_broken_module_is_repaired():
    """A worker that cannot start for its module is repaired by a reload with a good one."""
    with node("broken.so") as n:
        until(lambda: n.state("app/counter") == "backoff", "it cannot start")
        to(n, "counter.so")
        n.wait_up("app/counter")
        equal(call(n, "counter"), 100)


class Killer:
    """stepkill: kills a process at its N-th step from now on."""

    def __init__(self, pid, program, step):
        self.process = start([os.path.join(BIN, "stepkill"), str(pid), program, str(step)],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        equal(self.process.stdout.readline().split(), ["ready"])

    def end(self):
        """Did it kill?"""
        if not select.select([self.process.stdout], [], [], 0)[0]:
            self.process.terminate()
        said = self.process.stdout.readline().split()
        self.process.wait()
        self.process.stdout.close()
        return said[0] == "killed"


def both_sides(n, names):
    """Which version each worker runs: all the same, and it answers."""
    n.wait_up(*names)
    seen = until(lambda: {isinstance(call(n, name), dict) for name in names}, "all answer")
    equal(len(seen), 1, "the workers run different versions")
    return seen.pop()


def killed_at_steps(victim, program, steps):
    if not os.path.exists(os.path.join(BIN, "stepkill")):
        raise Skip("no stepkill here: make scenario builds it")
    extra = "".join("[worker c%d]\nsupervisor = app\nhandler = {D}/%%s\n" % i for i in range(3))
    names = ["app/counter", "app/c0", "app/c1", "app/c2"]
    with node(extra=extra.replace("%s", "counter.so")) as n:
        n.wait_up(*names)
        second, kills = False, 0
        for step in steps:
            want = "counter.so" if second else "counter2.so"
            n.configure(config(want, extra.replace("%s", want)))
            pids = n.pids(*names)
            killer = Killer(victim(n), program, step)
            n.relctl("reload", timeout=100)
            kills += killer.end()
            until(n.answers, "the node answers")
            second = both_sides(n, names)
            lost = [a for a, b in zip(pids, n.pids(*names)) if a != b]
            assert len(lost) <= (program == "supervisord-worker"), (step, lost)
            if second == (want == "counter.so"):  # the reload did not come to its end
                until(lambda: n.relctl("reload").returncode == 0, "the next one does")
                second = both_sides(n, names)
            equal(second, want == "counter2.so")
        assert kills * 3 >= len(steps), (kills, len(steps))


def sample(last, number):
    return sorted(random.Random(os.getpid()).sample(range(1, last), number))


def test_master_killed_in_each_phase():
    """The master is killed at steps all over a swap: wholly on one version afterwards, no
    worker restarted, and the next reload works."""
    killed_at_steps(lambda n: n.master(), "supervisord-master", sample(160, 12))


def test_worker_killed_in_each_phase():
    """One of the workers is killed at steps all over a swap: wholly on one version."""
    killed_at_steps(lambda n: n.pid("app/c1"), "supervisord-worker", sample(70, 10))


def test_keeper_killed():
    """The keeper is killed during a swap."""
    with node() as n:
        n.wait_up("app/counter")
        pid = n.pid("app/counter")
        module = bad(n, 3)
        n.configure(config(module))
        reload = start([os.path.join(n.bin, "relctl"), "--root", n.dir, "reload"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: rehearses(n), "it rehearses")
        keeper = n.call("node.info")["keeper_pid"]
        os.kill(keeper, signal.SIGKILL)
        n.process.wait()
        reload.wait()
        until(lambda: n.call("node.info")["keeper_pid"] not in (0, keeper), "a new keeper")
        n.wait_up("app/counter")
        equal((call(n, "counter"), n.pid("app/counter")), (100, pid))
        to(n, "counter2.so")
        equal(call(n, "counter"), {"count": 100})


def test_busy_while_it_swaps():
    """A second reload meanwhile is told to try later; status answers."""
    with node() as n:
        n.wait_up("app/counter")
        n.configure(config(bad(n, 3)))
        first = start([os.path.join(n.bin, "relctl"), "--root", n.dir, "reload"],
                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until(lambda: len([e for e in n.events("role_started") if e["id"] == "load"]) == 2,
              "the first one is under way")
        equal(n.relctl("reload").returncode, 75)
        n.do("status")
        holds(first.communicate(timeout=60)[1], "hangs")
        try:
            n.call("node.reload", check=True)
        except Fault as fault:
            raise AssertionError("a reload afterwards: %s" % fault) from None
