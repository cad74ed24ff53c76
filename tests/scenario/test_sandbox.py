"""The sandbox of the roles: they are in it, and do their work in it."""
import glob
import os
import pwd
import subprocess

from harness import (BIN, Node, ROOT, Skip, alive, children_of, free_port, holds, read, until,
                     words_of)

ROLES = ("control", "logger", "probe")
USERS = {"control": "steward-control", "logger": "steward-log", "probe": "steward-probe",
         "load": "steward-load"}
# A worker of each kind of work: many lines, a port, an environment from a file.
CONF = """[node]
include = {D}/conf.d/*.ini
[worker lines]
log_size = 64k
log_keep = 50
log_zstd = yes
command = {W} count 10000
[worker port]
command = {PY} -S -E -c 'import socket,time; s=socket.socket(); s.setsockopt(1,2,1); s.bind(("127.0.0.1",%(port)d)); s.listen(); time.sleep(1000)'
ready = tcp:127.0.0.1:%(port)d
"""
MORE = """[worker more]
env_file = {D}/more.env
command = /bin/sh -c 'echo got $GREETING; exec sleep 1000'
"""


class SystemNode(Node):
    """A node of root's own: no --root, each role with its user.  /run/steward and the
    others are, in a mount namespace, the directories a node with --root has."""

    def __init__(self, *args, **kwargs):
        if not ROOT:
            raise Skip("needs root")
        try:
            self.uids = {role: pwd.getpwnam(user).pw_uid for role, user in USERS.items()}
        except KeyError as missing:
            raise Skip("conf/steward.sysusers is not applied: %s" % missing) from None
        super().__init__(*args, **kwargs)
        script = ""
        for place, own in (("/run", "run"), ("/var/log", "log"), ("/var/lib", "lib")):
            os.mkdir(self.path(own), 0o755)
            script += ("mount -t tmpfs tmpfs %s && mkdir %s/steward && mount --bind '%s' %s/steward && "
                       % (place, place, self.path(own), place))
        self.bin = os.path.join(self.base, "bin")
        os.mkdir(self.bin)
        for program in os.listdir(BIN):
            os.symlink(os.path.join(BIN, program), os.path.join(self.bin, program))
        os.unlink(os.path.join(self.bin, "supervisord"))
        with open(os.path.join(self.bin, "supervisord"), "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nexec unshare --mount --propagation private sh -c \"%sexec %s --config %s\"\n" % (
                script, os.path.join(BIN, "supervisord"), self.conf_path))
        os.chmod(f.name, 0o755)


def is_filtered():
    """Builds with a sanitizer, valgrind or coverage have no filter of system calls."""
    return os.path.basename(os.path.dirname(os.path.realpath(BIN))).endswith("-none")


def status_of(pid):
    return dict(line.split(":", 1) for line in read("/proc/%d/status" % pid).splitlines())


def is_confined(status, uid):
    return (status["NoNewPrivs"].strip() == "1" and status["Uid"].split() == [str(uid)] * 4 and
            (not is_filtered() or status.get("Seccomp", "2").strip() == "2"))


def check_roles(node, uid_of):
    """Waits, since a node serves before its probe has come so far."""
    for name in ROLES:
        until(lambda: is_confined(status_of(roles_of(node)[name]), uid_of(name)),
              "%s is in its sandbox" % name)


def roles_of(node):
    return {role["name"]: role["pid"] for role in node.call("node.info")["roles"]}


def load_of(node):
    """The status of supervisord-load while it reads, after main() has begun."""
    for pid in children_of(node.master()):
        if "supervisord-load" in words_of(pid):
            status = status_of(pid)
            if status.get("Seccomp", "").strip() == "2":
                return status
    return None


def check_load(node, uid):
    """Reloads until load was seen at work: it lives for some milliseconds."""
    if not is_filtered():
        return
    node.configure(read(node.conf_path) + "# much to read\n" * 20000)

    def seen():
        with subprocess.Popen([os.path.join(BIN, "relctl"), "--root", node.dir, "reload"],
                              stdout=subprocess.DEVNULL) as reload:
            while reload.poll() is None:
                status = load_of(node)
                if status:
                    reload.wait()
                    return status
        return None
    status = until(seen, "load is seen in its sandbox")
    assert is_confined(status, uid), status


def works(node):
    """Logs turn and are compressed, a port is knocked at, a reload reads what it must."""
    node.wait_up("main/lines", "main/port")
    node.wait_log("main/lines", "line 10000\n")  # files have their last names
    until(lambda: len(glob.glob(node.path("log/main/lines.log.*.zst"))) >= 3, "compressed files")
    packed = sorted(glob.glob(node.path("log/main/lines.log.*.zst")))[-1]
    done = subprocess.run(["zstd", "-dcq", packed], capture_output=True, text=True, check=True)
    holds(done.stdout, "line ")
    node.write("more.env", "GREETING=welcome\n")
    node.write("conf.d/more.ini", MORE.replace("{D}", node.dir))
    node.do("reload")
    node.wait_log("main/more", "got welcome")
    holds(node.do("status"), "more")
    assert "holes" not in node.log("node") or not is_filtered(), node.log("node")


def test_roles():
    """Each role of a node with --root has no_new_privs and a filter, and does its work."""
    with Node(CONF % {"port": free_port()}) as n:
        check_roles(n, lambda _: os.geteuid())
        works(n)
        check_load(n, os.geteuid())


def test_roles_of_root():
    """The same of the system's node, where each role has its own user."""
    with SystemNode(CONF % {"port": free_port()}) as n:
        check_roles(n, n.uids.get)
        works(n)
        check_load(n, n.uids["load"])


def test_after_a_death():
    """A role that was killed is in its sandbox again, the logger with its pipes."""
    with Node(CONF % {"port": free_port()}) as n:
        old = {name: n.kill_role(name) for name in ROLES}
        until(lambda: all(pid and pid != old[name] and alive(pid)
                          for name, pid in roles_of(n).items() if name in ROLES), "new roles")
        check_roles(n, lambda _: os.geteuid())
        works(n)
