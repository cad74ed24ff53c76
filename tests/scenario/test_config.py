"""Configurations: all errors at once, reload, odd names and values, deep directories."""
import os

from harness import DEADLINE, Fault, Node, alive, environ_of, equal, holds, until

WRONG = """[node]
naem = x
[worker web]
command = /bin/sleep 1000
restrat = permanent
period = soon
[worker WEB]
command = /bin/true
[supervisor api/back]
strategy = one_for_two
[worker x]
supervisor = nosuch
"""
LINES = ("supervisord.conf:2: error:", "supervisord.conf:5: error:", "did you mean 'restart'",
         "supervisord.conf:6:", "supervisord.conf:7: error:", "supervisord.conf:10: error:",
         "one_for_two", "nosuch")


def test_all_errors_at_once():
    """Every error at once, with file and line; exit 78; nothing was started."""
    n = Node(WRONG)
    n.start(wait=False)
    equal(n.wait_end(), 78)
    holds(n.out(), *LINES)
    done = n.relctl("check", n.conf_path, code=78)
    holds(done.stdout + done.stderr, *LINES)
    n.finish()


def test_check_flag():
    """supervisord --check: 0 or 78, without a node."""
    for config, code in (("[worker w]\ncommand = /bin/true\n", 0), (WRONG, 78)):
        n = Node(config)
        n.start(wait=False, arguments=["--check"])
        equal(n.wait_end(), code)
        assert not os.path.exists(n.path("run"))
        n.finish()


def test_missing_file():
    """A configuration that is not there: a sentence with its path, exit 78."""
    n = Node("")
    os.unlink(n.conf_path)
    n.start(wait=False)
    equal(n.wait_end(), 78)
    holds(n.out(), n.conf_path, "No such file", "--config")
    equal(os.listdir(n.dir), [], "nothing is made: ")
    n.finish()


def test_reload_after_reload():
    """Who reloads right after a reload is not told to wait for the end of its helper."""
    with Node("[worker w]\ncommand = /bin/sleep 1000\n") as n:
        for _ in range(150):
            n.call("node.reload")


def test_bad_reload_changes_nothing():
    """A reload with errors shows them all, exits with 78 and leaves the node untouched."""
    with Node("[worker a]\ncommand = /bin/sleep 1000\n") as n:
        n.wait_up("main/a")
        pid = n.pid("main/a")
        n.configure(WRONG)
        for words in (["reload"], ["reload", "--check"]):
            holds("%s%s" % (lambda d: (d.stdout, d.stderr))(n.relctl(*words, code=78)), *LINES)
        equal(n.pid("main/a"), pid)
        equal(sorted(n.nodes()), ["main", "main/a", "root"])
        n.kill_master()
        equal(n.pid("main/a"), pid)


BEFORE = """
[worker stays]
command = /bin/sleep 1000
[worker changes]
command = /bin/sleep 1001
[worker goes]
command = /bin/sleep 1000
[worker in_place]
command = /bin/sleep 1000
shutdown = 5s
[worker pool]
command = /bin/sleep 1000
instances = 2
"""
AFTER = """
[worker stays]
command = /bin/sleep 1000
[worker comes]
command = /bin/sleep 1000
[worker changes]
command = /bin/sleep 1002
[worker in_place]
command = /bin/sleep 1000
shutdown = 7s
[worker pool]
command = /bin/sleep 1000
instances = 3
"""


def test_reload():
    """reload starts, stops and restarts only what differs; --check shows it first."""
    with Node(BEFORE) as n:
        same = ["main/stays", "main/in_place", "main/pool#1", "main/pool#2"]
        n.wait_up("main/changes", "main/goes", *same)
        old, changed, gone = n.pids(*same), n.pid("main/changes"), n.pid("main/goes")
        n.configure(AFTER)
        shown = n.do("reload", "--check")
        lines = [line.split() for line in shown.splitlines()]
        for want in (["+", "main/comes"], ["-", "main/goes"], ["!", "would", "restart", "main/changes"],
                     ["~", "main/in_place"]):
            assert any(line[:len(want)] == want for line in lines), "%s not in %s" % (want, shown)
        equal(n.pids(*same) + [n.pid("main/goes")], old + [gone])
        n.do("reload")
        n.wait_up("main/comes", "main/changes", "main/pool#3", *same)
        until(lambda: "main/goes" not in n.nodes(), "what went is gone")
        equal(n.pids(*same), old)
        assert not alive(gone) and not alive(changed)
        equal(n.get("main/in_place")["config"]["shutdown_ms"], 7000)
        equal(n.do("reload", "--check").strip().splitlines()[:1] and
              [l for l in n.do("reload", "--check").splitlines() if l[:2] in ("+ ", "- ", "! ", "~ ")],
              [])
        n.kill_master()
        equal(n.pids(*same), old)


def test_reloads_one_after_the_other():
    """A reload may follow the answer of the one before at once."""
    with Node("[worker a]\ncommand = /bin/sleep 1000\n") as n:
        n.wait_up("main/a")
        with n.client() as c:
            for i in range(50):
                c.call("node.reload", check=i % 2 == 0)
        n.configure("[worker a]\n")
        with n.client() as c:
            for _ in range(10):
                try:
                    c.call("node.reload")
                    raise AssertionError("a configuration without a command")
                except Fault as fault:
                    equal(fault.name, "config")


def test_include_and_new_file():
    """A new file in conf.d and a reload: started under the running supervisor, nothing
    else touched, and it survives SIGKILL of master and keeper."""
    conf = "[node]\ninclude = conf.d/*.ini\n[worker a]\ncommand = /bin/sleep 1000\n"
    with Node(conf) as n:
        n.wait_up("main/a")
        pid = n.pid("main/a")
        n.write("conf.d/b.ini", "[worker b]\ncommand = /bin/sleep 1000\n")
        n.do("reload")
        n.wait_up("main/a", "main/b")
        both = n.pids("main/a", "main/b")
        equal(both[0], pid)
        n.kill_master()
        equal(n.pids("main/a", "main/b"), both)
        n.write("conf.d/c.ini", "[worker c]\ncomand = /bin/sleep 1000\n")
        holds("".join((lambda d: (d.stdout, d.stderr))(n.relctl("reload", code=78))),
              "conf.d/c.ini:2: error", "did you mean 'command'?")


def test_sighup_reloads():
    """SIGHUP to the node is a reload."""
    with Node("[worker a]\ncommand = /bin/sleep 1000\n") as n:
        n.wait_up("main/a")
        n.configure("[worker a]\ncommand = /bin/sleep 1000\n[worker b]\ncommand = /bin/sleep 1000\n")
        n.process.send_signal(1)
        n.wait_up("main/a", "main/b")


def test_odd_values():
    """Blanks, ` ;`, #, UTF-8, quotes and 10 kB arrive as they were written."""
    import json
    long = "x" * 10000
    conf = ("[worker w]\ncommand = {W} dump {D}/dump 'a  b' ' ; c' '#d' é漢字 \"q\\\"q\" '' %s\n"
            "environment = 'A=1 ; 2' B=é 'C=%s'\n  D=continued\n" % (long, long[:6000]))
    with Node(conf) as n:
        d = json.loads(until(lambda: n.read("dump"), "told"))
        equal(d["argv"], ["a  b", " ; c", "#d", "é漢字", 'q"q', "", long])
        equal([d["env"][k] for k in "ABCD"], ["1 ; 2", "é", long[:6000], "continued"])


def test_control_characters():
    """Control characters are refused with their line."""
    n = Node("[worker w]\ncommand = /bin/echo \x07\n")
    n.start(wait=False)
    equal(n.wait_end(), 78)
    holds(n.out(), "supervisord.conf:2: error:")
    n.finish()


def test_odd_directory():
    """A root directory with blanks, ` ;`, quotes and UTF-8 in its name."""
    conf = ("[worker a]\ncommand = /bin/sh -c 'echo here; exec sleep 1000'\n"
            "[socket s]\nlisten = unix:s.sock\n[worker b]\ncommand = /bin/sleep 1000\nsockets = s\n")
    with Node(conf, root="odd ; 'näme'  %n \"x\"") as n:
        n.wait_up("main/a", "main/b")
        n.wait_log("main/a", "here")
        holds(n.do("logs", "a"), "here")
        assert os.path.exists(n.path("s.sock"))
        n.kill_master()
        n.wait_up("main/a", "main/b")


def test_deep_directory():
    """A root directory of 230 bytes: control.sock, notify and unix sockets all work."""
    import socket
    conf = """
[worker w]
command = {W} notify READY=1 STATUS=deep
ready = notify
[socket s]
listen = unix:serve.sock
[worker s]
command = {W} serve
sockets = s
"""
    with Node(conf, deep=230) as n:
        n.wait_up("main/w", "main/s")
        until(lambda: n.get("main/w").get("status") == "deep", "its words")
        holds(n.do("status"), "deep")
        path = [v for v in environ_of(n.pid("main/w")) if v.startswith("NOTIFY_SOCKET=")][0]
        assert len(path) < 108 + len("NOTIFY_SOCKET="), path
        place = os.open(n.dir, os.O_PATH)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(DEADLINE)
            s.connect("/proc/self/fd/%d/serve.sock" % place)
            equal(int(s.recv(100)), n.pid("main/s"))
        os.close(place)
        n.kill_master()
        n.wait_up("main/w", "main/s")
        n.bounce("main/w")


def test_second_node_in_the_same_directory():
    """A second node in the same directory is refused with a sentence; the first lives on."""
    with Node("[worker a]\ncommand = /bin/sleep 1000\n") as n:
        n.wait_up("main/a")
        first = n.process
        n.start(wait=False)
        equal(n.wait_end(), 75)
        n.process = first
        holds(n.out(), "runs", "already", str(first.pid), "relctl")
        n.wait_up("main/a")
