"""What a host sees of its own wishes: interrupts and progress handlers end what takes long, at once,
and what fails in SQLite comes out with SQLite's code.

usage: interrupts.py BUILD FOLDER CATALOGUE"""
import os
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import extension

build, folder, catalogue = sys.argv[1:]
environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
LATE_MOST = 1  # seconds: some ten milliseconds, but for a machine that is busy with other things
log = os.path.join(folder, "interrupts.sqlite")
for command in (["connbits-generate", "--rows", "20000", log], ["connbits-index", log, catalogue, "--quiet"]):
    subprocess.run([f"{build}/{command[0]}", *command[1:]], check=True, env=environment)
# Takes a third of a second to compile, or more, and far longer to run over all rows.
LONG = " or ".join(f"ip[{12 + i % 5}:4] & {i * 77777} = {i}" for i in range(1, 1900))
WHATEVER = "'accept', '192.0.2.1', '192.0.2.2', 1, 2, 'tcp'"
STATEMENTS = {
    "SELECT bitmap_count(?)": "{%s}",
    "SELECT count(*) FROM bitmap(?)": "{%s}",
    "SELECT length(bitmap_blob(?))": "smb and not {%s}",
    f"SELECT bpf_filter(?, {WHATEVER})": "%s",
}


def connect():
    return extension.connect(build, log, check_same_thread=False, timeout=0)


def code_of(db, sql, *arguments):
    try:
        return db.execute(sql, arguments).fetchall()
    except MemoryError:
        return sqlite3.SQLITE_NOMEM
    except sqlite3.Error as error:
        return error.sqlite_errorcode & 0xff


for sql, form in STATEMENTS.items():
    for after in (.05, .4):
        db = connect()
        timer = threading.Timer(after, db.interrupt)
        timer.start()
        begun = time.monotonic()
        code = code_of(db, sql, form % LONG)
        late = time.monotonic() - begun - after
        timer.join()
        # Whatever is through before the second interrupt comes was fast enough.
        through = after > .1 and late < 0
        assert through or (code == sqlite3.SQLITE_INTERRUPT and late < LATE_MOST), (sql, after, code, late)
        db.close()
    for steps in (1000, 100000):
        db = connect()
        begun = time.monotonic()
        db.set_progress_handler(lambda: time.monotonic() - begun > .1, steps)
        code = code_of(db, sql, form % LONG)
        late = time.monotonic() - begun - .1
        assert code == sqlite3.SQLITE_INTERRUPT and late < LATE_MOST, (sql, steps, code, late)
        db.set_progress_handler(None, 0)
        assert db.execute("SELECT bitmap_count('smb')").fetchone()[0] > 0, "the connection serves again"
        db.close()

# One that comes before anybody has looked for it: within the statement, just before the function is called.
db = connect()
db.create_function("interrupted", 0, lambda: db.interrupt())
for sql in ("SELECT interrupted(), bitmap_count(?)", f"SELECT interrupted(), bpf_filter(?, {WHATEVER})"):
    begun = time.monotonic()
    code = code_of(db, sql, LONG if "bpf" in sql else "{%s}" % LONG)
    assert code == sqlite3.SQLITE_INTERRUPT and time.monotonic() - begun < LATE_MOST, (sql, code, time.monotonic() - begun)
db.close()

db = connect()
other = connect()
other.execute("BEGIN EXCLUSIVE")
for sql in ("SELECT bitmap_count('smb')", "SELECT count(*) FROM bitmap('smb')", "SELECT bitmap_blob('smb')"):
    assert code_of(db, sql) == sqlite3.SQLITE_BUSY, sql
other.execute("ROLLBACK")
db.set_authorizer(lambda *what: sqlite3.SQLITE_DENY if what[1] == "connbits_bitmap" else sqlite3.SQLITE_OK)
assert code_of(db, "SELECT bitmap_count('smb')") == sqlite3.SQLITE_AUTH
db.set_authorizer(None)
db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100000)
assert code_of(db, "SELECT rb_fill('[]', 0, 1 << 34)") == sqlite3.SQLITE_TOOBIG
db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1000000000)
# The pragma lowers the limit, and raises it no more.
db.execute("PRAGMA hard_heap_limit = 3000000")
assert code_of(db, "SELECT length(rb_fill('[]', 0, 1 << 34))") == sqlite3.SQLITE_NOMEM
assert code_of(db, "SELECT bitmap_count(?)", "{" + LONG + "}") == sqlite3.SQLITE_NOMEM
assert code_of(db, "SELECT bitmap_count('smb')")[0][0] > 0
print("interrupts.py: passed")
