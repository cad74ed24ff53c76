"""What storms, steps and faults share: who runs, what was written, a node of 20 workers.

processes_of, workers_of    who runs, from /proc alone
Lines                       the lines storm-worker has counted, against the logs
Crowd                       the node of the storms: what is asked, who is killed, and what
                            must hold afterwards
"""
import collections
import contextlib
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
import harness  # noqa: E402
from harness import DEADLINE, alive, children_of, environ_of, until, words_of  # noqa: E402

ADOPT_MS = 1000         # promised
ADOPT_DEADLINE_MS = 1000 * DEADLINE  # of a loaded machine


def running(prefix):
    """(pid, path) of all that live and run a program whose path begins so."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            path = os.readlink("/proc/%s/exe" % pid)
        except OSError:
            continue
        if path.startswith(prefix) and alive(int(pid)):
            yield int(pid), path


def workers_of(program, wanted=lambda pid: True):
    """{id: [pid, ...]} of the living workers of this program."""
    found = {}
    for pid, path in running(program):
        try:
            if path != program or not wanted(pid):
                continue
            name = [e[11:] for e in environ_of(pid) if e.startswith("STEWARD_ID=")]
        except OSError:
            continue
        if name:
            found.setdefault(name[0], []).append(pid)
    return found


def no_doubles(found):
    for name, pids in found.items():
        if len(pids) > 1 and sum(map(alive, pids)) > 1:
            raise AssertionError("%s runs %d times: %r" % (name, len(pids), pids))


def processes_of(node, program):
    """Pids of one of the node's programs: the keeper, its master, the master's roles."""
    keeper = node.keeper_now()
    if program == "supervisord":
        return [keeper] if keeper else []
    found = [p for m in children_of(keeper) for p in [m] + children_of(m)
             if words_of(p).split(" ")[0].endswith(program)]
    if not found and program == "supervisord-logger":  # it outlives its parents
        found = [p for p, _ in running(os.path.join(node.bin, program))
                 if node.dir in words_of(p)]
    return found


def program_named(who):
    return "supervisord" if who == "keeper" else "supervisord-" + who


class Lines:
    """Numbered lines: what each writer has counted in count/PID, and what is in the logs.

    Files are read on from where the last look ended, so that each look is cheap."""

    def __init__(self, node):
        self.node = node
        self.offset = {}
        self.upto = collections.Counter()  # pid: all lines up to this one are there
        self.beyond = collections.defaultdict(set)
        self.told = self.repeats = 0

    def read_on(self):
        for at, _, names in os.walk(self.node.path("log")):
            for name in names:
                path = os.path.join(at, name)
                with open(path, "rb") as f:
                    f.seek(self.offset.get(path, 0))
                    text = f.read()
                text = text[:text.rfind(b"\n") + 1]
                self.offset[path] = self.offset.get(path, 0) + len(text)
                for line in text.split(b"\n"):
                    words = line.split()
                    if len(words) >= 3 and words[-3] == b"line":
                        self.note(int(words[-2]), int(words[-1]))

    def note(self, pid, number):
        beyond = self.beyond[pid]
        if number <= self.upto[pid] or number in beyond:
            self.repeats += 1
            return
        beyond.add(number)
        while self.upto[pid] + 1 in beyond:
            self.upto[pid] += 1
            beyond.remove(self.upto[pid])

    def counted(self):
        """{pid: lines it has written}, as of now."""
        told = {}
        for name in os.listdir(self.node.path("count")):
            with open(self.node.path("count", name), "rb") as f:
                told[int(name)] = int.from_bytes(f.read(8), "little")
        return told

    def lost(self, told, names=None):
        """A sentence for each writer whose counted lines are not all there."""
        self.read_on()
        self.told = sum(told.values())
        return ["pid %d %s: lines %d to %d or some of them, of %d" % (
            pid, (names or {}).get(pid, ""), self.upto[pid] + 1, count, count)
            for pid, count in told.items() if self.upto[pid] < count]

    def check(self, names=None):
        """When all have ended: nothing is on its way any more."""
        lost = self.lost(self.counted(), names)
        if lost:
            raise AssertionError("lines were lost: " + "; ".join(lost[:5]))

    def arrive(self, names=None):
        """While writers go on: what they have counted by now arrives."""
        told, lost = self.counted(), []

        def there():
            lost[:] = self.lost(told, names)
            return not lost
        try:
            until(there, "all lines arrive")
        except AssertionError as error:
            raise AssertionError("%s: %s" % (error, "; ".join(lost[:5]))) from None


CONF = """
[socket front]
listen = tcp:127.0.0.1:{PORT}
[application plain]
[supervisor plain/all]
intensity = 1000
period = 1h
[worker p1]
supervisor = plain/all
command = {S} plain
[worker p2]
supervisor = plain/all
command = {S} plain
sockets = front
[worker p3]
supervisor = plain/all
command = {S} plain
log = none
[worker p4]
supervisor = plain/all
command = {S} plain
[application group]
[supervisor group/rest]
strategy = rest_for_one
intensity = 1000
period = 1h
[worker r1]
supervisor = group/rest
command = {S} plain
[worker r2]
supervisor = group/rest
command = {S} notify
ready = notify
[worker r3]
supervisor = group/rest
command = {S} write {D}/count 3000
log_size = infinity
[worker r4]
supervisor = group/rest
command = {S} plain
[supervisor group/every]
strategy = one_for_all
intensity = 1000
period = 1h
[worker e1]
supervisor = group/every
command = {S} plain
[worker e2]
supervisor = group/every
command = {S} notify
ready = notify
[application write]
[supervisor write/all]
intensity = 1000
period = 1h
[worker w1]
supervisor = write/all
command = {S} write {D}/count 1000
log_size = infinity
[worker w2]
supervisor = write/all
command = {S} write {D}/count 5000
log_size = infinity
[worker w3]
supervisor = write/all
command = {S} write {D}/count 20000
log_size = infinity
[worker turn]
supervisor = write/all
command = {S} plain
environment = TURN={TURN}
[supervisor write/swarm]
intensity = 1000
period = 1h
[worker pool]
supervisor = write/swarm
command = {S} write {D}/count 10000
instances = 4
sockets = front
intensity = 1000
period = 1h
log_size = infinity
"""
EXTRA = """
[worker extra]
supervisor = plain/all
command = {S} plain
"""
# whom a death takes along, in groups
REST = ["group/r1", "group/r2", "group/r3", "group/r4"]
EVERY = ["group/e1", "group/e2"]


class Crowd:
    """The node of the storms."""

    def __init__(self, options):
        self.rng = random.Random(options.seed)
        self.node = harness.Node("")
        self.node.bin = os.path.join(self.node.base, "bin")
        shutil.copytree(options.bin, self.node.bin)
        os.mkdir(self.node.path("count"))
        self.program = os.path.join(self.node.bin, "storm-worker")
        self.port = harness.free_port()
        self.turn = 0
        self.lines = Lines(self.node)
        self.names = {}
        self.now = None
        self.extra = False
        self.adopt_ms = []
        self.killed_at = []
        self.counted = None  # whose restarts the operation adds to
        self.seen = collections.Counter()
        self.asked = []
        self.write_conf()

    # --- the node

    def write_conf(self):
        text = CONF + (EXTRA if self.extra else "")
        text = text.replace("{S}", self.program).replace("{TURN}", str(self.turn))
        self.node.configure(text.replace("{PORT}", str(self.port)))

    def start(self):
        self.node.start(wait=False)
        self.settled("the tree is whole after a start")

    def find(self):
        """{id: [pid, ...]} of all workers of this node."""
        found = workers_of(self.program)
        for name, pids in found.items():
            for pid in pids:
                self.names.setdefault(pid, "(%s since %s)" % (name, self.now))
        return found

    def programs(self):
        """What runs of the node's own programs."""
        return [(pid, words_of(pid)) for pid, _ in running(self.node.bin + "/")]

    def look(self):
        """The settled tree, or None: nothing on its way, and /proc shows the same."""
        if not alive(self.node.keeper_now()):
            return None
        info = self.node.call("node.info")
        if info["state"] != "up" or not alive(info["master_pid"]):
            return None
        if any(not alive(role["pid"]) for role in info["roles"]):
            return None
        nodes = self.node.nodes()
        for n in nodes.values():
            if n["state"] != "up":
                return None
        want = {n["id"]: n["pid"] for n in nodes.values() if n["kind"] == "worker"}
        found = self.find()
        if {k: [v] for k, v in want.items()} != found:
            return None
        swarm = nodes["write/pool"]
        return nodes if swarm["instances"] == swarm["children"] else None

    def settled(self, what="the tree is whole"):
        return until(self.again, what)

    # --- operations: what is asked; returns the ids that may change

    def ask(self, *words):
        self.asked.append(subprocess.Popen(
            [os.path.join(self.node.bin, "relctl"), "--root", self.node.dir, "--timeout", "3s",
             *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        harness.started_here.append(self.asked[-1])

    def taken_along(self, name):
        if name in REST:
            return REST[REST.index(name):]
        return EVERY if name in EVERY else [name]

    # --- kills

    def kill(self, victims):
        """SIGKILL to all of them, as nearly at once as can be."""
        pids = [pid for who in victims for pid in processes_of(self.node, program_named(who))]
        for pid in pids:
            if "master" in victims and "keeper" in victims:
                os.kill(pid, signal.SIGSTOP)  # neither is to see the other's death
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if pids and {"master", "keeper"} & set(victims):
            self.killed_at.append(time.time() * 1000)
        until(lambda: not any(alive(pid) for pid in pids), "those killed are dead")
        return len(pids)

    def service_manager(self):
        """Starts supervisord again when its main process is gone, as systemd would."""
        if self.node.keeper_now() == 0 or not alive(self.node.keeper_now()):
            harness.reap_strangers(0)
            self.node.process.poll()
            self.node.start(wait=False)

    def keeper(self):
        """Never 0, which would signal ourselves."""
        return until(self.node.keeper_now, "the lock names the keeper")

    def lock_is_free(self):
        """Nobody of the node is left: keeper and master share the lock."""
        with open(self.node.path("run", "lock"), "rb") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    # --- what must hold

    def again(self):
        self.service_manager()
        no_doubles(self.find())
        return self.look()

    def compare(self, before, after, touched):
        for name in set(before) | set(after):
            old, new = before.get(name), after.get(name)
            if name in touched:
                continue
            if old is None or new is None:
                raise AssertionError("%s came or went: %r, %r" % (name, old, new))
            keys = ["pid", "gen", "starts", "restarts"]
            if old["kind"] != "worker":
                keys = ["restarts", "gave_up", "intensity"]
            for key in keys:
                want = old.get(key)
                if key == "restarts" and name == self.counted:
                    want += 1
                if new.get(key) != want:
                    raise AssertionError("%s: %s was %r, is %r, should be %r" % (
                        name, key, old.get(key), new.get(key), want))

    def measure(self, newest):
        """How long after the first kill the last of the masters had adopted."""
        events = until(lambda: [self.node.events("node_adopted", "node_started")], "events")[0]
        adopted = [e["time_ms"] for e in events
                   if e["n"] > newest and e["type"] == "node_adopted"]
        if not adopted:
            if any(e["n"] > newest and e["type"] == "node_started" for e in events):
                raise AssertionError("the node was started anew instead of adopted")
            return
        if not any(k <= a + 2 for a in adopted for k in self.killed_at):
            return
        took = max(a - max(k for k in self.killed_at if k <= a + 2)
                   for a in adopted if any(k <= a + 2 for k in self.killed_at))
        self.adopt_ms.append(took)
        if took > ADOPT_DEADLINE_MS:
            raise AssertionError("adoption took %d ms" % took)

    def wait_down(self, may_restart, what):
        """The node comes to its end, and nothing is left."""
        def down():
            ended = self.lock_is_free()
            state = os.path.exists(self.node.path("run", "state"))
            if may_restart and ended and state:
                self.service_manager()  # the next one carries on with the stop
            return ended and not state and not self.find()
        begin = time.monotonic()
        until(down, what)
        took = int((time.monotonic() - begin) * 1000)
        self.seen["slowest shutdown ms"] = max(self.seen["slowest shutdown ms"], took)
        until(lambda: not self.programs(), what + ": none of its programs runs")
        harness.reap_strangers(0)
        self.node.process.poll()
        self.lines.check(self.names)

    def finish(self):
        self.settled()
        self.node.end_all()
        self.lines.check(self.names)
        until(lambda: not self.node.leftovers(), "nothing is left behind")
        self.seen["lines"], self.seen["repeated lines"] = self.lines.told, self.lines.repeats
        shutil.rmtree(self.node.base)

    def fail(self, options):
        if options.keep:
            print("kept: %s" % self.node.base)
            input("enter to end ")
        else:
            self.node.tell()
        self.node.destroy()

    def adoption(self):
        """How long adoptions took, in words."""
        took = sorted(self.adopt_ms) or [0]
        text = "adoption: median %d ms, worst %d ms (of %d)" % (
            took[len(took) // 2], took[-1], len(self.adopt_ms))
        return text + (", promised are %d" % ADOPT_MS if took[-1] > ADOPT_MS else "")


def options_of(parser, doc):
    """Options all storms have, parsed; a seed is made up unless given."""
    parser.description = doc.split("\n")[0]
    parser.add_argument("--seed", type=int, default=int(time.time() * 1000) & 0x7FFFFFFF)
    parser.add_argument("--bin", type=os.path.abspath, default=harness.BIN)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", action="store_true", help="wait after a failure")
    options = parser.parse_args()
    harness.become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # cleans up, too
    return options
