#!/usr/bin/env python3
"""connbits-query --export, read by a reader of its own: what all files of a folder say together is what the index
has, whatever became of log, filters and index, and whoever was killed when; nothing numbered ever changes.
usage: export.py BUILD [ROUNDS [SEED]]"""
import hashlib
import json
import os
import random
import resource
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, end, run

BUILD = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 6 * int(os.environ.get("CONNBITS_ROUNDS", "1"))
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
INDEX, QUERY = BUILD + "/connbits-index", BUILD + "/connbits-query"
FILTERS = {"web": "expression = tcp dst port 80", "smb": "expression = tcp dst port 445",
           "none": "expression = tcp dst port 1", "ten": "expression = src net 10.0.0.0/8",
           "both": "rows = web or smb", "odd": "rows = @skipped or {dst port 80}"}


class Native:
    """A file in ClickHouse's format Native, as rows."""

    def __init__(self, path):
        self.bytes = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
        self.at = 0

    def take(self, count):
        self.at += count
        assert self.at <= len(self.bytes)
        return self.bytes[self.at - count:self.at]

    def number(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def value(self, kind):
        if kind == "String":
            return self.take(self.number()).decode()
        if kind == "IPv6":
            return self.take(16)
        if kind.startswith("AggregateFunction"):
            form, size = self.take(1)[0], self.number()
            return sorted(struct.unpack(f"<{size}I", self.take(4 * size))) if form == 0 else roaring(self.take(size))
        form = {"UInt64": "<Q", "Int64": "<q", "UInt8": "<B", "UInt16": "<H", "DateTime64(6, 'UTC')": "<q"}[kind]
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def rows(self):
        rows = []
        while self.at < len(self.bytes):
            columns, count = self.number(), self.number()
            block = {}
            for _ in range(columns):
                name, kind = self.value("String"), self.value("String")
                nulls = self.take(count) if kind.startswith("Nullable(") else bytes(count)
                kind = kind[9:-1] if kind.startswith("Nullable(") else kind
                block[name] = [None if nulls[i] else value for i, value in
                               enumerate([self.value(kind) for _ in range(count)])]
            rows += [dict(zip(block, values)) for values in zip(*block.values())]
        return rows


def roaring(data):
    """The numbers of a portable bitmap (RoaringFormatSpec)."""
    cookie = struct.unpack_from("<I", data)[0]
    at, count, flags = (8, struct.unpack_from("<I", data, 4)[0], b"") if cookie == 12346 else \
        (4 + ((cookie >> 16) + 8) // 8, (cookie >> 16) + 1, data[4:4 + ((cookie >> 16) + 8) // 8])
    heads = [struct.unpack_from("<HH", data, at + 4 * i) for i in range(count)]
    at += 4 * count + (4 * count if not flags or count >= 4 else 0)
    numbers = []
    for i, (key, cardinality) in enumerate(heads):
        if flags and flags[i // 8] >> i % 8 & 1:
            runs = struct.unpack_from("<H", data, at)[0]
            pairs = struct.unpack_from(f"<{2 * runs}H", data, at + 2)
            low = [n for start, length in zip(pairs[::2], pairs[1::2]) for n in range(start, start + length + 1)]
            at += 2 + 4 * runs
        elif cardinality + 1 <= 4096:
            low = struct.unpack_from(f"<{cardinality + 1}H", data, at)
            at += 2 * (cardinality + 1)
        else:
            bits = int.from_bytes(data[at:at + 8192], "little")
            low = [n for n in range(65536) if bits >> n & 1]
            at += 8192
        numbers += [key << 16 | n for n in low]
    assert at == len(data)
    return numbers


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def full_row(chunk, low):
    return (chunk << 20) | (low & 0xfffff)


class Folder:
    """What a folder says, to whoever reads its files in whatever order and as often as they like."""

    def __init__(self, path):
        self.path = path
        self.known = {}  # numbered files, by digest

    def marks(self):
        found = []
        for name in os.listdir(self.path):
            if name.endswith(".watermark.json"):
                with open(f"{self.path}/{name}") as file:
                    found += [json.loads(line) for line in file]
        return found

    def check_files(self, what):
        for mark in self.marks():
            for name, size, sha256 in mark["files"]:
                path = f"{self.path}/{name}"
                check(f"{what}: {name}", os.path.exists(path) and (os.path.getsize(path), digest(path)), (size, sha256))
        for name in os.listdir(self.path):
            if name[0] == "." or name == "manifest.jsonl":
                continue
            now = digest(f"{self.path}/{name}")
            check(f"{what}: {name} never changes", self.known.setdefault(name, now), now)
        with open(f"{self.path}/manifest.jsonl") as file:
            for line in map(json.loads, file):
                if "file" in line:
                    check(f"{what}: {line['file']} in the manifest", (os.path.getsize(f"{self.path}/{line['file']}"),
                          digest(f"{self.path}/{line['file']}")), (line["bytes"], line["sha256"]))

    def read(self, kind, keys):
        """The last row of each key."""
        last = {}
        for name in sorted(os.listdir(self.path), reverse=True):
            if name.endswith(f".{kind}.native.zst"):
                for row in Native(f"{self.path}/{name}").rows():
                    key = tuple(row[k] for k in ("table_name", "generation") + keys)
                    if key not in last or last[key][0]["number"] < row["number"]:
                        last[key] = [row]
                    elif last[key][0]["number"] == row["number"]:
                        last[key].append(row)
        return last

    def table(self, name):
        """Watermark, rows by filter, and connections, as of the table's last generation."""
        mark = max((m for m in self.marks() if m["table_name"] == name), key=lambda m: (m["generation"], m["number"]))
        filters = {f: set() for f in mark.get("filters", ())}
        checks = dict.fromkeys(filters, 0)
        for (table, generation, chunk, f), (row, *_) in self.read("bitmaps", ("chunk", "filter")).items():
            if (table, generation) != (name, mark["generation"]) or not row["rows"]:
                continue
            check(f"{f}, {chunk}: rows", len(row["bitmap"]), row["rows"])
            filters.setdefault(f, set()).update(full_row(chunk, low) for low in row["bitmap"])
            checks[f] = (checks.get(f, 0) + row["digest"]) % 2**64
        check("the watermark's rows", {f: len(rows) for f, rows in filters.items()}, mark.get("filters", {}))
        check("the watermark's digests", checks, mark.get("checks", {}))
        connections = [row for (table, generation, _), rows in self.read("connections", ("segment",)).items()
                       if (table, generation) == (name, mark["generation"]) for row in rows if not row["gone"]]
        return mark, filters, connections


class Log:
    def __init__(self, r):
        self.r = r
        self.into = r.choice([[], ["--into", "log.idx"]])
        self.columns = r.random() < 0.5
        self.row = r.choice([0, 2**20 - 50, 2**32 - 3000, -200])
        self.step = r.choice([1, 1, 3, 40000])
        self.filters = r.sample(sorted(FILTERS), 4)
        for name in ("log.sqlite", "log.idx"):
            if os.path.exists(name):
                os.unlink(name)
        self.db = sqlite3.connect("log.sqlite", isolation_level=None)
        self.db.execute("CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, connection_transport, "
                        "local_host, local_port, remote_host, remote_port, connection_timestamp)")
        self.grow(r.choice([0, 5, 600, 9000]))

    def grow(self, count):
        r = self.r
        self.db.execute("BEGIN")
        for _ in range(count):
            self.row += self.step
            hosts = ("10.1.2.3", f"10.0.0.{r.randrange(9)}") if r.random() < 0.8 else ("2001:db8::1", "2001:db8::2")
            self.db.execute("INSERT INTO connections VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (
                self.row, r.choice(["accept", "accept", "listen", "odd"]), r.choice(["tcp", "tcp", "udp", "icmp"]),
                hosts[0], r.choice([80, 445, 22]), hosts[1], r.randrange(65536), r.choice([None, 1.7e9 + self.row % 977])))
        self.db.execute("COMMIT")

    def change(self):
        r = self.r
        kind = r.choice(["grow", "grow", "trim", "filters", "nothing", "rebuild", "anew", "away"])
        if kind == "grow":
            self.grow(r.choice([1, 50, 3000]))
        elif kind in ("trim", "away"):
            share = 1 if kind == "away" else r.random()
            self.db.execute("DELETE FROM connections WHERE connection <= (SELECT min(connection) + (max(connection) - "
                            "min(connection)) * ? FROM connections)", (share,))
        elif kind == "filters":
            self.filters = r.sample(sorted(FILTERS), r.choice([1, 2, 5]))
        elif kind == "anew":
            self.index_drop()
        return kind

    def index_drop(self):
        if self.into:
            os.unlink("log.idx")
            return
        for kind, name in self.db.execute("SELECT type, name FROM sqlite_master WHERE name LIKE 'connbits%' AND type IN "
                                          "('table', 'view')").fetchall():
            self.db.execute(f'DROP {kind} "{name}"')

    def index(self, *options):
        names = set(self.filters) | ({"web", "smb"} if "both" in self.filters else set())
        with open("c.ini", "w") as file:
            for name in sorted(names):
                file.write(f"[filter {name}]\n{FILTERS[name]}\n")
        made = run(INDEX, "log.sqlite", "c.ini", "--quiet", "--prune", *self.into, *options)
        check("indexed", (made.returncode, made.stderr), (0, ""))

    def export(self, *options):
        return run(QUERY, "log.sqlite", "--export", "out", *self.into, *(["--columns-too"] if self.columns else []), *options)

    def stamp(self):
        return [digest(name) for name in ("log.sqlite", "log.idx") if os.path.exists(name)]

    def rows(self, name):
        made = run(QUERY, "log.sqlite", name, "--rowids", *self.into)
        check(f"--rowids {name}", made.returncode, 0)
        return set(map(int, made.stdout.split()))

    def compare(self, folder, what):
        mark, filters, connections = folder.table("connections")
        names = [row[0] for row in sqlite3.connect("log.idx" if self.into else "log.sqlite").execute(
            "SELECT name FROM connbits_filter WHERE source > 0")]
        check(f"{what}: the filters", sorted(filters), sorted(names))
        for name in names:
            check(f"{what}: rows of {name}", filters[name], self.rows(name))
        if not self.columns:
            return
        check(f"{what}: connections", mark["connections"], len(connections))
        check(f"{what}: their rows", {row["rowid"] for row in connections}, filters["@all"])
        wanted = {row[0]: row[1:] for row in self.db.execute(
            "SELECT connection, connection_transport, local_port, remote_port, connection_timestamp FROM connections")}
        for row in connections:
            transport, local, remote, at = wanted[row["rowid"]]
            ports = (0, 0) if transport == "icmp" else (remote, local)
            got = (row["protocol"], row["source_port"], row["destination_port"], row["time"])
            if got != ({"tcp": 6, "udp": 17, "icmp": 1}[transport], *ports, None if at is None else int(at * 1e6)) and \
                    row["source"][:4] != b"\x20\x01\x0d\xb8":
                check(f"{what}: row {row['rowid']}", got, (transport, ports, at))
                break


def histories():
    for round_ in range(ROUNDS):
        r = random.Random(f"{SEED} {round_}")
        log = Log(r)
        subprocess.run(["rm", "-rf", "out"], check=True)
        folder = Folder("out")
        log.index()
        first = True
        for step in range(8):
            kind = "made" if first else log.change()
            what = f"round {round_}, step {step} ({kind}{', into' if log.into else ''})"
            log.index(*(["--rebuild"] if kind == "rebuild" else []))
            before = log.stamp()
            generations = {m["generation"] for m in folder.marks()} if not first else set()
            for _ in range(r.choice([0, 0, 1, 2])):
                killed = subprocess.Popen([QUERY, "log.sqlite", "--export", "out", "--sensor", "s1", *log.into],
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(r.random() * (0.2 if os.environ.get("CONNBITS_PRELOAD") else 0.02))
                killed.kill()
                killed.wait()
                if os.path.exists("out/manifest.jsonl"):
                    folder.check_files(what + ", killed")
            made = log.export(*(["--sensor", "s1"] if first else []))
            check(what, (made.returncode, made.stderr), (0, ""))
            check(f"{what}: log and index are only read", log.stamp(), before)
            folder.check_files(what)
            check(f"{what}: nothing else is left", [n for n in os.listdir("out") if n[0] == "." and n != ".lock"], [])
            log.compare(folder, what)
            if kind in ("rebuild", "anew"):
                check(f"{what}: a new generation", max(m["generation"] for m in folder.marks()) > max(generations), True)
            if kind in ("nothing", "grow", "filters") and generations and log.row:
                check(f"{what}: the same generation", len({m["generation"] for m in folder.marks()}), len(generations))
            first = False


def refusals():
    log = Log(random.Random(5))
    log.into, log.columns = [], False
    log.grow(3000)
    log.index()

    def refused(what, options, status, *words):
        made = run(QUERY, *options)
        check(f"{what}: {made.stderr}", (made.returncode, made.stdout, all(word in made.stderr for word in words)),
              (status, "", True))

    export = ("log.sqlite", "--export", "f")
    for name in ("", ".x", "-x", "a/b", "a b", "ü", "x" * 129):
        refused(f"sensor {name!r}", (*export, "--sensor", name), 2, "--sensor")
    check("no folder for it", os.listdir("f"), [".lock"])
    check("exported", run(QUERY, *export, "--sensor", "s1").returncode, 0)
    refused("another sensor's folder", (*export, "--sensor", "s2"), 2, "sensor s1")
    check("the folder knows its sensor", run(QUERY, *export).returncode, 0)
    refused("no such log", ("nolog.sqlite", "--export", "f"), 1, "nolog.sqlite")
    refused("no such table", (*export, "--table", "x"), 1, "x")
    refused("an expression", ("log.sqlite", "smb", "--export", "f"), 2, "no expression")
    refused("two actions", (*export, "--list"), 2, "exclude each other")
    refused("--sensor alone", ("log.sqlite", "web", "--sensor", "x"), 2, "--sensor is for --export")
    refused("a file in place of the folder", ("log.sqlite", "--export", "c.ini"), 1, "c.ini")
    before = sorted(os.listdir("f"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    made = run(QUERY, "log.sqlite", "--export", "g", "--sensor", "s1", preexec_fn=None)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    check("a full disk", (made.returncode != 0, [n for n in os.listdir("g") if n[0] != "."]), (True, []))
    check("once there is room", run(QUERY, "log.sqlite", "--export", "g", "--sensor", "s1").returncode, 0)
    check("nothing was left", sorted(os.listdir("f")), before)
    with open("f/.lock", "r+") as lock:
        import fcntl
        fcntl.lockf(lock, fcntl.LOCK_EX)
        refused("a second export", export, 1, "another export")
    manifest = open("f/manifest.jsonl").read()
    for bad in ("", "{", manifest[:-20], manifest.replace('"series"', '"serie"', 1), manifest.replace('"s1"', '"../x"', 1),
                manifest + '{"filter": "web", "chunk": 0, "rows": 1, "digest": "zz"}\n', manifest.replace("}", "}\0", 1),
                manifest.split("\n", 1)[1], manifest + manifest.split("\n")[2] + "\n"):
        with open("f/manifest.jsonl", "w") as file:
            file.write(bad)
        refused(f"manifest {bad[:40]!r}", export, 1, "manifest.jsonl", "remove")
    check("a damaged manifest costs no file", sorted(os.listdir("f")), before)
    folder = Folder("f")
    series = max(mark["series"] for mark in folder.marks())
    os.unlink("f/manifest.jsonl")
    check("without a manifest", run(QUERY, *export, "--sensor", "s1").returncode, 0)
    check("a new series", max(mark["series"] for mark in folder.marks()) > series, True)
    # An earlier manifest does not know what was exported since.
    with open("f/manifest.jsonl") as file:
        manifest = file.read()
    log.grow(20)
    log.index()
    check("exported", run(QUERY, *export).returncode, 0)
    with open("f/manifest.jsonl", "w") as file:
        file.write(manifest)
    names = sorted(os.listdir("f"))
    refused("a manifest that was put back", export, 1, "is there already", "Remove")
    check("and nothing was moved", sorted(os.listdir("f")), names)
    os.unlink("f/manifest.jsonl")
    check("removed, as it says", run(QUERY, *export, "--sensor", "s1").returncode, 0)
    os.mkdir("victim")
    open("victim/a", "w").close()
    for name in (".staging", ".ready"):
        os.symlink("../victim", f"f/{name}")
        refused(f"{name} that leads elsewhere", export, 1, name, "remove it")
        os.unlink(f"f/{name}")
    check("what lies elsewhere stays", os.listdir("victim"), ["a"])
    os.rename("f/manifest.jsonl", "kept")
    os.mkfifo("f/manifest.jsonl")
    refused("a pipe as manifest", export, 1, "no file", "remove it")
    os.rename("kept", "f/manifest.jsonl")
    with open("f/manifest.jsonl") as file:
        manifest = file.read()
    for old, new in (('"generation": ', '"generation": 9'), ('"series": ', '"series": 9'), ('"build": "', '"build": "zz')):
        with open("f/manifest.jsonl", "w") as file:
            file.write(manifest.replace(old, new, 1))
        refused(f"manifest with {new}", export, 1, "manifest.jsonl", "remove")
    with open("f/manifest.jsonl", "w") as file:
        file.write(manifest)
    identity = log.db.execute("SELECT identity FROM connbits_source").fetchone()[0]
    log.db.execute("""UPDATE connbits_source SET identity = 'x"y' || substr(identity, 4)""")
    refused("an identity that is none", export, 1, "damaged", "--rebuild")
    log.db.execute("UPDATE connbits_source SET identity = ?", (identity,))
    log.index("--no-headers", "--rebuild")
    refused("no columns", ("log.sqlite", "--export", "h", "--columns-too", "--sensor", "x"), 1, "--no-headers")
    # A table that goes.
    log.db.execute("CREATE TABLE conn AS SELECT connection_timestamp AS ts, local_host AS 'id.orig_h', local_port AS "
                   "'id.orig_p', remote_host AS 'id.resp_h', remote_port AS 'id.resp_p', connection_transport AS proto "
                   "FROM connections")
    made = run(INDEX, "log.sqlite", "c.ini", "--quiet", "--table", "conn")
    check("indexed", (made.returncode, made.stderr), (0, ""))
    check("both", run(QUERY, "log.sqlite", "--export", "h", "--sensor", "x").returncode, 0)
    both = Folder("h")
    check("two tables", {mark["table_name"] for mark in both.marks()}, {"conn", "connections"})
    check("one of them alone", run(QUERY, "log.sqlite", "--export", "h", "--table", "conn").returncode, 0)
    check("the other is known", run(QUERY, "log.sqlite", "--export", "h").stdout.count(": 0 bitmaps changed"), 1)
    check("dropped", run(INDEX, "log.sqlite", "--forget", "--table", "conn").returncode, 0)
    check("exported", run(QUERY, "log.sqlite", "--export", "h").returncode, 0)
    last = max(mark["number"] for mark in both.marks())
    generation = max(mark["generation"] for mark in both.marks() if mark["table_name"] == "conn")
    check("told of once", [(mark["table_name"], mark.get("gone")) for mark in both.marks() if mark["number"] == last],
          [("connections", None), ("conn", 1)])
    check("exported", run(QUERY, "log.sqlite", "--export", "h").returncode, 0)
    check("and not again", [mark["table_name"] for mark in both.marks() if mark["number"] == last + 1], ["connections"])
    # One that comes back is a later generation, whatever the clock says.
    with open("h/manifest.jsonl") as file:
        manifest = file.read()
    with open("h/manifest.jsonl", "w") as file:
        file.write(manifest.replace(f'"last_generation": {generation}', '"last_generation": 9000000000000'))
    check("indexed", run(INDEX, "log.sqlite", "c.ini", "--quiet", "--table", "conn").returncode, 0)
    check("exported", run(QUERY, "log.sqlite", "--export", "h").returncode, 0)
    check("a later generation", max(mark["generation"] for mark in both.marks()), 9000000000001)


def killed_between():
    """Whatever was moved to its name when an export was killed, the next one moves the rest."""
    log = Log(random.Random(7))
    log.into, log.columns = [], True
    log.grow(900)
    log.index()
    check("exported", run(QUERY, "log.sqlite", "--export", "p", "--sensor", "s1").returncode, 0)
    log.grow(900)
    log.index()
    subprocess.run(["cp", "-r", "p", "p.before"], check=True)
    check("exported", run(QUERY, "log.sqlite", "--export", "p", "--columns-too").returncode, 0)
    new = sorted(set(os.listdir("p")) - set(os.listdir("p.before"))) + ["manifest.jsonl"]
    check("three files and a manifest", len(new), 4)
    for moved in range(len(new) + 1):
        subprocess.run("rm -rf q; cp -r p.before q; mkdir q/.ready q/.staging; touch q/.staging/x", shell=True, check=True)
        for name in new:
            subprocess.run(["cp", f"p/{name}", "q" if name in new[:moved] else "q/.ready"], check=True)
        made = run(QUERY, "log.sqlite", "--export", "q", "--columns-too")
        check(f"killed behind file {moved}", (made.returncode, made.stdout.count(": 0 bitmaps changed")), (0, 1))
        folder = Folder("q")
        folder.check_files(f"killed behind file {moved}")
        check("all of it is there", (set(new) <= set(os.listdir("q")), {m["number"] for m in folder.marks()}), (True, {1, 2, 3}))
        log.compare(folder, f"killed behind file {moved}")


def same_count():
    """Other rows, and as many."""
    log = Log(random.Random(8))
    log.into, log.columns = [], False
    log.grow(2000)
    log.db.execute("UPDATE connections SET connection_type = 'accept', connection_transport = 'tcp', remote_host = "
                   "'10.0.0.1', local_host = '10.0.0.2', local_port = iif(connection % 2, 80, 445)")
    log.filters = ["web", "both"]
    for port in ("80", "445"):
        FILTERS["web"] = f"expression = tcp dst port {port}"
        log.index()
        check("exported", run(QUERY, "log.sqlite", "--export", "r", "--sensor", "s1").returncode, 0)
        log.compare(Folder("r"), f"port {port}")


def each():
    with open("c.ini", "w") as file:
        file.write("[filter web]\nexpression = tcp dst port 80\n")
    os.mkdir("idx")
    for name, rows in (("a", 100), ("b", 50), ("c", 7)):
        run(BUILD + "/connbits-generate", "--rows", str(rows), f"{name}.sqlite")
        run(INDEX, f"{name}.sqlite", "c.ini", "--quiet", "--into", f"idx/{name}.sqlite.idx")
        run(INDEX, f"{name}.sqlite", "c.ini", "--quiet")
    logs = ["a.sqlite", "b.sqlite", "c.sqlite"]
    counts = [int(run(QUERY, log, "web or {udp}", "--count").stdout) for log in logs]
    made = run(QUERY, "--each", "web or {udp}", *logs, "--format", "json")
    check("--each", [(row["log"], row["rows"], row["state"]) for row in json.loads(made.stdout)],
          [(log, rows, "current") for log, rows in zip(logs, counts)] +
          [("(all)", sum(counts), "3 current, 0 behind, 0 failed")])
    made = run(QUERY, "--each", "web or {udp}", *logs, "--format", "csv", "--into", "idx", "--since", "1970-01-01")
    check("--each --into", (made.returncode, made.stdout.splitlines()[0]), (0, "log,rows,state"))
    with open("bad.sqlite", "w") as file:
        file.write("nothing")
    made = run(QUERY, "--each", "web", "a.sqlite", "bad.sqlite", "gone.sqlite", "--format", "json")
    check("some fail", (made.returncode, [row["rows"] is None for row in json.loads(made.stdout)],
                        made.stderr.count("\n")), (1, [False, True, True, False], 2))
    made = run(QUERY, "--each", "web and (", "a.sqlite")
    check("a wrong expression", (made.returncode, made.stdout), (2, ""))
    made = run(QUERY, "--each", "wob", "a.sqlite", "b.sqlite")
    check("an unknown name", (made.returncode, "did you mean 'web'" in made.stderr), (2, True))
    made = run(QUERY, "--each", "web")
    check("no logs", (made.returncode, "LOG.sqlite is missing" in made.stderr), (2, True))


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    histories()
    refusals()
    killed_between()
    same_count()
    each()
end()
