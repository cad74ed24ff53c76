"""Logs: complete lines with their time, followed, rotated, never lost."""
import glob
import json
import os
import re
import signal
import subprocess

from harness import Node, equal, holds, until

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ")


def lines_of(node, name):
    """All lines of a worker, of rotated files too, without their times, in order."""
    def order(path):
        tail = path.rsplit(".log", 1)[1].strip(".").split(".")[0]
        return -int(tail) if tail.isdigit() else 0
    found = []
    files = [p for p in glob.glob(node.path("log", name + ".log") + "*")]
    for path in sorted(files, key=lambda p: (order(p), p)):
        if path.endswith(".zst"):
            text = subprocess.run(["zstd", "-dcq", path], capture_output=True, text=True,
                                  check=True).stdout
        else:
            with open(path, encoding="utf-8") as f:
                text = f.read()
        found += text.splitlines()
    return found


def numbers(node, name):
    got = []
    for line in lines_of(node, name):
        assert STAMP.match(line), line
        match = re.fullmatch(r"line (\d+)", STAMP.sub("", line))
        assert match, "a torn line: %r" % line
        got.append(int(match.group(1)))
    return got


def test_lines():
    """Each line has its time; a line without an end and long ones come out whole."""
    conf = ("[worker w]\ncommand = /bin/sh -c 'echo one; echo two >&2; printf %s; exec sleep 1000'\n"
            % ("é" * 2000))
    with Node(conf) as n:
        n.wait_log("main/w", "one", "two")
        n.do("stop", "w")
        until(lambda: "é" * 2000 in n.log("main/w"), "the part without an end")
        for line in n.log("main/w").splitlines():
            assert STAMP.match(line), line


def test_without_timestamps():
    """log_timestamps = no: what the worker wrote and nothing else."""
    with Node("[worker w]\nlog_timestamps = no\ncommand = /bin/sh -c 'echo hi; exec sleep 1000'\n") as n:
        until(lambda: n.log("main/w") == "hi\n", "the line")


def test_no_line_is_lost():
    """20,000 lines while master and logger are killed: each is there, in order; a chunk
    may come twice."""
    conf = "[worker w]\ncommand = {W} count 20000\n"
    with Node(conf) as n:
        n.wait_up("main/w")
        for i in range(6):
            until(lambda: len(n.log("main/w")) > i * 60000, "it goes on")
            if i % 2 == 0:
                n.kill_master()
            else:
                n.kill_role("logger")
        until(lambda: "line 20000\n" in n.log("main/w"), "the last line")
        n.stop()
        got = numbers(n, "main/w")
        equal(sorted(set(got)), list(range(1, 20001)))
        equal(n.process.returncode, 0)


def test_last_words():
    """What a worker wrote right before its end, and at the end of the node, is there."""
    conf = ("[worker w]\nready = fd:3\ncommand = /bin/sh -c 'trap \"echo last words; exit 0\" TERM; "
            "echo >&3; while :; do sleep 0.05; done'\n")
    n = Node(conf)
    n.start()
    n.wait_up("main/w")
    n.stop()
    holds(n.log("main/w"), "last words")
    n.finish()


def test_rotation():
    """Rotated by size, so many kept, compressed; no line lost while it turns."""
    conf = ("[worker w]\nlog_size = 64k\nlog_keep = 50\nlog_zstd = yes\n"
            "command = {W} count 10000\n")
    with Node(conf) as n:
        until(lambda: "line 10000\n" in n.log("main/w"), "the last line")
        until(lambda: len(glob.glob(n.path("log/main/w.log.*.zst"))) >= 3, "compressed files")
        n.stop()
        equal(sorted(numbers(n, "main/w")), list(range(1, 10001)))


def test_log_keep():
    """Only log_keep rotated files are kept."""
    conf = "[worker w]\nlog_size = 4k\nlog_keep = 2\ncommand = {W} count 5000\n"
    with Node(conf) as n:
        until(lambda: "line 5000\n" in n.log("main/w"), "the last line")
        until(lambda: len(glob.glob(n.path("log/main/w.log.*"))) == 2, "two are kept")


def test_logs_verb():
    """relctl logs: the last lines, of several with their names, the node's own."""
    conf = ("[worker a]\ncommand = /bin/sh -c 'seq 100; exec sleep 1000'\n"
            "[worker b]\ncommand = /bin/sh -c 'echo from b; exec sleep 1000'\n")
    with Node(conf) as n:
        n.wait_log("main/a", " 100\n")
        n.wait_log("main/b", "from b")
        out = n.do("logs", "-n", "3", "a")
        equal([line.split()[-1] for line in out.splitlines()], ["98", "99", "100"])
        out = n.do("logs", "a", "b")
        holds(out, "from b")
        assert [l for l in out.splitlines() if l.startswith(("main/b", "b "))], out
        assert "\x1b" not in out
        n.do("stop", "b")
        n.wait_log("node", "worker.stop")
        holds(n.do("logs", "node"), "audit", "worker.stop")
        equal(n.relctl("logs", "nosuch").returncode, 4)
        assert all(line.startswith("{") for line in n.do("logs", "--json", "a").splitlines())


def test_logs_merged():
    """relctl logs of several workers is in the order of time, -n lines of each."""
    conf = "".join("[worker %s]\ncommand = /bin/sh -c 'while read x; do echo $x; done < {D}/fifo-%s; exec sleep 1000'\n"
                   % (w, w) for w in "abc")
    n = Node(conf)
    for name in "abc":
        os.mkfifo(n.path("fifo-" + name))
    with n:
        pipes = {w: open(n.path("fifo-" + w), "w", encoding="utf-8") for w in "abc"}
        order = "abcabbcaacba"
        for i, w in enumerate(order):
            pipes[w].write("line-%d\n" % i)
            pipes[w].flush()
            n.wait_log("main/" + w, "line-%d\n" % i)
        for pipe in pipes.values():
            pipe.close()
        lines = n.do("logs", "a", "b", "c").splitlines()
        equal([l.split()[0] + l.split()[-1] for l in lines],
              ["main/%sline-%d" % (w, i) for i, w in enumerate(order)])
        lines = n.do("logs", "-n", "2", "a", "b").splitlines()
        equal([l.split()[-1] for l in lines], ["line-5", "line-8", "line-10", "line-11"])
        objects = [json.loads(l) for l in n.do("--json", "logs", "a", "b", "c").splitlines()]
        equal([o["line"] for o in objects], ["line-%d" % i for i in range(len(order))])


def test_logs_follow():
    """relctl logs -f of two workers shows what comes, also after a master was killed."""
    conf = ("[worker a]\ncommand = /bin/sh -c 'while read x; do echo got-$x; done < {D}/fifo-a; exec sleep 1000'\n"
            "[worker b]\ncommand = /bin/sh -c 'while read x; do echo got-$x; done < {D}/fifo-b; exec sleep 1000'\n")
    n = Node(conf)
    for name in "ab":
        os.mkfifo(n.path("fifo-" + name))
    with n:
        out_path = os.path.join(n.base, "followed")
        with open(out_path, "w", encoding="utf-8") as out:
            follower = subprocess.Popen([os.path.join(n.bin, "relctl"), "--root", n.dir, "logs", "-f",
                                         "a", "b"], stdout=out, stderr=out)
        try:
            with open(n.path("fifo-a"), "w", encoding="utf-8") as a, \
                    open(n.path("fifo-b"), "w", encoding="utf-8") as b:
                for i, to in ((1, a), (2, b)):
                    to.write("%d\n" % i)
                    to.flush()
                until(lambda: all("got-%d" % i in open(out_path, encoding="utf-8").read()
                                  for i in (1, 2)), "both are followed")
                n.kill_master()
                a.write("3\n")
                a.flush()
                until(lambda: "got-3" in open(out_path, encoding="utf-8").read(), "it goes on")
        finally:
            follower.terminate()
            follower.wait()


def test_log_none():
    """log = none writes nothing."""
    with Node("[worker w]\nlog = none\ncommand = /bin/sh -c 'echo x; exec sleep 1000'\n"
              "[worker o]\ncommand = /bin/sh -c 'echo y; exec sleep 1000'\n") as n:
        n.wait_log("main/o", "y")
        assert not os.path.exists(n.path("log/main/w.log"))


def test_reopen():
    """SIGUSR1: files moved away by an outside program are opened anew."""
    conf = "[worker w]\ncommand = /bin/sh -c 'i=0; while :; do i=$((i+1)); echo n$i; sleep 0.05; done'\n"
    with Node(conf) as n:
        n.wait_log("main/w", "n2")
        os.rename(n.path("log/main/w.log"), n.path("log/main/moved"))
        n.process.send_signal(signal.SIGUSR1)
        until(lambda: n.log("main/w"), "a new file")
