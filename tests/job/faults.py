#!/usr/bin/env python3
"""The nth allocation or system call of connbits-index, connbits-query or of a host with the
extension fails, for n after n. Whatever n: a message and exit 1, or the right answer; never a
crash; and after a job the next one completes, and the index is as a fresh one.

usage: faults.py BUILD [--all | POINTS]   the points of each scenario; --all for every one"""
import collections
import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
wanted = sys.argv[2] if len(sys.argv) > 2 else "24"
library = os.path.join(build, "tests", "libfaults.so")
folder = tempfile.mkdtemp(prefix="connbits-faults-")
os.chdir(folder)
KINDS = "memory open read write sync cut remove look thread".split()
PORTS = " or ".join(f"port {number}" for number in range(1, 60))  # compiled on a thread
BITMAPS = """SELECT f.name, f.rows, f.expression, b.chunk, b.rows, b.bitmap FROM {0}.connbits_filter f
    LEFT JOIN {0}.connbits_bitmap b ON b.filter = f.id"""
tried = collections.Counter()
failed = []


def run(command, kind=None, at=0, on=False):
    environment = dict(os.environ)
    if kind:
        environment.update(LD_PRELOAD=library, FAULT_KIND=kind, FAULT_AT=str(at), FAULT_COUNT="count")
    if on:
        environment["FAULT_ON"] = "1"
    return subprocess.run(command, capture_output=True, env=environment, timeout=120)


def must(command):
    result = run(command)
    assert result.returncode == 0, (command, result.stderr)
    return result


def total(command, kind):
    if os.path.exists("count"):
        os.unlink("count")
    run(command, kind)
    return int(open("count").read())


def points(count):
    """Spread evenly, or all; both ends among them."""
    if wanted == "--all" or count <= int(wanted):
        return range(1, count + 1)
    return sorted({1 + i * (count - 1) // (int(wanted) - 1) for i in range(int(wanted))})


def tell(what, kind, at, on, result, why):
    failed.append(what)
    print(f"{what}: {kind} {at}{' and on' if on else ''}: {why}: exit {result.returncode}, "
          f"{result.stderr[:300]!r}", flush=True)


def judge(what, kind, at, on, result, right, name):
    """A message and exit 1, or what is right."""
    tried[(what, kind)] += 1
    if result.returncode == 0 and right is not None and result.stdout != right:
        tell(what, kind, at, on, result, f"another output, {result.stdout[:200]!r}")
    elif result.returncode not in (0, 1):
        tell(what, kind, at, on, result, "neither right nor a message")
    elif result.returncode and not (result.stderr.startswith(name) or
                                    result.stderr.startswith(b"libgomp: ")):
        tell(what, kind, at, on, result, "no message")


def generate():
    must([build + "/connbits-generate", "--rows", "900", "log.sqlite"])
    db = sqlite3.connect("log.sqlite")
    # Over two chunks.
    db.execute("UPDATE connections SET connection = -connection * 2000")
    db.execute("UPDATE connections SET connection = -connection")
    db.commit()
    db.close()
    with open("one.conf", "w") as file:
        file.write("[filter smb]\nexpression = tcp dst port 445\n[filter six]\nexpression = ip6\n"
                   f"[filter many]\nexpression = {PORTS}\n[set s]\nnetworks = 10.0.0.0/8\n"
                   "[filter listed]\nrows = six or src in s\n[filter deep]\nrows = smb and not listed\n")
    with open("s.txt", "w") as file:
        file.writelines(f"{i}.0.0.0/9\n" for i in range(1, 200))
    with open("two.conf", "w") as file:
        file.write("[filter smb]\nexpression = tcp dst port 445\n[filter six]\nexpression = ip6 and tcp\n"
                   "[filter new]\nexpression = src net 10.0.0.0/8\n[set s]\nfile = s.txt\n"
                   "[filter listed]\nrows = six or src in s or {dst port 53}\n"
                   "[filter deep]\nrows = smb and not listed and since 2020-01-01\n")


def jobs(what, more, first):
    """A job on a log that has grown since the one before, or the first one."""
    generate()
    command = [build + "/connbits-index", "log.sqlite", "two.conf", "--prune", "--quiet", "--threads",
               "1", *more]
    if not first:
        must([build + "/connbits-index", "log.sqlite", "one.conf", "--quiet", *more])
        db = sqlite3.connect("log.sqlite")
        columns = ",".join(row[1] for row in db.execute("PRAGMA table_info(connections)")
                           if row[1] != "connection")
        db.execute(f"INSERT INTO connections (connection, {columns}) SELECT connection + 1800001, "
                   f"{columns} FROM connections WHERE connection < 100000")
        if "--track" in more:
            db.execute("UPDATE connections SET remote_port = 53 WHERE connection = 1400000")
            db.execute("DELETE FROM connections WHERE connection = 1500000")
        db.commit()
        db.close()
    names = [name for name in ("log.sqlite", "index.sqlite") if os.path.exists(name)]
    for name in names:
        shutil.copy(name, "kept-" + name)

    def reset():
        for name in ("log.sqlite", "index.sqlite"):
            for end in ("", "-journal", "-wal", "-shm"):
                if os.path.exists(name + end):
                    os.unlink(name + end)
            if name in names:
                shutil.copy("kept-" + name, name)

    must([build + "/connbits-index", "log.sqlite", "two.conf", "--quiet", "--into", "fresh.sqlite"])
    reset()

    def same():
        db = sqlite3.connect("index.sqlite" if "--into" in more else "log.sqlite")
        db.execute("ATTACH 'fresh.sqlite' AS fresh")
        a, b = BITMAPS.format("main"), BITMAPS.format("fresh")
        differ = [db.execute(f"SELECT * FROM ({x}) EXCEPT SELECT * FROM ({y})").fetchall()
                  for x, y in ((a, b), (b, a))]
        whole = db.execute("PRAGMA integrity_check").fetchone()[0]
        db.close()
        return differ == [[], []] and whole == "ok"

    for kind in KINDS:
        count = total(command, kind)
        reset()
        for at in points(count):
            for on in (False, True) if kind == "memory" else (False,):
                result = run(command, kind, at, on)
                judge(what, kind, at, on, result, None, b"connbits-index: ")
                if result.returncode == 0 and not same():
                    tell(what, kind, at, on, result, "exit 0, and not as a fresh index")
                after = run(command)
                if after.returncode != 0:
                    tell(what, kind, at, on, after, "the next job fails")
                elif not same():
                    tell(what, kind, at, on, after, "the next job is not as a fresh one")
                reset()
    os.unlink("fresh.sqlite")
    for name in ("log.sqlite", "index.sqlite", *("kept-" + name for name in names)):
        if os.path.exists(name):
            os.unlink(name)


def outputs(what, commands, name):
    """What prints: with whatever fails, right or not at all."""
    for command in commands:
        right = must(command).stdout
        for kind in KINDS:
            for at in points(total(command, kind)):
                for on in (False, True) if kind == "memory" else (False,):
                    judge(what, kind, at, on, run(command, kind, at, on), right, name)


def imports(what, path, *more):
    """An import is whole, or says why not; the next one completes it. A capture's time says nothing."""
    command = [build + "/connbits-import", "imported.sqlite", path, "--quiet", *more]

    def rows():
        db = sqlite3.connect("imported.sqlite")
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT "
                                                 "LIKE 'connbits%' ORDER BY name")]
        found = [(table, db.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()) for table in tables]
        whole = db.execute("PRAGMA integrity_check").fetchone()[0]
        db.close()
        return found, whole

    def reset():
        for end in ("", "-journal"):
            if os.path.exists("imported.sqlite" + end):
                os.unlink("imported.sqlite" + end)

    must(command)
    right = rows()
    for kind in KINDS:
        reset()
        count = total(command, kind)
        for at in points(count):
            for on in (False, True) if kind == "memory" else (False,):
                reset()
                result = run(command, kind, at, on)
                judge(what, kind, at, on, result, b"", b"connbits-import: ")
                if result.returncode == 0 and rows() != right:
                    tell(what, kind, at, on, result, "exit 0, and other rows")
                after = run(command)
                if after.returncode != 0 or rows() != right:
                    tell(what, kind, at, on, after, "the next import does not complete it")
    reset()


def exports(what):
    """An export is whole, or says why not and leaves the folder as it was; the next one completes it."""
    command = [build + "/connbits-query", "log.sqlite", "--export", "out", "--sensor", "s1", "--columns-too"]

    def numbered():
        return sorted(name for name in os.listdir("out") if name[0].isdigit()) if os.path.isdir("out") else []

    def whole():
        if not os.path.exists("out/manifest.jsonl"):
            return False
        with open("out/manifest.jsonl") as file:
            files = [line for line in map(json.loads, file) if "file" in line]
        return sorted(line["file"] for line in files) == numbered() and all(
            hashlib.sha256(open("out/" + line["file"], "rb").read()).hexdigest() == line["sha256"] for line in files)

    for kind in KINDS:
        count = total(command, kind)
        for at in list(points(count))[::2]:
            for on in (False, True) if kind == "memory" else (False,):
                shutil.rmtree("out", ignore_errors=True)
                result = run(command, kind, at, on)
                judge(what, kind, at, on, result, None, b"connbits-query: ")
                if result.returncode and any("watermark" in name for name in numbered()) and not whole() and \
                        not os.path.isdir("out/.ready"):
                    tell(what, kind, at, on, result, "exit 1, and a part of it counts")
                after = run(command)
                if after.returncode != 0 or not whole() or os.path.isdir("out/.ready"):
                    tell(what, kind, at, on, after, "the next export does not complete it")
    shutil.rmtree("out")


def importable():
    with gzip.open("eve.json.gz", "wt") as file:
        for i in range(300):
            file.write('{"event_type":"%s","src_ip":"10.0.0.%d","dest_ip":"::1","proto":"TCP","a\\n":{"b":[1,"%d"]}}\n'
                       % (("flow", "dns")[i % 2], i % 256, i))
    with open("a.pcap", "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for i in range(300):
            file.write(struct.pack("<IIII", 1700000000 + i, 0, 28, 28)
                       + struct.pack("!BBHHHBBHIIHHHH", 0x45, 0, 28, 1, 0, 64, 17, 0, i, 1, i, 53, 8, 0))


importable()
imports("import of eve.json.gz", "eve.json.gz")
imports("import of connections", "a.pcap", "--per", "connection")
jobs("first job", [], True)
jobs("tracking job, an index of its own", ["--into", "index.sqlite", "--track"], False)
generate()
must([build + "/connbits-index", "log.sqlite", "one.conf", "--quiet"])
query = [build + "/connbits-query", "log.sqlite"]
outputs("connbits-query", [
    [*query, "smb or {src net 10.0.0.0/8}", "--format", "table"],
    [*query, f"not smb or {{{PORTS}}}", "--format", "json", "--limit", "50"],
    [*query, "smb", "--bitmap", "-"],
    [*query, "smb or six", "-w", "-"],
    [*query, "--list", "--format", "csv"],
    [*query, "host in s and not src in t", "--by", "src", "--set", "t=s.txt"],
    [*query, "--sets", "--format", "json"],
    [*query, "--report", "-", "--days", "3"],
    [*query, "--summary", "--format", "json"],
    [query[0], "--each", "smb or {udp}", "log.sqlite", "log.sqlite", "--format", "csv"],
    [query[0], "--fleet", "not a or not (@skipped and b) or (c or d)"],
], b"connbits-query: ")
exports("export")
outputs("extension", [
    [build + "/tests/fault_host", "log.sqlite", build + "/connbits", sql]
    for sql in (
        "SELECT count(*), sum(value) FROM bitmap('smb and not {src net 10.0.0.0/8}')",
        "SELECT count(*) FROM connections WHERE bpf_filter('tcp dst port ' || (connection % 7), "
        "connection_type, local_host, remote_host, local_port, remote_port, connection_transport)",
        "SELECT * FROM bitmap_facet('src in s or smb', 'host') LIMIT 20",
        "SELECT rb_to_array(rb_xor(rb_fill('[1,70000]', 5, 90), rb_build_agg(value))) FROM bitmap('smb')",
    )], b"host: ")
shutil.rmtree(folder)
for (what, kind), number in sorted(tried.items()):
    print(f"{what}: {kind}: {number} points")
print(f"{sum(tried.values())} points, {len(failed)} of them wrong")
sys.exit(1 if failed or not tried else 0)
