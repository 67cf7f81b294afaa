#!/usr/bin/env python3
"""wide.py BUILD: segments of several MiB of headers in an index that lies in its log.

What was indexed and has changed is more than waits in memory for one transaction, and new segments, which are
written ahead, follow in the same chunk: the run brings the index up to date. Where it finds damage it ends with a
message, whatever its other threads wait for.
"""
import os
import random
import sqlite3
import subprocess
import sys
import tempfile

BUILD = sys.argv[1]
SEGMENT, SEGMENTS = 1 << 16, 7
rows_made = random.Random(6)


def fail(what):
    sys.exit(f"wide.py: {what}")


def rows(first, count):
    for row in range(first, first + count):
        bits = rows_made.getrandbits(320)
        host = lambda number: ":".join("%x" % (number >> 16 * i & 0xffff) for i in range(8))
        yield row, host(bits), bits >> 256 & 0xffff, host(bits >> 128), bits >> 272 & 0xffff, (bits >> 288) / 8


def insert(log, first, count):
    with sqlite3.connect(log) as database:
        database.execute("CREATE TABLE IF NOT EXISTS connections (connection INTEGER PRIMARY KEY, "
                         "connection_type DEFAULT 'accept', connection_transport DEFAULT 'tcp', local_host, local_port, "
                         "remote_host, remote_port, connection_timestamp)")
        database.executemany("INSERT INTO connections (connection, local_host, local_port, remote_host, remote_port, "
                             "connection_timestamp) VALUES (?, ?, ?, ?, ?, ?)", rows(first, count))


def run(*command):
    return subprocess.run([f"{BUILD}/{command[0]}", *command[1:]], capture_output=True, text=True, timeout=120)


def stored(index):
    with sqlite3.connect(index) as database:
        return database.execute("SELECT name, chunk, bitmap FROM connbits_bitmap JOIN connbits_filter ON id = filter "
                                "ORDER BY 1, 2").fetchall() + \
            database.execute("SELECT segment, column, bytes FROM connbits_column ORDER BY 1, 2").fetchall()


with tempfile.TemporaryDirectory(prefix="connbits-wide-") as folder:
    log, few, fresh = (os.path.join(folder, name) for name in ("log.sqlite", "few.conf", "fresh.idx"))
    with open(few, "w") as file:
        file.write("[filter smb]\nexpression = tcp dst port 445\n")
    insert(log, 0, SEGMENTS * SEGMENT)
    if run("connbits-index", log, few, "--track", "--quiet").returncode:
        fail("no first index")
    with sqlite3.connect(log) as database:
        (size,) = database.execute("SELECT sum(length(bytes)) FROM connbits_column").fetchone()
        database.execute(f"UPDATE connections SET local_port = 445 WHERE connection % {SEGMENT} = 5")
    if size < 17 << 20:
        fail(f"{size} bytes of headers: this test shows nothing")
    insert(log, SEGMENTS * SEGMENT, 20000)
    done = run("connbits-index", log, "--quiet", "--threads", "2")
    if done.returncode:
        fail(f"rows that changed, and new ones: {done.stderr}")
    run("connbits-index", log, few, "--into", fresh, "--quiet")
    if stored(log) != stored(fresh):
        fail("the index is not a fresh one's")

    insert(log, 1 << 20, 3 * SEGMENT)
    with sqlite3.connect(log) as database:
        database.execute(f"UPDATE connections SET local_port = 446 WHERE connection % {SEGMENT} = 5")
        database.execute(f"UPDATE connbits_header SET outcomes = x'0001' WHERE segment = {SEGMENTS - 1}")
    done = run("connbits-index", log, "--quiet", "--threads", "2")
    if done.returncode != 1 or "the index is damaged" not in done.stderr:
        fail(f"damage: {done.returncode} {done.stderr}")
    if run("connbits-index", log, few, "--rebuild", "--quiet").returncode:
        fail("--rebuild")
print("wide.py: all held")
