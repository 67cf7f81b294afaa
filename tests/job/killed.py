#!/usr/bin/env python3
"""Jobs that are killed at random moments and that find the disk full at random writes. Whatever
happens, the index opens, it answers as after one of its commits, and the next job completes.

usage: killed.py BUILD [KILLS [FULL [SEED]]]"""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

# Leaks are looked for elsewhere: over thousands of processes the search itself fails now and then.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
BUILD = sys.argv[1]
INDEX = os.path.join(BUILD, "connbits-index")
QUERY = os.path.join(BUILD, "connbits-query")
MORE = int(os.environ.get("CONNBITS_ROUNDS", "1"))
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 40 * MORE
FULL = int(sys.argv[3]) if len(sys.argv) > 3 else 12 * MORE
RANDOM = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
ROWS = 60000
SPREAD = 40  # row ids over 2.4 million: several chunks, some forty segments


def catalogue(path, number):
    """Two filters stay, two are others every time."""
    with open(path, "w") as file:
        file.write("[filter smb]\nexpression = tcp dst port 445\n"
                   "[filter udp]\nexpression = udp\n"
                   f"[filter one]\nexpression = src net {1 + number % 200}.0.0.0/8\n"
                   f"[filter two]\nexpression = dst port {number} or src port {number}\n")
        # Enough bits that a chunk of a new index goes in several commits.
        for port in range(30):
            file.write(f"[filter most{port}]\nexpression = not port {port}\n")


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


class Log:
    def __init__(self, folder, into):
        self.path = os.path.join(folder, "log.sqlite")
        self.index = os.path.join(folder, "log.index") if into else self.path
        self.into = into
        self.filters = os.path.join(folder, "filters.conf")
        made = os.path.join(folder, "made.sqlite")
        if not os.path.exists(made):
            subprocess.run([os.path.join(BUILD, "connbits-generate"), "--rows", str(ROWS), made],
                           check=True)
        for name in os.listdir(folder):
            if name != "made.sqlite":
                os.unlink(os.path.join(folder, name))
        shutil.copy(made, self.path)
        db = sqlite3.connect(self.path)
        db.execute("UPDATE connections SET connection = -connection * ?", (SPREAD,))
        db.execute("UPDATE connections SET connection = -connection")
        db.commit()
        (self.last,) = db.execute("SELECT max(connection) FROM connections").fetchone()
        db.close()
        catalogue(self.filters, 0)

    def command(self, *more):
        command = [INDEX, self.path, *more, "--quiet", "--threads", "2"]
        return command + (["--into", self.index] if self.into else [])

    def grow(self, rows):
        db = sqlite3.connect(self.path)
        columns = [r[1] for r in db.execute("PRAGMA table_info(connections)")][1:]
        db.execute(f"INSERT INTO connections (connection, {', '.join(columns)}) SELECT "
                   f"{self.last} + {SPREAD} * row_number() OVER (), {', '.join(columns)} "
                   "FROM (SELECT * FROM connections LIMIT ?)", (rows,))
        db.commit()
        (self.last,) = db.execute("SELECT max(connection) FROM connections").fetchone()
        db.close()

    def finished(self):
        if not os.path.exists(self.index):
            return False
        db = sqlite3.connect(self.index, timeout=60)
        (verdict,) = db.execute("PRAGMA quick_check").fetchone()
        assert verdict == "ok", verdict
        try:
            return bool(db.execute("SELECT 1 FROM connbits_source WHERE table_name IS NOT NULL")
                        .fetchone())
        except sqlite3.OperationalError:  # no tables yet
            return False
        finally:
            db.close()

    def check(self, rows="3000"):
        if not self.finished():
            return False
        done = run(self.command(f"--verify={rows}"))
        assert done.returncode == 0, done.stderr
        self.count()
        return True

    def count(self):
        """Every filter has the rows that are declared for it, or an index of other rows is
        refused."""
        db = sqlite3.connect(self.index)
        names = [r[0] for r in db.execute(
            "SELECT name FROM connbits_filter f JOIN connbits_source s ON s.id = f.source "
            "WHERE s.table_name IS NOT NULL")]
        db.close()
        into = ["--into", self.index] if self.into else []
        done = run([QUERY, self.path, " or ".join(names), "--count", *into])
        assert done.returncode == 0, done.stderr

    def complete(self):
        done = run(self.command(self.filters))
        assert done.returncode == 0, done.stderr
        assert self.check("all")
        db = sqlite3.connect(self.index)
        (last,) = db.execute("SELECT last_row FROM connbits_source").fetchone()
        (orphans,) = db.execute("SELECT count(*) FROM connbits_bitmap WHERE filter NOT IN "
                                "(SELECT id FROM connbits_filter)").fetchone()
        db.close()
        assert (last, orphans) == (self.last, 0), (last, self.last, orphans)


def seconds_of_a_run(log):
    """Of one that does everything."""
    start = time.monotonic()
    done = run(log.command(log.filters, "--rebuild"))
    assert done.returncode == 0, done.stderr
    return time.monotonic() - start


def change(log, number):
    """Something to do for the next job: new rows, new filters, or everything. Gives its options,
    and about what share of a whole run it takes."""
    kind = RANDOM.choice(["rows", "filters", "both", "rebuild"])
    if kind in ("rows", "both"):
        log.grow(RANDOM.choice([200, 5000]))
    if kind in ("filters", "both"):
        catalogue(log.filters, number)
    share = {"rows": 0.25, "filters": 0.4, "both": 0.6, "rebuild": 1}[kind]
    return (["--rebuild"] if kind == "rebuild" else []), share


def kills(folder, into):
    log = Log(folder, into)
    span = seconds_of_a_run(log)
    hit = 0
    for number in range(1, KILLS // 2 + 1):
        if number % 10 == 0:
            log = Log(folder, into)  # nothing is indexed yet
        more, share = change(log, number)
        was_finished = log.finished()
        job = subprocess.Popen(log.command(log.filters, *more), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        time.sleep(RANDOM.random() * span * (share if was_finished else 1))
        job.send_signal(signal.SIGKILL)
        hit += job.wait() == -signal.SIGKILL
        assert log.check() or not was_finished
        if RANDOM.random() < 0.3:
            log.complete()
    log.complete()
    return hit


def full(folder, into):
    log = Log(folder, into)
    log.complete()
    hit = 0
    for number in range(1, FULL // 2 + 1):
        more, _ = change(log, number)
        size = os.path.getsize(log.index)
        limit = int(size * (0.02 + 1.2 * RANDOM.random()))
        was_finished = log.finished()
        done = run(log.command(log.filters, *more),
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        assert done.returncode in (0, 1), done
        if done.returncode == 1:
            hit += 1
            assert done.stderr.startswith("connbits-index: ") and log.index in done.stderr, done
        assert log.check() or not was_finished
        if RANDOM.random() < 0.5:
            log.complete()
    log.complete()
    return hit


def main():
    folder = tempfile.mkdtemp(prefix="connbits-killed-")
    killed = [kills(folder, into) for into in (False, True)]
    short = [full(folder, into) for into in (False, True)]
    shutil.rmtree(folder)
    print(f"{KILLS} jobs, {sum(killed)} of them killed; {FULL} jobs with a limit, {sum(short)} "
          "of them without room: every index answered, every next job completed")
    assert sum(killed) > KILLS // 4 and sum(short) > FULL // 5


main()
