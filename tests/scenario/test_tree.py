"""The tree with real programs: strategies, restart types, intensity, shutdown."""
import os
import signal
import time

from harness import Node, Skip, alive, equal, free_port, holds, until

SLEEP = "/bin/sleep 1000"


def workers(names, supervisor, extra=""):
    return "".join("[worker %s]\nsupervisor = %s\ncommand = %s\n%s\n" % (
        n, supervisor, SLEEP, extra) for n in names)


def group(strategy, names="abcd", extra=""):
    return "[application t]\n[supervisor t/s]\nstrategy = %s\n%s\n%s" % (
        strategy, extra, workers(names, "t/s"))


def changed(strategy, victim):
    """Which pids differ after one of four was killed."""
    names = ["t/" + c for c in "abcd"]
    with Node(group(strategy)) as n:
        n.wait_up(*names)
        old = n.pids(*names)
        n.bounce(victim)
        n.wait_up(*names)
        until(lambda: n.state("t/s") == "up", "the supervisor is up")
        new = n.pids(*names)
        assert not any(alive(o) for o, w in zip(old, new) if o != w)
        return [c for c, o, w in zip("abcd", old, new) if o != w]


def test_one_for_one():
    """The one that died is restarted alone."""
    equal(changed("one_for_one", "t/b"), ["b"])


def test_one_for_all():
    """All are restarted when one dies."""
    equal(changed("one_for_all", "t/b"), ["a", "b", "c", "d"])


def test_rest_for_one():
    """The one that died and those started after it are restarted."""
    equal(changed("rest_for_one", "t/b"), ["b", "c", "d"])


def test_order():
    """A group stops in reverse and starts in order."""
    with Node(group("one_for_all")) as n:
        n.wait_up("t/a", "t/b", "t/c", "t/d")
        begin = n.events()[-1]["n"]
        n.bounce("t/b")
        n.wait_up("t/a", "t/b", "t/c", "t/d")
        after = [e for e in n.events() if e["n"] > begin]
        equal([e["id"] for e in after if e["type"] == "stopped"], ["t/d", "t/c", "t/a"])
        equal([e["id"] for e in after if e["type"] == "spawned"],
              ["t/a", "t/b", "t/c", "t/d"])


def test_pool_of_100():
    """100 instances of a template; the seventh dies, only the seventh is restarted."""
    conf = "[worker p]\ncommand = %s\ninstances = 100\n" % SLEEP
    with Node(conf) as n:
        names = ["main/p#%d" % i for i in range(1, 101)]
        n.wait_up(*names)
        old = n.pids(*names)
        n.bounce("main/p#7")
        new = n.pids(*names)
        equal([i + 1 for i in range(100) if old[i] != new[i]], [7])


def test_pool_is_scaled():
    """A pool grows and shrinks live; the instances that stay keep their pids."""
    conf = "[worker p]\ncommand = %s\ninstances = 3\n" % SLEEP
    with Node(conf) as n:
        n.wait_up("main/p#1", "main/p#2", "main/p#3")
        old = n.pids("main/p#1", "main/p#2", "main/p#3")
        n.do("scale", "p", "6")
        n.wait_up(*["main/p#%d" % i for i in range(1, 7)])
        equal(n.pids("main/p#1", "main/p#2", "main/p#3"), old)
        n.do("scale", "p", "2")
        until(lambda: len([i for i in n.nodes() if "#" in i]) == 2, "two are left")
        equal(n.pids("main/p#1", "main/p#2"), old[:2])
        n.do("scale", "p", "0")
        until(lambda: not [i for i in n.nodes() if "#" in i], "none is left")
        n.do("scale", "p", "1")
        until(lambda: len([i for i in n.nodes() if "#" in i]) == 1, "one is back")


def test_redis_and_its_client():
    """redis-server and a worker that uses it: when redis dies both come back, in order."""
    if not os.path.exists("/usr/bin/redis-server"):
        raise Skip("no redis-server here")
    port = free_port()
    conf = """
[application shop]
[supervisor shop/back]
strategy = rest_for_one
intensity = 5
[worker cache]
supervisor = shop/back
command = /usr/bin/redis-server --port %d --save '' --appendonly no
ready = tcp:127.0.0.1:%d
[worker user]
supervisor = shop/back
command = /bin/sh -c 'redis-cli -p %d incr seen && echo used && exec sleep 1000'
""" % (port, port, port)
    with Node(conf) as n:
        n.wait_up("shop/cache", "shop/user")
        n.wait_log("shop/user", "used")
        cache = n.pid("shop/cache")
        n.bounce("shop/user")
        equal(n.pid("shop/cache"), cache)
        user = n.pid("shop/user")
        until(lambda: n.log("shop/user").count("used") == 2, "it used redis twice")
        n.bounce("shop/cache")
        n.wait_new("shop/user", user)
        until(lambda: n.log("shop/user").count("used") == 3, "it used redis three times")
        assert "refused" not in n.log("shop/user"), n.log("shop/user")


def restart_type(kind, command):
    """(times it ran, state in the end) of a worker that ends by itself."""
    conf = """
[application t]
intensity = 2
period = 60s
[worker w]
supervisor = t
restart = %s
command = /bin/sh -c '%s'
[worker other]
supervisor = t
command = %s
""" % (kind, command, SLEEP)
    with Node(conf) as n:
        if kind == "permanent" or (kind == "transient" and "exit 0" not in command):
            n.wait_event("app_ended", "t")
            return len([e for e in n.events("spawned") if e["id"] == "t/w"])
        n.wait_event("exited", "t/w")
        n.wait_up("t/other")
        # a restart would come at once: the next thing the node does proves it did not
        n.bounce("t/other")
        return len([e for e in n.events("spawned") if e["id"] == "t/w"])


def test_permanent():
    """permanent: restarted after exit 0, until the intensity is exceeded."""
    equal(restart_type("permanent", "exit 0"), 3)


def test_transient_normal():
    """transient: exit 0 is not restarted."""
    equal(restart_type("transient", "exit 0"), 1)


def test_transient_abnormal():
    """transient: exit 3 and SIGSEGV are restarted."""
    equal(restart_type("transient", "exit 3"), 3)
    equal(restart_type("transient", "kill -SEGV $$"), 3)


def test_temporary():
    """temporary: never restarted, and forgotten."""
    equal(restart_type("temporary", "exit 3; exit 0"), 1)


def test_temporary_in_a_group():
    """one_for_all stops a temporary sibling and never starts it again."""
    conf = group("one_for_all", "ab") + workers("c", "t/s", "restart = temporary")
    with Node(conf) as n:
        n.wait_up("t/a", "t/b", "t/c")
        gone = n.pid("t/c")
        n.bounce("t/a")
        n.wait_up("t/a", "t/b")
        assert not alive(gone)
        nodes = n.nodes()
        assert nodes.get("t/c", {"pid": 0})["pid"] == 0


def test_success_codes():
    """An exit status of success_codes is a normal end."""
    conf = ("[worker w]\nrestart = transient\nsuccess_codes = 0 42\n"
            "command = /bin/sh -c 'exit 42'\n")
    with Node(conf) as n:
        n.wait_event("exited", "main/w")
        n.wait_state("main/w", "down")
        equal(n.get("main/w")["last"]["reason"], "normal")


def test_escalation():
    """More deaths than the intensity: the supervisor ends with shutdown, its parent decides."""
    conf = """
[application t]
strategy = rest_for_one
intensity = 1
[worker first]
supervisor = t
command = /bin/sleep 1000
[supervisor t/s]
supervisor = t
intensity = 2
period = 60s
[worker x]
supervisor = t/s
command = /bin/sleep 1000
[worker y]
supervisor = t/s
command = /bin/sleep 1000
[worker last]
supervisor = t
command = /bin/sleep 1000
"""
    with Node(conf) as n:
        n.wait_up("t/first", "t/x", "t/y", "t/last")
        first, y, last = n.pids("t/first", "t/y", "t/last")
        n.bounce("t/x")
        n.bounce("t/x")
        equal(n.pid("t/y"), y)
        n.kill("t/x")
        n.wait_new("t/y", y)
        n.wait_new("t/last", last)
        n.wait_up("t/first", "t/x", "t/y", "t/last")
        equal(n.pid("t/first"), first)
        equal([e["id"] for e in n.events("gave_up")], ["t/s"])
        holds(n.do("why", "t/s"), "it gave up", "ago because of t/", "has given up once")


def application_end(start, command):
    """Exit status of a node whose application ends; None: it goes on."""
    conf = """
[application t]
start = %s
intensity = 0
[worker w]
supervisor = t
command = /bin/sh -c '%s'
[application other]
[worker o]
supervisor = other
command = /bin/sleep 1000
""" % (start, command)
    n = Node(conf)
    n.start(wait=False)
    try:
        if start == "temporary":
            until(lambda: n.events("app_ended"), "the application's end is reported")
            n.wait_up("other/o")
            status = None
        else:
            status = n.wait_end()
    except BaseException:
        n.tell()
        n.destroy()
        raise
    n.finish()
    return status


def test_temporary_application():
    """The end of a temporary application is reported only."""
    equal(application_end("temporary", "exit 3"), None)


def test_permanent_application():
    """The end of a permanent application ends the node, with the exit status of its worker."""
    equal(application_end("permanent", "sleep 0.2; exit 3"), 3)


def test_transient_application():
    """An abnormal end of a transient application ends the node."""
    equal(application_end("transient", "sleep 0.2; exit 4"), 4)


def test_transient_application_normal():
    """A normal end of a transient application is reported only."""
    conf = """
[application t]
start = transient
lifespan = 200ms
[worker w]
supervisor = t
command = /bin/sleep 1000
[application other]
[worker o]
supervisor = other
command = /bin/sleep 1000
"""
    with Node(conf) as n:
        n.wait_event("app_ended", "t")
        n.wait_up("other/o")


def test_auto_shutdown_of_an_application():
    """auto_shutdown ends a supervisor with shutdown, which for a transient application is
    no normal end, as in OTP: the node ends."""
    conf = """
[application t]
start = transient
auto_shutdown = any_significant
[worker w]
supervisor = t
restart = transient
significant = yes
command = /bin/sh -c 'sleep 0.2; exit 0'
"""
    n = Node(conf)
    n.start(wait=False)
    equal(n.wait_end(), 0)
    n.finish()


def test_auto_shutdown():
    """any_significant: one end is enough; all_significant: only the last one counts."""
    conf = """
[application t]
[supervisor t/any]
restart = temporary
auto_shutdown = any_significant
[worker a1]
supervisor = t/any
restart = temporary
significant = yes
command = /bin/sleep 1000
[worker a2]
supervisor = t/any
command = /bin/sleep 1000
[supervisor t/all]
restart = temporary
auto_shutdown = all_significant
[worker b1]
supervisor = t/all
restart = temporary
significant = yes
command = /bin/sleep 1000
[worker b2]
supervisor = t/all
restart = temporary
significant = yes
command = /bin/sleep 1000
[worker b3]
supervisor = t/all
command = /bin/sleep 1000
"""
    with Node(conf) as n:
        n.wait_up("t/a1", "t/a2", "t/b1", "t/b2", "t/b3")
        a2, b3 = n.pids("t/a2", "t/b3")
        n.kill("t/a1")
        until(lambda: not alive(a2), "any_significant ended its supervisor")
        n.kill("t/b1")
        n.wait_event("exited", "t/b1")
        equal(n.pid("t/b3"), b3)
        n.kill("t/b2")
        until(lambda: not alive(b3), "all_significant ended its supervisor")
        equal(sorted(e["id"] for e in n.events("auto_shutdown")), ["t/all", "t/any"])


def test_stop_order_any():
    """stop_order = any tells all at once: one that takes its time delays no other."""
    conf = "[application t]\nstop_order = any\n" + workers("ab", "t") + (
        "[worker slow]\nsupervisor = t\nshutdown = infinity\n"
        "command = {W} stubborn {D}/deaf\n")
    with Node(conf) as n:
        n.wait_up("t/a", "t/b", "t/slow")
        until(lambda: n.read("deaf"), "it ignores TERM")
        pids = n.pids("t/a", "t/b", "t/slow")
        n.relctl("app", "stop", "t", "--timeout", "100ms", code=1)
        until(lambda: not alive(pids[0]) and not alive(pids[1]), "the others have ended")
        assert alive(pids[2])
        os.kill(pids[2], signal.SIGKILL)
        n.wait_state("t", "down")


def test_brutal_kill():
    """shutdown = brutal_kill kills at once, without TERM before."""
    conf = ("[worker w]\nshutdown = brutal_kill\nready = fd:3\ncommand = /bin/sh -c "
            "'trap \"touch {D}/termed; exit 0\" TERM; echo >&3; while :; do sleep 0.05; done'\n")
    with Node(conf) as n:
        n.wait_up("main/w")
        n.do("stop", "w")
        equal(n.get("main/w")["last"]["reason"], "{signal,KILL}")
        assert not os.path.exists(n.path("termed"))


def test_shutdown_time():
    """shutdown = 1s kills after a second, no sooner."""
    conf = "[worker w]\nshutdown = 1s\ncommand = {W} stubborn {D}/deaf\n"
    with Node(conf) as n:
        until(lambda: n.read("deaf"), "it ignores TERM")
        begun = time.monotonic()
        n.do("stop", "w", "--timeout", "50s")
        took = time.monotonic() - begun
        assert took > 0.9, took
        equal(n.state("main/w"), "down")
        equal(n.get("main/w")["last"]["reason"], "{signal,KILL}")


def test_shutdown_infinity():
    """shutdown = infinity never kills; the caller may give up waiting."""
    conf = "[worker w]\nshutdown = infinity\ncommand = {W} stubborn {D}/deaf\n"
    with Node(conf) as n:
        until(lambda: n.read("deaf"), "it ignores TERM")
        pid = n.pid("main/w")
        done = n.relctl("stop", "w", "--timeout", "500ms", code=1)
        holds(done.stderr, "500 ms")
        equal(n.state("main/w"), "stopping")
        assert alive(pid)
        os.kill(pid, signal.SIGKILL)
        n.wait_state("main/w", "down")


def test_mistyped_command():
    """A mistyped command leaves the others alone and says what is wrong."""
    conf = """
[worker good]
command = /bin/sleep 1000
[worker bad]
command = /usr/bin/slep 1000
[worker later]
command = /bin/sleep 1000
"""
    with Node(conf) as n:
        n.wait_up("main/good", "main/later")
        # not while it is tried once more
        until(lambda: "No such file or directory" in n.do("why", "bad"), "why says it")
        until(lambda: all(part in n.relctl("status").stdout for part in
                          ("No such file or directory", "1 in trouble")), "status says it")


def test_after():
    """after = waits for a worker elsewhere in the tree to be ready."""
    conf = """
[worker a]
supervisor = one
after = two/b
command = /bin/sleep 1000
[application one]
[application two]
[worker b]
supervisor = two
ready = notify
command = {W} notify sleep=0.5 READY=1
"""
    with Node(conf) as n:
        n.wait_up("one/a", "two/b")
        order = [e["id"] for e in n.events("spawned", "ready") if e["id"] in ("one/a", "two/b")]
        equal(order, ["two/b", "two/b", "one/a", "one/a"])


def test_backoff():
    """backoff = 50ms..400ms: pauses grow, and `why` says when the next try is."""
    conf = """
[worker w]
command = /bin/sh -c 'exit 1'
backoff = 50ms..400ms
[application main]
intensity = infinity
"""
    with Node(conf) as n:
        n.wait_event("spawned", "main/w", 7)
        times = [e["time_ms"] for e in n.events("spawned") if e["id"] == "main/w"]
        gaps = [b - a for a, b in zip(times, times[1:])]
        # each pause is its step, a fifth either way: 50, 100, 200, 400, 400
        assert all(gap >= low for gap, low in zip(gaps, (38, 78, 158, 318, 318))), gaps
        until(lambda: "next try" in n.do("why", "w"), "why says when")


def test_start_timeout():
    """A worker that is not ready in time is killed and tried again."""
    conf = """
[worker w]
command = {W} notify
ready = notify
start_timeout = 300ms
[application main]
intensity = infinity
"""
    with Node(conf) as n:
        n.wait_event("spawned", "main/w", 2)
        holds(n.get("main/w").get("last", {}).get("reason", ""), "start_timeout")


def test_oneshot():
    """What comes after a oneshot waits for its success."""
    conf = """
[worker migrate]
type = oneshot
restart = transient
command = /bin/sh -c 'sleep 0.3; echo done > {D}/migrated'
[worker serve]
command = /bin/sh -c 'cat {D}/migrated && exec sleep 1000'
"""
    with Node(conf) as n:
        n.wait_log("main/serve", "done")
        equal(n.state("main/migrate"), "done")


def test_pre_start_and_post_stop():
    """pre_start runs before each start, post_stop after each end."""
    conf = """
[worker w]
command = /bin/sh -c 'echo main >> {D}/order; exec sleep 1000'
pre_start = /bin/sh -c 'echo pre >> {D}/order'
post_stop = /bin/sh -c 'echo post >> {D}/order'
"""
    with Node(conf) as n:
        until(lambda: n.read("order") == "pre\nmain\n", "first life")
        n.bounce("main/w")
        until(lambda: n.read("order") == "pre\nmain\npost\npre\nmain\n", "second life")
        n.do("stop", "w")
        equal(n.read("order"), "pre\nmain\npost\npre\nmain\npost\n")


def test_pre_start_fails():
    """A pre_start that fails is a failed start, said in words."""
    conf = "[worker w]\ncommand = %s\npre_start = /bin/false\n" % SLEEP
    with Node(conf) as n:
        until(lambda: "pre_start" in n.get("main/w").get("last", {}).get("reason", ""),
              "the end of pre_start is told")
        until(lambda: "pre_start" in n.do("why", "w"), "why says it")


def test_dynamic_children():
    """start_child with arguments, terminate, restart, delete, which and count, as in OTP."""
    conf = """
[application t]
[supervisor t/pool]
strategy = simple_one_for_one
[worker job]
supervisor = t/pool
command = /bin/sh -c 'echo "$1 $2"; exec sleep 1000' sh
[worker extra]
supervisor = t
dynamic = yes
command = /bin/sleep 1000
"""
    with Node(conf) as n:
        n.wait_state("t", "up")
        n.do("start-child", "t/pool", "two words", "x;y")
        name = [i for i in n.nodes() if "#" in i][0]
        n.wait_log(name, "two words x;y")
        pid = n.pid(name)
        n.bounce(name)
        until(lambda: n.log(name).count("two words x;y") == 2, "its arguments stay its own")
        n.do("start-child", "--child", "extra", "t")
        n.wait_up("t/extra")
        counted = n.call("count_children", id="t")
        equal((counted["workers"], counted["supervisors"], counted["active"]), (1, 1, 2))
        children = n.call("which_children", id="t")["children"]
        equal([(c["id"], c["type"]) for c in children],
              [("t/pool", "supervisor"), ("t/extra", "worker")])
        n.do("terminate-child", "t/extra")
        equal(n.call("which_children", id="t")["children"][1]["child"], "undefined")
        n.do("restart-child", "t/extra")
        n.wait_up("t/extra")
        equal(n.relctl("delete-child", "t/extra").returncode, 5)
        n.do("terminate-child", "t/extra")
        n.do("delete-child", "t/extra")
        assert n.pid(name) != pid
        n.do("terminate-child", name)
        assert name not in n.nodes()


def test_stop_is_held():
    """A stop holds over the death of a sibling and of the master; start ends it."""
    with Node(group("one_for_all", "ab", "intensity = 10")) as n:
        n.wait_up("t/a", "t/b")
        n.do("stop", "t/a")
        n.bounce("t/b")
        equal(n.state("t/a"), "down")
        n.kill_master()
        n.bounce("t/b")
        equal(n.state("t/a"), "down")
        n.do("start", "t/a")
        n.wait_up("t/a")


def test_disable_survives():
    """disable survives a start of the whole node; enable undoes it."""
    conf = "[worker a]\ncommand = %s\n[worker b]\ncommand = %s\n" % (SLEEP, SLEEP)
    with Node(conf) as n:
        n.wait_up("main/a", "main/b")
        pid = n.pid("main/a")
        n.do("disable", "a")
        equal(n.pid("main/a"), pid)
        n.stop()
        n.start()
        n.wait_up("main/b")
        equal(n.state("main/a"), "down")
        n.do("enable", "a")
        n.stop()
        n.start()
        n.wait_up("main/a", "main/b")


def test_restart_does_not_count():
    """relctl restart of a pool is rolling and does not count towards the intensity."""
    conf = "[worker p]\ncommand = %s\ninstances = 3\n" % SLEEP
    with Node(conf) as n:
        names = ["main/p#1", "main/p#2", "main/p#3"]
        n.wait_up(*names)
        for _ in range(3):
            old = n.pids(*names)
            n.do("restart", "p")
            n.wait_up(*names)
            assert not set(old) & set(n.pids(*names))
        equal(n.events("gave_up"), [])


def test_same_pid_never_twice():
    """Fifty kills in a row: each life is a new process, none is left over."""
    conf = "[worker w]\ncommand = %s\n[application main]\nintensity = infinity\n" % SLEEP
    with Node(conf) as n:
        n.wait_up("main/w")
        for _ in range(50):
            old = n.kill("main/w")
            n.wait_new("main/w", old)
            assert not alive(old)
        equal(n.get("main/w")["restarts"], 50)
