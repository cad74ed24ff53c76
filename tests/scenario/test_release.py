"""Releases: made, signed, verified, unpacked; and what hostile ones come to."""
import contextlib
import os
import re
import shutil
import struct
import subprocess
import tempfile

import archives
from harness import BIN, ROOT, Skip, equal, holds

RELCTL = os.path.join(BIN, "relctl")
MODULE = """
static const struct { unsigned n, d, t; char o[8]; unsigned v, abi, state; char text[64]; }
note __attribute__((used, section(".note.steward"), aligned(4))) =
    {8, 12 + 64, 1, "steward", 1, 1, %d, "counter\\0" "%s"};
__attribute__((visibility("default"))) const int steward_handler = 1;
%s
"""
REPORT = struct.Struct("<IIIIQQ36s36s24s32sII256s")


@contextlib.contextmanager
def workshop():
    """A directory with a place for releases, trusted keys, and something outside."""
    if shutil.which("minisign") is None:
        raise Skip("minisign is not installed")
    top = tempfile.mkdtemp(prefix="steward-release-")
    try:
        for name in ("releases", "keys", "outside"):
            os.mkdir(os.path.join(top, name))
        write(os.path.join(top, "outside/canary"), "alive")
        yield top
    finally:
        subprocess.run(["chmod", "-R", "u+w", top], check=True)
        shutil.rmtree(top)


def write(path, text, mode="w"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode, **({} if "b" in mode else {"encoding": "utf-8"})) as f:
        f.write(text)


def relctl(top, *words, code=0, stdin=""):
    done = subprocess.run([RELCTL, *words], cwd=top, input=stdin, capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "STEWARD_ROOT": top})
    if done.returncode != code:
        raise AssertionError("relctl %s: exit %d, wanted %d: %s%s" % (
            " ".join(words), done.returncode, code, done.stdout, done.stderr))
    return done.stdout if code == 0 else done.stderr


def source(top, version="1.0", extra=""):
    """A directory to pack, with a module compiled by gcc."""
    where = os.path.join(top, "src")
    write(os.path.join(where, "release.ini"), "[release]\nname = shop\nversion = %s\n" % version)
    write(os.path.join(where, "tree.ini"), "[application shop]\nversion = 7\n")
    write(os.path.join(where, "bin/run"), "#!/bin/sh\n")
    os.makedirs(os.path.join(where, "lib"), exist_ok=True)
    compile_module(where, extra, version)
    return where


def compile_module(where, extra="", version="1.0", flags=("-Wl,-z,now", "-fvisibility=hidden")):
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", *flags, "-x", "c", "-o",
                    os.path.join(where, "lib/counter.so"), "-"], check=True, text=True,
                   input=MODULE % (3, version, extra))


def unpack(top, archive, temp=".tmp-1", options=()):
    """supervisord-unpack, then supervisord-verify: (exit code, what they said, name, version)."""
    said = ""
    # LeakSanitizer starts a process, which who is confined may not
    env = dict(os.environ, **({"ASAN_OPTIONS": "detect_leaks=0"} if "--confine" in options else {}))
    common = ["--releases", os.path.join(top, "releases"), "--temp", temp, "--result-fd", "1", *options]
    for name, more in (("unpack", ["--archive-fd", "0"]), ("verify", ["--keys", os.path.join(top, "keys")])):
        with open(archive, "rb") as f:
            done = subprocess.run([os.path.join(BIN, "supervisord-" + name), *common, *more],
                                  stdin=f, capture_output=True, check=False, env=env)
        said += done.stderr.decode()
        equal(len(done.stdout), REPORT.size, name + " " + said)
        report = REPORT.unpack(done.stdout)
        equal(bool(report[3]), done.returncode != 0)
        if done.returncode != 0:
            return done.returncode, said, None, None
    return 0, said, report[6].rstrip(b"\0").decode(), report[7].rstrip(b"\0").decode()


def tree_of(top):
    return sorted(os.path.relpath(os.path.join(d, f), top) for d, ds, fs in os.walk(top) for f in ds + fs)


def test_pack_sign_verify():
    """pack, sign and verify: the same files make the same bytes, stock minisign agrees."""
    with workshop() as top:
        source(top)
        relctl(top, "keygen", "-W", "k")
        equal(os.stat(os.path.join(top, "k.key")).st_mode & 0o777, 0o600)
        relctl(top, "keygen", "-W", "k", code=1)
        relctl(top, "pack", "src", "--key", "k.key")
        relctl(top, "pack", "src", "--key", "k.key", "-o", "again.tar.zst")
        with open(os.path.join(top, "shop-1.0.tar.zst"), "rb") as a, open(
                os.path.join(top, "again.tar.zst"), "rb") as b:
            equal(a.read() == b.read(), True)
        holds(relctl(top, "verify", "again.tar.zst", code=5), "no key is trusted")
        shutil.copy(os.path.join(top, "k.pub"), os.path.join(top, "keys"))
        holds(relctl(top, "verify", "again.tar.zst"), "shop 1.0")
        relctl(top, "pack", "src", "-o", "plain.tar.gz")
        holds(relctl(top, "verify", "plain.tar.gz", code=5), "not signed")
        relctl(top, "sign", "plain.tar.gz", "--key", "k.key", "-o", "signed.tar.gz")
        holds(relctl(top, "verify", "--json", "signed.tar.gz"), '"version":"1.0"')
        relctl(top, "verify", "nowhere", code=4)
        os.mkdir(os.path.join(top, "out"))
        subprocess.run(["tar", "-xf", "../signed.tar.gz"], cwd=os.path.join(top, "out"), check=True)
        subprocess.run(["minisign", "-V", "-q", "-p", "../k.pub", "-m", "release.json"],
                       cwd=os.path.join(top, "out"), check=True)
        epoch = subprocess.run([RELCTL, "pack", "src", "-o", "epoch.tar.zst"], cwd=top, check=True,
                               env={"SOURCE_DATE_EPOCH": "1000000000"}, capture_output=True, text=True)
        holds(epoch.stdout, "not signed")
        names = subprocess.run(["tar", "-tvf", "epoch.tar.zst"], cwd=top, check=True, capture_output=True,
                               text=True, env={"TZ": "UTC", "PATH": os.environ["PATH"]}).stdout.splitlines()
        equal([line.split()[5] for line in names], ["release.json", "bin/run", "lib/counter.so", "tree.ini"])
        assert all("2001-09-09 01:46" in line and "root/root" in line for line in names), names


def test_passwords_with_minisign():
    """Keys with a password: ours in minisign, minisign's in ours."""
    with workshop() as top:
        source(top)
        relctl(top, "keygen", "ours", stdin="secret\n")
        write(os.path.join(top, "text"), "hello\n")
        subprocess.run(["minisign", "-S", "-s", "ours.key", "-m", "text"], cwd=top, check=True, input=b"secret\n",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["minisign", "-V", "-q", "-p", "ours.pub", "-m", "text"], cwd=top, check=True)
        subprocess.run(["minisign", "-G", "-p", "theirs.pub", "-s", "theirs.key"], cwd=top, check=True,
                       input=b"word\nword\n", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        relctl(top, "pack", "src", "-k", "theirs.key", stdin="word\n")
        relctl(top, "verify", "shop-1.0.tar.zst", "-p", "theirs.pub")


def test_pack_says_what_is_wrong():
    """pack names every breach and packs nothing; exit 78."""
    with workshop() as top:
        where = source(top)
        compile_module(where, "__attribute__((constructor)) static void f(void) { } int seen;",
                       flags=("-Wl,-z,lazy",))
        write(os.path.join(where, "release.ini"), "[release]\nname = Shop\nversoin = 1\n")
        write(os.path.join(where, "bin/a b"), "")
        said = relctl(top, "pack", "src", code=78)
        holds(said, "release.ini:3: error: unknown key 'versoin'; did you mean 'version'?", "constructors",
              "-z,now", "exports seen", "bin/a b", "nothing was packed")
        equal([n for n in os.listdir(top) if "tar" in n], [])


def test_good_releases_arrive():
    """Releases of ours and of other tools are unpacked and verified, read-only."""
    with workshop() as top:
        signer = archives.Signer(os.path.join(top, "keys/a"))
        path = os.path.join(top, "x.tar.gz")
        for options in ((), ("-l",)):
            write(path, archives.pack(archives.good(signer, options)), "wb")
            code, said, name, version = unpack(top, path)
            equal((code, name, version), (0, "shop", "1.0"), said)
            relctl(top, "verify", "x.tar.gz")
            relctl(top, "verify", "releases/.tmp-1")
            run = os.stat(os.path.join(top, "releases/.tmp-1/bin/run"))
            equal(run.st_mode & 0o7777, 0o555)
            equal(os.stat(os.path.join(top, "releases/.tmp-1/tree.ini")).st_mode & 0o7777, 0o444)
            equal(os.stat(os.path.join(top, "releases/.tmp-1")).st_mode & 0o7777, 0o555)
            subprocess.run(["chmod", "-R", "u+w", os.path.join(top, "releases/.tmp-1")], check=True)
            holds(relctl(top, "verify", "releases/.tmp-1", code=5), "mode")
            shutil.rmtree(os.path.join(top, "releases/.tmp-1"))


def test_hostile_releases():
    """Nothing of a hostile archive stays, and nothing outside is touched."""
    with workshop() as top:
        signer = archives.Signer(os.path.join(top, "keys/a"))
        stranger = archives.Signer(os.path.join(top, "stranger"))
        path, outside = os.path.join(top, "x.tar.gz"), os.path.join(top, "outside")
        before = tree_of(top) + ["x.tar.gz"]
        for what, archive, sentence in archives.hostile(signer, stranger, outside):
            write(path, archive, "wb")
            code, said, *_ = unpack(top, path)
            assert code in (1, 5), (what, code, said)
            assert re.search(sentence, said), (what, said)
            assert "\x1b" not in said and said.count("\n") == 1, (what, said)
            relctl(top, "verify", "x.tar.gz", code=5)
            left = os.path.join(top, "releases/.tmp-1")
            if os.path.exists(left):  # unpacked, but not verified
                subprocess.run(["chmod", "-R", "u+w", left], check=True)
                shutil.rmtree(left)
            data = {"keys/a.key.data", "keys/a.key.data.sig", "stranger.key.data", "stranger.key.data.sig"}
            equal(sorted(set(tree_of(top)) - data), sorted(set(before)), what)
            with open(os.path.join(outside, "canary"), encoding="ascii") as f:
                equal(f.read(), "alive")


def test_unpack_gives_up_its_rights():
    """As root, --confine USER is who unpacks and verifies."""
    if not ROOT:
        raise Skip("only root can become another user")
    with workshop() as top:
        signer = archives.Signer(os.path.join(top, "keys/a"))
        path = os.path.join(top, "x.tar.gz")
        write(path, archives.pack(archives.good(signer)), "wb")
        os.chmod(top, 0o755)
        os.chown(os.path.join(top, "releases"), 65534, 65534)
        code, said, name, _ = unpack(top, path, options=("--confine", "nobody"))
        equal((code, name), (0, "shop"), said)
        equal(os.stat(os.path.join(top, "releases/.tmp-1/tree.ini")).st_uid, 65534)
        code, said, *_ = unpack(top, path, temp=".tmp-2", options=("--max-bytes", "100"))
        equal(code, 5)
        holds(said, "the most that are left")
