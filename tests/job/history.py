#!/usr/bin/env python3
"""Random histories of a log: appends, deletes, changed filters and address sets, filters of
filters, VACUUM, jobs that are killed,
stopped or find the disk full. After every job that completes, the index has to be what a fresh
one of the same log and filters is, byte for byte; after every one that does not, it has to
answer every row up to its watermark as bpf_filter does.

usage: history.py BUILD [ROUNDS [SEED]]"""

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
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 12 * int(os.environ.get("CONNBITS_ROUNDS", "1"))
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
STEPS = 14

COLUMNS = ("connection_type, connection_transport, local_host, local_port, remote_host, remote_port, "
           "connection_timestamp")
VALUES = "VALUES (?,?,?,?,?,?,?,?)"
EXPRESSIONS = [
    "tcp dst port 445", "udp", "src net 10.0.0.0/8", "ip6", "port 53", "not tcp",
    "tcp src portrange 1000-2000", "host 10.0.0.1", "icmp or icmp6", "dst port 80 or dst port 443",
    "ip and not src net 10.0.0.0/9", "tcp[0:2] = tcp[2:2]", "src host 2001:db8::1",
]
# What filters that are made of others may ask for besides them.
LEAVES = ["src in s0", "dst in s0", "host in s1", "src in s2", "since 2023-11-15", "before 2023-11-14T23:00",
          "{tcp dst port 445}", "{src net 10.0.0.0/8}", "@all", "@skipped"]
ENTRIES = ["10.0.0.1", "10.0.0.0/8", "10.1.2.3", "192.0.2.0-192.0.2.255", "203.0.113.9", "2001:db8::1",
           "2001:db8::/64", "::ffff:10.1.0.0/112", "0.0.0.0/1", "128.0.0.0/1", "::"]
SAME = """
SELECT 'bitmap', f.name, b.chunk, b.rows, b.bitmap FROM {0}.connbits_bitmap b
  JOIN {0}.connbits_filter f ON f.id = b.filter JOIN {0}.connbits_source s ON s.id = f.source
  WHERE s.table_name IS NOT NULL
UNION ALL SELECT 'filter', f.name, f.expression, f.rows, f.description || f.position || f.kind || f.digest
  FROM {0}.connbits_filter f JOIN {0}.connbits_source s ON s.id = f.source
  WHERE s.table_name IS NOT NULL
UNION ALL SELECT 'set', t.name, t.digest, t.entries, t.bytes FROM {0}.connbits_set t
  JOIN {0}.connbits_source s ON s.id = t.source WHERE s.table_name IS NOT NULL
UNION ALL SELECT 'header', segment, h.rows, outcomes, NULL FROM {0}.connbits_header h
  JOIN {0}.connbits_source s ON s.id = h.source WHERE s.table_name IS NOT NULL
UNION ALL SELECT 'column', segment, column, bytes, NULL FROM {0}.connbits_column c
  JOIN {0}.connbits_source s ON s.id = c.source WHERE s.table_name IS NOT NULL
UNION ALL SELECT 'day', name, day, rows, NULL FROM {0}.connbits_daily
UNION ALL SELECT 'source', rows || ',' || headers || ',' || listen || ',' || skipped_type || ',' ||
  skipped_transport || ',' || skipped_address || ',' || skipped_family || ',' || skipped_port,
  first_row, last_row, packed FROM {0}.connbits_source WHERE table_name IS NOT NULL"""


class History:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed = seed
        self.folder = tempfile.mkdtemp(prefix="connbits-history-")
        self.log = os.path.join(self.folder, "log.sqlite")
        self.catalogue = os.path.join(self.folder, "filters.conf")
        self.kept = os.path.join(self.folder, "kept.sqlite")
        self.into = self.random.random() < 0.5
        self.index = os.path.join(self.folder, "log.index") if self.into else self.log
        self.keyed = self.random.random() < 0.6
        self.track = self.random.random() < 0.5
        self.headers = self.random.random() < 0.8
        self.wal = self.random.random() < 0.4
        self.jump = self.random.choice([1, 1, 50, 30000, 400000])
        self.last = 0
        self.filters = {}  # in the index, by name
        self.wanted = {}   # in the catalogue
        self.order = []
        self.sets = {f"s{i}": [] for i in range(3)}
        self.story = []
        db = self.open()
        if self.wal:
            db.execute("PRAGMA journal_mode = WAL")
        key = "connection INTEGER PRIMARY KEY, " if self.keyed else ""
        db.execute(f"CREATE TABLE connections ({key}{COLUMNS})")
        db.close()
        self.append()
        self.change_filters()

    def open(self):
        return sqlite3.connect(self.log, isolation_level=None, timeout=60)

    def say(self, text):
        self.story.append(text)

    def row(self):
        r = self.random
        host = lambda: r.choice(["10.0.0.1", "10.1.2.3", "192.0.2.7", "203.0.113.9", "2001:db8::1",
                                 "2001:db8::2", "::ffff:10.0.0.1", "", None, "example.org"])
        port = lambda: r.choice([0, 53, 80, 443, 445, 445, 1500, 65535, 65536, "53", None])
        return (r.choice(["accept", "accept", "connect", "reject", "pending", "listen", "odd"]),
                r.choice(["tcp", "tcp", "tcp", "udp", "tls", "icmp", "icmp6", "47", "unix"]),
                host(), port(), host(), port(), self.time())

    def time(self):
        """Mostly later than the one before, in several units, or none."""
        r = self.random
        self.now = getattr(self, "now", 1.7e9) + r.choice([0, 0.001, 1, 3600])
        return r.choice([self.now, self.now, int(self.now), int(self.now * 1000), "soon", None])

    def append(self):
        rows = self.random.choice([1, 3, 40, 300])
        db = self.open()
        db.execute("BEGIN")
        (self.last,) = db.execute("SELECT coalesce(max(rowid), 0) FROM connections").fetchone()
        for _ in range(rows):
            self.last += 1 if self.random.random() < 0.8 else self.random.randint(1, self.jump)
            db.execute(f"INSERT INTO connections (rowid, {COLUMNS}) {VALUES}",
                       (self.last, *self.row()))
        db.execute("COMMIT")
        db.close()
        self.say(f"append {rows} rows, up to {self.last}")

    def some_row(self, db):
        got = db.execute("SELECT rowid FROM connections ORDER BY rowid LIMIT 1 OFFSET "
                         "(SELECT abs(random()) % max(count(*), 1) FROM connections)").fetchall()
        rows = [r[0] for r in db.execute("SELECT rowid FROM connections ORDER BY rowid")]
        return self.random.choice(rows) if got else None

    def retire(self):
        db = self.open()
        row = self.some_row(db)
        if row is not None:
            descending = self.random.random() < 0.3
            if descending:  # as an index on something else might have it
                for (victim,) in db.execute("SELECT rowid FROM connections WHERE rowid < ? "
                                            "ORDER BY rowid DESC", (row,)).fetchall():
                    db.execute("DELETE FROM connections WHERE rowid = ?", (victim,))
            else:
                db.execute("DELETE FROM connections WHERE rowid < ?", (row,))
            self.say(f"retention: delete before {row}{' backwards' if descending else ''}")
        db.close()

    def meddle(self):
        """Changes in the middle, which only triggers notice for certain."""
        db = self.open()
        for _ in range(self.random.choice([1, 5])):
            row = self.some_row(db)
            if row is None:
                break
            kind = self.random.choice(["update", "time", "delete", "insert", "replace", "move"])
            if kind == "delete":
                db.execute("DELETE FROM connections WHERE rowid = ?", (row,))
            elif kind == "update":
                db.execute("UPDATE connections SET remote_host = ?, local_port = ? WHERE rowid = ?",
                           (self.row()[2], self.row()[3], row))
            elif kind == "time":
                db.execute("UPDATE connections SET connection_timestamp = ? WHERE rowid = ?",
                           (self.time(), row))
            elif kind == "move":
                db.execute("UPDATE OR IGNORE connections SET rowid = ? WHERE rowid = ?",
                           (self.random.randint(1, max(self.last, 1)), row))
            elif kind == "replace":
                db.execute(f"INSERT OR REPLACE INTO connections (rowid, {COLUMNS}) "
                           f"{VALUES}", (row, *self.row()))
            else:
                row = self.random.randint(1, max(self.last, 1))
                db.execute(f"INSERT OR IGNORE INTO connections (rowid, {COLUMNS}) "
                           f"{VALUES}", (row, *self.row()))
            self.say(f"{kind} row {row}")
        db.close()

    def vacuum(self):
        db = self.open()
        db.execute("VACUUM")
        db.close()
        self.say("vacuum")

    def replace(self):
        db = self.open()
        db.execute("DELETE FROM connections")
        db.close()
        self.say("delete every row")
        for _ in range(self.random.choice([0, 1, 4])):
            self.append()

    def cut(self):
        db = self.open()
        row = self.some_row(db)
        if row is not None:
            db.execute("DELETE FROM connections WHERE rowid > ?", (row,))
            self.say(f"delete behind {row}")
        db.close()

    def copy(self):
        """A copy of the log, with the index if that is in it."""
        source = self.open()
        if os.path.exists(self.kept):
            os.unlink(self.kept)
        target = sqlite3.connect(self.kept)
        source.backup(target)
        target.close()
        source.close()
        self.say("copy")

    def put_back(self):
        if not os.path.exists(self.kept):
            return
        for name in (self.log, self.log + "-wal", self.log + "-shm", self.log + "-journal"):
            if os.path.exists(name):
                os.unlink(name)
        shutil.copy(self.kept, self.log)
        if not self.into:  # the index is the copy's too
            self.filters = {n: e for n, e in self.stored_filters()}
        self.say("put the copy back")

    def other_index(self):
        """Somebody else's index of the same log takes the notes of a change in the middle."""
        self.meddle()
        done = subprocess.run([INDEX, self.log, self.catalogue, "--track", "--quiet", "--into",
                               os.path.join(self.folder, "other.index")],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.say("another index")

    def rows(self, name):
        """An expression over filters of lower names, so that there are no circles."""
        r = self.random
        leaves = LEAVES + [f for f in self.wanted if f < name] * 4
        part = lambda: r.choice(["", "", "not "]) + r.choice(leaves)
        both = lambda: f" {r.choice(['and', 'or'])} ".join([part(), part()])
        return "rows = " + r.choice([part(), both(), f"{part()} and ({both()})", f"not ({both()}) or {part()}"])

    def uses(self, name):
        return any(text.startswith("rows") and name in text.split("rows = ")[1] for text in self.wanted.values())

    def change_filters(self):
        names = [f"f{i}" for i in range(8)]
        self.wanted = dict(self.wanted)
        for name in self.random.sample(names, self.random.randint(1, 3)):
            if (name in self.wanted and self.random.random() < 0.3 and len(self.wanted) > 1
                    and not self.uses(name)):
                del self.wanted[name]
            elif self.random.random() < 0.5:
                self.wanted[name] = self.rows(name)
            else:
                self.wanted[name] = "expression = " + self.random.choice(EXPRESSIONS)
        self.order = list(self.wanted)
        self.random.shuffle(self.order)
        self.say(f"filters {self.wanted}")

    def change_sets(self):
        for name in self.random.sample(sorted(self.sets), self.random.randint(1, 3)):
            self.sets[name] = self.random.sample(ENTRIES, self.random.randint(0, 5))
        self.say(f"sets {self.sets}")

    def write_catalogue(self, path, filters, order):
        with open(path, "w") as file:
            for name, entries in self.sets.items():
                if self.random.random() < 0.5:
                    with open(os.path.join(self.folder, name + ".txt"), "w") as listed:
                        listed.write("\n".join(self.random.sample(entries, len(entries))))
                    file.write(f"[set {name}]\nfile = {name}.txt\n")
                else:
                    file.write(f"[set {name}]\nnetworks =\n" + "".join(f"  {e}\n" for e in entries))
            for name in order:
                file.write(f"[filter {name}]\n{filters[name]}\n")

    def command(self, extra=()):
        self.write_catalogue(self.catalogue, self.wanted, self.order)
        command = [INDEX, self.log, self.catalogue, "--quiet",
                   "--threads", str(self.random.choice([1, 2, 3])), *extra]
        if self.into:
            command += ["--into", self.index]
        if self.track:
            command += ["--track"]
        if not self.headers:
            command += ["--no-headers"]
        return command

    def run(self):
        extra = []
        if self.random.random() < 0.3:
            extra.append("--prune")
        if self.random.random() < 0.1:
            extra.append("--recompute")
        if self.random.random() < 0.05:
            extra.append("--rebuild")
        done = subprocess.run(self.command(extra), capture_output=True, text=True)
        self.say(f"index {' '.join(extra)}")
        assert done.returncode == 0, done.stderr
        self.filters = (dict(self.wanted) if "--prune" in extra
                        else {**self.filters, **self.wanted})
        self.compare()

    def broken_run(self):
        """A job that does not come to its end, most of the time."""
        kind = self.random.choice(["kill", "kill", "stop", "full"])
        limit = self.random.randint(1, 60) * 4096

        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        job = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, preexec_fn=limited if kind == "full" else None)
        if kind != "full":
            time.sleep(self.random.random() * 0.03)
            job.send_signal(signal.SIGKILL if kind == "kill" else signal.SIGINT)
        error = job.communicate()[1]
        self.say(f"{kind}: {job.returncode} {error.strip()}")
        assert job.returncode in (0, 1, -signal.SIGKILL, -signal.SIGINT), error
        if job.returncode == 1:
            assert error.startswith("connbits-index: "), error
        self.check()

    def check(self):
        """Whatever is there answers every row up to its watermark."""
        if not os.path.exists(self.index):
            return
        db = sqlite3.connect(self.index, timeout=60)
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'connbits_source'")
        (any_source,) = tables.fetchone()
        finished = any_source and db.execute("SELECT 1 FROM connbits_source WHERE table_name "
                                             "IS NOT NULL").fetchone()
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
        db.close()
        assert verdict == "ok", verdict
        into = ["--into", self.index] if self.into else []
        asked = subprocess.run([QUERY, self.log, "@all", "--count", *into], capture_output=True,
                               text=True)
        if not finished:
            assert asked.returncode == 1, asked
            return
        # An index that no longer fits is refused; one that is answered from is right.
        if asked.returncode == 1:
            assert "no longer fits" in asked.stderr, asked.stderr
            return
        done = subprocess.run([INDEX, self.log, "--verify=all", "--quiet", *into],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def compare(self):
        fresh = os.path.join(self.folder, "fresh.index")
        catalogue = os.path.join(self.folder, "fresh.conf")
        order = self.order + [r[0] for r in self.stored() if r[0] not in self.order]
        assert sorted(order) == sorted(self.filters), (order, self.filters)
        self.write_catalogue(catalogue, self.filters, order)
        command = [INDEX, self.log, catalogue, "--into", fresh, "--quiet"]
        if not self.headers:
            command.append("--no-headers")
        subprocess.run(command, check=True)
        db = sqlite3.connect(self.index, timeout=60)
        db.execute("ATTACH ? AS fresh", (fresh,))
        kept = SAME.format("main")
        built = SAME.format("fresh")
        for a, b, what in ((kept, built, "too much"), (built, kept, "too little")):
            rows = db.execute(f"SELECT * FROM ({a}) EXCEPT SELECT * FROM ({b})").fetchall()
            assert not rows, (what, rows[:3])
        left = db.execute("SELECT (SELECT count(*) FROM connbits_source), (SELECT count(*) FROM "
                          "connbits_bitmap WHERE filter NOT IN (SELECT id FROM connbits_filter)), "
                          "(SELECT count(*) FROM connbits_header WHERE source NOT IN "
                          "(SELECT id FROM connbits_source)), "
                          "(SELECT count(*) FROM connbits_column WHERE source NOT IN "
                          "(SELECT id FROM connbits_source))").fetchone()
        assert left == (1, 0, 0, 0), left
        db.close()
        os.unlink(fresh)
        self.check()
        self.nothing_to_do()

    def nothing_to_do(self):
        """The same again writes nothing."""
        before = self.state()
        subprocess.run(self.command(), check=True)
        assert self.state() == before

    def state(self):
        states = []
        for path in (self.log, self.index):
            with open(path, "rb") as file:
                states.append(hash(file.read()))
        return states

    def stored_filters(self):
        db = sqlite3.connect(self.index, timeout=60)
        filters = db.execute("SELECT f.name, iif(f.kind = 'rows', 'rows', 'expression') || ' = ' || "
                             "f.expression FROM connbits_filter f JOIN "
                             "connbits_source s ON s.id = f.source WHERE s.table_name IS NOT NULL "
                             "AND name NOT LIKE '@%'").fetchall()
        db.close()
        return filters

    def stored(self):
        db = sqlite3.connect(self.index, timeout=60)
        names = db.execute("SELECT name FROM connbits_filter WHERE name NOT LIKE '@%' "
                           "ORDER BY position, id").fetchall()
        db.close()
        return names

    def play(self):
        steps = [self.append] * 4 + [self.retire] * 2 + [self.change_filters, self.change_filters, self.change_sets,
                 self.change_sets, self.broken_run, self.broken_run, self.replace, self.cut, self.vacuum]
        if self.track:
            steps += [self.meddle] * 4 + [self.copy, self.put_back, self.other_index]
        self.run()
        for _ in range(STEPS):
            for _ in range(self.random.choice([1, 1, 2])):
                self.random.choice(steps)()
            self.run()


def main():
    for number in range(ROUNDS):
        history = History(SEED * 1000003 + number)
        try:
            history.play()
        except BaseException:
            print(f"history {history.seed} failed in {history.folder}: keyed {history.keyed}, "
                  f"track {history.track}, headers {history.headers}, into {history.into}, "
                  f"wal {history.wal}")
            print("\n".join(history.story))
            raise
        shutil.rmtree(history.folder)
    print(f"{ROUNDS} histories of {STEPS} steps: every index equal to a fresh one")


main()
