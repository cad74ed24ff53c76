"""Booted by a real systemd and by a real SysV init, installed as `make install` does it."""
import os
import shutil
import signal
import subprocess
import tempfile

from harness import (BIN, ROOT, Skip, TOP, alive, cgroup2_mount, children_of, descendants, holds,
                     read, start, until)

BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.sh")
CONF = """[node]
name = booted
[worker w]
command = /bin/sleep 1000
[worker mortal]
command = /bin/sleep 1000
user = nobody
"""
BOOT_S = 120
TARGET = """[Unit]
Requires=steward.service
"""
INITTAB = """id:2:initdefault:
l0:0:wait:/etc/init.d/rc 0
l2:2:wait:/etc/init.d/rc 2
"""
# the packages of a SysV machine; they would take systemd's place if they were installed
SYSV = ["sysvinit-core", "sysv-rc", "startpar", "initscripts", "insserv"]


def make_root(over):
    """What `make install` makes, and the users that its sysusers file names."""
    for place in ("etc/steward", "etc/systemd/system"):
        os.makedirs(os.path.join(over, place))
    write(over, "etc/steward/supervisord.conf", CONF)
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "BIN"}
    subprocess.run(["make", "-s", "-C", TOP, "install", "CC=gcc", "SAN=none", "DESTDIR=" + over],
                   env=env, check=True, capture_output=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        shutil.copy(os.path.join("/etc", name), os.path.join(over, "etc", name))
    subprocess.run(["systemd-sysusers", "--root", over,
                    os.path.join(over, "usr/lib/sysusers.d/steward.conf")], check=True)
    # directories of the overlay decide the mode of those below it
    for at, names, _ in os.walk(over):
        os.chmod(at, 0o755)


def write(over, name, text, mode=0o644):
    path = os.path.join(over, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


class Machine:
    """This machine's files with ours over them, and an init of its own as PID 1."""

    def __init__(self, init, prepare):
        if not ROOT:
            raise Skip("needs root")
        if "-none" not in os.path.realpath(BIN):
            raise Skip("installs the plain build, which the plain run has tested")
        if not shutil.which("systemd-sysusers") or cgroup2_mount() is None:
            raise Skip("needs systemd-sysusers and cgroup v2")
        self.init, self.prepare = init, prepare
        self.base = tempfile.mkdtemp(prefix="steward-boot-")
        self.over = os.path.join(self.base, "over")
        self.group = os.path.join(cgroup2_mount(), os.path.basename(self.base))
        self.out_path = os.path.join(self.base, "out")
        self.process = None

    def __enter__(self):
        try:
            make_root(self.over)
            self.prepare(self)
        except BaseException:
            shutil.rmtree(self.base)
            raise
        with open(self.out_path, "wb") as out:
            self.process = start([BOOT, self.base, self.group] + list(self.init),
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print("--- what PID 1 said:\n" + read(self.out_path))
        if kind is not None and self.process.poll() is None:
            print(self.run("journalctl -n 30 --no-pager; cat /var/log/steward/node.log; ps axf").stdout)
        for pid in children_of(self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        until(self.swept, "the cgroups of the machine are gone")
        shutil.rmtree(self.base)

    def swept(self):
        for at, _, _ in os.walk(self.group, topdown=False):
            try:
                os.rmdir(at)
            except OSError:
                return False
        return not os.path.isdir(self.group)

    def run(self, script):
        """Runs a script inside, as the machine's root."""
        if self.process.poll() is not None:
            raise AssertionError("PID 1 has ended:\n" + read(self.out_path))
        init = children_of(self.process.pid) or [0]  # 0: not yet
        return subprocess.run(["nsenter", "-t", str(init[0]), "-m", "-p", "-C", "-u", "-i", "-n",
                               "-r", "-w", "sh", "-c", script],
                              capture_output=True, text=True, check=False)

    def do(self, script):
        done = self.run(script)
        assert done.returncode == 0, "%s: %s%s" % (script, done.stdout, done.stderr)
        return done.stdout.strip()

    def wait(self, script, what):
        until(lambda: self.run(script).returncode == 0, what, BOOT_S)

    def up(self):
        self.wait("relctl -q wait --timeout 1s main/w main/mortal", "the node and its workers are up")

    def pids(self):
        """Pids of the two workers, as PID 1 counts them."""
        return [self.do("relctl status --json %s | tr -d ' \\n' | sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'" % name)
                for name in ("main/w", "main/mortal")]

    def sleepers(self):
        return [p for p in descendants(self.process.pid)
                if "sleep\0" + "1000" in read("/proc/%d/cmdline" % p)]


def role_user(machine, name):
    return machine.do("ps -o user:32= -C %s" % name)


def make_systemd(m):
    write(m.over, "etc/systemd/system/boot-test.target", TARGET)


def test_systemd():
    """systemd starts it, sees it ready, restarts the keeper without harm, reloads, stops it."""
    if not os.path.exists("/lib/systemd/systemd"):
        raise Skip("no systemd here")
    with Machine(["/lib/systemd/systemd", "--unit=boot-test.target", "--show-status=0"],
                 make_systemd) as m:
        m.wait("systemctl -q is-active steward", "systemd says it is active")
        m.up()
        old = m.pids()
        holds(role_user(m, "supervisord-con"), "steward-control")
        holds(m.do("systemctl show -p StatusText,MainPID,SubState steward"), "SubState=running")
        main = m.do("systemctl show -p MainPID --value steward")
        m.do("pkill -9 -x supervisord-mas")
        m.up()
        assert m.pids() == old, "a worker died with its master"
        m.do("kill -9 " + main)
        m.wait("[ $(systemctl show -p MainPID --value steward) != %s ] && "
               "systemctl -q is-active steward" % main, "systemd follows the new main process")
        m.up()
        assert m.pids() == old, "a worker died with its keeper"
        m.do("kill -9 %s" % old[1])
        m.wait("relctl status main/mortal | grep -q up", "a worker is restarted")
        m.do("printf '[worker late]\\ncommand = /bin/sleep 1000\\n' >>/etc/steward/supervisord.conf")
        m.do("systemctl reload steward")
        m.wait("relctl -q wait --timeout 1s main/late", "reload reaches it")
        m.do("systemctl restart steward")
        m.up()
        assert m.pids()[0] != old[0], "restart of the service restarts the workers"
        m.do("systemctl stop steward")
        assert not m.sleepers(), "a worker outlived the stop of the service"
        holds(m.run("systemctl show -p Result,SubState steward").stdout, "Result=success",
              "SubState=dead")


def sysv_packages():
    """The packages of a SysV machine, fetched once."""
    place = os.path.join(TOP, "build", "sysv")
    os.makedirs(place, exist_ok=True)
    if len([n for n in os.listdir(place) if n.endswith(".deb")]) < len(SYSV):
        done = subprocess.run(["apt-get", "download", "-q"] + SYSV, cwd=place, check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip("cannot fetch " + ", ".join(SYSV))
    return [os.path.join(place, name) for name in sorted(os.listdir(place)) if name.endswith(".deb")]


def make_sysv(m):
    """Unpacks SysV's packages over the machine's root, and enables our script with insserv."""
    unpacked = os.path.join(m.base, "sysv")
    for package in sysv_packages():
        subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
    # /bin, /sbin and /lib are links into /usr below
    for part, to in (("etc", "etc"), ("usr", "usr"), ("bin", "usr/bin"), ("sbin", "usr/sbin"),
                     ("lib", "usr/lib")):
        if os.path.isdir(os.path.join(unpacked, part)):
            shutil.copytree(os.path.join(unpacked, part), os.path.join(m.over, to),
                            dirs_exist_ok=True, symlinks=True)
    write(m.over, "etc/inittab", INITTAB)
    done = subprocess.run([os.path.join(m.over, "usr/sbin/insserv"),
                           "-c", os.path.join(m.over, "etc/insserv.conf"),
                           "-p", os.path.join(m.over, "etc/init.d"), "steward"],
                          capture_output=True, text=True, check=False)
    for at in ("rc2.d/S01steward", "rc0.d/K01steward"):
        assert os.path.islink(os.path.join(m.over, "etc", at)), done.stdout + done.stderr


def test_sysv_init():
    """SysV's init starts it by its script in the order insserv finds, status and restart
    work, and runlevel 0 stops it."""
    with Machine(["/sbin/init"], make_sysv) as m:
        m.up()
        old = m.pids()
        holds(m.do("/etc/init.d/steward status"), "is running")
        m.do("/etc/init.d/steward start")
        assert m.pids() == old, "a second start touched the workers"
        m.do("pkill -9 -x supervisord-mas")
        m.up()
        assert m.pids() == old, "a worker died with its master"
        m.do("/etc/init.d/steward restart")
        m.up()
        assert m.pids()[0] != old[0], "restart restarts the workers"
        m.do("telinit 0")
        until(lambda: not m.sleepers(), "runlevel 0 stops the workers", BOOT_S)
        m.wait("! /etc/init.d/steward status", "the script says that it is down")
