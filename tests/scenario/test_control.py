"""Control: roles, the audit line, limits, and a client written from the manual alone."""
import json
import os
import re
import subprocess
import sys

from harness import (NOBODY, Client, Fault, Node, ROOT, Skip, TOP, equal, holds, until)

CONF = """
[node]
name = tester
%s
[application api]
description = things
[supervisor api/s]
[worker w]
supervisor = api/s
command = /bin/sleep 1000
[worker p]
supervisor = api/s
command = /bin/sleep 1000
instances = 2
[worker d]
supervisor = api/s
command = /bin/sleep 1000
dynamic = yes
[application extra]
autostart = no
[worker e]
supervisor = extra
command = /bin/sleep 1000
"""
ALL = ["api/w", "api/p#1", "api/p#2"]


def manual():
    """(name, its section) of each method of steward-control(7)."""
    with open(os.path.join(TOP, "man/steward-control.7"), encoding="utf-8") as f:
        text = f.read()
    text = text[text.index(".SH METHODS"):text.index(".SH NOTIFICATIONS")]
    return [(part.split("\n")[0], part) for part in text.split("\n.SS ")[1:]]


def test_each_method_of_the_manual():
    """The second client can use every method that steward-control(7) documents, with the
    results it names."""
    calls = {
        "node.info": {}, "tree.list": {}, "tree.get": {"id": "w"},
        "which_children": {"id": "api/s"}, "count_children": {"id": "api"},
        "why": {"id": "w"}, "worker.stop": {"id": "w"}, "worker.start": {"id": "w"},
        "worker.restart": {"id": "w"}, "worker.disable": {"id": "w"},
        "worker.enable": {"id": "w"}, "worker.signal": {"id": "w", "signal": "WINCH"},
        "supervisor.start_child": {"id": "api/p"},
        "supervisor.terminate_child": {"id": "api/w"},
        "supervisor.restart_child": {"id": "api/w"},
        "supervisor.delete_child": None, "pool.scale": {"id": "api/p", "instances": 3},
        "app.list": {}, "app.info": {"app": "api"}, "app.env": {"app": "api"},
        "app.load": None, "app.unload": {"app": "extra"},
        "app.start": {"app": "extra"}, "app.stop": {"app": "extra"},
        "app.setenv": {"app": "api", "name": "A", "value": "b"},
        "events.list": {"limit": 5}, "events.subscribe": {}, "events.unsubscribe": {},
        "node.reload": {}, "node.reexec": {}, "log.reopen": {}, "node.shutdown": {"status": 7},
    }
    n = Node(CONF % "")
    n.start()
    n.wait_up(*ALL)
    done = set()
    with n.client() as c:
        for name, params in sorted(calls.items(), key=lambda i: (
                i[0] == "node.shutdown", i[0] == "node.reexec", i[0] == "app.unload")):
            if name == "supervisor.delete_child":
                c.call("supervisor.start_child", id="api/s", child="d")
                c.call("supervisor.terminate_child", id="api/d")
                params = {"id": "api/d"}
            if name == "app.load":
                c.call("app.unload", app="extra")
                params = {"app": "extra"}
            if name == "node.shutdown":
                break
            try:
                result = c.call(name, **params)
            except ConnectionError:  # the old control may end before it has answered
                equal(name, "node.reexec")
                result = {}
            assert isinstance(result, dict), (name, result)
            done.add(name)
    until(lambda: n.call("node.info")["masters"] == 2, "the new master serves")
    n.call("node.shutdown", status=7)
    done.add("node.shutdown")
    equal(n.wait_end(), 7)
    equal(sorted(done), sorted(name for name, _ in manual()))
    n.finish()


def test_results_have_the_members_of_the_manual():
    """The results of the methods that read have the members the manual names."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        info = n.call("node.info")
        for member in ("name version started_ms uptime_ms state keeper_pid master_pid masters roles "
                       "dirs rows_seq counts newest_event clients you").split():
            assert member in info, member
        equal(info["you"], {"uid": os.geteuid(), "role": "admin"})
        worker = n.get("w")
        for member in "id kind parent state since_ms restart flags pid gen starts restarts up_ms config".split():
            assert member in worker, member
        for member in "description shutdown_ms after start_timeout_ms watchdog_ms ready exec".split():
            assert member in worker["config"], member
        equal(worker["config"]["exec"]["argv"], ["/bin/sleep", "1000"])
        equal(n.call("tree.get", pid=worker["pid"])["id"], "api/w")


def test_which_children_is_the_tree():
    """which_children equals the tree shown."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        nodes = n.nodes()
        for name in ("root", "api", "api/s", "api/p"):
            got = [(c["id"], c["child"]) for c in n.call("which_children", id=name)["children"]]
            want = [(i, v.get("pid") or None) for i, v in nodes.items() if v["parent"] == name]
            equal([g[0] for g in got], [w[0] for w in want])
            for (_, child), (_, pid) in zip(got, want):
                assert pid is None or child == pid, (got, want)


def test_paging():
    """Lists come page by page: the whole is the same as in one page."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        with n.client() as c:
            equal([x["id"] for x in c.tree(limit=2)], [x["id"] for x in c.tree()])
            everything = c.call("events.list")["events"]
            first = c.call("events.list", limit=3)
            equal(first["events"], everything[:3])
            equal(c.call("events.list", **{"from": first["next"], "limit": 2})["events"],
                  everything[3:5])


def test_events():
    """A subscriber gets what happens, in order; a replay has no gap."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        with n.client() as c:
            c.call("events.subscribe", under="api/w")
            n.kill("api/w")
            seen = []
            while not seen or seen[-1]["type"] != "ready":
                method, event = c.next_event()
                equal(method, "event")
                seen.append(event)
            equal([e["type"] for e in seen], ["exited", "restarting", "starting", "spawned", "ready"])
            assert seen[0]["reason"]["reason"] == "{signal,KILL}"
        with n.client() as c:
            newest = c.call("node.info")["newest_event"]
            c.call("events.subscribe", **{"from": 1})
            equal([c.next_event()[1]["n"] for _ in range(newest)], list(range(1, newest + 1)))


def test_faults():
    """Each error has its code, name and sentence, as the manual lists them."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        cases = [
            ("no.such", {}, "no_method"), ("tree.get", {}, "invalid_params"),
            ("tree.get", {"id": 7}, "invalid_params"),
            ("tree.get", {"id": "w", "x": 1}, "invalid_params"),
            ("tree.get", {"id": "nosuch"}, "unknown"), ("app.load", {"app": "api"}, "already"),
            ("app.unload", {"app": "api"}, "running"),
            ("supervisor.terminate_child", {"id": "nosuch"}, "unknown"),
            ("supervisor.delete_child", {"id": "api/w"}, "running"),
            ("supervisor.restart_child", {"id": "api/w"}, "running"),
            ("supervisor.restart_child", {"id": "api/p#1"}, "pool"),
            ("pool.scale", {"id": "api/s", "instances": 3}, "not_pool"),
            ("supervisor.start_child", {"id": "api/w"}, None),
            ("worker.signal", {"id": "w", "signal": "NOSUCH"}, "invalid_params"),
        ]
        with open(os.path.join(TOP, "man/steward-control.7"), encoding="utf-8") as f:
            listed = dict((name, int(code)) for code, name in
                          re.findall(r"\.B (-?\\?-?\d+) \\fR\(?(\w+)", f.read().replace("\\-", "-")))
        for method, params, want in cases:
            try:
                n.call(method, **params)
                raise AssertionError("%s %s was not refused" % (method, params))
            except Fault as fault:
                if want:
                    equal(fault.name, want, "%s %s" % (method, params))
                equal(listed.get(fault.name), fault.code, fault.name)
                assert len(fault.message) > 8, fault.message
        try:
            n.call("tree.get", id="api/ww")
        except Fault as fault:
            equal(fault.data["suggestions"][0], "api/w")


def test_bad_lines():
    """Lines that are no JSON, no request, too deep, too long: an error each, never a crash."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        pid = [r["pid"] for r in n.call("node.info")["roles"] if r["name"] == "control"]
        for line, code in ((b"nonsense\n", -32700), (b"{}\n", -32600), (b"[]\n", -32600),
                           (b"[" * 40 + b"]" * 40 + b"\n", -32700), (b'"\xff"\n', -32700),
                           (b'{"jsonrpc":"2.0","id":1,"method":5}\n', -32600)):
            with n.client() as c:
                c.send_raw(line)
                equal(c.read_line()["error"]["code"], code, repr(line))
                equal(c.call("node.info")["name"], "tester")
        with n.client() as c:
            try:
                c.send_raw(b'{"x":"' + b"y" * 70000 + b'"}\n')
                equal(c.read_line()["error"]["code"], -32022)
            except ConnectionError:
                pass
        with n.client() as c:
            c.send_raw(b'[{"jsonrpc":"2.0","id":1,"method":"node.info"},'
                       b'{"jsonrpc":"2.0","id":2,"method":"nope"}]\n')
            equal(sorted(a["id"] for a in c.read_line()), [1, 2])
        equal([r["pid"] for r in n.call("node.info")["roles"] if r["name"] == "control"], pid)


def test_many_clients():
    """300 connections at once: those beyond the limit are told so, the others served."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        clients, refused = [], 0
        for _ in range(300):
            try:
                c = n.client()
                clients.append(c)
                c.call("node.info")
            except (Fault, ConnectionError) as fault:
                refused += 1
                if isinstance(fault, Fault):
                    equal(fault.name, "too_many_clients")
        assert 40 <= refused <= 70, refused
        for c in clients:
            c.close()
        until(lambda: n.call("node.info")["clients"] < 5, "they are gone")


def as_nobody(node, *words):
    return node.relctl(*words, uid=NOBODY)


def test_roles():
    """Who stands in no list is refused; read, operate and admin may what they say."""
    if not ROOT:
        raise Skip("needs root")
    for entry, allowed in (("", 0), ("read = nobody", 1), ("operate = nobody", 2),
                           ("admin = nobody", 3)):
        with Node(CONF % entry) as n:
            n.wait_up(*ALL)
            for level, words in ((1, ["status"]), (2, ["restart", "w"]), (3, ["reload"])):
                done = as_nobody(n, *words)
                if level <= allowed:
                    equal(done.returncode, 0, "%s %s: %s" % (entry, words, done.stderr))
                else:
                    equal(done.returncode, 5, "%s %s: %s" % (entry, words, done.stderr))
                    assert done.stderr.startswith("relctl: ") and done.stdout == "", done
            if allowed == 2:
                until(lambda: "uid=%d" % NOBODY in n.log("node"), "the audit line")


def test_audit():
    """Each change leaves a line with who asked for what, refused ones, too; values of an
    environment are not shown."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        n.do("restart", "w")
        n.relctl("stop", "nosuch")
        n.do("app", "setenv", "api", "TOKEN=secret")
        n.wait_log("node", "method=worker.restart", "method=worker.stop", "app.setenv")
        text = n.log("node")
        holds(text, "audit uid=%d pid=" % os.geteuid(), '{"id":"api/w"}', "→ ok", "→ unknown")
        assert "secret" not in text
        assert "tree.list" not in text


def test_half_a_line_hurts_nobody():
    """A client that begins a line and waits does not keep others waiting."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        with n.client() as slow:
            slow.send_raw(b'{"jsonrpc":')
            n.do("status")
            slow.send_raw(b'"2.0","id":1,"method":"node.info"}\n')
            equal(slow.read_line()["result"]["name"], "tester")


def test_control_is_killed():
    """SIGKILL of the control role: a new one answers, workers keep their pids."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        for name in ("control", "probe", "logger"):
            pid = n.kill_role(name)
            until(lambda: n.role(name) != pid, name + " is back")
        equal(n.pids(*ALL), old)


def test_client_as_a_program():
    """tests/peers/steward_client.py as a program: a result, an error."""
    path = os.path.join(TOP, "tests/peers/steward_client.py")
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        words = [sys.executable, path, n.path("run/control.sock")]
        out = subprocess.run(words + ["worker.restart", "id=w"], capture_output=True, text=True,
                             check=True).stdout
        equal(json.loads(out)["id"], "api/w")
        bad = subprocess.run(words + ["worker.restart", "id=nosuch"], capture_output=True, text=True,
                             check=False)
        equal(bad.returncode, 1)
        holds(bad.stderr, "unknown", "-32002")


def test_mode_of_the_socket():
    """control.sock exists only while the node runs, and any user may knock."""
    with Node(CONF % "") as n:
        n.wait_up(*ALL)
        path = n.path("run/control.sock")
        mode = os.stat(path).st_mode & 0o777
        assert mode in (0o666, 0o660, 0o600), oct(mode)
        n.stop()
        assert not os.path.exists(path)
        try:
            Client(path)
        except OSError:
            return
        raise AssertionError("somebody answers")
