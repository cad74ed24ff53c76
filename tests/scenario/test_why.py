"""relctl why: one screen of sentences for each situation an operator meets."""
from harness import Node, equal, holds, until

CONF = """
[application api]
intensity = 5
[worker good]
supervisor = api
command = /bin/sleep 1000
[worker off]
supervisor = api
enabled = no
command = /bin/sleep 1000
[worker slow]
supervisor = api
ready = notify
start_timeout = 200ms
command = /bin/sleep 1000
[worker missing]
supervisor = api
command = {D}/nosuch
[worker behind]
supervisor = api
after = missing
command = /bin/sleep 1000
[worker hung]
supervisor = api
ready = notify
watchdog = 100ms
backoff = 60s..60s
command = {W} notify READY=1
[worker loop]
supervisor = api
backoff = 60s..60s
command = /bin/sh -c 'exit 3'

[application rest]
[supervisor rest/sub]
strategy = rest_for_one
intensity = 3
period = 1h
[worker first]
supervisor = rest/sub
command = /bin/sleep 1000
[worker second]
supervisor = rest/sub
command = /bin/sleep 1000

[application deep]
intensity = 0
[supervisor deep/sub]
intensity = 0
[worker bad]
supervisor = deep/sub
command = /bin/sleep 1000
[worker bystander]
supervisor = deep/sub
command = /bin/sleep 1000
"""


def sentences(n, name, *parts):
    """The summary once it holds all parts; each is one line of `relctl why`, too."""
    lines = []

    def there():
        lines[:] = n.call("why", id=name)["summary"]
        return all(part in "\n".join(lines) for part in parts)
    try:
        until(there, "%s is explained" % name)
    except AssertionError:
        holds("\n".join(lines), *parts)
    shown = n.do("why", name)
    assert shown.startswith(name), shown
    for line in lines:
        assert " 1 times" not in line and " 0 ms in" not in line, line
    return lines


def test_ones_own_end():
    """Up, never started, stopped, not executable, too slow, hung, in a loop, after another."""
    with Node(CONF) as n:
        n.wait_up("api/good", "rest/second", "deep/bystander")
        used = "its supervisor api (one_for_one) has used %s of the 5 restarts it allows in 5 s"

        def told():  # others of api die meanwhile, and are forgotten
            before, lines = n.get("api")["restarts"], sentences(n, "api/good", "is up, for")
            return before == n.get("api")["restarts"] and lines[1:] == [
                "it has not ended once since the node started", used % before]
        until(told, "all that is known of it")
        sentences(n, "api/off", "is down: it was never started", "disabled", "relctl enable api/off")
        sentences(n, "api/missing", "waits for its next start", "ago it could not be executed: No such file",
                  "the next try is in")
        sentences(n, "api/behind", "waits for others", "it comes after api/missing, which is not up: look at that first")
        sentences(n, "api/slow", "ago it was not ready in time (start_timeout)")
        sentences(n, "api/hung", "did not answer its watchdog in time", "the next try is in")
        sentences(n, "api/loop", "ago it exited with status 3", "the next try is in")
        n.do("stop", "good")
        sentences(n, "api/good", "is down, for", "an operator stopped it; `relctl start api/good`")


def test_because_of_another():
    """Restarted for a sibling, stopped by who gave up, and by who gave up above."""
    with Node(CONF) as n:
        n.wait_up("rest/second", "deep/bad", "deep/bystander")
        n.bounce("rest/first")
        n.wait_up("rest/second")
        sentences(n, "rest/second", "it was shut down", "supervisor rest/sub restarted it",
                  "because of rest/first, which was killed by SIGKILL",
                  "has used 1 of the 3 restarts it allows in 60 min")
        sentences(n, "rest/sub", "it last made a restart", "because of rest/first, which was killed",
                  "it (rest_for_one) has used 1 of the 3 restarts")
        n.kill("deep/bad")
        n.wait_state("deep", "down")
        sentences(n, "deep/bad", "was killed by SIGKILL", "with that end deep gave up",
                  "its supervisor deep/sub is down, so nothing starts it", "has given up once")
        sentences(n, "deep/bystander", "supervisor deep gave up", "ago and stopped it because of deep/sub, which gave up because of deep/bad, "
                  "which was killed by SIGKILL")
        sentences(n, "deep/sub", "it gave up", "ago because of deep/bad, which was killed by SIGKILL", "with that end deep gave up")
        sentences(n, "deep", "it gave up", "because of deep/sub, which gave up because of deep/bad, which was killed",
                  "it (one_for_one) allows no restart (intensity 0)", "it has given up once since")
