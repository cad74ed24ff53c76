#!/usr/bin/python3
"""Hostile input: states nobody can follow, pids that others have now, roles that lie,
workers that signal everybody, a wall clock that jumps.

Wanted of each: the node goes on or begins anew with a sentence, nothing runs twice, and
no stranger is touched.
"""
import os
import random
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time

import runner
import crowd
import harness
from faults import ALL, CONF, Faulty
from harness import (Node, ROOT, Skip, alive, children_of, environ_of, equal, holds, until,
                     words_of)

NAMES = {"a/w1", "a/w2", "a/hit"}
PROGRAM = os.path.join(harness.BIN, "storm-worker")


def plain_node(**kwargs):
    node = Node(CONF.replace("{S}", PROGRAM), **kwargs)
    os.mkdir(node.path("count"))
    return node


def workers_of(node):
    """{id: [pid]} of this node's living workers, from /proc alone."""
    return crowd.workers_of(PROGRAM, lambda pid: os.readlink("/proc/%d/cwd" % pid) == node.dir)


def master_of(node):
    return crowd.processes_of(node, "supervisord-master")[0]


def without_master(node, change):
    """The master is killed, something is changed, and only then the next one starts."""
    keeper, master = node.keeper_now(), master_of(node)
    os.kill(keeper, signal.SIGSTOP)
    os.kill(master, signal.SIGKILL)
    until(lambda: not alive(master), "the master is dead")
    try:
        change()
    finally:
        os.kill(keeper, signal.SIGCONT)


def whole(node):
    nodes = node.nodes()
    found = workers_of(node)
    crowd.no_doubles(found)
    return all(nodes[n]["state"] == "up" for n in ALL) and set(found) == NAMES and \
        all(found[n] == [nodes[n]["pid"]] for n in ALL) and found


def patch(path, offset, data):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def replace(path, make):
    def change():
        os.unlink(path)
        make(path)
    return change


def not_followed(node, change, sentence):
    before = until(lambda: whole(node), "all is well before")
    said = node.out().count(sentence)
    without_master(node, change)
    after = until(lambda: whole(node), "the node runs anew: " + sentence)
    for name in NAMES:
        assert not alive(before[name][0]) or before[name] != after[name], name
    until(lambda: node.out().count(sentence) > said, "somebody says: " + sentence)


def test_states_that_cannot_be_followed():
    """Each is refused with a sentence, its workers are ended, the node begins anew."""
    with plain_node() as node:
        path = node.path("run", "state")
        noise = random.Random(1)
        for change, sentence in (
                (lambda: os.truncate(path, 100), "wrong size"),
                (lambda: os.truncate(path, 0), "wrong size"),
                (lambda: patch(path, 0, b"\0" * 8), "not a state file"),
                (lambda: patch(path, 8, b"\xff"), "written by another version"),
                (lambda: patch(path, 24, b"00000000-0000"), "the machine was booted since"),
                (lambda: patch(path, 0, noise.randbytes(4096)), "not a state file"),
                (replace(path, lambda p: os.symlink("/etc/passwd", p)), "it is a link"),
                (replace(path, os.mkfifo), "wrong size"),
                (lambda: damage_rows(node), "cannot be followed"),
                (lambda: os.unlink(rows_of(node)), "cannot be followed")):
            not_followed(node, change, sentence)
        equal(stat.S_ISREG(os.stat("/etc/passwd").st_mode), True)
        until(lambda: len([p for p in harness.mine() if "supervisord-logger" in words_of(p)]) == 1,
              "loggers of the lives before have ended")


def test_a_bad_state_after_the_death_of_all():
    """Keeper and master are gone, the workers are somebody else's children, the state is
    of no use, there are no cgroups: the next start ends them before it begins anew."""
    node = plain_node()
    node.configure("[node]\ncgroups = no\n" + CONF.replace("{S}", PROGRAM))
    with node:
        before = until(lambda: whole(node), "all is well before")
        keeper, master = node.keeper_now(), master_of(node)
        for pid in (keeper, master):
            os.kill(pid, signal.SIGSTOP)
        for pid in (keeper, master):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(keeper) and not alive(master), "they are dead")
        node.process.wait()
        patch(node.path("run", "state"), 0, b"\0" * 64)
        node.start()
        after = until(lambda: whole(node), "the node runs anew")
        for name in NAMES:
            assert not alive(before[name][0]), "%s lives on" % name
            assert before[name] != after[name]


def rows_of(node):
    return max((node.path("run", n) for n in os.listdir(node.path("run"))
                if n.startswith("rows-")), key=os.path.getmtime)


def damage_rows(node):
    path = rows_of(node)
    patch(path, 40, b"\xff" * 64)


def state_numbers():
    """Size of the head and of a slot are in the file itself; where slots begin is not."""
    text = subprocess.run(
        ["gcc", "-std=c11", "-D_GNU_SOURCE", "-I", os.path.join(harness.TOP, "lib"), "-xc", "-",
         "-o", "/dev/stdout", "-S"], input=b"""
#include <stddef.h>
#include "state/state.h"
long at[3] = {offsetof(struct state, slot), sizeof(struct slot), offsetof(struct slot, pid)};
""", capture_output=True, check=True).stdout.decode()
    return [int(line.split()[1]) for line in text.splitlines() if ".quad" in line]


def test_flipped_bits():
    """Random bits of slots flip while there is no master: followed or not, nothing runs
    twice, and everything runs in the end."""
    seed = int(os.environ.get("SEED", time.time()))
    rng = random.Random(seed)
    at, size, _ = state_numbers()
    anew = 0
    for _ in range(int(os.environ.get("ROUNDS", "12"))):
        node = plain_node()
        with node:
            until(lambda: whole(node), "all is well before")

            def flip():
                with open(node.path("run", "state"), "r+b") as f:
                    for _ in range(rng.choice([1, 2, 8])):
                        place = at + rng.randrange(6 * size)
                        f.seek(place)
                        byte = f.read(1)[0] ^ 1 << rng.randrange(8)
                        f.seek(place)
                        f.write(bytes([byte]))
            without_master(node, flip)
            try:
                end = until(lambda: settled_somehow(node), "the node answers, seed %d" % seed)
                anew += "is not used" in node.out()
                for name, pids in end.items():
                    assert len(pids) == 1, "seed %d: %s runs twice: %r" % (seed, name, pids)
            finally:
                keeper = node.keeper_now()
                if keeper and alive(keeper):
                    os.kill(keeper, signal.SIGTERM)
                    until(lambda: not alive(keeper), "the node ends, seed %d" % seed)
                until(lambda: not [p for p in harness.mine() if alive(p)], "nobody is left")
    return "seed %d, %d began anew" % (seed, anew)


def settled_somehow(node):
    """It answers, and what it says runs is what runs: a flipped phase may mean down."""
    nodes = node.nodes()
    found = workers_of(node)
    shown = {n["id"]: n["pid"] for n in nodes.values() if n["kind"] == "worker" and n["pid"] > 0}
    return found if all(shown.get(k) in v for k, v in found.items()) or not found else None


def test_garbage_to_inherit():
    """A keeper that is given nonsense to inherit ends with a sentence."""
    rng = random.Random(2)
    magic = struct.pack("<Q", 0x31746e6977747331)
    base = Node("[worker w]\ncommand = /bin/sleep 100\n")
    for k in range(40):
        fd = os.memfd_create("inherit", 0)
        body = rng.randbytes(rng.randrange(300))
        os.write(fd, (magic if k % 2 else b"") + body)
        done = subprocess.run(
            [os.path.join(harness.BIN, "supervisord"), "--inherit", str(fd), "--root", base.dir],
            pass_fds=[fd], capture_output=True, text=True, timeout=harness.DEADLINE, check=False,
            env={"PATH": "/bin"}) if k % 2 == 0 else None
        os.close(fd)
        if done is not None:
            assert done.returncode == 1, done
            holds(done.stderr, "inherit")
    shutil.rmtree(base.base)


# --- inside a namespace of pids ---------------------------------------------------------


def inside(name):
    """Runs one of the inner tests as process 1 of a pid namespace."""
    if not ROOT:
        raise Skip("needs root, for a pid namespace")
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, "-B",
         __file__, "--inside", name], capture_output=True, text=True, timeout=400, check=False)
    if done.returncode == 77:
        raise Skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_pid_of_somebody_else():
    """A worker died with keeper and master, a stranger has its pid: neither adopted nor
    signalled."""
    inside("reuse")


def inner_reuse():
    try:
        with open("/proc/sys/kernel/pid_max", "w", encoding="ascii") as f:
            f.write("500")
    except OSError as reason:
        print("pid_max cannot be set here: %s" % reason)
        sys.exit(77)
    if len(os.listdir("/proc")) and harness.read("/proc/sys/kernel/pid_max").strip() != "500":
        print("pid_max is not one of the namespace")
        sys.exit(77)
    while subprocess.run(["/bin/sh", "-c", "exit $(( $$ < 320 ))"], check=False).returncode:
        pass  # the pids below 300 are not used again
    with plain_node() as node:
        before = until(lambda: whole(node), "all is well before")
        victim = before["a/hit"][0]
        keeper, master = node.keeper_now(), master_of(node)
        for pid in (keeper, master):
            os.kill(pid, signal.SIGSTOP)
        for pid in (keeper, master, victim):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(alive, (keeper, master, victim))), "they are dead")
        harness.reap_strangers(0)
        node.process.wait()
        time.sleep(0.1)  # start times are told apart by 10 ms ticks
        stranger = None
        for _ in range(2000):
            process = subprocess.Popen(["/bin/sleep", "1000"])
            if process.pid == victim:
                stranger = process
                break
            process.kill()
            process.wait()
        assert stranger is not None, "pid %d did not come again" % victim
        harness.started_here.append(stranger)
        node.start()
        after = until(lambda: whole(node), "all is well again")
        assert after["a/hit"] != [victim]
        equal([after[n] for n in ("a/w1", "a/w2")], [before[n] for n in ("a/w1", "a/w2")])
        node.do("stop", "a/hit")
        assert stranger.poll() is None, "the stranger was signalled: %r" % stranger.poll()
        stranger.kill()
        stranger.wait()


def test_a_worker_that_signals_everybody():
    """`user = nobody` and kill(-1, SIGSTOP), kill(-1, SIGKILL) in a loop: master, roles and
    the workers of others go on, and it can be restarted and stopped."""
    inside("signals")


def inner_signals():
    for sig in ("STOP", "KILL"):
        code = "import os,signal\nwhile 1:\n try: os.kill(-1, signal.SIG%s)\n except OSError: pass" % sig
        node = plain_node()
        node.write("evil.py", code)
        node.configure(CONF.replace("{S}", PROGRAM) +
                       "[supervisor a/mad]\nintensity = infinity\n"
                       "[worker evil]\nsupervisor = a/mad\nuser = nobody\nrestart = permanent\n"
                       "backoff = 10ms..100ms\ncommand = {PY} -S -E {D}/evil.py\n"
                       "[worker victim]\nsupervisor = a/mad\nuser = nobody\ncommand = /bin/sleep 1000\n")
        with node:
            before = until(lambda: whole(node), "others run beside SIG" + sig)
            master = node.master()
            for _ in range(3):
                node.relctl("restart", "a/evil", "--timeout", "5s")
            node.do("stop", "a/evil", "a/victim")
            equal(node.master(), master, "master")
            equal(until(lambda: whole(node), "others run"), before)


# --- roles that lie -----------------------------------------------------------------------


LIAR = """#!/usr/bin/python3 -S
import os, socket, struct, sys, time
s = socket.socket(fileno=3)
s.setblocking(True)
MSG = struct.Struct("=IIIIQ")
hello = MSG.pack(1, 0, 0x3fffffff, 0, 0)
try:
%s
except OSError:
    pass
while 1:
    try:
        if not s.recv(65536):
            os._exit(0)
    except OSError:
        os._exit(0)
"""
LIES = {
    "garbage": "    s.send(os.urandom(200))",
    "wrong size": "    s.send(hello + b'x')",
    "a byte": "    s.send(b'x')",
    "a message of another role": "    s.send(hello); s.send(MSG.pack(20, 0, 0, 0, 0))",
    "too many descriptors": "    socket.send_fds(s, [hello], [0] * 200)",
    "descriptors nobody asked for": "    socket.send_fds(s, [hello], [0] * 5)",
    "huge": "    s.send(b'\\1\\0\\0\\0' * 10000)",
    "nothing at all": "    s.close(); os.close(3) if 0 else None; time.sleep(1000)",
    "hello and an end": "    s.send(hello); os._exit(0)",
    "a flood": "    s.send(hello)\n    for _ in range(200000): s.send(hello)",
}


def role_lies(role):
    node = plain_node()
    node.bin = os.path.join(node.base, "bin")
    shutil.copytree(harness.BIN, node.bin)
    program = os.path.join(node.bin, "supervisord-" + role)
    good = program + ".good"
    shutil.copy2(program, good)
    with node:
        before = until(lambda: whole(node), "all is well before")
        master = master_of(node)
        for what, code in LIES.items():
            with open(program + ".new", "w", encoding="utf-8") as f:
                f.write(LIAR % code)
            os.chmod(program + ".new", 0o755)
            os.rename(program + ".new", program)
            mine = [p for p in children_of(master) if "supervisord-" + role in words_of(p)]
            for pid in mine:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.3)
            if role != "control":
                node.do("status")
            seen = workers_of(node)
            equal(seen, before, "%s says %s: workers" % (role, what))
            equal(master_of(node), master, "%s says %s: master" % (role, what))
            shutil.copy2(good, program + ".new")
            os.rename(program + ".new", program)
            for pid in children_of(master):
                if "python3 -S" in words_of(pid):
                    os.kill(pid, signal.SIGKILL)
            until(lambda: whole(node) and "python3" not in
                  "".join(words_of(p) for p in children_of(master)),
                  "%s is itself again after %s" % (role, what))
        starts = len([e for e in node.events("role_started") if e["id"] == role])
        equal(workers_of(node), before, "workers")
        return "%d starts of the role" % starts


def test_a_control_that_lies():
    """Nonsense from control: ended, started again with back-off, workers untouched."""
    return role_lies("control")


def test_a_logger_that_lies():
    """Nonsense from the logger."""
    return role_lies("logger")


def test_a_probe_that_lies():
    """Nonsense from the probe."""
    return role_lies("probe")


def test_a_load_that_lies():
    """Nonsense from load while a reload is asked for: refused, the node as it was."""
    node = plain_node()
    node.bin = os.path.join(node.base, "bin")
    shutil.copytree(harness.BIN, node.bin)
    program = os.path.join(node.bin, "supervisord-load")
    good = program + ".good"
    shutil.copy2(program, good)
    with node:
        before = until(lambda: whole(node), "all is well before")
        for what, code in LIES.items():
            if what in ("nothing at all", "a flood"):
                continue  # they are ended after half a minute
            with open(program + ".new", "w", encoding="utf-8") as f:
                f.write(LIAR % code)
            os.chmod(program + ".new", 0o755)
            os.rename(program + ".new", program)
            done = node.relctl("reload", "--timeout", "10s")
            assert done.returncode != 0, "a reload by a load that says %s is done" % what
            equal(whole(node), before, "after %s" % what)
        os.rename(good, program)
        node.do("reload")
        equal(whole(node), before, "after a good reload")


# --- the clock ------------------------------------------------------------------------------


def cpu_ticks(pid):
    fields = harness.stat_of(pid)
    return int(fields[11]) + int(fields[12])


def test_the_wall_clock_jumps():
    """A year on and back: restart windows, timers and workers do not care, nothing spins."""
    node = Faulty()
    year = 365 * 86400
    with node:
        before = until(lambda: whole(node), "all is well before")
        master = node.master()
        for shift in (year, -year, 0):
            node.order[4:8] = struct.pack("=i", shift)
            ticks = cpu_ticks(master)
            os.kill(node.pid("a/hit"), signal.SIGKILL)
            until(lambda: whole(node), "hit is restarted after a jump of %d s" % shift)
            time.sleep(0.3)
            spent = cpu_ticks(master) - ticks
            assert spent < 15, "the master spent %d ticks after the jump" % spent
        after = until(lambda: whole(node), "all is well")
        equal([after[n] for n in ("a/w1", "a/w2")], [before[n] for n in ("a/w1", "a/w2")])
        equal(node.get("a/s")["restarts"], 3, "restarts in the window")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        harness.become_subreaper()
        {"reuse": inner_reuse, "signals": inner_signals}[sys.argv[2]]()
        sys.exit(0)
    sys.exit(runner.run(globals(), sys.argv[1:]))
