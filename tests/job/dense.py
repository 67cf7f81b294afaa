#!/usr/bin/env python3
"""dense.py BUILD: many filters that match much take disk, not memory.

2,500 filters that each match a third to a half of 300,000 rows make more bitmaps than a job
may hold: a first index, rows that come to a chunk that is there, and new filters over what is
stored stay within LIMIT, leave no file behind, and store the same bytes as few filters do.
"""
import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile

BUILD = sys.argv[1]
FILTERS, ROWS, LIMIT = 2500, 300000, 128 << 10  # KiB
checks = 0


def check(ok, what):
    global checks
    checks += 1
    if not ok:
        sys.exit(f"dense.py: {what}")


def peak(*command):
    """Runs a command; its peak of resident memory in KiB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    check(status == 0, f"{command}: ended with {status}")
    return usage.ru_maxrss


def catalogue(path, filters):
    with open(path, "w") as file:
        for i in filters:
            first = 32768 + i * 5 % 14000
            file.write(f"[filter d{i}]\nexpression = src portrange {first}-{first + 14000 + i % 97}\n")


def bitmaps(index, filters):
    """Digests: what this process holds would count as its children's peak."""
    digests = {}
    with sqlite3.connect(index) as database:
        for i in filters:
            digest = hashlib.sha256()
            for chunk, bitmap in database.execute(
                    "SELECT chunk, bitmap FROM connbits_bitmap WHERE filter = (SELECT id FROM "
                    "connbits_filter WHERE name = ?) ORDER BY chunk", (f"d{i}",)):
                digest.update(b"%d %d " % (chunk, len(bitmap)) + bitmap)
            digests[i] = digest.digest()
    return digests


def within(memory, what):
    check(memory <= LIMIT, f"{what} took {memory} KiB, {LIMIT} are allowed")
    print(f"{what}: {memory} KiB")


with tempfile.TemporaryDirectory(prefix="connbits-dense-") as folder:
    log, many, few = (f"{folder}/{name}" for name in ("log", "many.conf", "few.conf"))
    index, other = f"{folder}/many.idx", f"{folder}/few.idx"
    job = [f"{BUILD}/connbits-index", log]
    options = ["--quiet", "--threads", "2"]
    subprocess.run([f"{BUILD}/connbits-generate", log, "--rows", str(ROWS)], check=True,
                   capture_output=True)
    sample = range(0, FILTERS, FILTERS // 20)
    catalogue(many, range(FILTERS))
    catalogue(few, sample)

    within(peak(*job, many, "--into", index, *options), "a first index")
    check(os.path.getsize(index) > 80 << 20, "the filters are not dense: this test shows nothing")
    peak(*job, few, "--into", other, *options)
    check(bitmaps(index, sample) == bitmaps(other, sample), "a first index has other bitmaps")

    with sqlite3.connect(log) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(connections)")][1:]
        rows = ", ".join(columns)
        database.execute(f"INSERT INTO connections ({rows}) SELECT {rows} FROM connections "
                         "WHERE connection <= 50000")
    within(peak(*job, many, "--into", index, *options), "rows that came")
    peak(*job, few, "--into", other, *options)
    check(bitmaps(index, sample) == bitmaps(other, sample), "rows that came have other bitmaps")

    within(peak(*job, many, "--into", other, *options), "new filters")
    check(bitmaps(index, range(FILTERS)) == bitmaps(other, range(FILTERS)),
          "new filters have other bitmaps")
    within(peak(*job, many, "--into", other, "--verify=200", *options), "--verify")
    left = sorted(set(os.listdir(folder)) - {"log", "many.conf", "few.conf", "many.idx", "few.idx"})
    check(not left, f"files are left: {left}")
print(f"dense.py: {checks} checks")
