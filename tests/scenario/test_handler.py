"""Handler workers: modules, mailboxes, calls; by relctl and from worker to worker."""
import json
import os
import signal
import socket
import struct
import subprocess

from harness import NOBODY, Node, ROOT, Skip, TOP, alive, equal, holds, start, until

MODULES = os.path.join(TOP, "tests", "modules")
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-fPIC", "-shared", "-fvisibility=hidden",
         "-Wl,-z,now", "-I", os.path.join(TOP, "lib")]


def build(node, name, *extra, source=None, out=None):
    """Compiles a module against the public header only; its path."""
    path = node.path(out or name + ".so")
    subprocess.run(["gcc", *FLAGS, *extra, "-o", path, source or os.path.join(MODULES, name + ".c")],
                   check=True)
    return path


def handlers(text):
    """A node with the modules of tests/modules below {D}."""
    n = Node(text)
    for name in ("counter", "driver"):
        if name + ".so" in text:
            build(n, name)
    return n


COUNTER = """
[application app]
intensity = 20
period = 60s
[worker counter]
supervisor = app
handler = {D}/counter.so
args = 100
"""
BOTH = COUNTER + """
[worker driver]
supervisor = app
handler = {D}/driver.so
"""


def call(node, name, text=None, code=0, timeout="15s"):
    """relctl call; the reply as a value, or with another code what it says."""
    words = ["call", name] + ([json.dumps(text)] if text is not None else [])
    done = node.relctl(*words, "--timeout", timeout, code=code)
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_calls_and_casts():
    """init gets its args; calls are answered at once or later, casts change the state,
    inspect shows it in the module's own words."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        equal(call(n, "counter"), 100)
        equal(call(n, "app/counter", "add 5"), 105)
        n.do("cast", "counter", '"add 10"')
        equal(call(n, "counter", "later 50"), 115)
        holds(n.do("inspect", "counter"), "module counter 1, state version 1", "counter at 115")
        shown = json.loads(n.do("inspect", "counter", "--json"))
        equal((shown["calls"], shown["casts"], shown["replies"], shown["suspended"]),
              (3, 1, 3, False))


def test_what_goes_wrong_with_a_call():
    """No such name: 4; no answer in time: 1; no JSON: 2; it dies meanwhile: 1, and its crash
    report has the message."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        holds(call(n, "cuonter", code=4), "did you mean 'counter'?")
        holds(call(n, "counter", "never", code=1, timeout="100ms"), "in time")
        holds(n.relctl("call", "counter", "add 5", code=2).stderr, "no JSON", "quotes")
        old = n.pid("app/counter")
        holds(call(n, "counter", "crash", code=1), "ended before it had answered")
        n.wait_new("app/counter", old)
        n.wait_log("app/counter", "worker crashed; last message: call, 7 bytes")
        equal(n.get("app/counter")["last"]["reason"], "{signal,ABRT}")
        equal(call(n, "counter"), 100)


def test_a_call_waits_for_the_next_life():
    """A name never dangles: a call made while the worker is down is answered by its next
    life."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        n.do("stop", "counter")
        caller = start([os.path.join(n.bin, "relctl"), "--root", n.dir, "call", "counter",
                        '"add 1"', "--timeout", "60s"], stdout=subprocess.PIPE, text=True)
        until(lambda: waiting("app.counter"), "the call waits in the mailbox")
        n.do("start", "counter")
        equal(caller.communicate(timeout=60)[0], "101\n")


def waiting(mailbox):
    """Connections to a mailbox of that name that nobody has accepted yet."""
    out = subprocess.run(["ss", "-xln"], capture_output=True, text=True, check=True).stdout
    return sum(int(line.split()[2]) for line in out.splitlines()
               if line.split()[4:5] and line.split()[4].endswith("/" + mailbox))


def test_suspend_and_resume():
    """A suspended worker takes nothing, can be inspected, and loses nothing."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        n.do("suspend", "counter")
        n.do("cast", "counter", '"add 7"')
        holds(call(n, "counter", code=1, timeout="100ms"), "in time")
        shown = json.loads(n.do("inspect", "counter", "--json"))
        equal((shown["suspended"], shown["casts"], shown["state"]), (True, 0, "counter at 100"))
        n.do("resume", "counter")
        equal(call(n, "counter"), 107)


def test_stop_of_its_own():
    """STEWARD_STOP: replies, then ends; `normal` is no failure for a transient worker, any
    other reason is."""
    with handlers(COUNTER + "restart = transient\n") as n:
        n.wait_up("app/counter")
        old = n.pid("app/counter")
        equal(call(n, "counter", "stop worn out"), 100)
        n.wait_new("app/counter", old)
        n.wait_log("app/counter", "terminate worn out at 100", "the worker ends: worn out")
        equal(call(n, "counter", "stop normal"), 100)
        n.wait_state("app/counter", "down")
        equal(n.get("app/counter")["last"]["reason"], "normal")


def test_terminate_at_shutdown():
    """terminate is called with `shutdown` when the supervisor stops it."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        n.do("stop", "counter")
        n.wait_log("app/counter", "terminate shutdown at 100")


def test_init_fails():
    """A failing init is a failed start."""
    with handlers(COUNTER.replace("100", "fail")) as n:
        n.wait_log("app/counter", "told to fail", "the init of counter 1 has failed")
        until(lambda: n.get("app/counter").get("last"), "it is told")
        assert n.state("app/counter") != "up"


def bad_module(make, *words):
    n = Node(COUNTER)
    make(n)
    with n:
        n.wait_log("app/counter", *words)
        assert n.state("app/counter") != "up"


def test_modules_that_are_none():
    """Each wrong module is refused before any of its code runs, in words."""
    source = ("#include <stdio.h>\n#include <steward/handler.h>\n"
              "__attribute__((constructor)) static void early(void) { puts(\"it ran\"); }\n"
              "static int init(struct steward_worker *w, const struct steward_args *a, void **s)\n"
              "{ (void)w; (void)a; *s = 0; return 0; }\n"
              "STEWARD_HANDLER(\"x\", \"1\", 1, .init = init);\n")

    def from_source(text):
        def make(n):
            build(n, "x", source=n.write("x.c", text), out="counter.so")
        return make

    def truncated(n):
        build(n, "counter")
        os.truncate(n.path("counter.so"), 5000)
    bad_module(lambda n: n.write("counter.so", "#!/bin/sh\n"), "counter.so: it is")
    bad_module(lambda n: None, "counter.so: cannot open it: No such file")
    bad_module(truncated, "it is cut off")
    bad_module(from_source("int x;\n"), "it has no note of Steward")
    n = Node(COUNTER)
    from_source("#include <steward/handler.h>\n#undef STEWARD_ABI\n#define STEWARD_ABI 99U\n" + source)(n)
    with n:
        n.wait_log("app/counter", "it is made for version 99 of <steward/handler.h>")
        assert "it ran" not in n.log("app/counter")
    bad_module(from_source(source.replace("*s = 0;", "extern int nowhere(void); *s = 0; nowhere();")),
               "undefined symbol: nowhere")


def test_configuration():
    """What is wrong with a handler's keys is said with its line."""
    for conf, words in (
            ("[worker w]\nhandler = /x.so\ncommand = /bin/true\n", "a handler or a command"),
            ("[worker w]\nrestart = permanent\n", "needs 'command = ...' or 'handler = ...'"),
            ("[worker w]\ncommand = /bin/true\nargs = x\n", "args: only a worker with a handler"),
            ("[worker w]\nhandler = /x.so\ncallers = nosuch\n", "no worker or application 'nosuch'"),
            ("[worker w]\nhandler = /x.so\ntype = oneshot\n", "no oneshot")):
        n = Node(conf)
        holds(n.relctl("check", n.conf_path, code=78).stderr, words, "supervisord.conf:")
        n.finish()


def test_callers():
    """Who is not among the callers is refused; `any` lets everybody in."""
    if not ROOT:
        raise Skip("needs root")
    for extra, code in (("", 5), ("callers = any\n", 0)):
        with handlers(COUNTER + extra) as n:
            n.wait_up("app/counter")
            done = n.relctl("call", "counter", uid=NOBODY)
            equal(done.returncode, code, done.stderr)
            if code:
                holds(done.stderr, "does not serve this user", "callers")


def test_a_second_reply_goes_nowhere():
    """Each call is answered once: a second reply to it is ENOENT and takes nobody's place."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        equal(call(n, "counter", "twice"), 100)
        n.wait_log("app/counter", "the second reply: No such file or directory")
        equal(json.loads(n.do("inspect", "counter", "--json"))["open_calls"], 0)


def test_who_may_suspend():
    """Whoever may call may not suspend: only root and the worker's own user. Instances of a
    pool cannot be told apart."""
    with handlers(COUNTER + "callers = any\ninstances = 2\n") as n:
        n.wait_up("app/counter#1", "app/counter#2")
        holds(n.relctl("suspend", "counter#2", code=2).stderr, "share one mailbox")
        if ROOT:
            equal(n.relctl("call", "counter", uid=NOBODY).stdout, "100\n")
            holds(n.relctl("suspend", "counter", uid=NOBODY, code=5).stderr, "only root")


def test_worker_to_worker():
    """Calls go from worker to worker; an unknown name is noproc at once, an end without a
    reply noconnection, and the name works again with the next life."""
    with handlers(BOTH) as n:
        n.wait_up("app/counter", "app/driver")
        equal(call(n, "driver", "call app/counter add 1"), 101)
        equal(call(n, "driver", "call app/nosuch x"), {"status": 3})
        equal(call(n, "driver", "call app/counter crash"), {"status": 4})
        n.wait_up("app/counter")
        equal(call(n, "driver", "call app/counter add 2"), 102)
        equal(call(n, "driver", "cast app/counter add 3"), None)
        until(lambda: call(n, "counter") == 105, "the cast arrives")


def test_late_reply_is_dropped():
    """After a timeout the late reply goes nowhere, and the next call gets its own answer."""
    with handlers(BOTH) as n:
        n.wait_up("app/counter", "app/driver")
        equal(call(n, "driver", "call app/counter later 2500"), {"status": 1})
        equal(call(n, "driver", "call app/counter sleep 700"), 100)
        equal(call(n, "driver", "call app/counter add 1"), 101)


def test_cast_after():
    """A later cast comes once, and not at all when it is cancelled."""
    with handlers(BOTH) as n:
        n.wait_up("app/counter", "app/driver")
        call(n, "driver", "after 60000 app/counter add 5")
        equal(call(n, "driver", "cancel"), True)
        equal(call(n, "driver", "cancel"), False)
        call(n, "driver", "after 20 app/counter add 7")
        until(lambda: call(n, "counter") == 107, "it comes")
        equal(call(n, "driver", "cancel"), False)


def test_monitor():
    """DOWN once when the other ends, `noproc` at once for nobody."""
    with handlers(BOTH) as n:
        n.wait_up("app/counter", "app/driver")
        equal(call(n, "driver", "monitor app/nosuch")["down"], "noproc")
        caller = start([os.path.join(n.bin, "relctl"), "--root", n.dir, "call", "driver",
                        '"monitor app/counter"', "--timeout", "60s"],
                       stdout=subprocess.PIPE, text=True)
        until(lambda: [c for c in json.loads(n.do("inspect", "counter", "--json"))["callers"]
                       if c["monitors"] == 1 and c["id"] == "app/driver"], "it is watched")
        n.kill("app/counter")
        down = json.loads(caller.communicate(timeout=60)[0])
        equal(down["name"], "app/counter")


def test_ten_callers():
    """Ten callers, each with thousands of increments: the sum is exact."""
    names = ["d%d" % i for i in range(10)]
    conf = COUNTER + "".join(
        "[worker %s]\nsupervisor = app\nhandler = {D}/driver.so\n" % name for name in names)
    with handlers(conf) as n:
        n.wait_up("app/counter", *["app/" + name for name in names])
        each = 2000
        callers = [start([os.path.join(n.bin, "relctl"), "--root", n.dir, "call", name,
                          '"storm app/counter %d"' % each, "--timeout", "100s"],
                         stdout=subprocess.PIPE, text=True) for name in names]
        for caller in callers:
            assert caller.communicate(timeout=100)[0].strip().isdigit()
        equal(call(n, "counter"), 100 + 10 * each)


def test_busy():
    """A worker takes `mailbox` calls at once; those beyond get busy at once."""
    with handlers(BOTH.replace("args = 100", "args = 100\nmailbox = 5")) as n:
        n.wait_up("app/counter", "app/driver")
        equal(call(n, "driver", "flood app/counter 8"), 3)


def test_hostile_peers():
    """Garbage, half a frame, a frame out of turn and silence cost nobody else anything."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        pid = n.pid("app/counter")
        open_ones = []
        magic = 0x57455453

        def head(kind, length=0, name=0):
            return struct.pack("=IHBBIIQQII", length, name, kind, 0, 0, 1000, 1, 0, magic, 0)
        for text in (b"GET / HTTP/1.0\r\n\r\n" * 10, b"\xff" * 200, head(3) + b"\0\0",
                     head(1) + b"\0\0" + head(5) + b"\0\0", head(1, 1 << 30), head(3)[:20], b"",
                     head(1, name=67) + b"x" * 68 + b"\0"):
            s = socket.socket(socket.AF_UNIX)
            with_dir = "/proc/self/fd/%d/app.counter" % os.open(n.path("run/mailbox"), os.O_PATH)
            s.connect(with_dir)
            s.sendall(text)
            open_ones.append(s)
        equal(call(n, "counter", "add 1"), 101)
        equal(n.pid("app/counter"), pid)
        n.wait_log("app/counter", "breaks the protocol")
        for s in open_ones:
            s.close()


def test_survives_master_and_keeper():
    """Mailboxes and states are kept over the deaths of master and keeper."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        call(n, "counter", "add 1")
        n.kill_master()
        n.wait_up("app/counter")
        equal(call(n, "counter", "add 1"), 102)
        keeper = n.call("node.info")["keeper_pid"]
        os.kill(keeper, signal.SIGKILL)
        n.process.wait()
        until(lambda: n.call("node.info")["keeper_pid"] not in (0, keeper), "a new keeper")
        n.wait_up("app/counter")
        equal(call(n, "counter", "add 1"), 103)
        assert not alive(keeper)


def test_idle():
    """An idle handler does not wake up."""
    with handlers(COUNTER) as n:
        n.wait_up("app/counter")
        equal(call(n, "counter"), 100)
        path = "/proc/%d/status" % n.pid("app/counter")

        def switches():
            with open(path, encoding="ascii") as f:
                return [line for line in f if "ctxt_switches" in line]
        quiet = [None]

        def still():
            before, quiet[0] = quiet[0], switches()
            return before == quiet[0]
        until(still, "it has come to rest")
