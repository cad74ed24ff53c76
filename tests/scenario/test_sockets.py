"""Listening sockets that outlive their workers, their master and their keeper."""
import os
import signal
import socket

from harness import DEADLINE, Node, alive, environ_of, equal, free_port, until


def ask(port):
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as s:
        return int(s.makefile().readline())


def serving(port, extra=""):
    return """
[socket http]
listen = tcp:127.0.0.1:%d
[socket other]
listen = unix:other.sock
mode = 0600
[worker w]
command = {W} serve
sockets = http other
[application main]
intensity = infinity
%s
""" % (port, extra)


def test_variables():
    """LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES; descriptors 3 and 4; the socket's mode."""
    port = free_port()
    with Node(serving(port)) as n:
        n.wait_up("main/w")
        equal(ask(port), n.pid("main/w"))
        env = dict(v.split("=", 1) for v in environ_of(n.pid("main/w")))
        equal([env[k] for k in ("LISTEN_FDS", "LISTEN_FDNAMES")], ["2", "http:other"])
        with open("/proc/%d/environ" % n.pid("main/w"), "rb") as f:
            assert b"LISTEN_PID=%d\0" % n.pid("main/w") in f.read()
        for fd in "34":
            assert os.readlink("/proc/%d/fd/%s" % (n.pid("main/w"), fd)).startswith("socket:")
        equal(os.stat(n.path("other.sock")).st_mode & 0o777, 0o600)


def test_connection_waits_for_the_restart():
    """A connection made while the worker is down is answered by its next life."""
    port = free_port()
    with Node(serving(port)) as n:
        n.wait_up("main/w")
        ask(port)
        n.do("stop", "w")
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as s:
            n.do("start", "w")
            equal(int(s.makefile().readline()), n.pid("main/w"))


def test_no_connection_is_refused():
    """Thirty deaths, and not one connection is refused or lost before it was accepted."""
    port = free_port()
    with Node(serving(port)) as n:
        n.wait_up("main/w")
        for _ in range(30):
            old = ask(port)
            os.kill(old, signal.SIGKILL)
            until(lambda old=old: not alive(old), "it is dead")
            got = ask(port)
            assert got != old


def inode(node):
    return os.readlink("/proc/%d/fd/3" % node.pid("main/w"))


def test_kept_over_master_and_keeper():
    """The same socket over SIGKILL of the master and of the keeper."""
    port = free_port()
    with Node(serving(port)) as n:
        n.wait_up("main/w")
        first = inode(n)
        n.kill_master()
        n.bounce("main/w")
        equal(inode(n), first)
        os.kill(n.call("node.info")["keeper_pid"], signal.SIGKILL)
        n.process.wait()
        until(lambda: n.call("node.info")["keeper_pid"] != n.process.pid, "a new keeper")
        n.bounce("main/w")
        equal(inode(n), first)
        equal(ask(port), n.pid("main/w"))


def test_given_to_another_over_reload():
    """A reload keeps the sockets that stay, closes those that go."""
    port, second = free_port(), free_port()
    with Node(serving(port)) as n:
        n.wait_up("main/w")
        first = inode(n)
        n.configure(serving(port, "[socket new]\nlisten = tcp:127.0.0.1:%d\n[worker x]\n"
                            "command = {W} serve\nsockets = new\n" % second))
        n.do("reload")
        n.wait_up("main/w", "main/x")
        equal((inode(n), ask(second)), (first, n.pid("main/x")))
        n.configure(serving(port))
        n.do("reload")

        def refused():
            try:
                socket.create_connection(("127.0.0.1", second), 1).close()
            except ConnectionRefusedError:
                return True
            return False
        until(refused, "the socket that went is closed")
        equal(ask(port), n.pid("main/w"))


def test_address_in_use():
    """An address that another program has: said in words, the others run."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Node(serving(port, "[worker o]\ncommand = /bin/sleep 1000\n")) as n:
            n.wait_up("main/o")
            until(lambda: n.get("main/w").get("last"), "it has failed")
            assert "Address already in use" in n.do("why", "w"), n.do("why", "w")
            taken.close()
            n.wait_up("main/w")
            ask(port)


def test_kinds():
    """udp, unix datagram and seqpacket, IPv6."""
    conf = """
[socket u]
listen = udp:127.0.0.1:%d
[socket d]
listen = unix-dgram:d.sock
[socket q]
listen = unix-seqpacket:q.sock
[socket six]
listen = tcp:[::1]:%d
[worker w]
command = /bin/sleep 1000
sockets = u d q six
""" % (free_port(), free_port())
    with Node(conf) as n:
        n.wait_up("main/w")
        kinds = []
        for fd in range(3, 7):
            pidfd = os.pidfd_open(n.pid("main/w"))
            import ctypes
            got = ctypes.CDLL(None).syscall(438, pidfd, fd, 0)
            os.close(pidfd)
            with socket.socket(fileno=got) as s:
                kinds.append((s.family, s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)))
        equal(kinds, [(socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_DGRAM),
                      (socket.AF_UNIX, socket.SOCK_SEQPACKET), (socket.AF_INET6, socket.SOCK_STREAM)])
        n.stop()
        assert not os.path.exists(n.path("d.sock")), "the socket's file is left"
