"""relctl's manners: exit codes, JSON, colours, completion, sentences for mistakes."""
import json
import os
import pty
import shutil
import subprocess

from harness import BIN, Node, PY, Skip, WORKER, equal, holds, read, start, until

CONF = """
[application api]
[worker web]
supervisor = api
command = /bin/sh -c 'echo hello; exec sleep 1000'
[worker pool]
supervisor = api
command = /bin/sleep 1000
instances = 2
[worker off]
supervisor = api
enabled = no
command = /bin/sleep 1000
[worker dyn]
supervisor = api
dynamic = yes
command = /bin/sleep 1000
"""
WORK = "#!/bin/sh\nexec %s -S -E %s notify %%s\n" % (PY, WORKER)
UP = ("api/web", "api/pool#1", "api/pool#2")


def test_exit_codes():
    """0 done, 1 not in time, 2 usage, 3 not running, 4 no such name, 5 refused, 78 config."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        for code, words in (
                (0, ["status"]), (0, ["status", "web"]), (3, ["status", "off"]),
                (4, ["status", "nosuch"]), (2, ["nosuchverb"]), (2, ["status", "--nosuch"]),
                (2, ["scale", "pool"]), (2, ["scale", "pool", "many"]), (2, []),
                (2, ["start"]), (4, ["start", "nosuch"]), (4, ["why", "nosuch"]),
                (3, ["signal", "off", "HUP"]), (5, ["delete-child", "web"]),
                (5, ["app", "unload", "api"]), (4, ["app", "info", "nosuch"]),
                (1, ["wait", "--timeout", "100ms", "off"]), (0, ["wait", "web"]),
                (0, ["wait", "--for", "down", "off"]), (0, ["help"]), (0, ["--help"]),
                (0, ["--version"]), (0, ["check", n.conf_path]),
                (78, ["check", "/nonexistent"]), (2, ["wait", "web", "--timeout", "soon"])):
            done = n.relctl(*words)
            equal(done.returncode, code, "relctl %s: %s%s" % (" ".join(words), done.stdout, done.stderr))
            if code not in (0, 3, 78):
                assert done.stderr.strip(), words
                assert done.stderr.startswith(("relctl: ", "usage: ")), done.stderr


def test_no_node():
    """Without a node: exit 69 and a sentence with what to do."""
    n = Node(CONF)
    for words in (["status"], ["stop", "web"], ["events", "-f"], ["shutdown"], ["app", "list"]):
        done = n.relctl(*words)
        equal(done.returncode, 69, str(words))
        holds(done.stderr, n.dir, "supervisord")
        equal(done.stdout, "")
    n.finish()


def test_json():
    """--json prints only JSON on stdout, for every verb, also when it fails."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        whole = [
            ["status"], ["status", "web"], ["tree"], ["tree", "api"], ["why", "web"],
            ["stop", "web"], ["start", "web"], ["restart", "web"], ["restart", "pool"],
            ["disable", "web"], ["enable", "web"], ["signal", "web", "WINCH"],
            ["scale", "pool", "3"], ["wait", "web"], ["app", "list"], ["app", "info", "api"],
            ["app", "env", "api"], ["app", "setenv", "api", "A=b"], ["children", "api"],
            ["count", "api"], ["start-child", "pool"], ["start-child", "--child", "dyn", "api"],
            ["terminate-child", "api/dyn"], ["restart-child", "api/dyn"],
            ["terminate-child", "api/dyn"], ["delete-child", "api/dyn"], ["check", n.conf_path],
            ["reload", "--check"], ["reload"], ["app", "stop", "api"], ["app", "unload", "api"],
            ["app", "load", "api"], ["app", "start", "api"], ["reexec", "--wait"], ["help"]]
        for words in whole:
            done = n.relctl("--json", *words)
            equal(done.returncode, 0, "%s: %s" % (words, done.stderr))
            equal(done.stderr, "", str(words))
            if words == ["help"]:
                continue
            try:
                json.loads(done.stdout)
            except ValueError:
                raise AssertionError("%s: no JSON: %r" % (words, done.stdout)) from None
        for words in (["events"], ["logs", "web"]):
            for line in n.do("--json", *words).splitlines():
                json.loads(line)
        for words in (["status", "nosuch"], ["stop", "nosuch"], ["delete-child", "web"]):
            out = n.relctl("--json", *words).stdout
            for line in out.splitlines():
                json.loads(line)
        n.do("--json", "shutdown", "--wait")
        equal(n.wait_end(), 0)


def on_terminal(words, env):
    main, side = pty.openpty()
    process = subprocess.Popen(words, stdin=side, stdout=side, stderr=side, env=env)
    os.close(side)
    out = b""
    while True:
        try:
            got = os.read(main, 4096)
        except OSError:
            break
        if not got:
            break
        out += got
    os.close(main)
    process.wait()
    return out.decode("utf-8", "replace")


def test_colours():
    """Colour on a terminal only, and never with NO_COLOR."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        words = [os.path.join(BIN, "relctl"), "--root", n.dir, "status"]
        env = {"TERM": "xterm-256color", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        assert "\x1b[" in on_terminal(words, env)
        shown = on_terminal(words, dict(env, NO_COLOR="1"))
        assert "\x1b[" not in shown and "web" in shown, shown
        for verb in (["status"], ["tree"], ["why", "web"], ["events"], ["logs", "web"], ["app", "list"]):
            assert "\x1b" not in n.do(*verb), verb


def test_completion():
    """The completion scripts load in bash and offer verbs and ids."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        for shell in ("bash", "zsh", "fish"):
            assert "relctl" in n.do("completion", shell)
        equal(n.relctl("completion", "csh").returncode, 2)
        script = """
source <(relctl completion bash) || exit 9
complete -p relctl >/dev/null || exit 8
f=$(complete -p relctl | sed -E 's/.*-F ([^ ]+).*/\\1/')
COMP_WORDS=(relctl rest); COMP_CWORD=1; COMP_LINE="relctl rest"; COMP_POINT=11
$f relctl rest relctl; echo "${COMPREPLY[@]}"
COMP_WORDS=(relctl why api/w); COMP_CWORD=2; COMP_LINE="relctl why api/w"; COMP_POINT=16
$f relctl api/w why; echo "${COMPREPLY[@]}"
"""
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False,
                              env={"PATH": BIN + ":/usr/bin:/bin", "STEWARD_ROOT": n.dir})
        equal(done.returncode, 0, done.stderr)
        holds(done.stdout, "restart", "restart-child", "api/web")


SHELL_CASES = (("relctl statu", "status"), ("relctl restart-c", "restart-child"),
               ("relctl why api/w", "api/web"), ("relctl scale api/", "api/pool"),
               ("relctl logs --sinc", "--since"))


def test_completion_in_fish():
    """The completion script in a real fish: verbs, ids, pools, options."""
    fish = shutil.which("fish")
    if fish is None:
        raise Skip("fish is not installed")
    with Node(CONF) as n:
        n.wait_up(*UP)
        env = {"PATH": BIN + ":/usr/bin:/bin", "STEWARD_ROOT": n.dir, "HOME": n.dir, "LC_ALL": "C.UTF-8"}

        def ask(line):
            script = "relctl completion fish | source; and complete -C %s" % ("'" + line + "'")
            return subprocess.run([fish, "--no-config", "-c", script], capture_output=True, text=True,
                                  check=True, env=env, cwd=n.dir).stdout.splitlines()
        for typed, want in SHELL_CASES:
            equal(ask(typed), [want], typed)
        found = ask("relctl restart ")
        assert {"api/web", "api/pool#1", "api"} <= set(found) and "main" not in found, found
        assert {"status", "why", "reexec"} <= set(ask("relctl ")), ask("relctl ")
        assert "supervisord.conf" in ask("relctl check superv"), ask("relctl check superv")


class Typist:
    """A shell on a terminal: what is typed, and waiting for what it shows."""

    def __init__(self, words, env, cwd):
        self.main, side = pty.openpty()
        self.shown = ""
        self.process = start(words, stdin=side, stdout=side, stderr=side, env=env, cwd=cwd,
                             start_new_session=True)
        os.close(side)
        os.set_blocking(self.main, False)

    def type(self, text):
        os.write(self.main, text.encode())

    def read(self):
        try:
            self.shown += os.read(self.main, 4096).decode("utf-8", "replace")
        except BlockingIOError:
            pass
        return self.shown

    def expect(self, text):
        try:
            until(lambda: text in self.read(), "the shell shows %r" % text)
        except AssertionError as failed:
            raise AssertionError("%s; it shows %r" % (failed, self.shown)) from None
        self.shown = ""

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.main)


# what the line has become is shown by who is called by it
ZSH_SHOWS = ("PS1='> '; relctl() { [[ $1 == __complete ]] && { command relctl \"$@\"; return; }; "
             "print -r -- \"RAN<${(j:|:)@}>\"; }")
ZSH_SETUP = {
    "sourced": "autoload -Uz compinit; compinit -u -D; source <(relctl completion zsh)",
    "from fpath": "fpath=($PWD/site $fpath); autoload -Uz compinit; compinit -u -D"}


def test_completion_in_zsh():
    """The completion script in a real zsh, sourced and as an installed function."""
    zsh = shutil.which("zsh")
    if zsh is None:
        raise Skip("zsh is not installed")
    with Node(CONF) as n:
        n.wait_up(*UP)
        env = {"PATH": BIN + ":/usr/bin:/bin", "STEWARD_ROOT": n.dir, "HOME": n.dir, "TERM": "dumb",
               "LC_ALL": "C.UTF-8"}
        n.write("site/_relctl", n.do("completion", "zsh"))
        for how, setup in ZSH_SETUP.items():
            shell = Typist([zsh, "-f", "-i"], env, n.dir)
            try:
                shell.type("%s; %s; echo rea''dy\n" % (setup, ZSH_SHOWS))
                shell.expect("ready")
                for typed, want in SHELL_CASES:
                    shell.type(typed + "\t\n")
                    shell.expect("RAN<%s>" % "|".join(typed.split()[1:-1] + [want]))
            finally:
                shell.end()


def test_mistakes():
    """Typical mistakes get a sentence that helps."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        for words, parts in (
                (["stauts"], ["status"]), (["status", "wbe"], ["wbe", "did you mean", "web"]),
                (["restart", "api/wev"], ["api/web"]), (["status", "--jason"], ["--json"]),
                (["scale", "web", "3"], ["simple_one_for_one"]), (["signal", "web", "HUPP"], ["'HUPP' is no signal", "did you mean 'HUP'", "kill -l"]),
                (["signal", "web", "sigterm"], ["'sigterm'", "did you mean 'TERM'"]),
                (["signal", "web", "99"], ["'99' is no signal"]),
                (["logs", "nosuch"], ["nosuch"]), (["app", "satrt", "api"], ["satrt", "start"]),
                (["check"], ["FILE"]), (["reexec", "workers"], ["master", "keeper"]),
                (["status", "'*x*'"], ["matches", "tree"])):
            done = n.relctl(*words)
            assert done.returncode in (2, 4, 5), (words, done)
            holds(done.stderr, *parts)


def test_never_started():
    """What never started has no time in its state; only workers are counted in trouble."""
    conf = ("[application api]\n[supervisor api/sub]\nintensity = 0\n"
            "[worker bad]\nsupervisor = api/sub\ncommand = /bin/sh -c 'exit 3'\n"
            "[worker off]\nenabled = no\ncommand = /bin/sleep 1000\n")
    with Node(conf) as n:
        for verb in ("status", "tree"):
            line = [l for l in n.do(verb).splitlines() if "off" in l][0]
            holds(line, " - ")
        equal(n.get("main/off")["since_ms"], None)
        n.wait_state("api", "down")
        equal(n.call("node.info")["counts"]["failed"], 1)
        holds(n.do("status"), "1 in trouble")


def test_scale_waits():
    """scale returns when the new instances are ready or have failed, and the old ones gone."""
    n = Node("[application api]\n[worker pool]\nsupervisor = api\nready = notify\nstart_timeout = 60s\n"
             "instances = 1\ncommand = {D}/prog\n")
    n.write("prog", WORK % "READY=1", 0o755)
    with n:
        n.wait_up("api/pool#1")
        n.write("prog", WORK % "sleep=0.3 READY=1", 0o755)
        equal(n.do("scale", "pool", 3), "api/pool: 3 instances\n")
        for k in (1, 2, 3):
            equal(n.state("api/pool#%d" % k), "up")
        n.do("scale", "pool", 1)
        equal([i for i in n.nodes() if "#" in i], ["api/pool#1"])
        os.unlink(n.path("prog"))
        done = n.relctl("scale", "pool", 2, code=1)
        holds(done.stderr, "'api/pool#2' did not start: it could not be executed", "relctl why")
        equal(done.stdout, "")
        n.write("prog", WORK % "", 0o755)
        done = n.relctl("scale", "pool", 3, "--timeout", "100ms", code=1)
        holds(done.stderr, "after the time given")
        n.do("app", "stop", "api")
        n.do("scale", "pool", 4)


def test_a_failed_restart_is_tried_again():
    """restart of what does not start then: exit 1 and why; its supervisor goes on trying."""
    n = Node("[application api]\nintensity = 1000\n[worker web]\nsupervisor = api\n"
             "backoff = 50ms..100ms\ncommand = {D}/web\n")
    n.write("web", "#!/bin/sh\nexec sleep 1000\n", 0o755)
    with n:
        n.wait_up("api/web")
        os.rename(n.path("web"), n.path("gone"))
        done = n.relctl("restart", "web", code=1)
        holds(done.stderr, "'api/web' did not start: it could not be executed: No such file",
              "relctl why")
        n.wait_event("start_failed", "api/web", 3)
        os.rename(n.path("gone"), n.path("web"))
        n.wait_up("api/web")


def test_patterns_and_pids():
    """Patterns stand for workers, a pid for its worker; several ids at once."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        pid = n.pid("web")
        holds(n.do("status", str(pid)), "api/web")
        old = n.pids(*UP)
        n.do("restart", "api/[wp]*")
        n.wait_up(*UP)
        assert not set(old) & set(n.pids(*UP))
        n.do("stop", "web", "pool")
        equal([n.state(i) for i in ("web", "pool")], ["down", "down"])
        n.do("start", "web", "pool")
        n.wait_up("api/web")
        equal(n.do("-q", "restart", "web"), "")


def test_status_and_tree():
    """status and tree show what there is: names, pids, states, trouble."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        out = n.do("status")
        for name in UP:
            line = [l for l in out.splitlines() if l.startswith(name)][0].split()
            equal((line[1], int(line[2])), ("up", n.pid(name)))
        holds(n.do("tree"), "├─", "pool#1", "one_for_one", "simple_one_for_one", str(n.pid("web")))


def test_shutdown():
    """shutdown --wait returns when the last process is gone; with --status that is the
    node's exit status; --timeout gives up with exit 1."""
    conf = "[worker w]\nshutdown = infinity\ncommand = {W} stubborn {D}/deaf\n"
    with Node(conf) as n:
        until(lambda: n.read("deaf"), "it ignores TERM")
        pid = n.pid("w")
        done = n.relctl("shutdown", "--wait", "--timeout", "300ms", "--status", "5", code=1)
        assert done.stderr.strip(), done
        os.kill(pid, 9)
        equal(n.wait_end(), 5)
    with Node(CONF) as n:
        n.wait_up(*UP)
        pids = n.pids(*UP)
        n.do("shutdown", "--wait", "--timeout", "50s")
        assert not any(os.path.exists("/proc/%d" % p) for p in pids)
        equal(n.wait_end(), 0)


def test_events_follow():
    """events -f shows what happens as it happens."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        out_path = os.path.join(n.base, "followed")
        with open(out_path, "w", encoding="utf-8") as out:
            process = start([os.path.join(BIN, "relctl"), "--root", n.dir, "events", "-f"], stdout=out)
        try:
            # what happened before it listened is not shown
            until(lambda: n.do("restart", "web") and "stopping" in read(out_path), "it listens")
            until(lambda: "ready" in read(out_path).rpartition("stopping")[2], "the rest comes, too")
            holds(read(out_path), "api/web")
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait()


def test_full_pipe():
    """A reader that goes away ends relctl without noise."""
    with Node(CONF) as n:
        n.wait_up(*UP)
        done = subprocess.run(["bash", "-c", '"$0" --root "$1" events | head -1',
                               os.path.join(BIN, "relctl"), n.dir],
                              capture_output=True, text=True, check=False)
        equal((len(done.stdout.splitlines()), done.stderr), (1, ""))
