"""Releases made by hand, good ones and hostile ones, without any code of ours.

A release is a list of tar entries; a hostile one is a good one with something done to it.
Signatures are made by stock minisign.
"""
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

CREATED = "2026-01-01T00:00:00Z"


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Entry:
    """One entry of a tar archive; `kind` is tarfile's type."""

    def __init__(self, name, data=b"", kind=tarfile.REGTYPE, mode=0o444, target="", size=None):
        self.name, self.data, self.kind = name, data, kind
        self.mode, self.target, self.size = mode, target, size

    def info(self):
        info = tarfile.TarInfo(self.name)
        info.type, info.mode, info.linkname = self.kind, self.mode, self.target
        info.size = len(self.data) if self.kind == tarfile.REGTYPE else 0
        if self.kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            info.devmajor, info.devminor = 1, 3
        return info


def tar(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for e in entries:
            archive.addfile(e.info(), io.BytesIO(e.data) if e.data else None)
    return out.getvalue()


def pack(entries):
    return gzip.compress(tar(entries), mtime=0)


class Signer:
    """A key of stock minisign, without a password."""

    def __init__(self, path):
        self.secret, self.public = path + ".key", path + ".pub"
        subprocess.run(["minisign", "-G", "-W", "-f", "-p", self.public, "-s", self.secret], check=True,
                       stdout=subprocess.DEVNULL)

    def sign(self, data, *options):
        name = self.secret + ".data"
        with open(name, "wb") as f:
            f.write(data)
        subprocess.run(["minisign", "-S", "-s", self.secret, "-m", name, "-x", name + ".sig", *options],
                       check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        with open(name + ".sig", "rb") as f:
            return f.read()


GOOD = [Entry("bin/run", b"#!/bin/sh\n", mode=0o555), Entry("share/link", kind=tarfile.SYMTYPE, target="../tree.ini"),
        Entry("tree.ini", b"[application shop]\n")]


def manifest(files, **change):
    rows = []
    for e in files:
        if e.kind == tarfile.SYMTYPE:
            rows.append({"path": e.name, "link": e.target})
        else:
            rows.append({"path": e.name, "size": len(e.data), "mode": "%04o" % e.mode, "sha256": sha(e.data)})
    top = {"format": 1, "name": "shop", "version": "1.0", "created": CREATED,
           "applications": [{"name": "shop", "version": "1.0"}], "modules": [], "files": rows}
    top.update(change)
    return json.dumps(top).encode()


def begin(signer, files, options=(), **change):
    """The first two entries."""
    text = manifest(files, **change)
    return [Entry("release.json", text), Entry("release.json.minisig", signer.sign(text, *options))]


def good(signer, options=(), **change):
    return begin(signer, GOOD, options, **change) + GOOD


def with_entry(signer, *extra):
    """A good release with more entries than its manifest has, in their order by name."""
    return begin(signer, GOOD) + sorted(GOOD + list(extra), key=lambda e: e.name)


def tampered(signer, **files):
    """A good release with the bytes of some files changed after it was signed."""
    return begin(signer, GOOD) + [
        Entry(e.name, files.get(os.path.basename(e.name), e.data), e.kind, e.mode, e.target) for e in GOOD]


def hostile(signer, stranger, outside):
    """(what it is, the archive, a part of the sentence that refuses it)"""
    first = begin(signer, GOOD)
    link = tarfile.SYMTYPE
    bomb = [Entry("bin/bomb", bytes(64 << 20), mode=0o555)] + GOOD[1:]
    whole = pack(good(signer))
    changed = manifest(GOOD, description="changed")
    yield "dot dot", pack(first + [Entry("../evil")] + GOOD), "does not match"
    yield "dot dot inside", pack(first + [Entry("bin/../../evil")] + GOOD), "does not match"
    yield "absolute", pack(first + [Entry(os.path.join(outside, "evil"))] + GOOD), "empty part"
    yield "symlink, then a file through it", pack(
        first + [Entry("a", kind=link, target=outside), Entry("a/evil", b"x")] + GOOD), "stay inside"
    yield "inner symlink, then a file through it", pack(
        first + [Entry("a", kind=link, target="bin"), Entry("a/evil", b"x")] + GOOD), "no directory"
    yield "symlink upwards", pack(first + [Entry("a", kind=link, target="../../x")] + GOOD), "stay inside"
    yield "symlink to /etc/passwd", pack(first + [Entry("a", kind=link, target="/etc/passwd")] + GOOD), "stay inside"
    yield "symlink in the place of a directory", pack(
        first + [Entry("bin", kind=link, target=outside), Entry("bin/run", b"x")] + GOOD[1:]), "stay inside"
    yield "hard link outwards", pack(
        first + [Entry("a", kind=tarfile.LNKTYPE, target=os.path.join(outside, "canary"))] + GOOD), "hard link"
    yield "hard link inside", pack(with_entry(signer, Entry("c", kind=tarfile.LNKTYPE, target="bin/run"))), "hard link"
    yield "setuid", pack(with_entry(signer, Entry("c", b"x", mode=0o4755))), "setuid"
    yield "setgid", pack(with_entry(signer, Entry("c", b"x", mode=0o2755))), "setuid"
    yield "character device", pack(with_entry(signer, Entry("c", kind=tarfile.CHRTYPE))), "character device"
    yield "block device", pack(with_entry(signer, Entry("c", kind=tarfile.BLKTYPE))), "block device"
    yield "FIFO", pack(with_entry(signer, Entry("c", kind=tarfile.FIFOTYPE))), "FIFO"
    yield "newline in a name", pack(with_entry(signer, Entry("c\nd"))), r"\\x0a"
    yield "ESC in a name", pack(with_entry(signer, Entry("c\x1b[2J"))), r"\\x1b"
    yield "a name that is an option", pack(first + [Entry("--checkpoint-action")] + GOOD), "does not match"
    yield "a hidden name", pack(first + [Entry(".bashrc")] + GOOD), "does not match"
    yield "not ASCII", pack(with_entry(signer, Entry("caf\u00e9"))), "no name|does not match|no whole tar"
    yield "twice", pack(first + [GOOD[0], GOOD[0]] + GOOD[1:]), "twice"
    yield "out of order", pack(first + GOOD[::-1]), "out of order"
    yield "manifest twice", pack(first + GOOD[:2] + [first[0]] + GOOD[2:]), "twice"
    yield "manifest not first", pack(GOOD + first), "first entry"
    yield "signature before the manifest", pack(first[::-1] + GOOD), "first entry"
    yield "no signature", pack(first[:1] + GOOD), "not signed"
    yield "only a manifest", pack(first[:1]), "not signed"
    yield "empty", pack([]), "empty"
    yield "nothing at all", b"", "empty|no whole tar"
    yield "no archive", b"PK\x03\x04" + bytes(2000), "no whole tar"
    yield "bomb", pack(begin(signer, bomb) + bomb), "fill disks"
    yield "cut off in the middle", whole[:len(whole) // 2], "no whole tar|cut off"
    yield "cut off at the end", whole[:-300], "no whole tar|cut off|not there"
    yield "a file more", pack(with_entry(signer, Entry("c", b"x"))), "not in release.json"
    yield "a directory more", pack(with_entry(signer, Entry("c", kind=tarfile.DIRTYPE))), "knows no file in it"
    yield "a file less", pack(first + GOOD[:2]), "not there"
    yield "a file changed", pack(tampered(signer, run=b"#!/bin/no\n")), "was changed"
    yield "a file longer", pack(tampered(signer, run=b"#!/bin/sh\n\n")), "bytes, but"
    yield "a link changed", pack(
        first + [GOOD[0], Entry("share/link", kind=link, target="../bin/run"), GOOD[2]]), "elsewhere"
    yield "a link instead of a file", pack(
        first + [Entry("bin/run", kind=link, target="../tree.ini")] + GOOD[1:]), "another kind"
    yield "manifest changed", pack([Entry("release.json", changed), first[1]] + GOOD), "changed after"
    yield "signature of something else", pack(
        [first[0], Entry("release.json.minisig", signer.sign(b"other"))] + GOOD), "changed after"
    yield "signature damaged", pack([first[0], Entry("release.json.minisig", b"none")] + GOOD), "no signature"
    yield "trusted comment changed", pack([first[0], Entry(
        "release.json.minisig", first[1].data.replace(b"timestamp", b"timestomp"))] + GOOD), "trusted comment"
    yield "unknown key", pack(good(stranger)), "not trusted"
    yield "expired", pack(good(signer, expires="2026-01-02T00:00:00Z")), "expired"
    yield "a manifest of tomorrow", pack(good(signer, format=2)), "format 2"
    yield "an unknown member", pack(good(signer, authority="root")), "unknown member"
    yield "a name that is a path", pack(good(signer, name="../shop")), "has to match"
    yield "a version that is a path", pack(good(signer, version="..")), "has to match"
