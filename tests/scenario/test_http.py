"""The HTTP room of handler workers: requests, answers, suspensions."""
import json
import os
import re
import select
import subprocess

from harness import BIN, Node, Skip, TOP, equal, free_port, holds, start, until
from test_handler import build, call
from web import WEB, Web, answer_of, ask, ends, lines_of, text_of, wrk


def test_example_of_the_manual():
    """The module and the configuration of steward-handler(3) are complete: they count."""
    with open(os.path.join(TOP, "man", "steward-handler.3"), encoding="utf-8") as f:
        page = f.read().replace("\\-", "-").replace("\\e", "\\")
    source, conf = re.search(r"\.SH EXAMPLES.*?\.EX\n(.*?)\.EE.*?\.EX\n(.*?)\.EE", page, re.S).groups()
    port = free_port()
    node = Node(conf.replace("8080", str(port)).replace("/srv", "{D}"))
    build(node, "count", "-Wall", "-Wextra", "-Werror", source=node.write("count.c", source))
    with node as n:
        n.wait_up("main/count")
        for i in (1, 2, 3):
            equal(subprocess.run(["curl", "-sS", "http://127.0.0.1:%d/" % port], capture_output=True,
                                 text=True, check=True).stdout, "%d\n" % i)


def test_what_a_worker_links():
    """supervisord-worker links libc and libev only; libmicrohttpd comes with the room."""
    if re.search("-(asan|int|msan|cov)/", os.path.realpath(BIN)):
        raise Skip("a sanitizer's build links more")
    with Web() as web:
        libs = {line.split()[0].split(".so")[0] for line in
                subprocess.run(["ldd", os.path.join(web.node.bin, "supervisord-worker")], check=True,
                               capture_output=True, text=True).stdout.splitlines()}
        libs = {os.path.basename(name) for name in libs if "vdso" not in name and "ld-linux" not in name}
        assert libs <= {"libev", "libc", "libm", "libdl"}, libs
        with open("/proc/%d/maps" % web.pid(), encoding="ascii") as f:
            holds(f.read(), "libmicrohttpd", "rooms/http.so")


def test_without_http_no_room():
    """A worker that serves no HTTP has not loaded the room."""
    node = Node("[application app]\n[worker counter]\nsupervisor = app\nhandler = {D}/counter.so\n")
    build(node, "counter")
    with node as n:
        n.wait_up("app/counter")
        with open("/proc/%d/maps" % n.pid("app/counter"), encoding="ascii") as f:
            assert "microhttpd" not in f.read()


def test_what_the_module_is_told():
    """Method, decoded path, query as it came, types, peer and body; the answer's headers."""
    with Web() as web:
        status, headers, body = web.curl("/e%63ho%20%C3%A4?x=%31&y", "-X", "DELETE", "-d", "a=b",
                                         "-H", "Accept: text/x-me", "-H", "Content-Type: text/x-you")
        told, rest = lines_of(body)
        equal((status, rest), (200, "a=b"))
        assert re.fullmatch(r"127\.0\.0\.1:\d+", told.pop("peer"))
        equal(told, {"tag": "5", "method": "DELETE", "path": "/echo \u00e4", "query": "x=%31&y",
                     "type": "text/x-you", "accept": "text/x-me", "kind": "2", "length": "3"})
        equal((headers["x-seen"], headers["content-type"]), ("yes", "text/x-echo"))
        assert "date" in headers
        told, _ = lines_of(web.curl("/", "-X", "PUT", "-H", "Content-Type: application/json",
                                    "-d", "{}")[2])
        equal((told["method"], told["kind"], told["query"]), ("PUT", "0", ""))


def test_head():
    """HEAD has GET's headers and no body, and the connection goes on."""
    with Web() as web, web.connect() as s:
        s.sendall(text_of("HEAD", "/big/1000") + text_of("GET", "/status/201"))
        got = b""
        while got.count(b"\r\n\r\n") < 2:
            got += s.recv(65536)
        holds(got.decode(), "Content-Length: 1000", "201 Created")
        assert b"bbb" not in got


def test_wrong_answers():
    """A wrong status or header is EINVAL and the request can still be answered; a second answer,
    and one for a request that is no more, is ENOENT."""
    with Web() as web:
        equal(web.curl("/wrong")[::2], (500, "22 " * 8 + "22"))
        equal(web.curl("/twice")[2], "once")
        web.node.wait_log("app/web", "twice: 2")
        status, headers, body = web.curl("/status/204")
        equal((status, body, "content-length" in headers), (204, "", False))


def test_answers_in_any_order():
    """Requests are answered later, the last one first, others meanwhile."""
    with Web() as web:
        held = []
        for i in range(10):
            held.append(web.connect())
            held[i].sendall(text_of("GET", "/hold"))
            web.held(i + 1)
        equal(web.curl("/later/20")[2], "late")
        equal(web.curl("/release")[2], "10")
        for i, s in enumerate(held):
            equal(answer_of(s), (200, "held %d" % i))
            equal(ask(s, "GET", "/later/1"), (200, "late"))
            s.close()


def test_pipelined():
    """Requests sent at once on one connection are answered in their order."""
    with Web() as web, web.connect() as s:
        s.sendall(b"".join(text_of("GET", "/big/%d" % i) for i in range(1, 50)) +
                  text_of("GET", "/later/5"))
        got = b""
        while not got.endswith(b"late"):
            got += s.recv(65536)
        equal([int(n) for n in re.findall(rb"Content-Length: (\d+)", got)], list(range(1, 50)) + [4])


def test_bodies():
    """A body of the most there may be comes whole; one byte more is 413, chunked or not; a client
    that asks before is told before it sends."""
    most = 1 << 20
    with Web() as web:
        path = web.node.path("body")
        for size, want in ((most, 200), (most + 1, 413)):
            with open(path, "wb") as f:
                f.write(os.urandom(1) * size)
            for words in (["-H", "Expect:"], ["-H", "Expect:", "-H", "Transfer-Encoding: chunked"], []):
                status, _, body = web.curl("/", "-T", path, *words)
                equal(status, want, "%d %s" % (size, words))
                if want == 200:
                    equal(lines_of(body)[0]["length"], str(size))
        with web.connect() as s:
            s.sendall(text_of("PUT", "/", b"", "Content-Length: 9999999", "Expect: 100-continue"))
            holds(ends(s).decode(), "HTTP/1.1 413 ")
        with web.connect() as s:
            s.sendall(text_of("PUT", "/", b"", "Content-Length: 99999999999"))
            holds(ends(s).decode(), "HTTP/1.1 413 ")
        equal(web.curl("/later/1")[2], "late")


def test_big_answers():
    """A large answer arrives whole, to a slow reader as well."""
    with Web() as web:
        equal(len(web.curl("/big/20000000")[2]), 20000000)
        equal(len(web.curl("/big/3000000", "--limit-rate", "3M")[2]), 3000000)


def test_no_handle_info():
    """Without handle_info every request is 503."""
    with Web(flags=["-DNO_INFO"]) as web:
        for _ in range(3):
            equal(web.curl("/x")[0], 503)


def test_sockets():
    """Serving again sets another tag; no such socket, and one that does not listen, are refused."""
    with Web() as web:
        equal(call(web.node, "web", "serve http 77"), 0)
        equal(lines_of(web.curl("/")[2])[0]["tag"], "77")
        equal(call(web.node, "web", "serve nosuch 1"), 2)
        equal(call(web.node, "web", "serve mailbox 1"), 0)


def test_unix_socket():
    """A Unix socket is served like a TCP one."""
    node = Node((WEB % 0).replace("tcp:127.0.0.1:0", "unix:{D}/web.sock"))
    build(node, "web")
    with node as n:
        n.wait_up("app/web")
        out = subprocess.run(["curl", "-sS", "--unix-socket", n.path("web.sock"), "http://x/y"],
                             capture_output=True, text=True, check=True).stdout
        holds(out, "peer=unix", "path=/y")


def test_suspend_and_resume():
    """Connections stay open over a suspension; what comes meanwhile is answered afterwards, in
    its order, and what was told before can still be answered."""
    with Web() as web, web.connect() as held, web.connect() as kept:
        equal(ask(kept, "GET", "/big/3"), (200, "bbb"))
        held.sendall(text_of("GET", "/hold"))
        web.held(1)
        web.node.do("suspend", "web")
        kept.sendall(text_of("GET", "/hold"))
        late = [web.connect() for _ in range(5)]
        for s in late:
            s.sendall(text_of("PUT", "/echo", b"body"))
        caller = start(["curl", "-sS", "-m", "60", web.url("/big/5")], stdout=subprocess.PIPE, text=True)
        equal(select.select([kept, held, caller.stdout] + late, [], [], 0.5)[0], [])
        shown = json.loads(web.node.do("inspect", "web", "--json"))
        equal((shown["suspended"], shown["infos"]), (True, 2))
        web.node.do("resume", "web")
        equal(caller.communicate(timeout=60)[0], "bbbbb")
        for s in late:
            holds(answer_of(s)[1], "method=PUT", "length=4")
            s.close()
        web.held(2)
        equal(call(web.node, "web", "release"), 2)
        equal(answer_of(held), (200, "held 0"))
        equal(answer_of(kept), (200, "held 1"))
        equal(ask(kept, "GET", "/big/3"), (200, "bbb"))


def test_many_suspensions_under_load():
    """Suspensions while wrk asks: not one error."""
    with Web() as web:
        load = start(["wrk", "-t1", "-c32", "-d4s", "--timeout", "60s", web.url("/later/1")],
                     stdout=subprocess.PIPE, text=True)
        for _ in range(25):
            web.node.do("suspend", "web")
            web.node.do("resume", "web")
        out = load.communicate(timeout=100)[0]
        assert "Non-2xx" not in out and "Socket errors" not in out and "requests in" in out, out


def test_wrk():
    """Ten thousand requests on connections that stay open, answered at once or later: no error."""
    with Web() as web:
        pid = web.pid()
        wrk(web, "/echo", 10000)
        wrk(web, "/later/1", 10000)
        equal(web.pid(), pid)


def test_time_of_a_suspension_does_not_count():
    """A request that the module has been told waits for it as long as the worker is suspended."""
    with Web("environment = STEWARD_HTTP_ANSWER=5s\n") as web, web.connect() as s:
        s.sendall(text_of("GET", "/hold"))
        web.held(1)
        web.node.do("suspend", "web")
        equal(select.select([s], [], [], 6)[0], [])
        web.node.do("resume", "web")
        equal(call(web.node, "web", "release"), 1)
        equal(answer_of(s), (200, "held 0"))


def test_crash_report():
    """A crash tells the request, without letting the client forge lines."""
    with Web() as web:
        old = web.pid()
        subprocess.run(["curl", "-sS", "-m", "60", web.url("/crash")], capture_output=True, check=False)
        web.node.wait_new("app/web", old)
        web.node.wait_log("app/web", "worker crashed; last message: GET /crash, 0 bytes")
        equal(web.curl("/later/1")[2], "late")


def test_stop_answers_who_waits():
    """When the worker is stopped, who still waits gets 503, not silence."""
    with Web() as web, web.connect() as s:
        s.sendall(text_of("GET", "/hold"))
        web.held(1)
        web.node.do("stop", "web")
        equal(answer_of(s)[0], 503)
        equal(ends(s), b"")


def test_idle():
    """An idle HTTP worker does not wake up."""
    with Web() as web:
        equal(web.curl("/later/1")[2], "late")
        quiet = [None]

        def still():
            with open("/proc/%d/status" % web.pid(), encoding="ascii") as f:
                before, quiet[0] = quiet[0], [line for line in f if "ctxt_switches" in line]
            return before == quiet[0]
        until(still, "it has come to rest")
