"""The extension through Python's sqlite3, and what another process does to its answers."""
import os
import sqlite3
import subprocess
import sys

build, work, root = sys.argv[1:]


def connect(path):
    connection = sqlite3.connect(path)
    connection.enable_load_extension(True)
    connection.load_extension(build + "/connbits")
    return connection


def index(path, catalogue, *options):
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    subprocess.run(
        [build + "/connbits-index", path, catalogue, "--quiet", *options],
        check=True,
        env=environment,
    )


def count(connection, expression):
    return connection.execute("SELECT bitmap_count(?)", (expression,)).fetchone()[0]


log = work + "/log.sqlite"
connection = connect(log)
rows = [row[0] for row in connection.execute("SELECT value FROM bitmap(?)", ("smb",))]
assert rows == sorted(rows) and len(rows) == count(connection, "smb") > 0
assert rows == [
    row[0]
    for row in connection.execute(
        "SELECT connection FROM connections WHERE rowid IN bitmap('smb') ORDER BY connection"
    )
]

# Two bitmaps in one statement, and two cursors on one bitmap.
both = connection.execute(
    "SELECT count(*) FROM bitmap('smb') a JOIN bitmap('rfc1918') b ON a.value = b.value"
).fetchone()[0]
assert both == count(connection, "smb and rfc1918")

# Another process builds the index anew, with another meaning: no stale answer.
before = count(connection, "smb")
catalogue = work + "/changed.conf"
with open(catalogue, "w") as file:
    file.write("[filter smb]\nexpression = udp dst port 5060\n")
index(log, catalogue)
assert count(connection, "smb") == count(connection, "amp-ssdp or smb") - count(
    connection, "amp-ssdp and not smb"
)
assert count(connection, "smb") != before
index(log, root + "/data/filters.conf")
assert count(connection, "smb") == before

# What is written and rolled back again was never an answer.
connection.isolation_level = None
sip = count(connection, "sip")
assert sip != before
connection.execute("BEGIN")
connection.execute("UPDATE connbits_filter SET name = 'x' WHERE name = 'smb'")
connection.execute("UPDATE connbits_filter SET name = 'smb' WHERE name = 'sip'")
assert count(connection, "smb") == sip
connection.execute("ROLLBACK")
assert count(connection, "smb") == before

# A log in a third database is looked at every time.
third = connect(":memory:")
third.isolation_level = None
plain, idx = work + "/third.sqlite", work + "/third.idx"
source = sqlite3.connect(log)
copy = sqlite3.connect(plain)
source.backup(copy)
source.close()
copy.executescript("DROP TABLE connbits_source; DROP TABLE connbits_filter; "
                   "DROP TABLE connbits_bitmap; DROP TABLE connbits_header; DROP TABLE connbits_column; "
                   "DROP TABLE connbits_format")
index(plain, root + "/data/filters.conf", "--into", idx, "--track")
third.execute("ATTACH ? AS log", (plain,))
third.execute("ATTACH ? AS idx", (idx,))
assert count(third, "smb") == before
copy.execute("UPDATE connections SET local_port = 1 WHERE connection = "
             "(SELECT max(connection) - 5 FROM connections)")
copy.commit()
try:
    count(third, "smb")
    raise AssertionError("an index that no longer fits was not refused")
except sqlite3.OperationalError as error:
    assert "no longer fits" in str(error), error
third.close()

# A log that is put in the place of another one is not taken for it, wherever SQLite keeps it.
swapped = connect(":memory:")
swapped.isolation_level = None
other = work + "/swapped.sqlite"
target = sqlite3.connect(other)
copy.backup(target)
target.execute("UPDATE connections SET remote_port = 4445, local_port = 4446")
target.commit()
target.close()
index(plain, root + "/data/filters.conf", "--into", idx)
swapped.execute("ATTACH ? AS idx", (idx,))
for _ in range(10):
    swapped.execute("ATTACH ? AS log", (plain,))
    assert count(swapped, "{tcp dst port 445}") > 0
    swapped.execute("DETACH log")
    swapped.execute("ATTACH ? AS log", (other,))
    try:
        count(swapped, "{tcp dst port 445}")
        raise AssertionError("another log was taken for the indexed one")
    except sqlite3.OperationalError as error:
        assert "no longer fits" in str(error), error
    swapped.execute("DETACH log")
swapped.close()
copy.close()

# A statement that has begun sees one index to its end. In WAL mode another process can
# build anew meanwhile; the next statement sees that.
connection.execute("PRAGMA journal_mode = WAL").fetchone()
cursor = connection.execute("SELECT value FROM bitmap('smb')")
begun = [cursor.fetchone()[0]]
index(log, catalogue)
begun += [row[0] for row in cursor]
assert len(begun) == before
assert count(connection, "smb") != before
index(log, root + "/data/filters.conf")
connection.close()

# The extension survives being loaded twice and closed in between.
for _ in range(3):
    connection = connect(log)
    connection.load_extension(build + "/connbits")
    assert count(connection, "smb") == before
    connection.create_function("connbits_version", 0, lambda: "mine")
    assert count(connection, "smb") == before
    connection.close()
print("sql.py: passed")
