"""Deaths of master and keeper, reexec to good and broken programs, the ordinary user."""
import os
import shutil
import signal
import subprocess
import time

from harness import (BIN, DEADLINE, NOBODY, Node, ROOT, Skip, alive, children_of, descendants, equal, holds,
                     read, start, stat_of, until, words_of)

CONF = """
[application api]
intensity = 5
[worker web]
supervisor = api
command = /bin/sh -c 'echo up; exec sleep 1000'
[worker pool]
supervisor = api
command = /bin/sleep 1000
instances = 3
[worker ready]
supervisor = api
command = {W} notify STATUS=well READY=1
ready = notify
"""
ALL = ["api/web", "api/pool#1", "api/pool#2", "api/pool#3", "api/ready"]


def copies(node):
    """How many processes carry each id: nothing may run twice."""
    count = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or not alive(int(name)):
            continue
        try:
            with open("/proc/%s/environ" % name, "rb") as f:
                env = f.read().split(b"\0")
            cwd = os.readlink("/proc/%s/cwd" % name)
        except OSError:
            continue
        for part in env:
            if part.startswith(b"STEWARD_ID=") and cwd.startswith(node.dir):
                key = part[11:].decode()
                count[key] = count.get(key, 0) + 1
    return count


def whole(node, old):
    """All still there with the pids they had, each once, and restarts still work."""
    node.wait_up(*ALL)
    equal(node.pids(*ALL), old)
    equal(copies(node), {name: 1 for name in ALL})
    node.bounce("api/pool#2")
    equal(node.pids("api/web", "api/ready"), [old[0], old[4]])
    until(lambda: node.get("api/ready").get("status") == "well", "its words are kept")


def test_master():
    """SIGKILL of the master: every worker keeps its pid, counters and windows are kept."""
    with Node(CONF) as n:
        n.wait_up(*ALL)
        n.bounce("api/web")
        old = n.pids(*ALL)
        n.kill_master()
        n.wait_up(*ALL)
        equal(n.get("api/web")["restarts"], 1)
        equal(n.get("api")["restarts"], 1)
        whole(n, old)
        equal(n.call("node.info")["masters"], 2)


def test_master_ten_times():
    """SIGKILL of the master ten times in a row, as fast as it comes."""
    with Node(CONF) as n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        for _ in range(10):
            pids = [p for p in children_of(n.process.pid) if "master" in words_of(p)]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            until(lambda pids=pids: [p for p in children_of(n.process.pid)
                                     if "master" in words_of(p) and p not in pids], "another one")
        until(n.answers, "the node answers")
        whole(n, old)


def keeper_gone(node):
    keeper = node.call("node.info")["keeper_pid"]
    os.kill(keeper, signal.SIGKILL)
    if keeper == node.process.pid:
        node.process.wait()
    until(lambda: node.call("node.info")["keeper_pid"] not in (0, keeper), "a new keeper")


def test_keeper():
    """SIGKILL of the keeper: every worker keeps its pid, and the node goes on."""
    with Node(CONF) as n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        keeper_gone(n)
        whole(n, old)
        n.kill_master()
        n.wait_up(*ALL)
        equal(n.pid("api/web"), old[0])
        keeper_gone(n)
        n.wait_up(*ALL)
        equal(n.pid("api/web"), old[0])


def test_both_at_once():
    """SIGKILL of both at once and a new start: all kept, none doubled."""
    with Node(CONF) as n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        master = n.master()
        os.kill(n.process.pid, signal.SIGSTOP)
        os.kill(master, signal.SIGKILL)
        os.kill(n.process.pid, signal.SIGKILL)
        n.process.wait()
        until(lambda: not alive(master), "both are gone")
        assert all(alive(p) for p in old)
        n.start()
        whole(n, old)


def test_deaths_meanwhile():
    """A worker that died while nobody watched is restarted by the next node."""
    with Node(CONF) as n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        master = n.master()
        os.kill(n.process.pid, signal.SIGSTOP)
        os.kill(master, signal.SIGKILL)
        os.kill(n.process.pid, signal.SIGKILL)
        n.process.wait()
        os.kill(old[0], signal.SIGKILL)
        n.start()
        n.wait_up(*ALL)
        assert n.pid("api/web") != old[0]
        equal(n.pids(*ALL[1:]), old[1:])
        equal(n.get("api/web")["last"]["reason"], "{unknown}")


def test_status_while_the_master_is_gone():
    """An exit status that only the keeper saw reaches the next master."""
    conf = ("[worker w]\nrestart = transient\nready = fd:3\n"
            "command = /bin/sh -c 'echo >&3; exec 3>&-; read x < {D}/fifo; exit 7'\n")
    n = Node(conf)
    os.mkfifo(n.path("fifo"))
    with n:
        n.wait_up("main/w")
        pid, master = n.pid("main/w"), n.master()
        os.kill(n.process.pid, signal.SIGSTOP)
        os.kill(master, signal.SIGKILL)
        until(lambda: not alive(master), "it is gone")
        with open(n.path("fifo"), "w", encoding="ascii") as f:
            f.write("x\n")
        until(lambda: not alive(pid), "the worker has ended")
        os.kill(n.process.pid, signal.SIGCONT)
        n.wait_event("spawned", "main/w", 2)
        equal(n.get("main/w")["last"]["reason"], "{exit,7}")


def test_reexec():
    """relctl reexec of master and keeper: all pids kept."""
    with Node(CONF) as n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        masters = n.call("node.info")["masters"]
        n.do("reexec", "--wait")
        equal(n.call("node.info")["masters"], masters + 1)
        equal(n.do("reexec", "keeper"), "keeper: replaced\n")
        until(n.answers, "the node answers")
        whole(n, old)


def own_bin(node):
    """A copy of the programs, whose master a test may break."""
    node.bin = os.path.join(node.base, "bin")
    shutil.copytree(BIN, node.bin)
    return node.bin


def replace(path, text):
    new = path + ".new"
    with open(new, "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(new, 0o755)
    os.rename(new, path)


def test_reexec_to_a_broken_master():
    """A new master that cannot even read the state is refused; the old one stays."""
    for text in ("#!/bin/false\n", "#!/bin/sh\nexit 0\n", "nonsense\n",
                 "#!/bin/sh\n[ \"$1\" = --check-state ] && exit 0\nfor a; do [ $a = --check-state ] && exit 0; done\nexit 1\n"):
        n = Node(CONF)
        own_bin(n)
        with n:
            n.wait_up(*ALL)
            old, master = n.pids(*ALL), n.master()
            replace(os.path.join(n.bin, "supervisord-master"), text)
            done = n.relctl("reexec", "--wait", "--timeout", "10s")
            until(n.answers, "the node answers")
            n.wait_up(*ALL)
            equal(n.pids(*ALL), old)
            if "check-state" not in text and text != "#!/bin/sh\nexit 0\n":
                assert done.returncode != 0 and done.stderr.strip(), (text, done)
                equal(n.master(), master)
            n.bounce("api/pool#1")


def test_reexec_to_a_broken_keeper():
    """A new keeper that fails its self-test is refused; the old one stays."""
    n = Node(CONF)
    own_bin(n)
    with n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        for text, why in (("#!/bin/false\n", "self-test"), ("nonsense\n", "self-test"),
                          (None, "supervisord")):
            if text is None:
                os.unlink(os.path.join(n.bin, "supervisord"))
            else:
                replace(os.path.join(n.bin, "supervisord"), text)
            done = n.relctl("reexec", "keeper", code=1)
            holds(done.stderr, why, "the old keeper stays")
            equal(done.stdout, "")
        until(lambda: "the keeper stays" in n.out(), "the keeper says so, too")
        equal(n.call("node.info")["keeper_pid"], n.process.pid)
        whole(n, old)


def test_torn_state():
    """A state file full of nonsense: a clear line in the log, nothing runs twice."""
    with Node(CONF) as n:
        n.wait_up(*ALL)
        master = n.master()
        os.kill(n.process.pid, signal.SIGSTOP)
        os.kill(master, signal.SIGKILL)
        until(lambda: not alive(master), "it is gone")
        with open(n.path("run/state"), "r+b") as f:
            f.write(b"\xa5" * 4096)
        os.kill(n.process.pid, signal.SIGCONT)
        until(lambda: n.master() != master and n.answers(), "a new master")
        n.wait_up(*ALL)
        until(lambda: copies(n) == {name: 1 for name in ALL}, "nothing runs twice")
        until(lambda: "run/state" in n.out() + n.log("node"), "the log says why")
        until(lambda: len([p for p in descendants(os.getpid())
                           if "supervisord-logger" in words_of(p)]) == 1,
              "the logger of the life before has ended")


def test_ordinary_user():
    """A node of an ordinary user, with --root; what he may not ask for is refused."""
    if not ROOT:
        raise Skip("needs root to become somebody else")
    with Node(CONF, uid=NOBODY) as n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        for pid in old + [n.process.pid, n.master()]:
            equal(os.stat("/proc/%d" % pid).st_uid, NOBODY)
        equal(n.relctl("status", uid=NOBODY).returncode, 0)
        n.kill_master()
        whole(n, old)
        keeper_gone(n)
        n.wait_up(*ALL)
        n.configure("[worker w]\nuser = root\ncommand = /bin/true\n")
        done = n.relctl("reload", code=78)
        holds(done.stdout + done.stderr, "user", "supervisord.conf:2: error")
    process = subprocess.run([os.path.join(BIN, "supervisord")], user=NOBODY, capture_output=True,
                             text=True, check=False)
    equal(process.returncode, 2)
    holds(process.stderr, "--root")


def test_term_stops_all():
    """SIGTERM to the node stops everything in reverse and ends it with 0."""
    n = Node(CONF)
    n.start()
    n.wait_up(*ALL)
    pids = n.pids(*ALL)
    n.process.terminate()
    equal(n.wait_end(), 0)
    assert not any(alive(p) for p in pids)
    n.finish()


def slow_wait4(pid):
    """A tracer under which each wait4 of a process takes its time."""
    tracer = start(["strace", "-qq", "-o", "/dev/null", "-p", str(pid), "-e", "trace=wait4",
                    "-e", "inject=wait4:delay_enter=300000"])
    until(lambda: "TracerPid:\t%d\n" % tracer.pid in read("/proc/%d/status" % pid),
          "the tracer holds it")
    return tracer


def test_last_word_of_a_master():
    """A keeper that learns of a worker's death and of the master's in one breath hears the
    master's last word first: the end of the node is the end."""
    if not shutil.which("strace"):
        raise Skip("no strace here")
    n = Node(CONF)
    # LeakSanitizer does not work in a process that is traced
    n.start(env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"})
    n.wait_up(*ALL)
    n.kill_master()  # from now on the keeper is the workers' parent
    n.wait_up(*ALL)
    tracer = slow_wait4(n.process.pid)
    n.do("shutdown", "--wait")
    equal(n.wait_end(), 0)
    tracer.wait()
    n.finish()


def hangs(process):
    """A tracee that stays where its tracer holds it."""
    for _ in range(5):
        if (stat_of(process) or "?")[0] != "t":
            return False
        time.sleep(0.02)
    return True


def test_killed_while_a_slot_is_given_up():
    """SIGKILL of the master at each message it sends while a pool shrinks: the next one
    has nothing of those that are gone, and a new logger is told of the others alone."""
    if not shutil.which("strace"):
        raise Skip("no strace here")
    with Node("[worker p]\ncommand = /bin/sh -c 'echo here; exec sleep 1000'\ninstances = 1\n") as n:
        n.wait_up("main/p#1")
        for k in range(1, 12):
            n.do("scale", "p", 3)
            master, masters = n.master(), n.call("node.info")["masters"]
            tracer = start(["strace", "-qq", "-o", "/dev/null", "-p", str(master), "-e",
                            "inject=sendmsg:delay_enter=%d:when=%d" % (DEADLINE * 1e6, k)],
                           stderr=subprocess.DEVNULL)
            until(lambda: "TracerPid:\t%d\n" % tracer.pid in read("/proc/%d/status" % master),
                  "the tracer holds it")
            shrink = start([os.path.join(BIN, "relctl"), "--root", n.dir, "scale", "p", "1"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: hangs(master) or shrink.poll() is not None, "it sends, or is done")
            os.kill(master, signal.SIGKILL)
            tracer.kill()  # it would sleep on
            tracer.wait()
            shrink.wait()
            until(lambda: n.master() != master and n.call("node.info")["state"] == "up", "a new master")
            logger = n.kill_role("logger")
            until(lambda: n.role("logger") != logger, "a new logger")
            n.do("scale", "p", 1)
            equal(n.call("node.info")["masters"], masters + 1, "killed at message %d" % k)


def test_term_while_starting():
    """SIGTERM while the node still starts ends it."""
    n = Node(CONF + "[worker slow]\ncommand = /bin/sleep 1000\nready = notify\n")
    n.start(wait=False)
    n.process.terminate()
    equal(n.wait_end() in (0, -signal.SIGTERM), True)
    n.finish()


def test_second_start_in_a_new_life():
    """A stop and a start: new pids, nothing of the life before."""
    with Node(CONF) as n:
        n.wait_up(*ALL)
        old = n.pids(*ALL)
        n.stop()
        n.start()
        n.wait_up(*ALL)
        assert not set(old) & set(n.pids(*ALL))
        equal(n.get("api/web")["restarts"], 0)
