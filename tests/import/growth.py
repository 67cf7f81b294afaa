#!/usr/bin/env python3
"""growth.py BUILD [SEED [ROUNDS]]: a log that grows, is rotated, packed or imported by a job that is killed.

Whatever the steps were, the table has the rows that one import of the whole file gives: none is
lost, none is there twice. Files of all formats, cut at any byte, under other names, with gzip or
zstd, imported by processes that are killed at any moment.
"""
import gzip
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

BUILD = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 60
chance = random.Random(SEED)
JOINED = True  # Zeek's logs may be several, one behind the other
checks = 0


def check(ok, what):
    global checks
    checks += 1
    if not ok:
        sys.exit(f"growth.py: seed {SEED}: {what}")


def address():
    if chance.random() < 0.2:
        return "2001:db8::%x" % chance.randrange(1 << 16)
    return "10.%d.%d.%d" % (chance.randrange(3), chance.randrange(256), chance.randrange(256))


def zeek(rows):
    lines = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn",
             "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice",
             "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring"]
    for i in range(rows):
        lines.append("\t".join((f"{1.7e9 + i:.6f}", "C%d" % i, address(), str(chance.randrange(65536)), address(),
                                str(chance.randrange(65536)), chance.choice(("tcp", "udp")),
                                chance.choice(("-", "(empty)", "a\\x09b", "http")))))
        if JOINED and chance.random() < 0.001:
            # Logs that were joined: from here on the fields stand in another order.
            lines += lines[:5] + ["#fields\tts\tuid\tid.resp_h\tid.resp_p\tid.orig_h\tid.orig_p\tproto\tservice",
                                  lines[6]]
    if chance.random() < 0.5:
        lines.append("#close\t2020-01-01-00-00-00")
    return "\n".join(lines).encode() + b"\n" * chance.randrange(2)


def eve(rows):
    lines = []
    for i in range(rows):
        kind = chance.choice(("flow", "alert", "dns"))
        extra = "" if chance.random() < 0.5 else ',"%s":{"a":%d,"b":["x",{"y":1}],"c\\u00e9":"\\n"}' % (kind, i)
        lines.append('{"timestamp":"2026-11-27T10:00:%02d.%06d+0000","event_type":"%s","src_ip":"%s","src_port":%d,'
                     '"dest_ip":"%s","dest_port":443,"proto":"TCP"%s}' % (i % 60, i, kind, address(), i % 65536,
                                                                       address(), extra))
    return "\n".join(lines).encode() + b"\n" * chance.randrange(2)


def csv(rows):
    lines = ["ts,Source IP,sport,dst,dport,proto,note"]
    for i in range(rows):
        note = chance.choice(("", "plain", '"a, ""quoted"" one"', '"two\nlines"', "1.5"))
        lines.append(f"{1.7e9 + i:.3f},{address()},{i % 65536},{address()},53,{chance.choice(('tcp', 'udp', '17'))},{note}")
    return chance.choice(("\n", "\r\n")).join(lines).encode() + b"\n" * chance.randrange(2)


def capture(rows):
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]
    for i in range(rows):
        payload = struct.pack("!HHHH", chance.randrange(65536), 53, 8, 0)
        packet = (b"\2" * 12 + b"\x08\0" + struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0)
                  + bytes((10, 0, i >> 8 & 255, i & 255, 10, 0, 0, 1)) + payload)
        out.append(struct.pack("<IIII", 1700000000 + i, i, len(packet), len(packet)) + packet)
    return b"".join(out)


FORMATS = {"conn.log": zeek, "eve.json": eve, "flows.csv": csv, "a.pcap": capture}


def plain(value):
    """Whether a column is of numbers is for the first rows to say that come."""
    return value.decode() if isinstance(value, bytes) else str(value)


def rows_of(log):
    """What the tables hold, but for the ids, in the order of the ids."""
    found = {}
    with sqlite3.connect(log) as database:
        database.text_factory = bytes
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                                        "'connbits%' ORDER BY name").fetchall():
            name = name.decode()
            cursor = database.execute(f'SELECT * FROM "{name}" ORDER BY id')
            columns = sorted((column[0], i) for i, column in enumerate(cursor.description) if column[0] != "id")
            ids = [i for i, column in enumerate(cursor.description) if column[0] == "id"]
            rows = cursor.fetchall()
            numbers = [row[ids[0]] for row in rows]
            check(numbers == sorted(set(numbers)), f"ids of {name}")
            if rows:
                found[name] = [tuple((column, plain(row[i])) for column, i in columns if row[i] is not None) for row in rows]
    return found


def run_import(log, path, kill=False):
    process = subprocess.Popen([f"{BUILD}/connbits-import", log, path, "--quiet"], stderr=subprocess.PIPE, text=True)
    if kill:
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
    _, words = process.communicate()
    check(kill or process.returncode == 0, f"{path}: {process.returncode}: {words}")


def grow(folder, name, content):
    """Imports content by steps; returns the log."""
    log = f"{folder}/grown.sqlite"
    path = f"{folder}/{name}"
    cuts = sorted(chance.randrange(1, len(content)) for _ in range(chance.randrange(5))) + [len(content)]
    steps = []
    for cut in cuts:
        # A capture without its header is none.
        cut = max(cut, 24) if name.endswith("pcap") else cut
        cut = max(cut, content.find(b"\n") + 1) if name == "flows.csv" else cut
        cut = min(max(cut, 400), len(content)) if name == "conn.log" else cut
        with open(path, "wb") as file:
            file.write(content[:cut])
        steps.append(cut)
        if chance.random() < 0.3:
            run_import(log, path, kill=True)
            steps.append("killed")
        if chance.random() < 0.9 or cut == len(content):
            run_import(log, path)
            steps.append("imported")
        if chance.random() < 0.2:
            run_import(log, path)
        if chance.random() < 0.2:
            moved = f"{folder}/{name}.{len(steps)}"
            os.rename(path, moved)
            run_import(log, moved)
            shutil.copy(moved, path)
            steps.append("renamed")
        if cut == len(content) and chance.random() < 0.5:
            packed = f"{path}.gz"
            with gzip.open(packed, "wb") as file:
                file.write(content)
            run_import(log, packed)
            run_import(log, packed)
            steps.append("packed")
        if cut == len(content) and shutil.which("zstd") and chance.random() < 0.3:
            subprocess.run(["zstd", "-q", "-f", path, "-o", f"{path}.zst"], check=True)
            run_import(log, f"{path}.zst")
            steps.append("zstd")
    return log, steps


for number in range(ROUNDS):
    name = chance.choice(list(FORMATS))
    content = FORMATS[name](chance.choice((1, 3, 30, 700, 6000)))
    with tempfile.TemporaryDirectory(prefix="connbits-growth-") as folder:
        whole = f"{folder}/whole"
        os.mkdir(whole)
        with open(f"{whole}/{name}", "wb") as file:
            file.write(content)
        run_import(f"{whole}/log.sqlite", f"{whole}/{name}")
        expected = rows_of(f"{whole}/log.sqlite")
        check(expected, f"{name}: no rows")
        log, steps = grow(folder, name, content)
        got = rows_of(log)
        for table in expected:
            check(got.get(table) == expected[table],
                  f"round {number}: {name} of {len(content)} bytes, {steps}: {table} has {len(got.get(table, []))} rows "
                  f"of {len(expected[table])}")
        check(got.keys() == expected.keys(), f"round {number}: tables {got.keys()}")


def count_of(log, table):
    with sqlite3.connect(log) as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


JOINED = False
# Files that begin alike are told apart by the bytes ahead of where they ended, and each goes on.
for name, table in ("conn.log", "conn"), ("flows.csv", "flows"), ("a.pcap", "packets"):
    with tempfile.TemporaryDirectory(prefix="connbits-growth-") as folder:
        log = f"{folder}/log.sqlite"
        chance.seed(SEED)
        start = FORMATS[name](3000)
        start = start if name == "a.pcap" else start[:start.rindex(b"\n", 0, -30) + 1]
        check(len(start) > 1 << 16, f"{name}: the beginning is not longer than a head")
        more = [FORMATS[name](rows) for rows in (400, 700, 90)]
        more = [part[24:] if name == "a.pcap" else b"".join(
            line for line in part.splitlines(True) if not line.startswith((b"#", b"ts,"))) for part in more]
        rows = []
        for part in more:
            alone = f"{folder}/{len(rows)}-{name}"
            with open(alone, "wb") as file:
                file.write(start + part)
            run_import(f"{folder}/{len(rows)}.sqlite", alone)
            rows.append(count_of(f"{folder}/{len(rows)}.sqlite", table))
        for turn in range(2):
            for number in range(len(more)):
                run_import(log, f"{folder}/{number}-{name}")
            check(count_of(log, table) == sum(rows), f"{name}: files that begin alike: {count_of(log, table)} of {sum(rows)}")
        # A copy that was made while the file was shorter has nothing new, and neither has the file then.
        for copy in (start + more[0][:len(more[0]) // 2], start + more[0]):
            with open(f"{folder}/copy-{name}", "wb") as file:
                file.write(copy)
            for path in (f"{folder}/copy-{name}", f"{folder}/0-{name}", f"{folder}/copy-{name}"):
                run_import(log, path)
            check(count_of(log, table) == sum(rows), f"{name}: a copy: {count_of(log, table)} of {sum(rows)}")
        with open(f"{folder}/0-{name}", "ab") as file:
            file.write(more[2])
        run_import(log, f"{folder}/0-{name}")
        run_import(log, f"{folder}/1-{name}")
        os.unlink(f"{folder}/grown.sqlite") if os.path.exists(f"{folder}/grown.sqlite") else None
        run_import(f"{folder}/grown.sqlite", f"{folder}/0-{name}")
        expected = count_of(f"{folder}/grown.sqlite", table) + sum(rows[1:])
        check(count_of(log, table) == expected, f"{name}: one of them grew: {count_of(log, table)} of {expected}")

# A file that was written over in its place is another one, also where it begins as it did.
for name, table in ("conn.log", "conn"), ("a.pcap", "packets"):
    with tempfile.TemporaryDirectory(prefix="connbits-growth-") as folder:
        log, path = f"{folder}/log.sqlite", f"{folder}/{name}"
        start = FORMATS[name](3000)
        start = start if name == "a.pcap" else start[:start.rindex(b"\n", 0, -30) + 1]
        rows = 0
        for turn in range(2):
            more = FORMATS[name](300 - turn * 100)
            more = more[24:] if name == "a.pcap" else b"".join(line for line in more.splitlines(True) if line[:1] != b"#")
            with open(path, "wb") as file:
                file.write(start + more)
            run_import(log, path)
            run_import(f"{folder}/{turn}.sqlite", path)
            rows += count_of(f"{folder}/{turn}.sqlite", table)
            check(count_of(log, table) == rows, f"{name} written over: {count_of(log, table)} of {rows}")

# Several imports at once take each row once: one of them may have to give up.
for rounds in range(6):
    with tempfile.TemporaryDirectory(prefix="connbits-growth-") as folder:
        log, path = f"{folder}/log.sqlite", f"{folder}/flows.csv"
        content = csv(30000 if rounds % 2 else 3).rstrip() + b"9"
        for size in (len(content) - 1, len(content)):
            with open(path, "wb") as file:
                file.write(content[:size])
            jobs = [subprocess.Popen([f"{BUILD}/connbits-import", log, path, "--quiet"], stderr=subprocess.DEVNULL)
                    for _ in range(4)]
            for job in jobs:
                job.wait()
        run_import(log, path)
        run_import(f"{folder}/whole.sqlite", path)
        check(rows_of(log) == rows_of(f"{folder}/whole.sqlite"), f"{count_of(log, 'flows')} rows of imports at once")
print(f"growth.py: {checks} checks")
