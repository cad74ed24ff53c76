"""Applications: load, start, stop, environment, needs, lifespan."""
from harness import Fault, Node, alive, environ_of, equal, holds, until

TWO = """
[application base]
description = the base
version = 1.2.3
autostart = no
[worker b]
supervisor = base
command = /bin/sleep 1000
[application top]
autostart = no
applications = base
intensity = 10
environment = A=app B=app
[worker t]
supervisor = top
environment = B=own
command = /bin/sleep 1000
[worker other]
command = /bin/sleep 1000
"""


def env_of(node, name):
    pairs = [v.split("=", 1) for v in environ_of(node.pid(name)) if "=" in v]
    names = [p[0] for p in pairs]
    equal(sorted(names), sorted(set(names)), "each variable stands there once: ")
    return dict(pairs)


def fault(node, method, **params):
    try:
        node.call(method, **params)
    except Fault as error:
        return error.name
    raise AssertionError("%s was not refused" % method)


def test_load_start_stop_unload():
    """load lists, start runs what it needs first, stop leaves the node, unload is refused
    while it runs."""
    with Node(TWO) as n:
        n.wait_up("main/other")
        states = {a["app"]: a["state"] for a in n.call("app.list")["applications"]}
        assert "base" in states and states["main"] == "up", states
        n.do("app", "start", "top")
        n.wait_up("base/b", "top/t")
        order = [e["id"] for e in n.events("starting") if e["id"] in ("base/b", "top/t")]
        equal(order, ["base/b", "top/t"])
        equal(fault(n, "app.unload", app="top"), "running")
        equal(n.relctl("app", "unload", "top").returncode, 5)
        pid = n.pid("top/t")
        n.do("app", "stop", "top")
        assert not alive(pid)
        n.wait_up("main/other", "base/b")
        n.do("app", "unload", "top")
        assert "top/t" not in n.nodes()
        n.do("app", "load", "top")
        equal(n.state("top/t"), "down")
        equal(fault(n, "app.load", app="top"), "already")
        n.do("app", "start", "top")
        n.wait_up("top/t")
        equal(fault(n, "app.start", app="top"), "already")
        equal(fault(n, "app.start", app="nosuch"), "unknown")


def test_info():
    """app list and info show description, version, state."""
    with Node(TWO) as n:
        holds(n.do("app", "list"), "base", "1.2.3", "top")
        info = n.call("app.info", app="base")["application"]
        equal((info["description"], info["version"]), ("the base", "1.2.3"))
        equal(n.call("app.info", app="top")["application"]["needs"], ["base"])
        holds(n.do("app", "info", "base"), "the base", "1.2.3")
        equal(n.relctl("app", "info", "bsae").returncode, 4)


def test_environment():
    """Children inherit it, their own wins; setenv is seen by the next child and wins over
    both."""
    with Node(TWO) as n:
        n.do("app", "start", "top")
        n.wait_up("top/t")
        env = env_of(n, "top/t")
        equal((env["A"], env["B"], env["STEWARD_ID"]), ("app", "own", "top/t"))
        n.do("app", "setenv", "top", "A=new value", "C=fresh", "B=latest")
        equal(env_of(n, "top/t")["A"], "app")
        n.bounce("top/t")
        env = env_of(n, "top/t")
        equal((env["A"], env["B"], env["C"]), ("new value", "latest", "fresh"))
        holds(n.do("app", "env", "top"), "C=fresh", "A=new value")
        n.kill_master()
        n.wait_up("top/t")
        n.do("app", "setenv", "top", "C")
        n.bounce("top/t")
        env = env_of(n, "top/t")
        assert "C" not in env, env
        equal(env["A"], "new value")


def test_inherited_environment_is_the_weakest():
    """inherit_environment: the node's variables come, those of the configuration win."""
    conf = ("[worker w]\ncommand = /bin/sleep 1000\ninherit_environment = yes\n"
            "environment = B=own PATH=/mine\n")
    with Node(conf) as n:
        n.stop()
        n.start(env={"A": "node", "B": "node"})
        n.wait_up("main/w")
        env = env_of(n, "main/w")
        equal((env["A"], env["B"], env["PATH"]), ("node", "own", "/mine"))


def test_needs_unloaded():
    """What an application needs is loaded and started with it; a name that does not exist
    is an error of the configuration with a sentence."""
    conf = "[application a]\napplications = nosuch\n[worker w]\nsupervisor = a\ncommand = /bin/true\n"
    n = Node(conf)
    n.start(wait=False)
    equal(n.wait_end(), 78)
    holds(n.out(), "nosuch", "supervisord.conf:2")
    n.finish()


def test_stop_of_a_permanent_application():
    """app stop of a permanent application leaves the node running."""
    conf = ("[application p]\nstart = permanent\n[worker w]\nsupervisor = p\n"
            "command = /bin/sleep 1000\n")
    with Node(conf) as n:
        n.wait_up("p/w")
        n.do("app", "stop", "p")
        equal(n.call("node.info")["state"], "up")
        n.do("app", "start", "p")
        n.wait_up("p/w")


def test_start_type_of_the_moment():
    """app start --type permanent: its end ends the node."""
    conf = ("[application p]\nautostart = no\nintensity = 0\n[worker w]\nsupervisor = p\n"
            "command = /bin/sh -c 'while [ ! -e {D}/go ]; do sleep 0.05; done; exit 9'\n")
    n = Node(conf)
    n.start()
    n.do("app", "start", "--type", "permanent", "p")
    n.write("go", "")
    equal(n.wait_end(), 9)
    n.finish()


def test_lifespan():
    """An application with a lifespan ends by itself, with normal."""
    conf = ("[application p]\nlifespan = 500ms\n[worker w]\nsupervisor = p\n"
            "command = /bin/sleep 1000\n[worker o]\ncommand = /bin/sleep 1000\n")
    with Node(conf) as n:
        n.wait_event("ready", "p/w")
        n.wait_event("app_ended", "p")
        ended = n.events("app_ended")[0]
        equal(ended["reason"]["reason"], "normal")
        equal(n.state("p/w"), "down")
        n.wait_up("main/o")


def test_stop_order_of_applications():
    """At the end of the node an application stops before those it needs."""
    conf = TWO.replace("autostart = no", "")
    n = Node(conf.replace("command = /bin/sleep 1000",
                          "command = /bin/sh -c 'trap \"echo $STEWARD_ID >> {D}/order; exit 0\" "
                          "TERM; touch {D}/$(echo $STEWARD_ID | tr / .); while :; do sleep 0.05; done'"))
    n.start()
    for name in ("base.b", "top.t", "main.other"):
        until(lambda name=name: n.read(name) == "" and name in __import__("os").listdir(n.dir),
              name + " has its trap")
    n.stop()
    order = n.read("order").split()
    equal(sorted(order), ["base/b", "main/other", "top/t"])
    assert order.index("top/t") < order.index("base/b"), order
    n.finish()
