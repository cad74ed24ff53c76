"""The demo resource: what its users see, in both versions."""
import json
import os
import shutil
import socket

from harness import BIN, Node, TOP, equal, free_port, holds, until
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


def test_without_its_socket():
    """Without `sockets = http` it says so and does not start."""
    n = Node("[application app]\n[worker web]\nsupervisor = app\nhandler = %s\n" %
             module("1")(BIN))
    with n:
        n.wait_log("app/web", "has the worker `sockets = http`?")
        until(lambda: n.state("app/web") != "up", "it is not up")
