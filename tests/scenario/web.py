"""An HTTP worker under test: a node with the module tests/modules/web.c or another one, and the
ways to ask it: curl, wrk, raw sockets."""
import re
import shutil
import socket
import subprocess

from harness import Node, equal, free_port, until
from test_handler import build, call

WEB = """
[socket http]
listen = tcp:127.0.0.1:%d
[application app]
intensity = 20
period = 60s
[worker web]
supervisor = app
handler = {D}/web.so
sockets = http
"""


class Web:
    """A node with one HTTP worker, and the ways to ask it."""

    def __init__(self, extra="", module=None, flags=()):
        self.port = free_port()
        self.node = Node(WEB % self.port + extra)
        if module:
            shutil.copy(module(self.node.bin), self.node.path("web.so"))
        else:
            build(self.node, "web", *flags)

    def __enter__(self):
        self.node.__enter__()
        self.node.wait_up("app/web")
        return self

    def __exit__(self, *reason):
        self.node.__exit__(*reason)

    def url(self, path):
        return "http://127.0.0.1:%d%s" % (self.port, path)

    def curl(self, path, *words):
        """(status, headers in lower case, body)"""
        done = subprocess.run(["curl", "-sS", "-i", "-m", "60", *words, self.url(path)],
                              capture_output=True, check=False)
        equal(done.returncode, 0, done.stderr.decode())
        text = done.stdout
        while re.match(rb"HTTP/1.1 100 ", text):
            text = text.partition(b"\r\n\r\n")[2]
        head, _, body = text.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict((line.partition(": ")[0].lower(), line.partition(": ")[2]) for line in lines)
        return int(first.split()[1]), headers, body.decode("utf-8", "replace")

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 60)

    def held(self, n):
        """Waits until the module holds so many requests."""
        until(lambda: call(self.node, "web", "held") == n, "%d requests are held" % n)

    def pid(self):
        return self.node.pid("app/web")


def text_of(method, path, body=b"", *headers):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: x", *headers]
    if body:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer_of(s):
    """One whole answer with a Content-Length from a raw socket: (status, body)."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = s.recv(65536)
        assert more, "the connection ended in the middle of %r" % got
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: *(\d+)", head, re.I).group(1))
    while len(body) < length:
        more = s.recv(65536)
        assert more, "the connection ended in the middle of a body"
        body += more
    equal(len(body), length)
    return int(head.split()[1]), body.decode()


def ask(s, method, path, body=b"", *headers):
    s.sendall(text_of(method, path, body, *headers))
    return answer_of(s)


def ends(s):
    """Reads to the end of the connection; what came."""
    got = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return got
            got += more
    except ConnectionResetError:
        return got


def lines_of(body):
    head, _, rest = body.partition("\n\n")
    return dict(line.split("=", 1) for line in head.split("\n")), rest


def wrk(web, path, total, *words):
    """At least `total` requests on 32 connections that stay open, without one error."""
    done = 0
    while done < total:
        out = subprocess.run(["wrk", "-t1", "-c32", "-d1s", "--timeout", "60s", *words, web.url(path)],
                             capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in out and "Socket errors" not in out, out
        done += int(re.search(r"(\d+) requests in", out).group(1))
    return done
