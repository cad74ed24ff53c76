"""Clients of the HTTP room that are slow, gone, many, greedy, or no clients at all."""
import os
import select
import socket
import struct
import subprocess

from harness import equal, holds, until
from test_handler import call
from web import Web, answer_of, ends, text_of


def test_answers_that_never_come():
    """Who waits too long for the module gets 504; a late answer is ENOENT."""
    with Web("environment = STEWARD_HTTP_ANSWER=1s\n") as web:
        equal(web.curl("/never")[0], 504)
        equal(web.curl("/recall")[2], "2")
        equal(web.curl("/later/1")[2], "late")


def test_slow_clients():
    """Who does not send a whole request in time is cut off, even if he sends a little all the
    time; others notice nothing."""
    with Web("environment = STEWARD_HTTP_REQUEST=2s\n") as web:
        slow = {web.connect(): text for text in (
            b"", b"GET /echo HTTP/1.1\r\n", text_of("PUT", "/", b"", "Content-Length: 100000"))}
        for s, text in slow.items():
            s.sendall(text)
        while slow:
            for s in list(slow):
                try:
                    if select.select([s], [], [], 0.05)[0]:
                        ends(s)
                        del slow[s]
                        s.close()
                    else:
                        s.send(b"x")
                except (ConnectionResetError, BrokenPipeError):
                    del slow[s]
            equal(web.curl("/later/1")[2], "late")


def test_clients_that_go_away():
    """Clients that leave before their answer cost nothing: the module's answer is for nobody."""
    with Web() as web:
        pid = web.pid()
        left = [web.connect() for i in range(100)]
        for i, s in enumerate(left):
            s.sendall(text_of("GET", "/hold") if i % 2 else text_of("PUT", "/", b"", "Content-Length: 9"))
        web.held(50)
        for i, s in enumerate(left):
            if i % 4 > 1:  # a reset, not an end
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        equal(call(web.node, "web", "release"), 50)
        equal(call(web.node, "web", "release"), 0)
        equal(web.curl("/later/1")[2], "late")
        equal(web.pid(), pid)
        until(lambda: connections(pid) <= 1, "the connections are closed")


def connections(pid):
    fds = "/proc/%d/fd" % pid
    inodes = {os.readlink(os.path.join(fds, fd))[8:-1] for fd in os.listdir(fds)
              if os.readlink(os.path.join(fds, fd)).startswith("socket:")}
    with open("/proc/net/tcp", encoding="ascii") as f:
        return len([line for line in f if line.split()[9] in inodes and line.split()[3] != "0A"])


def test_half_closed():
    """A client that has said all and shut its side down still gets its answer."""
    with Web() as web, web.connect() as s:
        s.sendall(text_of("GET", "/later/30"))
        s.shutdown(socket.SHUT_WR)
        holds(ends(s).decode(), "200 OK", "late")


def test_garbage():
    """What is no HTTP is refused or cut off, and the worker lives."""
    with Web() as web:
        pid = web.pid()
        for text in (b"\0" * 100, b"\xff" * 5000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 100,
                     b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET x HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
                     b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
                     text_of("PUT", "/", b"", "Content-Length: -1"),
                     text_of("PUT", "/", b"", "Content-Length: 1", "Content-Length: 2") + b"xy",
                     text_of("PUT", "/", b"", "Content-Length: 1", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
                     text_of("PUT", "/", b"", "Transfer-Encoding: chunked") + b"zz\r\n",
                     text_of("PUT", "/", b"", "Transfer-Encoding: chunked") + b"ffffffffffffffff\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 600):
            with web.connect() as s:
                try:
                    s.sendall(text)
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                got = ends(s)
                assert b" 200 " not in got, (text[:60], got)
        equal(web.curl("/later/1")[2], "late")
        equal(web.pid(), pid)


def test_many_clients():
    """Hundreds of clients at once, all waiting: each gets its own answer."""
    with Web() as web:
        clients = [web.connect() for _ in range(200)]
        for s in clients:
            s.sendall(text_of("GET", "/hold"))
        web.held(200)
        equal(web.curl("/later/1")[2], "late")
        equal(call(web.node, "web", "release"), 200)
        equal(sorted(answer_of(s)[1] for s in clients), sorted("held %d" % i for i in range(200)))
        for s in clients:
            s.close()


def unread(port):
    """Bytes that wait in the kernel, on either side of connections to that port."""
    out = subprocess.run(["ss", "-Htn", "( sport = :%d or dport = :%d )" % (port, port)],
                         capture_output=True, text=True, check=True).stdout
    return sum(int(word) for line in out.splitlines() for word in line.split()[1:3])


def test_more_clients_than_descriptors():
    """With few descriptors some clients wait in the kernel until others have gone; nobody is
    turned away."""
    with Web("limit_nofile = 80\n") as web:
        pid = web.pid()
        clients = [web.connect() for _ in range(150)]
        for s in clients:
            s.sendall(text_of("GET", "/later/1"))
        for s in clients:
            equal(answer_of(s), (200, "late"))
            s.close()
        equal(web.curl("/later/1")[2], "late")
        equal(web.pid(), pid)


def test_all_bodies_together():
    """Clients that send large bodies and do not end them fill 64 MiB at most; who would need
    more gets 503, and afterwards all is as before."""
    most = 1 << 20
    with Web() as web:
        clients = [web.connect() for _ in range(70)]
        for s in clients:
            s.sendall(text_of("PUT", "/status/200", b"", "Content-Length: %d" % most) + b"b" * (most - 1))
        until(lambda: unread(web.port) == 0, "all is read")
        for s in clients:
            s.sendall(b"b")
        got = [answer_of(s)[0] for s in clients]
        equal((got.count(503) > 0, got.count(200) >= 50, got.count(200) + got.count(503)),
              (True, True, 70))
        for s in clients:
            s.close()
        equal(web.curl("/status/200", "-X", "PUT", "-d", "b" * 10000)[0], 200)
