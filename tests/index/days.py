#!/usr/bin/env python3
"""connbits_day has of every filter and day as many rows as a look at each row finds: whatever order the
times come in, and however the log, the filters and the sets change. usage: days.py BUILD [ROUNDS [SEED]]"""
import datetime
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, end


BUILD = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 10 * int(os.environ.get("CONNBITS_ROUNDS", "1"))
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
DAY = 86400
FILTERS = {"web": "expression = tcp dst port 80", "smb": "expression = tcp dst port 445", "none": "expression = tcp dst port 1",
           "ten": "expression = src net 10.0.0.0/8", "both": "rows = web or smb", "set": "rows = src in s",
           "odd": "rows = @skipped or {dst port 80}", "late": "rows = since 2023-11-20"}



def day_text(days):
    """Of days since 1970, in the calendar that repeats after 400 years."""
    era, day = divmod(days + datetime.date(1970, 1, 1).toordinal() - 1, 146097)
    date = datetime.date.fromordinal(day + 1)
    return f"{date.year + 400 * era:04d}-{date.month:02d}-{date.day:02d}"


class Log:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.order = self.random.choice(["in order", "nearly", "not at all", "far"])
        self.step = self.random.choice([1, 40, 900])
        self.jump = self.random.choice([1, 1, 3, 20000])
        self.into = ["--into", "log.idx"] if self.random.random() < 0.5 else []
        self.now = 1700000000
        self.row = 0
        self.set = ["10.0.0.0/9"]
        self.filters = self.random.sample(sorted(FILTERS), 4)
        for name in ("log.sqlite", "log.idx", "log.sqlite-journal"):
            if os.path.exists(name):
                os.unlink(name)
        self.db = sqlite3.connect("log.sqlite", isolation_level=None, timeout=60)
        self.db.execute("CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, connection_transport, "
                        "local_host, local_port, remote_host, remote_port, connection_timestamp)")
        self.append(self.random.choice([3, 500, 9000]))

    def time(self):
        r = self.random
        self.now += r.random() * 2 * self.step
        if r.random() < 0.02 and self.order != "in order":
            return None
        if self.order == "nearly":
            return self.now + r.choice([0, 0, 0, -300, 300])
        if self.order == "not at all":
            return 1700000000 + r.randrange(400 * DAY)
        if self.order == "far":
            return r.choice([0, -1, -DAY, 99999999999, -99999999999, 1700000000, r.randrange(-10**10, 10**10)])
        return self.now

    def append(self, rows):
        r = self.random
        self.db.execute("BEGIN")
        for _ in range(rows):
            self.row += r.choice([1, self.jump])
            self.db.execute("INSERT INTO connections VALUES (?,?,?,?,?,?,?,?)",
                            (self.row, r.choice(["accept"] * 9 + ["listen"]), r.choice(["tcp"] * 9 + ["odd"]), "192.0.2.1",
                             r.choice([80, 445, 443]), f"{r.choice([10, 11])}.{r.randrange(256)}.0.1", 1234, self.time()))
        self.db.execute("COMMIT")

    def change(self):
        r = self.random
        what = r.randrange(6)
        if what == 0:
            self.append(r.choice([1, 50, 4000]))
        elif what == 1:
            self.db.execute("DELETE FROM connections WHERE connection < ?", (r.randrange(1, self.row + 1),))
        elif what == 2:
            self.db.execute("UPDATE connections SET connection_timestamp = ? WHERE connection % 97 = ?", (self.time(), r.randrange(97)))
        elif what == 3:
            self.db.execute("DELETE FROM connections WHERE connection % 11 = ?", (r.randrange(11),))
        elif what == 4:
            self.filters = r.sample(sorted(FILTERS), r.randrange(1, 7))
        else:
            self.set = r.sample(["10.0.0.0/9", "10.128.0.0/9", "11.7.0.1", "10.3.0.1", "11.0.0.0/12"], 2)

    def index(self, *more):
        with open("f.conf", "w") as file:
            file.write("[set s]\nnetworks =\n" + "".join(f" {entry}\n" for entry in self.set))
            # What a filter asks for has to be there.
            for name in sorted(set(self.filters) | ({"web", "smb"} if "both" in self.filters else set())):
                file.write(f"[filter {name}]\n{FILTERS[name]}\n")
        return subprocess.run([BUILD + "/connbits-index", "log.sqlite", "f.conf", "--track", "--prune", "--quiet", *self.into, *more],
                              capture_output=True, text=True)

    def wanted(self):
        day_of = {}
        for row, kind, transport, at in self.db.execute(
                "SELECT connection, connection_type, connection_transport, connection_timestamp FROM connections"):
            if kind == "accept" and transport == "tcp" and at is not None:
                day_of[row] = day_text(int(at // DAY))
        counts = Counter()
        names = self.names()
        for name in names:
            rows = subprocess.run([BUILD + "/connbits-query", "log.sqlite", name, "--rowids", *self.into],
                                  capture_output=True, text=True, check=True).stdout.split()
            for row in rows:
                if int(row) in day_of:
                    counts[name, day_of[int(row)]] += 1
        return counts

    def names(self):
        index = sqlite3.connect(self.into[-1] if self.into else "log.sqlite")
        names = [n for (n,) in index.execute("SELECT name FROM connbits_filter WHERE source > 0 AND name <> '@skipped'")]
        index.close()
        return names

    def stored(self):
        index = sqlite3.connect(f"file:{self.into[-1] if self.into else 'log.sqlite'}?mode=ro", uri=True)
        daily = {(name, day): rows for table, name, day, rows in index.execute("SELECT * FROM connbits_daily")}
        plain = {(name, day): rows for name, day, rows in index.execute(
            "SELECT (SELECT name FROM connbits_filter WHERE id = filter), day, rows FROM connbits_day")}
        sources = index.execute("SELECT count(*) FROM connbits_day WHERE source NOT IN (SELECT id FROM connbits_source)").fetchone()
        index.close()
        check("the view and the table are the same", plain, daily)
        check("every row has its source", sources, (0,))
        return daily


def recipes():
    """The page's SQL, as other tools run it: on a connection that only reads, and on an immutable one."""
    page = open(os.path.join(os.path.dirname(os.path.dirname(HERE)), "indexer", "index", "README.md")).read()
    blocks = [block for block in re.findall(r"```sql\n(.*?)```", page, re.S) if "connbits_daily" in block]
    statements = [s.strip() for block in blocks for s in block.split(";") if s.strip()]
    check("there are recipes", len(statements) >= 5, True)
    now = int(time.time())
    log = sqlite3.connect("recipes.sqlite")
    log.execute("CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, connection_transport, local_host, local_port, "
                "remote_host, remote_port, connection_timestamp)")
    for back, rows in ((1, 9), (2, 5), (9, 2)):
        for i in range(rows):
            log.execute("INSERT INTO connections VALUES (NULL, 'accept', 'tcp', '192.0.2.1', 445, '10.0.0.1', 7, ?)", (now - back * DAY,))
    log.commit()
    log.close()
    with open("f.conf", "w") as file:
        file.write("[filter smb]\nexpression = tcp dst port 445\n[filter none]\nexpression = tcp dst port 1\n")
    done = subprocess.run([BUILD + "/connbits-index", "recipes.sqlite", "f.conf", "--into", "recipes.idx", "--quiet"], capture_output=True, text=True)
    check(f"indexed: {done.stderr}", done.returncode, 0)
    for how in ("mode=ro", "mode=ro&immutable=1"):
        index = sqlite3.connect(f"file:recipes.idx?{how}", uri=True)
        answers = [index.execute(statement, {"name": "smb"} if ":name" in statement else {}).fetchall() for statement in statements]
        index.close()
        days = [(day_text((now - back * DAY) // DAY), rows) for back, rows in ((9, 2), (2, 5), (1, 9))]
        check(f"{how}: day by day", answers[0], days)
        check(f"{how}: yesterday", sorted(answers[1]), [("@all", 9), ("smb", 9)])
        check(f"{how}: lines", answers[2], [(((now - back * DAY) // DAY) * DAY, "smb", rows) for back, rows in ((9, 2), (2, 5), (1, 9))])
        check(f"{how}: with a parameter", answers[3], days)
        check(f"{how}: what rose", sorted(answers[4]), [("@all", 14, 2), ("smb", 14, 2)])


def play(seed):
    log = Log(seed)
    story = [log.order, log.into]
    for _ in range(5):
        done = log.index()
        check(f"{seed} {story}: {done.stderr}", done.returncode, 0)
        check(f"{seed} {story}", log.stored(), dict(log.wanted()))
        log.change()
        story.append(log.filters)
    check(f"{seed}: {story}", log.index().returncode, 0)
    whole = log.index("--verify=all")
    check(f"{seed}: verified: {whole.stderr}", whole.returncode, 0)
    # A count that is not what the bitmap says is told.
    index = sqlite3.connect(log.into[-1] if log.into else "log.sqlite")
    changed = index.execute("UPDATE connbits_day SET rows = rows + 1 WHERE day = (SELECT max(day) FROM connbits_day)").rowcount
    index.commit()
    index.close()
    told = log.index("--verify=all")
    check(f"{seed}: a count that is wrong", (told.returncode, "in connbits_day" in told.stderr), (1, True) if changed else (0, False))
    check(f"{seed}: without columns there are no days", (log.index("--no-headers", "--rebuild").returncode, log.stored()), (0, {}))
    log.db.close()


with tempfile.TemporaryDirectory(prefix="connbits-days-") as folder:
    os.chdir(folder)
    recipes()
    for round_ in range(ROUNDS):
        play(SEED * 1000 + round_)
    os.chdir("/")
end()
