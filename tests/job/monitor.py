#!/usr/bin/env python3
"""What monitors see of a nightly job: the figures for Prometheus, priorities in the journal, exit codes, and the pages
that are kept. usage: monitor.py BUILD"""
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, end, run


BUILD = os.path.abspath(sys.argv[1])
INDEX = BUILD + "/connbits-index"
QUERY = BUILD + "/connbits-query"
LINE = re.compile(r'^connbits_([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\d+(?:\.\d+)?(?:e[+-]\d+)?)$')



def make(log, table="connections"):
    db = sqlite3.connect(log)
    name = table.replace('"', '""')
    db.execute(f'CREATE TABLE "{name}" (connection INTEGER PRIMARY KEY, connection_type, connection_transport, local_host, '
               'local_port, remote_host, remote_port, connection_timestamp)')
    for i in range(50):
        db.execute(f'INSERT INTO "{name}" VALUES (NULL, ?, ?, \'192.0.2.1\', 445, \'10.0.0.1\', 7, ?)',
                   ("listen" if i % 10 == 0 else "accept", "odd" if i % 10 == 1 else "tcp", 1700000000 + i * 9000))
    db.commit()
    return db


def figures(path):
    """By name and labels; a metric's lines lie behind its own HELP and TYPE."""
    found, of = {}, None
    for line in open(path, encoding="utf-8").read().splitlines():
        if line.startswith("# HELP "):
            of = line.split()[2]
        elif line.startswith("# TYPE "):
            check("a type is of its metric", line.split()[2:], [of, "gauge"])
        else:
            match = LINE.match(line)
            check(f"a line of the format: {line}", bool(match), True)
            check("a metric's lines are together", "connbits_" + match[1], of)
            found[match[1], match[2]] = float(match[3])
    return found


def metrics():
    db = make("log.sqlite")
    begun = time.time()
    done = run(INDEX, "log.sqlite", "f.conf", "--into", "log.idx", "--json", "--metrics", "m.prom")
    check(f"a run: {done.stderr}", done.returncode, 0)
    told = json.loads(done.stdout)
    labels = 'log="log.sqlite",table="connections"'
    found = figures("m.prom")
    check("rows", found["rows", labels], told["rows"])
    check("rows with header", found["rows_with_header", labels], 40)
    check("listen", found["rows_listen", labels], 5)
    check("skipped", {key[1][len(labels) + 1:]: value for key, value in found.items() if key[0] == "rows_skipped" and value}, {'reason="transport"': 5})
    check("new, behind, filters", [found[name, labels] for name in ("rows_new", "rows_behind", "filters", "sets", "sets_gone")], [50, 0, 1, 0, 0])
    check("seconds", 0 < found["run_seconds", labels] < 60, True)
    check("the last success", begun - 1 <= found["last_success_timestamp_seconds", labels] <= time.time() + 1, True)
    before = open("m.prom").read()
    with open("bad.conf", "w") as file:
        file.write("[filter smb]\nexpression = tcp dst\n")
    failed = run(INDEX, "log.sqlite", "bad.conf", "--into", "log.idx", "--quiet", "--metrics", "m.prom")
    check("a run that fails leaves the last figures", (failed.returncode, open("m.prom").read()), (2, before))
    nowhere = run(INDEX, "log.sqlite", "--into", "log.idx", "--quiet", "--metrics", "none/m.prom")
    check("into no folder", (nowhere.returncode, "none/m.prom: No such file" in nowhere.stderr), (1, True))
    for options in (["f.conf", "--check"], ["--forget", "--table", "connections"]):
        refused = run(INDEX, "log.sqlite", *options, "--into", "log.idx", "--metrics", "m.prom")
        check(f"with {options}", (refused.returncode, "--metrics is for a run that indexes" in refused.stderr), (2, True))
    check("nothing is left", sorted(name for name in os.listdir(".") if "prom" in name), ["m.prom"])
    for over in ("log.sqlite", "log.idx", "f.conf"):
        before_it = open(over, "rb").read()
        refused = run(INDEX, "log.sqlite", "f.conf", "--into", "log.idx", "--quiet", "--metrics", over)
        check(f"over {over}", (refused.returncode, f"--metrics would overwrite {over}" in refused.stderr, open(over, "rb").read() == before_it), (2, True, True))
    db.close()
    # Names of tables come from an enemy.
    make("two.sqlite", 'a"b\\c\nd').close()
    make("two.sqlite", "plain").close()
    done = [run(INDEX, "two.sqlite", "f.conf", "--into", "two.idx", "--table", table, "--quiet") for table in ('a"b\\c\nd', "plain")]
    check("two tables", [d.returncode for d in done], [0, 0])
    check("both", run(INDEX, "two.sqlite", "--into", "two.idx", "--quiet", "--metrics", "m.prom").returncode, 0)
    check("with names that are labels", sorted(key[1] for key in figures("m.prom") if key[0] == "rows"),
          ['log="two.sqlite",table="a\\"b\\\\c\\nd"', 'log="two.sqlite",table="plain"'])


def journal():
    """Where stderr is the journal, lines have their priority; elsewhere they have none."""
    with open("warn.conf", "w") as file:
        file.write("[set s]\nfile = gone.txt\n[filter smb]\nexpression = tcp dst port 445\n[filter x]\nrows = src in s\n")
    open("gone.txt", "w").write("10.0.0.1\n")
    check("a set", run(INDEX, "log.sqlite", "warn.conf", "--into", "warn.idx", "--quiet").returncode, 0)
    os.unlink("gone.txt")
    for is_journal in (True, False):
        for wanted, prefix, command in ((2, "<3>", [INDEX, "log.sqlite", "bad.conf", "--into", "log.idx"]),
                                        (0, "<4>", [INDEX, "log.sqlite", "warn.conf", "--into", "warn.idx"]),
                                        (1, "<3>", [INDEX, "missing.sqlite", "f.conf"]),
                                        (2, "<3>", [QUERY, "log.sqlite", "nosuch", "--count", "--into", "log.idx"])):
            with open("stderr", "wb") as stderr:
                file = os.fstat(stderr.fileno())
                stream = f"{file.st_dev}:{file.st_ino + (not is_journal)}"
                code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=stderr, env={**os.environ, "JOURNAL_STREAM": stream}).returncode
            lines = open("stderr").read().splitlines()
            check(f"{command[1:]}: exit code", code, wanted)
            check(f"{command[1:]}: something is said", len(lines) > 0, True)
            if is_journal:
                check(f"{command[1:]}: {lines}", [line[:3] for line in lines[:1]], [prefix])
            else:
                check(f"{command[1:]}: no priority", [line for line in lines if line.startswith("<")], [])


def pages():
    """Earlier pages move on, and the newest is never missing."""
    report = lambda *more: run(QUERY, "log.sqlite", "--into", "log.idx", "--report", "page.html", *more)
    names = lambda: sorted(name for name in os.listdir(".") if name.startswith("page."))
    for number in range(1, 6):
        check("a page", report("--keep", "2", "--days", str(number)).returncode, 0)
    check("two are kept", names(), ["page.html", "page.html.1", "page.html.2"])
    days = [re.search(r"(\d+) of them up to", open(name).read())[1] for name in names()]
    check("the newest first", days, ["5", "4", "3"])
    check("none is kept", (report("--days", "5").returncode, names()), (0, ["page.html", "page.html.1", "page.html.2"]))
    os.mkdir("pages")
    os.symlink("../page.html", "pages/link.html")
    linked = run(QUERY, "log.sqlite", "--into", "log.idx", "--report", "pages/link.html", "--keep", "1", "--days", "6")
    check(f"through a link: {linked.stderr}", (linked.returncode, os.path.islink("pages/link.html"), os.listdir("pages")), (0, True, ["link.html"]))
    check("beside what it leads to", [re.search(r"(\d+) of them up to", open(name).read())[1] for name in ("page.html", "page.html.1")], ["6", "5"])
    # The last of the writes fails, again and again: nothing is lost of what was kept.
    before = [open(name).read() for name in names()]
    size = os.path.getsize("page.html") // 2
    for _ in range(3):
        full = subprocess.run([QUERY, "log.sqlite", "--into", "log.idx", "--report", "page.html", "--keep", "2"], capture_output=True, text=True,
                              preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))))
        check("a page that does not fit", full.returncode, 1)
    check("keeps the others", [open(name).read() for name in names()], before)
    shutil.copy("log.sqlite", "r.1")
    shutil.copy("log.idx", "r.2")
    for _ in range(2):
        moved = run(QUERY, "r.1", "--into", "r.2", "--report", "r", "--keep", "3")
    check("the log is not moved", (moved.returncode, open("r.1", "rb").read(6), open("r.2", "rb").read(6)), (2, b"SQLite", b"SQLite"))
    failed = run(QUERY, "log.sqlite", "--into", "none.idx", "--report", "page.html", "--keep", "2")
    check("a page that fails moves nothing", (failed.returncode, names()), (1, ["page.html", "page.html.1", "page.html.2"]))
    check("--keep of something else", run(QUERY, "log.sqlite", "--summary", "--keep", "1").returncode, 2)


with tempfile.TemporaryDirectory(prefix="connbits-monitor-") as folder:
    os.chdir(folder)
    with open("f.conf", "w") as file:
        file.write("[filter smb]\nexpression = tcp dst port 445\n")
    metrics()
    journal()
    pages()
    os.chdir("/")
end()
