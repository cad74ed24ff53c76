#!/usr/bin/python3
"""Runs the scenarios: run.py [--bin DIR] [--jobs N] [-v] [PART_OF_NAME ...]

Each file is a process of its own, two at a time; with names only the tests whose
`file.test` contains one of them.  BIN or --bin says where the programs are.
"""
import argparse
import importlib
import os
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TEST_LIMIT_S = 300


class TooLong(BaseException):
    pass


def ring(*_):
    raise TooLong("the test took longer than %d s" % TEST_LIMIT_S)


def wanted(name, parts):
    return not parts or any(part in name for part in parts)


def run_one(name, function, skip, clear):
    begun = time.monotonic()
    signal.alarm(TEST_LIMIT_S)
    try:
        function()
        verdict, why = "ok", ""
    except skip as reason:
        verdict, why = "skip", str(reason)
    except (Exception, TooLong):
        verdict, why = "FAIL", traceback.format_exc()
    finally:
        signal.alarm(0)
    print("%-4s %-58s %5.1f s  %s" % (
        verdict, name, time.monotonic() - begun,
        why if verdict == "skip" else (function.__doc__ or "").split("\n")[0]))
    if verdict == "FAIL":
        print(why)
        clear()
    sys.stdout.flush()
    return verdict


def run_file(module_name, parts):
    """All tests of one file; the verdicts go to stdout, the counts to the last line."""
    import harness
    harness.become_subreaper()
    signal.signal(signal.SIGALRM, ring)
    module = importlib.import_module(module_name)
    count = {"ok": 0, "skip": 0, "FAIL": 0}
    for name, function in list(vars(module).items()):
        full = module_name[len("test_"):] + "." + name[len("test_"):]
        if name.startswith("test_") and callable(function) and wanted(full, parts):
            count[run_one(full, function, harness.Skip, harness.clear)] += 1
    print("COUNT %d %d %d" % (count["ok"], count["FAIL"], count["skip"]))


def has_wanted(module_name, parts):
    with open(os.path.join(HERE, module_name + ".py"), encoding="utf-8") as f:
        names = [line[4:].split("(")[0] for line in f if line.startswith("def test_")]
    return any(wanted(module_name[5:] + "." + name[5:], parts) for name in names)


def run_all(options):
    waiting = sorted((f[:-3] for f in os.listdir(HERE)
                      if f.startswith("test_") and f.endswith(".py") and
                      has_wanted(f[:-3], options.parts)),
                     key=lambda f: -os.path.getsize(os.path.join(HERE, f + ".py")))
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    if options.bin:
        env["BIN"] = os.path.abspath(options.bin)
    running, total = {}, [0, 0, 0]
    while waiting or running:
        while waiting and len(running) < options.jobs:
            name = waiting.pop(0)
            out = open(os.path.join(options.out, name), "w+", encoding="utf-8")
            running[subprocess.Popen(
                [sys.executable, __file__, "--file", name] + options.parts,
                stdout=out, stderr=subprocess.STDOUT, env=env)] = (name, out)
        pid, status = os.wait()
        for process in [p for p in running if p.pid == pid]:
            name, out = running.pop(process)
            process.returncode = status
            take(name, out, total)
    return total


def take(name, out, total):
    """Prints what one file said, adds up what it counted."""
    out.seek(0)
    lines = out.read().splitlines()
    out.close()
    counted = bool(lines) and lines[-1].startswith("COUNT ")
    print("\n".join(lines[:-1] if counted else lines), flush=True)
    if not counted:
        print("FAIL %s did not come to its end" % name)
    for i, word in enumerate(lines[-1].split()[1:] if counted else ["0", "1", "0"]):
        total[i] += int(word)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", help="directory of the programs to test")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    parser.add_argument("parts", nargs="*", help="parts of names of tests to run")
    options = parser.parse_args()
    sys.path.insert(0, HERE)
    if options.file:
        run_file(options.file, options.parts)
        return 0
    import tempfile
    with tempfile.TemporaryDirectory(prefix="steward-out-") as options.out:
        passed, failed, skipped = run_all(options)
    if skipped:
        print("%d skipped" % skipped)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
