"""Plans, recipes and caches: that SQLite does with bitmap() what it should, that the recipes of the
README say what plain SQL says, and that what a connection keeps is bounded and never stale.

usage: queries.py BUILD FOLDER CATALOGUE"""
import json
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import extension
from extension import ask

build, folder, catalogue = sys.argv[1:]
environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def run(*command):
    subprocess.run(command, check=True, env=environment)


def index(log, *more):
    run(build + "/connbits-index", log, *more, "--quiet")


def connect(path):
    return extension.connect(build, path)


def plan(db, sql, *arguments):
    return [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + sql, arguments)]


def cache(db):
    return json.loads(ask(db, "SELECT bitmap_cache()"))


def evaluated(db, sql, *arguments):
    """How many expressions a statement evaluates."""
    before = cache(db)["evaluated"]
    db.execute(sql, arguments).fetchall()
    return cache(db)["evaluated"] - before


log = os.path.join(folder, "queries.sqlite")
run(build + "/connbits-generate", "--rows", "100000", log)
index(log, catalogue)
db = connect(log)
db.execute("ANALYZE connections")
rare, common = "modbus", "@all"
assert ask(db, "SELECT bitmap_count(?)", rare) < 500 < 90000 < ask(db, "SELECT bitmap_count(?)", common)

# --- plans
join = "SELECT * FROM bitmap(?) b JOIN connections c ON c.connection = b.value"
steps = plan(db, join.replace("?", f"'{rare}'"))
assert steps[0].startswith("SCAN b ") and steps[1].startswith("SEARCH c "), steps
steps = plan(db, join.replace("?", f"'{common}'"))
assert steps[0].startswith("SCAN c") and steps[1].startswith("SCAN b VIRTUAL"), steps
steps = plan(db, join.replace("?", f"'{common}'") + " WHERE b.value BETWEEN 10 AND 50")
assert steps[0].startswith("SCAN b "), steps
both = ("SELECT count(*) FROM bitmap('smb') a JOIN bitmap('rfc1918') b ON a.value = b.value "
        "JOIN connections c ON c.connection = a.value")
steps = plan(db, both)
assert ask(db, "SELECT bitmap_count('rfc1918')") < ask(db, "SELECT bitmap_count('smb')")
assert steps[0].startswith("SCAN b ") and all("SCAN c" not in step for step in steps), steps
two = ("SELECT count(*) FROM connections WHERE rowid IN bitmap('smb') AND rowid IN bitmap('rfc1918')")
assert plan(db, two)[0].startswith("SEARCH connections USING INTEGER PRIMARY KEY"), plan(db, two)
assert ask(db, two) == ask(db, both) == ask(db, "SELECT bitmap_count('smb and rfc1918')")
for table in ("bitmap('smb')", "rb_iterate(bitmap_blob('smb'))"):
    for order in ("", "DESC"):
        sql = f"SELECT value FROM {table} WHERE value > 70 ORDER BY value {order} LIMIT 3"
        assert not any("TEMP B-TREE" in step for step in plan(db, sql)), plan(db, sql)
    number = {where: int(plan(db, f"SELECT value FROM {table} {where}")[0].split("INDEX ")[1].rstrip(":"))
              for where in ("", "WHERE value BETWEEN 5 AND 9", "WHERE value = 7")}
    assert number[""] != number["WHERE value BETWEEN 5 AND 9"] != number["WHERE value = 7"], number
for sql in ("SELECT count(*) FROM connections WHERE rowid IN bitmap('smb and not rfc1918')",
            "SELECT count(*) FROM bitmap('smb and not (rfc1918)') JOIN connections ON connection = value",
            "SELECT count(*) FROM connections c JOIN bitmap('smb and not ( rfc1918 )') b ON "
            "b.value = c.connection WHERE c.local_port > 0",
            "SELECT sum(bitmap_contains('smb and  not rfc1918', connection)) FROM connections"):
    assert evaluated(db, sql) == 1, (sql, evaluated(db, sql))
    assert evaluated(db, sql) == 0, "asked again, it is at hand"

# --- terms that SQLite plans apart from each other
for condition in ("b.value = 11 OR b.value = 12", "b.value IN (1, 2, 3) OR b.value > 99990"):
    assert db.execute(f"""SELECT b.value FROM connbits_filter f JOIN bitmap(f.name) b WHERE f.name = 'smb'
        AND ({condition}) ORDER BY 1""").fetchall() == db.execute(
            f"SELECT b.value FROM bitmap('smb') b WHERE {condition} ORDER BY 1").fetchall()
assert ask(db, "SELECT count(*) FROM (SELECT '[1,5]' AS j) x JOIN rb_iterate(x.j) r WHERE r.value = 5 OR "
               "r.value < 0") == 1

# --- another database, and writing to temp, do not make every question anew
db.execute("ATTACH ':memory:' AS third")
assert evaluated(db, "SELECT count(*) FROM bitmap('smb and  sip') JOIN connections ON connection = value") == 1
pairs = """SELECT a.name, bitmap_count(a.name || ' and ' || b.name) FROM connbits_filter a,
    (SELECT name FROM connbits_filter LIMIT 5) b"""
read = cache(db)["filters_read"]
db.execute("CREATE TEMP TABLE pairs AS " + pairs)
assert cache(db)["filters_read"] - read <= ask(db, "SELECT count(*) FROM connbits_filter")
assert db.execute(pairs).fetchall() == db.execute("SELECT * FROM pairs").fetchall()
db.execute("DETACH third")

# --- recipes: what the README shows, against plain SQL
PLAIN = """SELECT f.name, date(connection_timestamp, 'unixepoch'), count(*) FROM connbits_filter f,
    connections WHERE f.name NOT LIKE '@%' AND bpf_filter(f.expression, connection_type, local_host,
    remote_host, local_port, remote_port, connection_transport) GROUP BY 1, 2 ORDER BY 1, 2"""
few = "(SELECT * FROM connbits_filter WHERE name IN ('smb', 'sip', 'rfc1918', 'modbus', 'ipv6'))"
plain = db.execute(PLAIN.replace("connbits_filter f", few + " f")).fetchall()
assert len(plain) >= 5
readme = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "query", "sql", "README.md")).read()


def recipe(title):
    """The SQL that stands in the README under a comment."""
    start = readme.index("-- " + title)
    return readme[readme.index("\n", start) + 1:readme.index(";", start)]


for title in ("counts per filter and day", "the same by bitmaps alone"):
    got = sorted(row for row in db.execute(recipe(title)).fetchall() if row[2])
    assert [row for row in got if row[0] in ("smb", "sip", "rfc1918", "modbus", "ipv6")] == plain, title
overlap = {(a, b): n for a, b, n in db.execute(recipe("the overlap of every pair of filters"))}
names = [row[0] for row in db.execute("SELECT name FROM connbits_filter WHERE name NOT LIKE '@%'")]
assert len(overlap) == len(names) * (len(names) - 1) // 2
for a, b in list(overlap)[::97]:
    assert overlap[a, b] == ask(db, "SELECT count(*) FROM bitmap(?) a JOIN bitmap(?) b ON a.value = "
                                "b.value", a, b), (a, b)
hosts = db.execute(recipe("top remote hosts of an expression")).fetchall()
assert hosts == db.execute(
    "SELECT remote_host, count(*) FROM connections WHERE bpf_filter('tcp dst port 445', "
    "connection_type, local_host, remote_host, local_port, remote_port, connection_transport) AND "
    "NOT bitmap_contains('rfc1918', connection) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10").fetchall()
assert len(hosts) == 10
kept = db.execute(recipe("an answer kept as a value")).fetchall()
assert ask(db, "SELECT rb_cardinality(rows) FROM kept") == ask(
    db, "SELECT bitmap_count('smb and not rfc1918')")
db.execute("DROP TABLE kept")

# --- what is kept: read once, bounded, and gone with the index
db.close()
db = connect(log)
for expression in ("smb", "smb and sip", "sip or smb", "not smb", "not sip and smb"):
    ask(db, "SELECT bitmap_count(?)", expression)
assert cache(db)["filters_read"] == 3, "smb, sip and @all, once each"
before = ask(db, "SELECT bitmap_count('smb')")
other = sqlite3.connect(log)
other.execute("INSERT INTO connections (connection_type, connection_transport, connection_protocol, "
              "connection_timestamp, local_host, local_port, remote_host, remote_port) VALUES "
              "('accept', 'tcp', '', 0, '192.0.2.1', 445, '192.0.2.9', 1)")
other.commit()
other.close()
assert ask(db, "SELECT bitmap_count('smb')") == before, "not indexed yet"
index(log)
assert ask(db, "SELECT bitmap_count('smb')") == before + 1
assert ask(db, "SELECT bitmap_contains('smb and not sip', max(connection)) FROM connections") == 1
db.close()

wide = os.path.join(folder, "wide.sqlite")
db = sqlite3.connect(wide)
db.execute("CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, "
           "connection_transport, local_host, local_port, remote_host, remote_port)")
db.executemany("INSERT INTO connections VALUES (?, 'accept', 'tcp', '192.0.2.1', ?, '192.0.2.2', ?)",
               [(i << 16, i % 3, i % 5) for i in range(20000)])
db.commit()
db.close()
expressions = os.path.join(folder, "wide.conf")
with open(expressions, "w") as file:
    for i in range(100):
        file.write(f"[filter f{i}]\nexpression = not port {i + 10}\n")
index(wide, expressions)
db = connect(wide)
answers = set()
for i in range(100):
    assert ask(db, "SELECT bitmap_count(?)", f"f{i}") == 20000
    ask(db, "SELECT count(*) FROM bitmap(?)", f"f{i} and not f{(i + 1) % 100}")
    state = cache(db)
    assert state["bytes"] <= state["bytes_max"], state
    answers.add(state["answers"])
assert max(answers) < 150, "older answers went"
db.close()
print("queries.py: passed")
