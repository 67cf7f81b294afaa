"""What `rowid IN bitmap('x')` costs beside tables of the same row ids:

    /usr/bin/python3 bench/rowid_in.py LOG.sqlite BUILD [FILTER] [REPEATS]

LOG.sqlite is a dionaea log with its index inside, BUILD the folder of
connbits.so. All statements run in turn in one process, on one connection;
printed are medians, and the median of the ratios taken round by round.
"""
import sqlite3
import statistics
import sys
import time

log, build = sys.argv[1:3]
name = sys.argv[3] if len(sys.argv) > 3 else "smb"
repeats = int(sys.argv[4]) if len(sys.argv) > 4 else 11

connection = sqlite3.connect("file:%s?mode=ro" % log, uri=True)
connection.enable_load_extension(True)
connection.load_extension(build + "/connbits")
connection.execute("PRAGMA temp_store = MEMORY")
connection.execute("PRAGMA cache_size = -1000000")
connection.execute("CREATE TEMP TABLE plain (id INTEGER)")
connection.execute("CREATE TEMP TABLE keyed (id INTEGER PRIMARY KEY)")
for table in ("plain", "keyed"):
    connection.execute("INSERT INTO %s SELECT value FROM bitmap(?)" % table, (name,))

what = "SELECT sum(length(remote_host)) FROM "
statements = {
    "rowid IN bitmap('%s')" % name: what + "connections WHERE rowid IN bitmap('%s')" % name,
    "rowid IN (SELECT id FROM plain)": what
    + "connections WHERE rowid IN (SELECT id FROM plain)",
    "rowid IN (SELECT id FROM keyed)": what
    + "connections WHERE rowid IN (SELECT id FROM keyed)",
    "bitmap('%s') JOIN" % name: what
    + "bitmap('%s') CROSS JOIN connections ON connection = value" % name,
}
times = {label: [] for label in statements}
answers = set()
for repeat in range(repeats + 1):
    for label, statement in statements.items():
        start = time.perf_counter()
        answers.add(connection.execute(statement).fetchone()[0])
        if repeat > 0:  # the first round warms up
            times[label].append(time.perf_counter() - start)
assert len(answers) == 1, "the statements disagree"

first = list(statements)[0]
rows = connection.execute("SELECT bitmap_count(?)", (name,)).fetchone()[0]
print("%d rows, median of %d interleaved rounds" % (rows, repeats))
print("%-34s %9s %9s" % ("statement", "ms", "ratio"))
for label in statements:
    ratio = statistics.median(a / b for a, b in zip(times[label], times[first]))
    print("%-34s %9.2f %9.2f" % (label, statistics.median(times[label]) * 1e3, ratio))
