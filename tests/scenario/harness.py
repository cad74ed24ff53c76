"""What scenarios stand on: a node of its own in a temporary directory, conditions that
are waited for, and a look around at the end: nothing may be left.

A test is a function `test_...` whose docstring is the sentence it proves.  The process
that runs it is a subreaper, so whatever a node leaves behind becomes its child and is
found.  Nothing sleeps for luck: until() polls a condition up to a generous deadline.
"""
import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BIN = os.path.abspath(os.environ.get("BIN") or os.path.join(TOP, "build/current/bin"))
PY = "/usr/bin/python3"
WORKER = os.path.join(HERE, "worker.py")
DEADLINE = float(os.environ.get("DEADLINE_S", "60"))
NOBODY = 65534
ROOT = os.geteuid() == 0

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "peers"))
from steward_client import Client, Fault  # noqa: E402,F401

PR_SET_CHILD_SUBREAPER = 36


class Skip(Exception):
    """This machine cannot show it; the reason is the message."""


def become_subreaper():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def until(condition, what, timeout=DEADLINE):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + timeout
    delay = 0.005
    while True:
        try:
            value = condition()
        except (OSError, Fault, ValueError, KeyError) as fault:
            value, what_now = None, " (%s)" % fault
        else:
            what_now = ""
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %g s in vain: %s%s" % (timeout, what, what_now))
        time.sleep(delay)
        delay = min(delay * 1.5, 0.1)


def equal(got, want, what=""):
    if got != want:
        raise AssertionError("%sgot %r, wanted %r" % (what and what + ": ", got, want))


def holds(text, *parts):
    """Each part stands in the text."""
    for part in parts:
        if part not in text:
            raise AssertionError("%r is not in:\n%s" % (part, text))


def stat_of(pid):
    """Fields of /proc/PID/stat behind the name, or None."""
    try:
        with open("/proc/%d/stat" % pid, encoding="latin-1") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def alive(pid):
    """A process that runs: no zombie."""
    stat = stat_of(pid)
    return stat is not None and stat[0] not in "ZX"


def children_of(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def descendants(pid):
    found = []
    for child in children_of(pid):
        found.append(child)
        found += descendants(child)
    return found


def words_of(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return f.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return "?"


def environ_of(pid):
    with open("/proc/%d/environ" % pid, "rb") as f:
        return [part.decode("utf-8", "surrogateescape")
                for part in f.read().split(b"\0") if part]


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


ports_held = []


def free_port():
    """A port for whoever binds it with SO_REUSEADDR; nobody is given it by chance, since a
    socket of ours, which never listens, has it until the end of the tests."""
    import socket
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ports_held.append(s)
    return s.getsockname()[1]


def lonely_uid():
    """A user whose processes are this test's alone, for what may hit all of its user."""
    return 20000 + os.getpid() % 40000


def cgroup2_mount():
    for line in read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        if right.startswith("cgroup2 "):
            return left.split()[4]
    return None


def cgroup_dir(run_dir):
    """Where the node of this run directory keeps its cgroups; None without."""
    mount = cgroup2_mount()
    if mount is None:
        return None
    value = 2166136261
    for byte in os.fsencode(run_dir):
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    own = [line[3:] for line in read("/proc/self/cgroup").splitlines()
           if line.startswith("0::")]
    path = own[0] if own and own[0] != "/" else ""
    return "%s%s/steward-%08x" % (mount, path, value)


nodes_made = []


class Node:
    """One node: its directory, its configuration, and the ways to talk to it."""

    def __init__(self, config="", files=None, uid=None, bin_dir=None, deep=0,
                 init=False, root=None):
        self.base = tempfile.mkdtemp(prefix="steward-scenario-")
        os.chmod(self.base, 0o755)
        nodes_made.append(self)
        self.dir = os.path.join(self.base, root or "n")
        while len(self.dir) < deep:
            self.dir = os.path.join(self.dir, "a-rather-deep-directory")
        os.makedirs(self.dir)
        self.uid = uid
        self.bin = bin_dir or BIN
        self.init = init
        self.process = None
        self.out_path = os.path.join(self.base, "out")
        self.conf_path = self.path("supervisord.conf")
        self.clean_env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}
        self.clean_env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        self.configure(config)
        for name, text in (files or {}).items():
            self.write(name, text)
        if uid is not None:
            for at, _, names in os.walk(self.base):
                for path in [at] + [os.path.join(at, name) for name in names]:
                    os.chown(path, uid, uid)

    # --- files

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def read(self, *parts):
        return read(self.path(*parts))

    def configure(self, config):
        """{D}: the node's directory, {W}: a worker of worker.py, {PY}: Python."""
        text = config.replace("{D}", self.dir).replace("{PY}", PY)
        self.write("supervisord.conf", text.replace("{W}", "%s -S -E %s" % (PY, WORKER)))

    # --- life

    def start(self, wait=True, arguments=(), env=None):
        words = [os.path.join(self.bin, "supervisord"), "--root", self.dir]
        words += ["--init"] if self.init else []
        kwargs = {}
        if self.uid is not None:
            kwargs = {"user": self.uid, "group": self.uid, "extra_groups": []}
        with open(self.out_path, "ab") as out:
            self.process = subprocess.Popen(
                words + list(arguments), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=dict(self.clean_env, **(env or {})), cwd="/", start_new_session=True,
                **kwargs)
        if wait:
            until(self.answers, "the node answers")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("the node ended with %d:\n%s" % (self.process.returncode, self.out()))
        with self.client() as c:
            return c.call("node.info")["state"] != "stopping"

    def out(self):
        return read(self.out_path)

    def wait_end(self, timeout=DEADLINE):
        """Waits for the node's end and returns its exit status."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("the node did not end in %g s" % timeout) from None

    def stop(self, timeout=DEADLINE):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            return self.wait_end(timeout)
        return self.process.returncode if self.process else None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is not None:
            if not issubclass(kind, Skip):
                self.tell()
            self.destroy()
            return
        try:
            self.finish()
        except BaseException:
            self.tell()
            self.destroy()
            raise

    def finish(self):
        """Stops the node and looks whether anything is left."""
        self.end_all()
        # roles of a master that was killed see its end a moment later
        with contextlib.suppress(AssertionError):
            until(lambda: not [p for p in mine() if alive(p)], "all have ended")
        left = self.leftovers()
        if left:
            raise AssertionError("left behind: " + "; ".join(left))
        shutil.rmtree(self.base)

    def end_all(self):
        if self.process is None:
            return
        keeper = self.keeper_now()
        if self.process.poll() is None:
            self.stop()
        elif keeper and alive(keeper):
            os.kill(keeper, signal.SIGTERM)
            until(lambda: not alive(keeper), "the node ends")
        reap_strangers(self.process.pid)

    def keeper_now(self):
        """The pid in run/lock: after a SIGKILL of the keeper another one has it."""
        text = self.read("run", "lock").strip()
        pid = int(text) if text.isdigit() else 0
        return pid if pid and self.dir in words_of(pid) else 0

    def leftovers(self):
        left = ["process %d: %s" % (pid, words_of(pid)) for pid in mine() if alive(pid)]
        for name in os.listdir(self.path("run")) if os.path.isdir(self.path("run")) else []:
            if name not in ("lock", "notify", "mailbox") and self.uid is None:
                left.append("run/" + name)
        for name in sorted(os.listdir(self.path("run/notify"))
                           if os.path.isdir(self.path("run/notify")) else []):
            left.append("run/notify/" + name)
        group = cgroup_dir(self.path("run"))
        if group and os.path.isdir(group):
            left.append("cgroup " + group)
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as f:
            left += ["mount " + line.split()[4] for line in f if self.base in line]
        return left

    def destroy(self):
        """After a failure: by force."""
        kill_mine()
        group = cgroup_dir(self.path("run"))
        for at, _, _ in os.walk(group or "/nonexistent", topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(at)
        shutil.rmtree(self.base, ignore_errors=True)

    def tell(self):
        """All that helps to understand a failure."""
        say = sys.stdout.write
        say("--- node in %s\n--- configuration:\n%s" % (self.dir, read(self.conf_path)))
        say("--- its output:\n%s" % tail(self.out()))
        for at, _, names in os.walk(self.path("log")):
            for name in sorted(names):
                if name.endswith(".log"):
                    path = os.path.join(at, name)
                    say("--- %s:\n%s" % (os.path.relpath(path, self.dir), tail(read(path), 25)))
        with contextlib.suppress(Exception):
            say("--- tree:\n%s" % self.relctl("tree", timeout=5).stdout)
            say("--- events:\n%s" % tail(self.relctl("events", timeout=5).stdout, 60))
        say("---\n")

    # --- talking

    def client(self, timeout=DEADLINE):
        return Client(self.path("run", "control.sock"), timeout)

    def call(self, method, **params):
        with self.client() as c:
            return c.call(method, **params)

    def relctl(self, *words, timeout=2 * DEADLINE, code=None, env=None, uid=None, stdin=None):
        kwargs = {"user": uid, "group": uid, "extra_groups": []} if uid is not None else {}
        done = subprocess.run(
            [os.path.join(self.bin, "relctl"), "--root", self.dir] + [str(w) for w in words],
            stdin=stdin or subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            env=dict(self.clean_env, **(env or {})), check=False, **kwargs)
        if code is not None and done.returncode != code:
            raise AssertionError("relctl %s: exit %d, wanted %d\n%s%s" % (
                " ".join(map(str, words)), done.returncode, code, done.stdout, done.stderr))
        return done

    def do(self, *words, **kwargs):
        """relctl, which must succeed; its output."""
        return self.relctl(*words, code=0, **kwargs).stdout

    def nodes(self):
        with self.client() as c:
            return {node["id"]: node for node in c.tree()}

    def get(self, name):
        return self.call("tree.get", id=name)

    def pid(self, name):
        return self.get(name).get("pid", 0)

    def pids(self, *names):
        nodes = self.nodes()
        return [nodes[name]["pid"] for name in names]

    def state(self, name):
        return self.get(name)["state"]

    def wait_state(self, name, *states, timeout=DEADLINE):
        return until(lambda: self.state(name) in states,
                     "%s is %s" % (name, " or ".join(states)), timeout)

    def wait_up(self, *names):
        def all_up():
            nodes = self.nodes()
            return all(nodes[n]["state"] == "up" for n in names) and nodes
        return until(all_up, "up: " + " ".join(names))

    def wait_new(self, name, old):
        """Waits for a new life that is up; its pid."""
        def new():
            node = self.get(name)
            return node["state"] == "up" and node["pid"] != old and node["pid"]
        return until(new, "%s has a new pid" % name)

    def kill(self, name, sig=signal.SIGKILL):
        """Kills a worker as a stranger would; its pid."""
        pid = self.pid(name)
        assert pid > 0, "%s does not run" % name
        os.kill(pid, sig)
        return pid

    def bounce(self, name, sig=signal.SIGKILL):
        """Kills a worker and waits for its next life."""
        return self.wait_new(name, self.kill(name, sig))

    def master(self):
        return self.call("node.info")["master_pid"]

    def kill_master(self):
        old = self.master()
        os.kill(old, signal.SIGKILL)
        until(lambda: self.master() != old and self.call("node.info")["state"] == "up",
              "a new master serves")
        return old

    def role(self, name):
        """The pid of a role, once it runs: never 0, a signal to which would hit us all."""
        return until(lambda: [r["pid"] for r in self.call("node.info")["roles"]
                              if r["name"] == name and r["pid"] > 0], name + " runs")[0]

    def kill_role(self, name):
        """SIGKILL to a role; the pid it had."""
        pid = self.role(name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return pid

    def events(self, *types):
        found, at = [], 0
        with self.client() as c:
            while True:
                page = c.call("events.list", **{"from": at} if at else {})
                found += page["events"]
                if not page["events"] or page["next"] > page["newest"]:
                    break
                at = page["next"]
        return [e for e in found if not types or e["type"] in types]

    def wait_event(self, kind, name, count=1):
        return until(
            lambda: len([e for e in self.events(kind) if e["id"] == name]) >= count,
            "event %s of %s (%d)" % (kind, name, count))

    def log(self, name):
        return self.read("log", name + ".log")

    def wait_log(self, name, *parts):
        return until(lambda: all(p in self.log(name) for p in parts) and self.log(name),
                     "the log of %s holds %s" % (name, ", ".join(map(repr, parts))))


def tail(text, lines=40):
    return "\n".join(text.splitlines()[-lines:]) + "\n"


started_here = []


def start(words, **kwargs):
    """A process of the test's own, which is not the node's to end."""
    process = subprocess.Popen(words, **kwargs)
    started_here.append(process)
    return process


def mine():
    known = [p.pid for p in started_here if p.poll() is None]
    below = [d for pid in known for d in descendants(pid)]
    return [pid for pid in descendants(os.getpid()) if pid not in known + below]


def kill_mine():
    """All that a test has left behind; stopped first, so that nobody starts anew."""
    for pid in mine():
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGSTOP)
    while mine():
        for pid in mine():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        reap_strangers(0)
        time.sleep(0.01)


def clear():
    """After a failed test: its processes, cgroups and directories."""
    kill_mine()
    for node in nodes_made:
        if os.path.isdir(node.base):
            node.destroy()
    del nodes_made[:]


def reap_strangers(keep):
    """Reaps orphans that came to this process, but not those Popen waits for."""
    known = [p.pid for p in started_here] + [keep]
    for pid in children_of(os.getpid()):
        if pid not in known:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
