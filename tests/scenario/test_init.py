"""As init: PID 1 of a PID namespace, the service files of Debian."""
import os
import shutil
import signal
import subprocess
import tempfile

from harness import (BIN, DEADLINE, Node, ROOT, Skip, TOP, alive, children_of, descendants, equal, holds,
                     read, start, stat_of, until, words_of)

SERVE = """
[application main]
start = temporary
[worker w]
command = /bin/sleep 1000
"""


class Container:
    """supervisord --init as PID 1 of a PID namespace of its own."""

    def __init__(self, config):
        if not ROOT:
            raise Skip("needs root for a PID namespace")
        self.node = Node(config)
        self.process = None

    def __enter__(self):
        n = self.node
        with open(n.out_path, "ab") as out:
            self.process = start(
                ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
                 os.path.join(BIN, "supervisord"), "--init", "--root", n.dir],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=n.clean_env)
        return self

    def pid(self):
        """PID 1 of the container, as seen from here."""
        return until(lambda: [p for p in children_of(self.process.pid)
                              if words_of(p).startswith(os.path.join(BIN, "supervisord"))],
                     "PID 1 runs")[0]

    def inside(self, script):
        return subprocess.run(["nsenter", "--target", str(self.pid()), "--pid", "--mount",
                               "sh", "-c", script], capture_output=True, text=True, check=False)

    def relctl(self, *words):
        return self.inside(" ".join([os.path.join(BIN, "relctl"), "--root", self.node.dir] +
                                    list(words)))

    def wait_end(self):
        return self.process.wait(DEADLINE)

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print("--- output of PID 1:\n%s" % self.node.out())
        if self.process.poll() is None:
            for pid in descendants(self.process.pid):
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
        if kind is None:
            self.node.finish()
        else:
            self.node.destroy()


def test_it_is_pid_1():
    """It runs as PID 1, answers relctl, and forwards TERM: an orderly end with status 0."""
    with Container(SERVE) as c:
        until(lambda: c.relctl("wait", "main/w", "--timeout", "10s").returncode == 0, "up")
        holds(c.relctl("status").stdout, "keeper 1", "main/w")
        worker = [p for p in descendants(c.pid()) if "sleep 1000" in words_of(p)]
        equal(len(worker), 1)
        os.kill(c.pid(), signal.SIGTERM)
        equal(c.wait_end(), 0)
        assert not alive(worker[0])


def test_reaps_strangers():
    """Orphans that are not its own are reaped: no zombie stays."""
    with Container(SERVE) as c:
        until(lambda: c.relctl("status").returncode == 0, "it answers")
        for _ in range(5):
            c.inside("(setsid sh -c 'sleep 0.05; exit 3' &) ; (sh -c 'sleep 0.01 & sleep 0.02' &)")
        until(lambda: not [p for p in descendants(c.pid()) if words_of(p).startswith(("sh ", "sleep 0"))],
              "the strangers have ended")
        until(lambda: not [p for p in descendants(c.pid()) if (stat_of(p) or "S")[0] == "Z"],
              "no zombie is left")
        equal(c.relctl("status").returncode, 0)
        os.kill(c.pid(), signal.SIGTERM)
        equal(c.wait_end(), 0)


def test_exit_status_of_a_permanent_application():
    """The end of a permanent application, the default of --init, ends the container with
    its exit status."""
    conf = ("[application job]\n%sintensity = 0\n[worker w]\nsupervisor = job\n"
            "command = /bin/sh -c 'sleep 0.3; exit 42'\n")
    for start_type in ("start = permanent\n", ""):
        with Container(conf % start_type) as c:
            equal(c.wait_end(), 42)


def test_master_dies_in_a_container():
    """SIGKILL of the master inside: workers keep their pids."""
    with Container(SERVE) as c:
        until(lambda: c.relctl("wait", "main/w", "--timeout", "10s").returncode == 0, "up")
        worker = [p for p in descendants(c.pid()) if "sleep 1000" in words_of(p)]
        master = [p for p in descendants(c.pid()) if "supervisord-master" in words_of(p)][0]
        os.kill(master, signal.SIGKILL)
        until(lambda: not alive(master) and c.relctl("status").returncode == 0, "it answers")
        equal([p for p in descendants(c.pid()) if "sleep 1000" in words_of(p)], worker)
        os.kill(c.pid(), signal.SIGTERM)
        equal(c.wait_end(), 0)


def test_bad_configuration_of_a_container():
    """A wrong configuration ends the container with 78."""
    with Container("[worker w]\ncomand = x\n") as c:
        equal(c.wait_end(), 78)
        holds(c.node.out(), "did you mean 'command'?")


def unit():
    lines = read(os.path.join(TOP, "conf/supervisord.service")).splitlines()
    return dict(l.split("=", 1) for l in lines if "=" in l and not l.startswith("#"))


def test_unit_file():
    """The systemd unit has the keys that let workers outlive the node, and an exposure of
    at most 5.7."""
    keys = unit()
    for key, value in (("Type", "notify"), ("KillMode", "process"), ("Delegate", "yes"),
                       ("Restart", "always"), ("OOMPolicy", "continue"),
                       ("RuntimeDirectoryPreserve", "yes"), ("TasksMax", "infinity"),
                       ("LimitNOFILE", "1048576"), ("NotifyAccess", "all")):
        equal(keys.get(key), value, key)
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze here")
    with tempfile.TemporaryDirectory(prefix="steward-unit-") as place:
        path = os.path.join(place, "steward.service")
        with open(path, "w", encoding="utf-8") as f:
            f.write(read(os.path.join(TOP, "conf/supervisord.service")).replace("@PREFIX@", "/usr"))
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=57",
                               path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr


def test_init_script():
    """The init script is right for sh and says what it takes."""
    path = os.path.join(TOP, "conf/supervisord.init")
    subprocess.run(["sh", "-n", path], check=True)
    done = subprocess.run(["sh", path], capture_output=True, text=True, check=False)
    assert done.returncode in (2, 5), done  # 5: not installed here
    holds(done.stderr + done.stdout + read(path), "start|stop|", "status")
    holds(read(path), "### BEGIN INIT INFO", "# Required-Start:", "# Default-Start:")


def test_sysusers_and_tmpfiles():
    """The files for systemd-sysusers and systemd-tmpfiles name what the programs need."""
    users = read(os.path.join(TOP, "conf/steward.sysusers"))
    for name in ("steward-load", "steward-control", "steward-log", "steward-probe"):
        assert [l for l in users.splitlines() if l.split()[:2] == ["u", name]], name
    holds(read(os.path.join(TOP, "conf/steward.tmpfiles")), "/var/lib/steward", "/var/log/steward")
    if shutil.which("systemd-sysusers") and ROOT:
        with tempfile.TemporaryDirectory(prefix="steward-root-") as root:
            os.mkdir(os.path.join(root, "etc"))
            done = subprocess.run(["systemd-sysusers", "--root", root, "-"], input=users, text=True,
                                  capture_output=True, check=False)
            equal(done.returncode, 0, done.stderr)
            holds(read(os.path.join(root, "etc/passwd")), "steward-load:", "steward-probe:")


def test_notify_to_a_service_manager():
    """READY=1 goes to the service manager when the node serves, STOPPING=1 at its end."""
    import socket
    n = Node(SERVE)
    path = os.path.join(n.base, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(DEADLINE)
        n.start(env={"NOTIFY_SOCKET": path})
        holds(s.recv(4096).decode(), "READY=1")
        n.stop()
        seen = ""
        while "STOPPING=1" not in seen:
            seen = s.recv(4096).decode()
    n.finish()
