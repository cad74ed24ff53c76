"""Runs the tests of one file: functions test_..., each with a sentence as docstring."""
import os
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
import harness  # noqa: E402


def run(scope, parts):
    """Exit status: 0 if all that was wanted passed or was skipped with a reason."""
    harness.become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nodes clean up, too
    count = {"ok": 0, "skip": 0, "FAIL": 0}
    for name, function in list(scope.items()):
        if not name.startswith("test_") or (parts and not any(p in name for p in parts)):
            continue
        begin, more = time.monotonic(), ""
        try:
            more = function() or ""
            result = "ok"
        except harness.Skip as reason:
            result, more = "skip", str(reason)
        except (AssertionError, OSError, harness.Fault, LookupError, ValueError):
            result = "FAIL"
            traceback.print_exc(file=sys.stdout)
        count[result] += 1
        print("%-4s %s (%.1f s) %s" % (result, name[5:], time.monotonic() - begin, more),
              flush=True)
    print("%(ok)d passed, %(FAIL)d failed, %(skip)d skipped" % count)
    return 1 if count["FAIL"] or not count["ok"] else 0
