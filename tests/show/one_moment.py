"""A log that is changed while connbits-query prints: what is printed is of the moment in which the
index was found to fit, or the output ends with a message, and the writer does not wait for long.

usage: one_moment.py BUILD"""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(sys.argv[1])
folder = tempfile.mkdtemp()
os.chdir(folder)
ROWS = 200000
WAIT_MOST = 2.0
checks = 0


def check(holds, what):
    global checks
    checks += 1
    if not holds:
        raise AssertionError(what)


def run(*command):
    return subprocess.run([build + "/" + command[0], *command[1:]], capture_output=True, text=True)


def query(mode, into, *more):
    return [build + "/connbits-query", f"{mode}.sqlite", "@all", *more,
            *(["--into", f"{mode}.idx"] if into else [])]


def during(command, change, mode):
    """Runs the command, and the change once it has begun to print. Returns both's outcomes."""
    writer = sqlite3.connect(f"{mode}.sqlite", timeout=30, isolation_level=None)
    writer.execute("SELECT count(*) FROM sqlite_master").fetchall()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "TMPDIR": folder})
    started = time.monotonic()
    while process.poll() is None and not printing(process.pid) and time.monotonic() - started < 20:
        time.sleep(.005)
    caught = process.poll() is None
    begun = time.monotonic()
    writer.execute(change)
    waited = time.monotonic() - begun
    caught = caught and process.poll() is None
    writer.close()
    out, err = process.communicate()
    return process.returncode, out, err, waited, caught


def printing(process):
    """Whether its temporary file has grown: the answer is found, and rows are on their way."""
    try:
        for name in os.listdir(f"/proc/{process}/fd"):
            target = os.readlink(f"/proc/{process}/fd/{name}")
            if target.endswith("(deleted)") and os.stat(f"/proc/{process}/fd/{name}").st_size > 0:
                return True
    except OSError:
        pass
    return False


def setup(mode):
    check(run("connbits-generate", "--rows", str(ROWS), f"{mode}.sqlite").returncode == 0, mode)
    with open("smb.conf", "w") as file:
        file.write("[filter smb]\nexpression = tcp dst port 445\n")
    db = sqlite3.connect(f"{mode}.sqlite")
    db.execute(f"PRAGMA journal_mode = {mode}").fetchall()
    db.close()
    for more in ([], ["--into", f"{mode}.idx"]):
        result = run("connbits-index", f"{mode}.sqlite", "smb.conf", "--quiet", *more)
        check(result.returncode == 0, result.stderr)


# The last rows but the very last, which the index samples.
CHANGED = ROWS - 5
for mode in ("delete", "wal"):
    setup(mode)
    for into in (False, True):
        for name in (f"{mode}.sqlite", f"{mode}.idx"):
            shutil.copy(name, name + ".kept")
        print_ids = query(mode, into, "--columns", "connection,local_port,remote_port", "--format",
                          "csv")
        before = subprocess.run(print_ids, capture_output=True, text=True)
        check(before.returncode == 0, before.stderr)
        for change in (f"UPDATE connections SET local_port = 7, remote_port = 7 WHERE connection = {CHANGED}",
                       f"UPDATE connections SET connection_timestamp = 7 WHERE connection = {CHANGED}",
                       f"DELETE FROM connections WHERE connection = {CHANGED}",
                       "CREATE TABLE beside (x)"):
            code, out, err, waited, caught = during(print_ids, change, mode)
            where = (mode, into, change, code, err, waited, caught)
            check(waited < WAIT_MOST, where)
            check(caught, ("the change came too late to tell anything", where))
            if mode == "wal" or change.startswith("CREATE"):
                check(code == 0 and out == before.stdout and not err, where)
            elif change.startswith("DELETE"):
                check(code == 0 and "1 indexed rows are no longer in the log" in err, where)
                check(set(before.stdout.split()) - set(out.split()) ==
                      {line for line in before.stdout.split() if line.startswith(f"{CHANGED},")},
                      where)
            else:
                check(code == 1 and not out and f"row {CHANGED} of the log was changed" in err,
                      where)
            for name in (f"{mode}.sqlite", f"{mode}.idx"):
                for left in ("-wal", "-shm"):
                    if os.path.exists(name + left):
                        os.unlink(name + left)
                shutil.copy(name + ".kept", name)

# Whoever reads the output slowly keeps no writer waiting.
for more in (["--rowids"], ["--columns", "connection", "--format", "csv"], ["-w", "-"]):
    slow = subprocess.Popen(query("delete", True, *more), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    check(len(slow.stdout.read(100)) == 100, more)
    writer = sqlite3.connect("delete.sqlite", timeout=WAIT_MOST)
    writer.execute("CREATE TABLE beside (x)")
    writer.execute("DROP TABLE beside")
    writer.close()
    check(slow.poll() is None, ("all was read before anything could be told", more))
    slow.stdout.close()
    slow.wait()
shutil.copy("delete.sqlite.kept", "delete.sqlite")

# Between a deletion at the log's start and the next job, what is gone is in no answer.
for into in (False, True):
    mode = "delete"
    db = sqlite3.connect("delete.sqlite")
    db.execute(f"DELETE FROM connections WHERE connection <= {ROWS // 4 + 77}")
    db.commit()
    left = [row[0] for row in db.execute("SELECT connection FROM connections ORDER BY 1")]
    result = subprocess.run(query(mode, into, "--count"), capture_output=True, text=True)
    check(int(result.stdout) <= len(left) and "no longer in the log" in result.stderr, result)
    ids = subprocess.run(query(mode, into, "--rowids"), capture_output=True, text=True).stdout.split()
    check(len(ids) == int(result.stdout) and int(ids[0]) >= left[0], "ids of rows that are gone")
    shown = subprocess.run(query(mode, into, "--columns", "connection", "--format", "csv"),
                           capture_output=True, text=True).stdout.split()
    check(shown[1:] == ids, "the rows that are left")
    state = subprocess.run([build + "/connbits-query", "delete.sqlite", "--list", "--format", "csv",
                            *(["--into", "delete.idx"] if into else [])], capture_output=True, text=True)
    check(",behind," in state.stdout and ",current," not in state.stdout, state.stdout)
    where = ["--into", "delete.idx"] if into else []
    check(run("connbits-index", "delete.sqlite", "smb.conf", "--quiet", *where).returncode == 0, "job")
    again = subprocess.run(query(mode, into, "--rowids"), capture_output=True, text=True)
    check(again.stdout.split() == ids and not again.stderr, "the same once a job was there")
    db.close()
    shutil.copy("delete.sqlite.kept", "delete.sqlite")
shutil.rmtree(folder)
print(f"one_moment.py: {checks} passed")
