#!/usr/bin/env python3
"""A log that is written to without a pause while it is indexed, in both journal modes: no row is lost,
seen twice, or seen as it never was. Usage: hammered.py BUILD"""
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, end


BUILD = os.path.abspath(sys.argv[1])
ROWS = 150_000
FILTERS = {"a": "tcp dst port 445", "b": "tcp dst port 139", "none": "not tcp dst port 445 and not tcp dst port 139"}



def make(mode):
    db = sqlite3.connect("log.sqlite", isolation_level=None)
    db.execute("PRAGMA page_size = 1024")
    db.execute(f"PRAGMA journal_mode = {mode}")
    db.execute("PRAGMA synchronous = off")
    db.execute("CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, connection_transport, local_host, "
               "local_port, remote_host, remote_port, note)")
    db.execute(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
        INSERT INTO connections SELECT i, 'accept', 'tcp', '192.0.2.1', 445, '10.1.' || (i % 200) || '.' || (i % 250), i % 60000, '' FROM n""")
    return db


def hammer(seconds, checkpoint, pauses, begun):
    """Rows change their port to and fro, grow and shrink so that they move, and come behind the last one. After each
    of the pauses all frames of a write-ahead log lie in the file for a while. Says through the descriptor `begun`
    when the first change is made."""
    db = sqlite3.connect("log.sqlite", isolation_level=None, timeout=60)
    db.execute("PRAGMA synchronous = off")
    db.execute(f"PRAGMA wal_autocheckpoint = {checkpoint}")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        db.execute("BEGIN IMMEDIATE")
        for _ in range(random.randrange(1, 40)):
            row = random.randrange(1, ROWS)
            db.execute("UPDATE connections SET local_port = iif(local_port = 445, 139, 445), note = zeroblob(?) WHERE connection = ?",
                       (random.choice((0, 3, 90, 900, 5000)), row))
        db.execute("INSERT INTO connections VALUES (NULL, 'accept', 'tcp', '192.0.2.1', 445, '10.1.2.3', 7, '')")
        db.execute("COMMIT")
        if begun is not None:
            os.write(begun, b"!")
            begun = None
        if pauses and random.random() < 0.8:
            db.execute("PRAGMA wal_checkpoint")
            time.sleep(0.04)
        elif random.random() < 0.3:
            time.sleep(0.001)
    db.close()


def rows_of(name):
    """Of the index alone: its log has gone on."""
    db = sqlite3.connect("log.idx")
    db.enable_load_extension(True)
    db.load_extension(BUILD + "/connbits")
    rows = [row for (row,) in db.execute("SELECT value FROM bitmap(?)", (name,))]
    db.close()
    return rows


def run(mode):
    for file in os.listdir("."):
        os.unlink(file)
    with open("f.conf", "w") as file:
        file.writelines(f"[filter {n}]\nexpression = {e}\n" for n, e in FILTERS.items())
    make(mode).close()
    by_page = by_sql = 0
    # As many rounds more as it takes to meet one of the pauses, and frames that wait.
    for round_ in range(24):
        if round_ >= 4 and by_page and (by_sql or mode != "wal"):
            break
        begun, says = os.pipe()
        pid = os.fork()
        if pid == 0:
            random.seed(round_)
            hammer(60, 0 if round_ % 4 == 0 else 40, round_ % 4 == 3 or round_ > 4 and round_ % 2 == 1, says)
            os._exit(0)
        os.close(says)
        check(f"{mode}: the writer writes", os.read(begun, 1), b"!")
        os.close(begun)
        done = subprocess.run([BUILD + "/connbits-index", "log.sqlite", "f.conf", "--into", "log.idx", "--json", "--rebuild",
                               "--threads", str(1 + round_ % 3)], capture_output=True, text=True)
        os.kill(pid, 15)
        os.waitpid(pid, 0)
        recovered = sqlite3.connect("log.sqlite")
        recovered.execute("SELECT count(*) FROM connections").fetchone()
        recovered.close()
        if done.returncode:
            # One of the rows by which a log is known again was changed.
            check(f"{mode}: {done.stderr}", "was renumbered or replaced while it was read" in done.stderr, True)
            continue
        told = json.loads(done.stdout)
        by_page += told["rows_by_page"]
        by_sql += told["rows_by_sql"]
        a, b = rows_of("a"), rows_of("b")
        check(f"{mode}: rows of neither port", rows_of("none"), [])
        check(f"{mode}: rows of both", sorted(set(a) & set(b)), [])
        check(f"{mode}: every row", sorted(a + b), list(range(1, told["rows"] + 1)))
    quiet = subprocess.run([BUILD + "/connbits-index", "log.sqlite", "f.conf", "--into", "log.idx", "--quiet", "--rebuild", "--verify=all"],
                           capture_output=True, text=True)
    check(f"{mode}: and then in peace: {quiet.stderr}", quiet.returncode, 0)
    db = sqlite3.connect("log.sqlite")
    for name, port in (("a", 445), ("b", 139)):
        check(f"{mode}: port {port}", rows_of(name),
              [r for (r,) in db.execute("SELECT connection FROM connections WHERE local_port = ? ORDER BY 1", (port,))])
    db.close()
    return by_page, by_sql


with tempfile.TemporaryDirectory(prefix="connbits-") as folder:
    os.chdir(folder)
    pages, _ = run("delete")
    check("by page where the journal is rolled back", pages > 0, True)
    pages, sql = run("wal")
    check("through SQLite where frames are pending", sql > 0, True)
    check("by page where none are", pages > 0, True)
    os.chdir("/")
end()
