"""docs/TUTORIAL.md: its commands work as written, and print what it says they print."""
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TUTORIAL = os.path.join(HERE, "..", "..", "docs", "TUTORIAL.md")
BIN = os.environ.get("BIN") or os.path.join(HERE, "..", "..", "build", "current", "bin")


def script_and_claims():
    """One bash script of all blocks; each #> line becomes a check of what the block printed."""
    script, claims = ["set -eu"], 0
    with open(TUTORIAL, encoding="utf-8") as f:
        text = f.read()
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        # a claim is about the simple command before it: collect output per block
        script.append("exec 3>&1 >\"$OUT\"")
        expected = []
        for line in block.splitlines():
            if line.startswith("#> "):
                expected.append(line[3:])
            else:
                script.append(line)
        script.append("exec >&3 3>&-")
        for claim in expected:
            claims += 1
            quoted = "'" + claim.replace("'", "'\\''") + "'"
            script.append(f"grep -qF -- {quoted} \"$OUT\" || {{ echo missing: {quoted}; cat \"$OUT\"; exit 9; }}")
    return "\n".join(script) + "\n", claims


def test_as_written():
    """every command of docs/TUTORIAL.md works, and prints what it says it prints"""
    script, claims = script_and_claims()
    assert claims > 8, claims
    with tempfile.TemporaryDirectory(prefix="steward-tutorial-out.") as scratch:
        out, log = os.path.join(scratch, "out"), os.path.join(scratch, "log")
        env = dict(os.environ, PATH=os.path.abspath(BIN) + ":" + os.environ["PATH"], OUT=out)
        with open(log, "w") as f:
            code = subprocess.run(["bash", "-xc", script], env=env, stdin=subprocess.DEVNULL,
                                  stdout=f, stderr=f, timeout=240).returncode
        with open(log, encoding="utf-8", errors="replace") as f:  # several write into it at once
            said = f.read()[-4000:]
        if code != 0:  # the node it started goes, too
            for root in re.findall(r"STEWARD_ROOT=(/tmp/steward-tutorial\.\S+)", said)[:1]:
                subprocess.run([os.path.join(BIN, "relctl"), "--root", root, "shutdown", "--wait"])
                shutil.rmtree(root, ignore_errors=True)
        assert code == 0, said
