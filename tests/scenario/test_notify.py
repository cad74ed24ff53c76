"""Readiness: sd_notify, connections, descriptors; the watchdog."""
import os
import signal
import subprocess

from harness import (NOBODY, Node, ROOT, Skip, alive, equal, environ_of, free_port, holds,
                     until)


def worker(words, extra=""):
    return ("[worker w]\ncommand = {W} notify %s\nready = notify\n%s\n"
            "[application main]\nintensity = infinity\n" % (words, extra))


def variable(pid, name):
    return [v.split("=", 1)[1] for v in environ_of(pid) if v.startswith(name + "=")][0]


def send(node, name, text, words=()):
    """A process that says text on the notify socket of a worker: a stranger's message."""
    script = ("import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
              "p=sys.argv[1]\ns.sendto(sys.argv[2].encode(),'\\0'+p[1:] if p[0]=='@' else p)")
    path = variable(node.pid(name), "NOTIFY_SOCKET")
    return subprocess.run(list(words) + ["/usr/bin/python3", "-S", "-E", "-c", script, path, text],
                          stderr=subprocess.PIPE, check=False)


def test_ready_and_status():
    """READY=1 makes it up, STATUS= stands in relctl status."""
    with Node(worker("STATUS=warming wait={D}/go READY=1 'STATUS=serving 12 of 20'")) as n:
        until(lambda: n.get("main/w").get("status") == "warming", "it warms up")
        equal(n.state("main/w"), "starting")
        n.write("go", "")
        n.wait_up("main/w")
        until(lambda: "serving 12 of 20" in n.do("status"), "its words are shown")


def test_stopping():
    """STOPPING=1 is seen; its last words are shown while it packs up."""
    with Node(worker("READY=1")) as n:
        n.wait_up("main/w")
        n.kill("main/w", signal.SIGTERM)
        until(lambda: "said_stopping" in n.get("main/w")["flags"] or
              n.events("exited"), "STOPPING is seen")
        n.wait_event("spawned", "main/w", 2)


def test_reloading():
    """RELOADING=1 is shown until the next READY=1; the process stays."""
    with Node(worker("READY=1", "environment = RELOADED={D}/reloaded")) as n:
        n.wait_up("main/w")
        pid = n.pid("main/w")
        n.do("signal", "w", "HUP")
        until(lambda: "reloading" in n.get("main/w")["flags"], "RELOADING is seen")
        n.write("reloaded", "")
        until(lambda: "reloading" not in n.get("main/w")["flags"], "READY is seen")
        equal((n.pid("main/w"), n.state("main/w")), (pid, "up"))


def test_watchdog_missed():
    """A worker that misses its watchdog is killed and restarted, and why says so."""
    with Node(worker("READY=1 WATCHDOG=1", "watchdog = 2s")) as n:
        n.wait_up("main/w")
        pid = n.pid("main/w")
        equal(variable(pid, "WATCHDOG_USEC"), "2000000")
        equal(variable(pid, "WATCHDOG_PID"), str(pid))
        n.wait_event("watchdog", "main/w")
        n.wait_new("main/w", pid)
        assert not alive(pid)
        holds(n.get("main/w")["last"]["reason"], "watchdog")


def test_watchdog_kept():
    """A worker that says WATCHDOG=1 in time lives on."""
    beats = " ".join(["WATCHDOG=1 sleep=0.4"] * 8)
    with Node(worker("READY=1 %s STATUS=through WATCHDOG=1" % beats,
                     "watchdog = 3s")) as n:
        n.wait_up("main/w")
        pid = n.pid("main/w")
        until(lambda: n.get("main/w").get("status") == "through", "all its beats")
        equal(n.pid("main/w"), pid)


def test_mainpid_of_its_own():
    """MAINPID= of a child of its own is taken; that process is the worker from then on."""
    with Node(worker("READY=1 fork-mainpid={D}/taken")) as n:
        first = until(lambda: n.events("spawned"), "spawned")[0]["pid"]
        until(lambda: n.pid("main/w") not in (0, first), "the child is the worker")
        second = n.pid("main/w")
        n.write("taken", "")
        until(lambda: not alive(first), "the parent has ended")
        equal((n.pid("main/w"), n.state("main/w")), (second, "up"))
        n.do("stop", "w")
        assert not alive(second)


def test_mainpid_of_a_stranger():
    """MAINPID= that names a process which is not its own is refused."""
    with Node(worker("READY=1 MAINPID=%d STATUS=tried" % os.getpid())) as n:
        n.wait_up("main/w")
        until(lambda: n.get("main/w").get("status") == "tried", "it has tried")
        pid = n.pid("main/w")
        assert pid != os.getpid()
        n.do("restart", "w")
        until(lambda: n.pid("main/w") not in (0, pid), "a new life")


def test_notify_from_a_stranger():
    """A message from a process that is not of the worker changes nothing."""
    if not ROOT:
        raise Skip("needs root")
    with Node(worker("READY=1 STATUS=mine")) as n:
        n.wait_up("main/w")
        until(lambda: n.get("main/w").get("status") == "mine", "its words")
        send(n, "main/w", "STATUS=foreign")
        send(n, "main/w", "STATUS=foreign", ["setpriv", "--reuid=%d" % NOBODY, "--clear-groups"])
        n.bounce("main/w")
        until(lambda: n.get("main/w").get("status") == "mine", "its words")
        assert not [e for e in n.events("status") if "foreign" in str(e)]


def test_extend_timeout():
    """EXTEND_TIMEOUT_USEC gives a slow start more time."""
    with Node(worker("EXTEND_TIMEOUT_USEC=20000000 sleep=3.5 READY=1",
                     "start_timeout = 3s")) as n:
        n.wait_up("main/w")
        equal(len([e for e in n.events("spawned") if e["id"] == "main/w"]), 1)


def test_tcp():
    """ready = tcp:… waits until a connection is accepted."""
    port = free_port()
    conf = """
[worker w]
command = {PY} -S -E -c 'import os,socket,time; exec("while not os.path.exists(\\"{D}/go\\"): time.sleep(0.01)"); s=socket.socket(); s.setsockopt(1,2,1); s.bind(("127.0.0.1",%d)); s.listen(); time.sleep(1000)'
ready = tcp:127.0.0.1:%d
[worker next]
command = /bin/sleep 1000
""" % (port, port)
    with Node(conf) as n:
        n.wait_state("main/w", "starting")
        equal(n.state("main/next"), "down")
        n.write("go", "")
        n.wait_up("main/w", "main/next")


def test_fd():
    """ready = fd:7 waits for a newline on descriptor 7."""
    with Node("[worker w]\ncommand = {W} fdready 7\nready = fd:7\n") as n:
        n.wait_up("main/w")


def test_fd_of_a_dead_worker():
    """A worker that ends before its newline has failed to start and is tried again."""
    conf = ("[worker w]\nready = fd:3\ncommand = /bin/sh -c '[ -e {D}/twice ] && echo >&3 && "
            "exec sleep 1000; touch {D}/twice; exit 7'\n")
    with Node(conf) as n:
        n.wait_up("main/w")
        equal(n.get("main/w")["last"]["reason"], "{exit,7}")


def test_ready_survives_the_probe():
    """The probe is killed while a worker starts: READY is heard all the same."""
    with Node(worker("wait={D}/go READY=1")) as n:
        n.wait_state("main/w", "starting")
        n.kill_role("probe")
        n.write("go", "")
        n.wait_up("main/w")
        equal(len([e for e in n.events("spawned") if e["id"] == "main/w"]), 1)
