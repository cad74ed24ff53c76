"""What a newcomer reads and runs first: manual pages, and make without the libraries."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

from harness import BIN, Skip, TOP, equal, holds

PAGES = sorted(glob.glob(os.path.join(TOP, "man", "*.[0-9]")))


def test_pages_have_date_and_version():
    """Each manual page carries the release's date and version, the same in all."""
    version = subprocess.run([os.path.join(BIN, "relctl"), "--version"], check=True,
                             capture_output=True, text=True).stdout.split()[1]
    heads = set()
    for page in PAGES:
        with open(page, encoding="utf-8") as f:
            head = re.search(r'^\.TH \S+ (\d) "([^"]*)" "([^"]*)" "([^"]+)"$', f.read(), re.M)
        assert head, page
        equal(head[1], page[-1], page)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", head[2]), (page, head[2])
        equal(head[3], "Steward " + version, page)
        heads.add(head[2])
    equal(len(heads), 1)


def test_pages_are_clean():
    """man and mandoc have nothing to say against a page."""
    tools = [words for words in (["man", "-l", "--warnings"], ["mandoc", "-T", "lint", "-W", "warning"])
             if shutil.which(words[0])]
    if not tools:
        raise Skip("neither man nor mandoc is here")
    for page in PAGES:
        for words in tools:
            done = subprocess.run(words + [page], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  check=False, env=dict(os.environ, MANPAGER="cat", LC_ALL="C.UTF-8"))
            said = done.stderr + (done.stdout if words[0] == "mandoc" else "")
            equal(said, "", "%s %s: " % (words[0], page))


def test_make_without_headers():
    """make without the libraries: one sentence with `make deps`, no compiler error."""
    with tempfile.TemporaryDirectory(prefix="steward-cc-") as there:
        cc = os.path.join(there, "bare-" + os.path.basename(there))
        with open(cc, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\nexec gcc -nostdinc \"$@\"\n")
        os.chmod(cc, 0o755)
        try:
            done = subprocess.run(["make", "-C", TOP, "CC=" + cc], capture_output=True, text=True,
                                  check=False, env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
        finally:
            shutil.rmtree(os.path.join(TOP, "build", os.path.basename(cc) + "-none"), ignore_errors=True)
        equal(done.returncode, 2)
        holds(done.stderr, "run `make deps`", "libev")
        assert "error:" not in done.stderr and len(done.stderr.splitlines()) <= 3, done.stderr
