"""The life of one worker: what it is given, what is left when it ends, errors in words."""
import json
import os
import pwd
import signal

from harness import (NOBODY, Node, ROOT, Skip, alive, equal, holds, lonely_uid, until)


def dump(node, name="dump"):
    return json.loads(until(lambda: node.read(name), "the worker has told"))


def test_all_that_a_worker_is_given():
    """User, groups, directory, umask, environment, limits, nice, affinity, oom score,
    no_new_privs; a clean signal mask; nothing open but 0, 1, 2."""
    conf = """
[worker w]
command = {W} dump {D}/out/dump "two words" 'semi ; colon' "ünï" 100%%
directory = {D}/out
umask = 027
environment = GREETING="good morning" PERCENT=5%%
env_file = {D}/w.env
nice = 5
cpu_affinity = 0
oom_score_adj = 500
no_new_privs = yes
limit_nofile = 123:456
limit_core = 0
limit_stack = 4M:8M
limit_cpu = 1h
"""
    if ROOT:
        conf += "user = nobody\n"
    files = {"w.env": "# comment\nFROM_FILE='a b'\nGREETING=weaker\n", "out/x": ""}
    n = Node(conf, files)
    os.chmod(n.path("out"), 0o777)
    with n:
        d = dump(n, "out/dump")
        if ROOT:
            gid = pwd.getpwnam("nobody").pw_gid
            equal((d["uid"], d["gid"]), ([NOBODY] * 3, [gid] * 3))
            equal(d["groups"], [gid])
            equal(d["env"]["USER"], "nobody")
            equal((d["status"]["CapEff"], d["status"]["CapPrm"]), ("0" * 16, "0" * 16))
        equal(d["cwd"], n.path("out"))
        equal(d["umask"], 0o27)
        equal(d["env"]["GREETING"], "good morning")
        equal((d["env"]["FROM_FILE"], d["env"]["PERCENT"]), ("a b", "5%"))
        equal(d["argv"], ["two words", "semi ; colon", "ünï", "100%"])
        equal((d["nice"], d["affinity"], d["oom"]), (5, [0], 500))
        equal(d["status"]["NoNewPrivs"], "1")
        equal(d["rlimits"]["nofile"], [123, 456])
        equal((d["rlimits"]["core"], d["rlimits"]["cpu"]), ([0, 0], [3600, 3600]))
        equal(d["rlimits"]["stack"], [4 << 20, 8 << 20])
        equal((d["status"]["SigBlk"], int(d["status"]["SigIgn"], 16) & ~0x1001000),
              ("0" * 16, 0))
        equal(d["sid"], d["pid"])
        equal(sorted(f for f in d["fds"] if "/proc/" not in d["fds"][f]), ["0", "1", "2"])
        equal(d["fds"]["0"], "/dev/null")
        for name in d["env"]:
            assert name in ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "GREETING", "PERCENT",
                            "FROM_FILE", "STEWARD_ID", "STEWARD_RUN",
                            "STEWARD_GENERATION", "LC_CTYPE"), name


def test_signals_are_clean():
    """No signal is ignored or blocked, whatever the node was started with."""
    with Node("[worker w]\ncommand = /bin/sleep 1000\n") as n:
        n.wait_up("main/w")
        with open("/proc/%d/status" % n.pid("main/w"), encoding="ascii") as f:
            fields = dict(line.split(":\t") for line in f.read().splitlines() if ":\t" in line)
        equal((fields["SigBlk"], fields["SigIgn"]), ("0" * 16, "0" * 16))


def test_capabilities():
    """capabilities = CAP_NET_BIND_SERVICE for an ordinary user: this one and no other."""
    if not ROOT:
        raise Skip("needs root")
    conf = ("[worker w]\ncommand = {W} dump {D}/out/dump\nuser = nobody\n"
            "capabilities = CAP_NET_BIND_SERVICE\n[worker none]\nafter = w\n"
            "command = {W} dump {D}/out/none\ncapabilities =\n")
    n = Node(conf, {"out/x": ""})
    os.chmod(n.path("out"), 0o777)
    with n:
        d = dump(n, "out/dump")["status"]
        only = "%016x" % (1 << 10)
        equal((d["CapEff"], d["CapPrm"], d["CapBnd"], d["CapAmb"]), (only,) * 4)
        d = dump(n, "out/none")["status"]
        equal((d["CapEff"], d["CapPrm"], d["CapBnd"]), ("0" * 16,) * 3)


def test_group_and_groups():
    """group = and groups = are those it runs with."""
    if not ROOT:
        raise Skip("needs root")
    n = Node("[worker w]\ncommand = {W} dump {D}/out/dump\nuser = nobody\ngroup = daemon\n"
             "groups = adm tty\n", {"out/x": ""})
    os.chmod(n.path("out"), 0o777)
    with n:
        d = dump(n, "out/dump")
        equal((d["gid"], d["groups"]), ([1, 1, 1], [4, 5]))


def test_instance_numbers():
    """%n is the number of the instance in command and environment."""
    conf = ("[worker w]\ncommand = {W} dump {D}/dump-%n\ninstances = 2\n"
            "environment = PORT=700%n\n")
    with Node(conf) as n:
        for i in "12":
            d = dump(n, "dump-" + i)
            equal((d["env"]["PORT"], d["env"]["STEWARD_INSTANCE"], d["env"]["STEWARD_ID"]),
                  ("700" + i, i, "main/w#" + i))


def tree_is_killed(cgroups, how):
    conf = "[node]\ncgroups = %s\n[application main]\nintensity = 9\n[worker w]\ncommand = {W} tree {D}/pids\n" % cgroups
    with Node(conf) as n:
        def pids(lives):
            return until(lambda: len(n.read("pids").split()) == 2 * lives and
                         [int(p) for p in n.read("pids").split()], "the tree stands")
        first = pids(1)
        assert all(alive(p) for p in first)
        equal("cgroup" in n.get("main/w")["flags"], cgroups == "auto" and
              "cgroup" in n.get("main/w")["flags"])
        if how == "stop":
            n.do("stop", "w")
            until(lambda: not any(alive(p) for p in first), "nothing of it is left")
            return
        n.bounce("main/w")
        second = pids(2)[2:]
        assert not any(alive(p) for p in first)
        n.kill_master()
        n.bounce("main/w")
        pids(3)
        assert not any(alive(p) for p in second)


def test_tree_with_cgroup_stop():
    """A stop ends daemonised grandchildren, too (cgroup)."""
    tree_is_killed("auto", "stop")


def test_tree_with_cgroup_death():
    """Its death ends what it left behind before the next life begins, also under a new
    master (cgroup)."""
    tree_is_killed("auto", "death")


def test_tree_without_cgroup_stop():
    """A stop ends daemonised grandchildren, too (subreaper)."""
    tree_is_killed("no", "stop")


def test_tree_without_cgroup_death():
    """Its death ends what it left behind before the next life begins, also under a new
    master (subreaper)."""
    tree_is_killed("no", "death")


def failing(conf, reason, words):
    """A worker that cannot be started: its reason as a term, and in words."""
    with Node("[worker w]\n" + conf) as n:
        until(lambda: n.get("main/w").get("last"), "it has failed")
        equal(n.get("main/w")["last"]["reason"], reason)
        # not between a try and its failure
        until(lambda: words in n.do("why", "w"), "why says it")
        until(lambda: words in n.relctl("status", "w", code=3).stdout, "status says it")


def test_no_such_program():
    """ENOENT at exec."""
    failing("command = /nonexistent/x\n", "{exec_failed,exec,ENOENT}", "No such file or directory")


def test_not_executable():
    """EACCES at exec."""
    failing("command = /etc/passwd\n", "{exec_failed,exec,EACCES}", "Permission denied")


def test_wrong_format():
    """ENOEXEC: a script without its first line."""
    n = Node("[worker w]\ncommand = {D}/script\n")
    n.write("script", "echo hi\n", 0o755)
    with n:
        until(lambda: n.get("main/w").get("last"), "it has failed")
        until(lambda: "Exec format error" in n.do("why", "w"), "why says it")


def test_no_such_directory():
    """A working directory that is not there."""
    failing("command = /bin/true\ndirectory = /nonexistent\n", "{exec_failed,cwd,ENOENT}",
            "No such file or directory")


def test_directory_not_permitted():
    """A working directory its user may not enter."""
    if not ROOT:
        raise Skip("needs root")
    n = Node("[worker w]\ncommand = /bin/true\nuser = nobody\ndirectory = {D}/closed\n",
             {"closed/x": ""})
    os.chmod(n.path("closed"), 0o700)
    with n:
        until(lambda: n.get("main/w").get("last"), "it has failed")
        equal(n.get("main/w")["last"]["reason"], "{exec_failed,cwd,EACCES}")


def test_unknown_user():
    """An unknown user is an error of the configuration."""
    n = Node("[worker w]\ncommand = /bin/true\nuser = nosuchuser\n")
    n.start(wait=False)
    equal(n.wait_end(), 78)
    holds(n.out(), "nosuchuser", "supervisord.conf:3: error:")
    n.finish()


def test_ends_in_words():
    """Exit statuses and signals are shown as terms and in words."""
    for script, reason, words in (("exit 3", "{exit,3}", "3"),
                                  ("kill -KILL $$", "{signal,KILL}", "SIGKILL"),
                                  ("ulimit -c 0; kill -SEGV $$", "{signal,SEGV}", "SIGSEGV")):
        conf = "[worker w]\nrestart = temporary\ncommand = /bin/sh -c '%s'\n[worker o]\ncommand = /bin/sleep 1000\n"
        with Node(conf % script) as n:
            n.wait_event("exited", "main/w")
            event = n.events("exited")[0]["reason"]
            equal(event["reason"], reason)
            holds(event["words"], words)


def test_stop_signal():
    """stop_signal = INT is what it gets."""
    conf = ("[worker w]\nstop_signal = INT\nready = fd:3\ncommand = /bin/sh -c "
            "'trap \"echo got INT; exit 0\" INT; echo >&3; while :; do sleep 0.05; done'\n")
    with Node(conf) as n:
        n.wait_up("main/w")
        n.do("stop", "w")
        n.wait_log("main/w", "got INT")


def test_signal_verb():
    """relctl signal reaches the main process; KILL ends it with {signal,KILL}."""
    with Node("[worker w]\ncommand = /bin/sleep 1000\n") as n:
        n.wait_up("main/w")
        pid = n.pid("main/w")
        n.do("signal", "w", "SIGKILL")
        n.wait_new("main/w", pid)
        equal(n.get("main/w")["last"]["reason"], "{signal,KILL}")
        equal(n.relctl("signal", "w", "NOSUCH").returncode, 2)


def test_stopped_worker_hears_term():
    """A worker that was frozen by SIGSTOP can be stopped."""
    with Node("[worker w]\ncommand = /bin/sleep 1000\n") as n:
        n.wait_up("main/w")
        os.kill(n.pid("main/w"), signal.SIGSTOP)
        n.do("stop", "w", "--timeout", "30s")


def test_users_loop_of_signals():
    """A worker's user that sends SIGSTOP and SIGKILL to all its processes in a loop
    freezes nobody else."""
    if not ROOT:
        raise Skip("needs root")
    conf = """
[application evil]
intensity = infinity
[worker e]
supervisor = evil
user = {U}
command = {PY} -S -E -c 'import os,signal,time;exec("while 1:\\n try: os.kill(-1,signal.SIGSTOP); os.kill(-1,signal.SIGKILL)\\n except OSError: time.sleep(0.001)")'
[application also]
intensity = infinity
[worker a]
supervisor = also
user = {U}
command = /bin/sleep 1000
[worker good]
command = /bin/sleep 1000
""".replace("{U}", str(lonely_uid()))
    with Node(conf) as n:
        n.wait_event("exited", "also/a", 5)
        n.wait_up("main/good")
        n.bounce("main/good")
        n.do("stop", "evil/e")
        pid = until(lambda: n.state("also/a") == "up" and n.pid("also/a"), "the other runs")
        n.do("status")
        equal(n.pid("also/a"), pid)
