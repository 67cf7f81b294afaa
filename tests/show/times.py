"""Times of rows: since, before, --by, -w and --verify against the values that were written.

    python3 tests/show/times.py BUILD [SEED [LOGS]]

Each log has times in several forms and units, in order or not, and rows without one. What its rows
are is known before they are written; nothing here is read with the code that is tested.
"""
import datetime
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 17
LOGS = int(sys.argv[3]) if len(sys.argv) > 3 else 12
INDEX = os.path.join(BUILD, "connbits-index")
QUERY = os.path.join(BUILD, "connbits-query")
os.environ.pop("LD_PRELOAD", None)  # of this process only: what it starts has its own sanitizers
SECOND = 1000000
EPOCH = datetime.datetime(1970, 1, 1)
DAY = 86400 * SECOND
checks = 0


def is_same(what, wanted, got):
    global checks
    checks += 1
    assert wanted == got, f"{what}: expected {wanted!r}, got {got!r}"


def moment(time):
    """A time as datetime: microseconds are whole there, too."""
    return EPOCH + datetime.timedelta(microseconds=time)


def written(r, time):
    """A value that a log may have for this time, and the microseconds that it says."""
    kind = r.choice(["real", "whole", "milli", "micro", "nano", "text", "zone", "nothing", "bad"])
    if kind == "real":
        time -= time % 125000
        return time / SECOND, time
    if kind == "whole":
        return time // SECOND, time - time % SECOND
    if kind == "milli":
        return time // 1000, time - time % 1000
    if kind == "micro":
        return time, time
    if kind == "nano":
        return time * 1000 + 999, time
    if kind == "text":
        return moment(time).strftime("%Y-%m-%d %H:%M:%S.%f"), time
    if kind == "zone":
        shifted = moment(time) + datetime.timedelta(minutes=90)
        return shifted.strftime("%Y-%m-%dT%H:%M:%S.%f+01:30"), time
    return (None, None) if kind == "nothing" else (r.choice(["soon", "", b"1700000000", "2026-13-01"]), None)


def time_text(r, time):
    """A time as an expression has it, and the microseconds that it says."""
    kind = r.choice(["day", "minute", "second", "fraction", "zone"])
    if kind == "day":
        time -= time % DAY
        return moment(time).strftime("%Y-%m-%d") + r.choice(["", "Z", "+00:00"]), time
    if kind == "minute":
        time -= time % (60 * SECOND)
        return moment(time).strftime("%Y-%m-%dT%H:%M") + r.choice(["", "Z"]), time
    if kind == "second":
        time -= time % SECOND
        return moment(time).strftime("%Y-%m-%dT%H:%M:%S"), time
    if kind == "fraction":
        return moment(time).strftime("%Y-%m-%dT%H:%M:%S.%f") + r.choice(["", "9", "Z"]).replace("9Z", "Z"), time
    shifted = moment(time) - datetime.timedelta(minutes=330)
    return shifted.strftime("%Y-%m-%dT%H:%M:%S.%f-05:30"), time


class Log:
    def __init__(self, folder, r):
        self.r = r
        self.path = os.path.join(folder, "log.sqlite")
        self.index = self.path if r.random() < 0.5 else os.path.join(folder, "log.index")
        self.into = [] if self.index == self.path else ["--into", self.index]
        self.catalogue = os.path.join(folder, "filters.conf")
        with open(self.catalogue, "w") as file:
            file.write("[filter smb]\nexpression = tcp dst port 445\n[filter dns]\nexpression = udp port 53\n")
        self.rows = {}  # row id: (kind, time)
        self.now = r.randint(0, 4 * 10**9) * SECOND
        self.step = r.choice([1, 1000, SECOND, 600 * SECOND, 40000 * SECOND])
        self.ordered = r.random() < 0.6
        self.gaps = r.choice([1, 1, 5, 700])
        self.last = 0
        db = sqlite3.connect(self.path)
        db.execute("CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, "
                   "connection_transport, connection_timestamp, local_host, local_port, remote_host, remote_port)")
        db.close()

    def append(self, rows):
        r = self.r
        db = sqlite3.connect(self.path)
        uniform = r.random() < 0.3
        for _ in range(rows):
            self.last += r.randint(1, self.gaps)
            self.now += r.randint(0, 3) * self.step
            time = self.now if self.ordered else self.now - r.randint(0, 50) * self.step
            value, time = (time, time) if uniform and time >= 10**14 else written(r, time if time >= 10**14 else 10**15)
            kind = r.choice(["smb", "smb", "dns", "skipped", "listen", "other"])
            db.execute("INSERT INTO connections VALUES (?,?,?,?,?,?,?,?)", (
                self.last, "listen" if kind == "listen" else "accept",
                {"dns": "udp", "skipped": "unix"}.get(kind, "tcp"), value, "192.0.2.1",
                {"smb": 445, "dns": 53}.get(kind, 9), "198.51.100.7", 1234))
            self.rows[self.last] = (kind, time)
        db.commit()
        db.close()

    def job(self):
        subprocess.run([INDEX, self.path, self.catalogue, "--quiet", *self.into], check=True)
        subprocess.run([INDEX, self.path, "--verify=all", "--quiet", *self.into], check=True)

    def ask(self, expression, *options, text=True):
        done = subprocess.run([QUERY, self.path, expression, *self.into, *options], capture_output=True, text=text)
        assert done.returncode == 0, (expression, options, done.stderr)
        return done

    def some_time(self):
        """One of the log's, or next to one."""
        times = [t for _, t in self.rows.values() if t is not None]
        return (self.r.choice(times) if times else 0) + self.r.choice([-1, 0, 0, 1, SECOND, DAY])


def random_question(r, log, depth=2):
    """An expression, and what it says of a row."""
    kind = r.choice(["name", "since", "before", "not", "and", "or"]) if depth else r.choice(["name", "since", "before"])
    if kind == "name":
        name = r.choice(["smb", "dns", "@all", "{tcp port 9}"])
        kinds = {"smb": ["smb"], "dns": ["dns"], "@all": ["smb", "dns", "other"], "{tcp port 9}": ["other"]}[name]
        return name, lambda row: row[0] in kinds
    if kind in ("since", "before"):
        text, time = time_text(r, max(log.some_time(), 0))
        headers = ["smb", "dns", "other"]
        if kind == "since":
            return (r.choice(["since ", "SINCE\n"]) + text,
                    lambda row: row[0] in headers and row[1] is not None and row[1] >= time)
        return "before  " + text, lambda row: row[0] in headers and row[1] is not None and row[1] < time
    a, is_a = random_question(r, log, depth - 1)
    if kind == "not":
        return f"not ({a})", lambda row: row[0] not in ("listen", "skipped") and not is_a(row)
    b, is_b = random_question(r, log, depth - 1)
    return (f"({a}) {kind} ({b})",
            (lambda row: is_a(row) and is_b(row)) if kind == "and" else (lambda row: is_a(row) or is_b(row)))


def check_questions(log, sql):
    for _ in range(8):
        question, accepts = random_question(log.r, log)
        since, first = time_text(log.r, max(log.some_time(), 0))
        before, end = time_text(log.r, max(log.some_time(), 0))
        wanted = [i for i, row in log.rows.items() if accepts(row)]
        narrowed = [i for i in wanted if log.rows[i][1] is not None and first <= log.rows[i][1] < end]
        got = log.ask(question, "--rowids").stdout.split()
        is_same(question, wanted, [int(i) for i in got])
        is_same(f"count of {question}", str(len(wanted)), log.ask(question, "--count").stdout.strip())
        got = log.ask(question, "--rowids", "--since", since, "--before", before).stdout.split()
        is_same(f"{question} since {since} before {before}", narrowed, [int(i) for i in got])
        got = sql.execute("SELECT connection FROM connections WHERE connection IN bitmap(?) ORDER BY 1", (question,))
        is_same(f"SQL: {question}", wanted, [i for (i,) in got])
        is_same(f"SQL: count of {question}", len(wanted),
                sql.execute("SELECT bitmap_count(?)", (question,)).fetchone()[0])


def check_facets(log):
    for by, shape, unit in (("day", "%Y-%m-%d", DAY), ("hour", "%Y-%m-%dT%H:00", 3600 * SECOND)):
        question, accepts = random_question(log.r, log, 1)
        question, accepts = log.r.choice([(question, accepts), ("@skipped or @all", lambda row: row[0] != "listen")])
        counts = {}
        for row in log.rows.values():
            if accepts(row):
                # What has no header has no time in the index.
                known = row[1] is not None and row[0] != "skipped"
                value = row[1] // unit if known else None
                counts[value] = counts.get(value, 0) + 1
        without = counts.pop(None, 0)
        wanted = [(moment(v * unit).strftime(shape), n) for v, n in sorted(counts.items())]
        wanted += [("", without)] if without else []
        lines = log.ask(question, "--by", by, "--format", "csv").stdout.split("\n")
        is_same("head", "value,rows", lines[0])
        got = [line.rstrip("\r").split(",") for line in lines[1:-1]]
        is_same(f"{question} by {by}", [[v, str(n)] for v, n in wanted], got)
        for value, rows in wanted[:1]:
            if value:
                is_same("a value is a time of expressions", str(rows + sum(n for v, n in wanted[1:] if v)),
                        log.ask(f"({question}) and since {value}", "--count").stdout.strip())


def check_capture(log):
    question, accepts = random_question(log.r, log, 1)
    capture = log.ask(question, "-w", "-", text=False).stdout
    at, got = 24, []
    while at < len(capture):
        seconds, micro, size, _ = struct.unpack("<IIII", capture[at:at + 16])
        got.append(seconds * SECOND + micro)
        at += 16 + size
    is_same(f"times of {question}", [row[1] or 0 for row in log.rows.values() if accepts(row)], got)


def check_log(folder, r):
    log = Log(folder, r)
    for rows in r.choice([[300], [40, 500], [1, 200, 3]]):
        log.append(rows)
        log.job()
    sql = sqlite3.connect(log.path)
    sql.enable_load_extension(True)
    sql.load_extension(os.path.join(BUILD, "connbits.so"))
    if log.into:
        sql.execute("ATTACH ? AS idx", (log.index,))
    check_questions(log, sql)
    check_facets(log)
    check_capture(log)
    sql.close()
    headers = [row for row in log.rows.values() if row[0] in ("smb", "dns", "other")]
    timeless = sum(row[1] is None for row in headers)
    said = log.ask("since 1999-01-01 or before 1999-01-01", "--count").stderr
    is_same("rows without a time are told once", int(timeless > 0), said.count(f"can be read: {timeless};"))
    is_same("and only where times are asked for", "", log.ask("smb", "--count").stderr)
    return log


def main():
    for i in range(LOGS):
        with tempfile.TemporaryDirectory() as folder:
            try:
                check_log(folder, random.Random(SEED * 1000 + i))
            except AssertionError as error:
                print(f"FAILED: seed {SEED}, log {i}: {error}")
                return 1
    print(f"{checks} checks, seed {SEED}: all passed")
    return 0


sys.exit(main())
