"""The demo resource: what its users see, in both versions."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess

from harness import BIN, Node, Skip, TOP, equal, free_port, holds, read, start, until
from web import Web, ask, wrk


def module(version):
    return lambda bin_dir: os.path.join(
        os.path.dirname(bin_dir), "releases", "snowflake", version, "lib", "snowflake.so")


def resource(version, member):
    with Web(module=module(version)) as web:
        status, headers, body = web.curl("/users/1234")
        equal((status, headers["content-type"]), (404, "text/html"))
        holds(body, "<html>", "Not Found")
        document = json.dumps({"password": "pass", member: "1234"})
        status, headers, body = web.curl("/users/1234", "-X", "PUT", "-d", "password=pass")
        equal((status, headers["location"], headers["content-type"], body),
              (201, "/users/1234", "application/json", document))
        equal(web.curl("/users/1234")[::2], (200, document))
        status, headers, body = web.curl("/users/1234", "-I")
        equal((status, headers["content-length"], body), (200, str(len(document)), ""))
        equal(web.curl("/users/1234", "-X", "PUT", "-d", "password=pass")[::2], (200, document))
        equal(web.curl("/users/1234", "-X", "PUT", "-d", "password=new")[2],
              document.replace('"pass"', '"new"'))
        status, headers, _ = web.curl("/users/1234", "-X", "POST", "-d", "password=x")
        equal((status, headers["allow"]), (405, "GET, HEAD, PUT, DELETE"))
        for path in ("/", "/users", "/users/", "/users/a/b", "/users/%2e%2f", "/users/a%0ab"):
            equal(web.curl(path)[0], 404, path)
        equal(web.curl("/users/x", "-X", "PUT", "-d", "passwd=pass")[0], 400)
        equal(web.curl("/users/x", "-X", "PUT", "-d", "{}", "-H", "Content-Type: application/json")[0], 415)
        equal(web.curl("/users/1234", "-X", "DELETE")[::2], (204, ""))
        equal(web.curl("/users/1234", "-X", "DELETE")[0], 404)
        equal(web.curl("/users/1234")[0], 404)
        equal(web.curl("/users/9", "-X", "PUT", "-d", "password=x")[0], 201)
        holds(web.node.do("inspect", "web"), "module snowflake %s, state version %s" % (version, version),
              "1 users")
        wrk(web, "/users/9", 10000)


def test_version_1():
    """Version 1: 201 with Location, 200, 204, 404, 405; the member is user_id."""
    resource("1", "user_id")


def test_version_2():
    """Version 2: the same, but the member is userId."""
    resource("2", "userId")


def test_tree_ini():
    """The tree.ini of each version is what a node with a socket of that name needs."""
    for version in ("1", "2"):
        port = free_port()
        with open(os.path.join(TOP, "releases", "snowflake", version, "tree.ini"), encoding="ascii") as f:
            tree = f.read().replace("lib/snowflake.so", "{D}/snowflake.so")
        n = Node("[socket http]\nlisten = tcp:127.0.0.1:%d\n%s" % (port, tree))
        shutil.copy(module(version)(BIN), n.path("snowflake.so"))
        with n:
            n.wait_up("snowflake/http")
            with socket.create_connection(("127.0.0.1", port), 60) as s:
                equal(ask(s, "GET", "/users/1")[0], 404)


def test_suspension():
    """A connection, and the users, live over a suspension."""
    with Web(module=module("1")) as web, web.connect() as s:
        equal(ask(s, "PUT", "/users/7", b"password=pass")[0], 201)
        web.node.do("suspend", "web")
        web.node.do("resume", "web")
        equal(ask(s, "GET", "/users/7")[0], 200)


def reload_with(web, version):
    """The node goes to that version of the module by a reload."""
    node = web.node
    conf = read(node.conf_path)
    name = "snowflake-%s.so" % version
    if not os.path.exists(node.path(name)):
        shutil.copy(module(version)(BIN), node.path(name))
    node.write("supervisord.conf", re.sub(r"handler = .*", "handler = " + node.path(name), conf))
    until(lambda: node.relctl("reload").returncode != 75, "it is not too early")


def test_hot_upgrade_on_one_connection():
    """The walk-through: a document written under version 1 is read under version 2 with its
    new name, on the same connection, from the same process; and back."""
    with Web(module=module("1")) as web, web.connect() as s:
        pid = web.pid()
        equal(ask(s, "PUT", "/users/1234", b"password=pass"),
              (201, '{"password": "pass", "user_id": "1234"}'))
        reload_with(web, "2")
        equal(ask(s, "GET", "/users/1234"), (200, '{"password": "pass", "userId": "1234"}'))
        equal(ask(s, "PUT", "/users/5", b"password=x"), (201, '{"password": "x", "userId": "5"}'))
        reload_with(web, "1")
        equal(ask(s, "GET", "/users/5"), (200, '{"password": "x", "user_id": "5"}'))
        equal(ask(s, "GET", "/users/1234")[0], 200)
        equal((web.pid(), web.node.get("app/web")["restarts"]), (pid, 0))


def test_a_hundred_upgrades_under_load():
    """wrk calls without a pause while the module goes up and down a hundred times: not one
    request fails, no process is restarted."""
    if not shutil.which("wrk"):
        raise Skip("no wrk here")
    with Web(module=module("1")) as web:
        equal(web.curl("/users/9", "-X", "PUT", "-d", "password=x")[0], 201)
        pid = web.pid()
        load = start(["wrk", "-t", "2", "-c", "16", "-d", "600", web.url("/users/9")],
                     stdout=subprocess.PIPE, text=True)
        for i in range(100):
            reload_with(web, "21"[i % 2])
            version = json.loads(web.node.do("inspect", "web", "--json"))["version"]
            equal(version, "21"[i % 2])
        load.send_signal(signal.SIGINT)
        said = load.communicate(timeout=60)[0]
        asked = int(re.search(r"(\d+) requests in", said).group(1))
        assert asked > 1000 and "Socket errors" not in said and "Non-2xx" not in said, said
        equal((web.pid(), web.node.get("app/web")["restarts"]), (pid, 0))


def test_without_its_socket():
    """Without `sockets = http` it says so and does not start."""
    n = Node("[application app]\n[worker web]\nsupervisor = app\nhandler = %s\n" %
             module("1")(BIN))
    with n:
        n.wait_log("app/web", "has the worker `sockets = http`?")
        until(lambda: n.state("app/web") != "up", "it is not up")
