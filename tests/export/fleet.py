#!/usr/bin/env python3
"""A fleet, simulated: sensors of many sizes and layouts are indexed and exported on two nights, shipped with every
mishap there is, and loaded into two shards of ClickHouse's engine. For the filters of the catalogue and for random
expressions the fleet's answer for each sensor is that of connbits-query on its log, and whoever is behind or missing
is named. Planted errors are found.
usage: fleet.py BUILD [SENSORS [SEED [EXPRESSIONS]]]
  CONNBITS_CLIENTS=FOLDER   has node_modules with chdb"""
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path[:0] = [os.path.join(HERE, "..", "support")]
from checks import check, end, run
from clickhouse_shard import FLEET, Shard, ask, needed

BUILD = os.path.abspath(sys.argv[1])
SENSORS, SEED, EXPRESSIONS = (int(sys.argv[i]) if len(sys.argv) > i else default
                              for i, default in ((2, 30), (3, 1), (4, 20)))
CATALOGUE = os.path.join(ROOT, "data", "filters.conf")
QUERY = BUILD + "/connbits-query"
BEHIND = max(2, SENSORS // 100)
REBUILT = max(2, SENSORS * 3 // 1000)
SHARDS = 2

PLAIN = """[source]
table = flows
source_host = (data ->> '$.from')
destination_host = target
source_port = sport
destination_port = dport
transport = proto
timestamp = (at / 1000)
"""


def address(r):
    if r.random() < 0.2:
        return f"2001:db8:{r.randrange(4):x}::{r.randrange(1, 300):x}"
    return r.choice([f"10.{r.randrange(3)}.0.{r.randrange(256)}", f"198.51.100.{r.randrange(256)}",
                     f"203.0.113.{r.randrange(9)}", f"192.168.1.{r.randrange(256)}", f"91.{r.randrange(256)}.7.9"])


def ends(r):
    a, b = address(r), address(r)
    # Two families are seldom in one row: it is skipped.
    return (a, a) if (":" in a) != (":" in b) and r.random() < 0.97 else (a, b)


class Table:
    """A table of one of three layouts, which grows, and loses rows at its start."""

    def __init__(self, name, r):
        self.name, self.r = name, r
        self.row = r.choice([1, 1, 1, 2**20 - 40, 2**32 - 500, -3000])
        self.step = r.choice([1, 1, 1, 7, 70000])
        self.now = 1700000000

    def make(self, db):
        db.execute({
            "connections": "CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, "
                           "connection_transport, local_host, local_port, remote_host, remote_port, "
                           "connection_timestamp)",
            "conn": 'CREATE TABLE conn (ts, "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", proto)',
            "flows": "CREATE TABLE flows (id INTEGER PRIMARY KEY, data, target, sport, dport, proto, at)"}[self.name])

    def values(self):
        r = self.r
        source, target = ends(r)
        ports = r.choice([22, 23, 80, 443, 445, 3389, 5060, r.randrange(65536)]), r.randrange(1024, 65536)
        proto = r.choice(["tcp", "tcp", "tcp", "udp", "icmp", "sctp", "nonsense"])
        self.now += r.random() * 40
        self.row += self.step
        if self.name == "connections":
            kind = r.choice(["accept", "accept", "connect", "listen", "reject", "odd"])
            return self.row, kind, proto, source, ports[0], target, ports[1], self.now
        if self.name == "conn":
            return self.now, source, ports[1], target, ports[0], proto
        return self.row, json.dumps({"from": source}), target, ports[1], ports[0], proto, int(self.now * 1000)

    def grow(self, db, count):
        rows = [self.values() for _ in range(count)]
        if rows:
            db.executemany(f"INSERT INTO {self.name} VALUES ({', '.join('?' * len(rows[0]))})", rows)

    def trim(self, db, share):
        db.execute(f"DELETE FROM {self.name} WHERE rowid IN (SELECT rowid FROM {self.name} ORDER BY rowid LIMIT "
                   f"(SELECT CAST(count(*) * ? AS INTEGER) FROM {self.name}))", (share,))


class Sensor:
    def __init__(self, number):
        self.r = random.Random(f"{SEED} {number}")
        self.name = f"s{number:04d}"
        self.log = f"logs/{self.name}.sqlite"
        self.asked = self.log  # the log whose answers its bitmaps at ClickHouse have
        self.out = f"out/{self.name}"
        names = [["flows"], ["connections"], ["connections"], ["conn"], ["connections", "conn"]][number % 5]
        self.columns = ["--columns-too"] if self.r.random() < 0.2 or number in (0, 5, 10, 15) else []
        self.tables = [Table(name, self.r) for name in names]
        self.size = int(10 ** self.r.uniform(0, 3.4))

    def connect(self):
        return sqlite3.connect(self.log, isolation_level=None)

    def index(self, *options):
        for table in self.tables:
            plain = table.name == "flows"
            made = run(BUILD + "/connbits-index", self.log, "flows.conf" if plain else CATALOGUE, "--quiet",
                       "--skip-unanswerable", *(() if plain else ("--table", table.name)), *options)
            check(f"{self.name} is indexed", (made.returncode, made.stderr), (0, ""))

    def export(self):
        made = run(QUERY, self.log, "--export", self.out, *self.columns,
                   *([] if os.path.exists(self.out + "/manifest.jsonl") else ["--sensor", self.name]))
        check(f"{self.name} is exported", (made.returncode, made.stderr), (0, ""))

    def first_night(self):
        with self.connect() as db:
            db.execute("BEGIN")
            for table in self.tables:
                table.make(db)
                table.grow(db, self.size)
            db.execute("COMMIT")
        self.index()
        self.export()

    def second_night(self, *options):
        with self.connect() as db:
            db.execute("BEGIN")
            for table in self.tables:
                if self.r.random() < 0.4:
                    table.trim(db, self.r.choice([0.1, 0.5, 1]))
                table.grow(db, self.r.choice([0, 1, 50, self.size]))
            db.execute("COMMIT")
        self.index(*options)
        self.export()

    def ship(self):
        """As rsync does: what is there already stays."""
        target = f"central/{self.name}"
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(self.out):
            if not name.startswith(".") and name != "manifest.jsonl" and not os.path.exists(f"{target}/{name}"):
                shutil.copyfile(f"{self.out}/{name}", f"{target}/{name}")


def each(expression, sensors):
    """What connbits-query says of every table of these sensors' logs."""
    answers = {}
    for table in ("connections", "conn", "flows"):
        logs = {sensor.asked: sensor.name for sensor in sensors if table in [t.name for t in sensor.tables]}
        if not logs:
            continue
        made = run(QUERY, "--each", expression, "--table", table, "--format", "json", *logs)
        check(f"--each {expression}", (made.returncode, made.stderr), (0, ""))
        for row in json.loads(made.stdout):
            if row["log"] != "(all)":
                answers[logs[row["log"]], table] = row["rows"]
    return answers


def random_expression(r, names, depth=3):
    if depth == 0 or r.random() < 0.2:
        return r.choice(names)
    kind = r.choice(["not", "and", "or", "and", "or"])
    if kind == "not":
        return f"not ({random_expression(r, names, depth - 1)})"
    return "(" + f" {kind} ".join(random_expression(r, names, depth - 1) for _ in range(r.choice([2, 2, 3]))) + ")"


def fleet_rows(shards, expression):
    """The same without a program for each: by sensor and table, and the states."""
    made = run(QUERY, "--fleet", expression)
    check(f"--fleet {expression}", (made.returncode, made.stderr), (0, ""))
    rows = [row for shard in shards for row in shard.rows(made.stdout) if row["sensor"] != "(all)"]
    return {(row["sensor"], row["table_name"]): row["rows"] and int(row["rows"]) for row in rows
            if row["status"] != "missing"}, {row["sensor"]: row["status"] for row in rows}


def compare(shards, sensors, expressions):
    """How many expressions the fleet answers otherwise than its sensors do."""
    wrong = 0
    for expression in expressions:
        got, _ = fleet_rows(shards, expression)
        wanted = each(expression, sensors)
        if {key: rows or 0 for key, rows in got.items()} != wanted:
            wrong += 1
            if wrong == 1:
                print("differs:", expression, [(k, got.get(k), wanted.get(k)) for k in {**got, **wanted}
                                               if (got.get(k) or 0) != wanted.get(k)][:3])
    return wrong


def spoil(sensor, how):
    """What becomes of the files of a sensor on their way: nothing of it can be loaded."""
    place = f"central/{sensor.name}"
    if how == "nothing came":
        shutil.rmtree(place)
        return
    files = sorted(name for name in os.listdir(place) if "bitmaps" in name)
    for name in files:
        path = f"{place}/{name}"
        if how == "a file did not come":
            os.unlink(path)
        elif how == "a link to another sensor":
            os.unlink(path)
            os.symlink(f"../s0000/{name}", path)
        else:
            with open(path, "r+b") as file:
                bytes_ = bytearray(file.read())
                bytes_[len(bytes_) // 2] ^= 0x55
                file.seek(0)
                file.write(bytes_)
            if how == "broken, and its digest, too":
                mark = re.sub(r"bitmaps.*", "watermark.json", path)
                text = open(mark).read()
                old = re.search(rf'"{name}", [0-9]+, "([0-9a-f]+)"', text)[1]
                open(mark, "w").write(text.replace(old, hashlib.sha256(bytes_).hexdigest()))


SPOILS = ("nothing came", "a file did not come", "a link to another sensor", "broken", "broken, and its digest, too")


def connections_check(shards, sensors):
    """The connections of sensors that export them are the log's, by their rows' ids, ports and times."""
    checked = 0
    for sensor in sensors:
        if not sensor.columns or sensor.tables[0].name != "flows":
            continue
        checked += 1
        log = sqlite3.connect(sensor.asked)
        wanted = sorted((row, at // 1000 * 1000000, sport, dport) for row, at, sport, dport in log.execute(
            "SELECT id, at, sport, dport FROM flows WHERE proto IN ('tcp', 'udp', 'sctp')"))
        rows = [(int(row["rowid"]), int(row["t"]), row["source_port"], row["destination_port"]) for row in
                sensor.shard.rows("SELECT rowid, toUnixTimestamp64Micro(assumeNotNull(time)) AS t, source_port, "
                                  f"destination_port FROM connbits.connections_now WHERE sensor = '{sensor.name}' "
                                  "AND protocol != 1 ORDER BY rowid")]
        families = {row for (row,) in log.execute(
            "SELECT id FROM flows WHERE (data LIKE '%:%:%:%') = (target LIKE '%:%')")}
        check(f"{sensor.name}: connections", rows, [row for row in wanted if row[0] in families])
    return checked


def main():
    r = random.Random(SEED)
    with open("flows.conf", "w") as file:
        file.write(PLAIN + open(CATALOGUE).read())
    for name in ("logs", "out", "central", "kept"):
        os.mkdir(name)
    sensors = [Sensor(number) for number in range(SENSORS)]
    started = time.time()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(Sensor.first_night, sensors))
    # One without rows has no bitmaps that could be spoilt.
    missing = r.sample([s for s in sensors[1:] if s.size > 50], len(SPOILS))
    special = r.sample([s for s in sensors[1:] if s not in missing], BEHIND + REBUILT + 1)
    behind, special = special[:BEHIND], special[BEHIND:]
    rebuilt, lost = special[:REBUILT], special[REBUILT]
    for sensor in sensors:
        sensor.ship()
    shards = [Shard(f"shard{number}") for number in range(SHARDS)]
    for shard in shards:
        shard.script("schema.sql")
        shard.script("schema.sql")
    for number, sensor in enumerate(sensors):
        sensor.shard = shards[number % SHARDS]
    for sensor, how in zip(missing, SPOILS):
        spoil(sensor, how)
    nights = time.time()
    for sensor in behind:
        shutil.copyfile(sensor.log, f"kept/{sensor.name}.sqlite")
        sensor.asked = f"kept/{sensor.name}.sqlite"
    time.sleep(1.1)
    between = int(time.time())
    # The machine of one is lost, and with it index and exports: it begins anew.
    shutil.rmtree(lost.out)
    with lost.connect() as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'connbits%'").fetchall():
            db.execute(f'DROP {"VIEW" if name == "connbits_daily" else "TABLE"} "{name}"')
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda s: s.second_night(*(["--rebuild"] if s in rebuilt else [])), sensors))
    for sensor in sensors:
        if sensor not in behind and sensor not in missing:
            sensor.ship()
    shipped_at = time.time()
    generations = [len({line["generation"] for name in os.listdir(s.out) if "watermark" in name
                        for line in map(json.loads, open(f"{s.out}/{name}"))}) for s in rebuilt]
    check("an index that was built anew is another generation", min(generations) >= 2, True)

    for number, shard in enumerate(shards):
        own = [sensor for sensor in sensors if sensor.shard is shard]
        shard.folder = f"shard{number}.files"
        os.mkdir(shard.folder)
        for sensor in own:
            if os.path.exists(f"central/{sensor.name}"):
                os.rename(f"central/{sensor.name}", f"{shard.folder}/{sensor.name}")
        shard.server.run("INSERT INTO connbits.sensors (sensor, tolerance) VALUES " +
                         ", ".join(f"('{sensor.name}', 1000000)" for sensor in own))
    loading = time.time()
    # Loads are killed; then every file is loaded, and once more as if it had not been.
    for seconds in (0.12, 0.2, 0.3):
        killed = subprocess.Popen([sys.executable, FLEET + "/load.py", shards[0].folder, "--url", shards[0].url],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        killed.kill()
        killed.wait()
    said = [shard.load(shard.folder) for shard in shards]
    loading = time.time() - loading
    print("\n".join(load.stdout.strip() for load in said))
    told = "".join(load.stderr for load in said)
    for sensor, how in zip(missing, SPOILS):
        check(f"{sensor.name}, {how}: told by the load", sensor.name in told, how != "nothing came")
    check("loads whose files are not all there fail", [load.returncode for load in said].count(1) >= 1, True)
    for shard in shards:
        shard.server.run("TRUNCATE TABLE connbits.loads")
        shard.load(shard.folder)
        again = shard.load(shard.folder)
        check("what is loaded is not loaded again", again.stdout.startswith("0 exports"), True)
        tolerance = max(1, int(time.time()) - between)
        shard.server.run("INSERT INTO connbits.sensors (sensor, tolerance) SELECT sensor, "
                         f"{tolerance} + 3600 * (sensor NOT IN ({', '.join(repr(s.name) for s in behind)})) "
                         "FROM connbits.sensors FINAL")

    wanted = {sensor.name: "behind" if sensor in behind else "missing" if sensor in missing else "ok"
              for sensor in sensors}
    rows, status = ask(QUERY, "tcp and not ssh", [shard.url for shard in shards])
    check("the states", {row["sensor"]: row["status"] for row in rows[:-1]}, wanted)
    check("the sum says who is not in it", rows[-1]["why"],
          f"{sum(row['status'] == 'ok' for row in rows[:-1])} ok, {sum(row['status'] == 'behind' for row in rows[:-1])}"
          f" behind, {len(SPOILS)} missing")
    check("missing is never zero", [row["rows"] for row in rows if row["status"] == "missing"][:-1], [None] * len(SPOILS))
    check("exit status", status, 1)
    there = [sensor for sensor in sensors if sensor not in missing]
    check("the sum", rows[-1]["rows"], sum(each("tcp and not ssh", there).values()))

    names = [line.split("]")[0][8:].strip() for line in open(CATALOGUE) if line.startswith("[filter ")]
    known = [row["f"] for row in shards[0].rows(
        "SELECT DISTINCT arrayJoin(mapKeys(filters)) AS f FROM connbits.current ORDER BY f")]
    everywhere = [row["f"] for row in shards[0].rows(
        "SELECT f, count() AS n FROM (SELECT arrayJoin(mapKeys(filters)) AS f FROM connbits.current) GROUP BY f "
        "HAVING n = (SELECT count() FROM connbits.current) ORDER BY f")]
    check("the catalogue is there", set(known) - {"@all", "@skipped"} <= set(names), True)
    sample = everywhere if EXPRESSIONS >= 100 else r.sample(everywhere, min(len(everywhere), EXPRESSIONS))
    questions = sample + [random_expression(r, everywhere) for _ in range(EXPRESSIONS)] + [
        "not (not @skipped)", "@skipped or not smb", "not (@skipped and tcp)", "@all and @skipped"]
    asking = time.time()
    check("the fleet's answers are the sums of its sensors'", compare(shards, there, questions), 0)
    asking = time.time() - asking
    compared = connections_check(shards, there)
    check("connections were compared", compared > 0, True)

    # What a sensor lacks is not 0.
    some = set(known) - set(everywhere)
    if some:
        _, states = fleet_rows(shards, sorted(some)[0])
        check("a filter that a sensor does not have", "missing" in {states[s.name] for s in there}, True)
    for expression, why in (("smb and {tcp}", "pcap filter"), ("smb and since -7d", "time"), ("src in bogon", "set"),
                            ("smb and (tcp", "")):
        made = run(QUERY, "--fleet", expression)
        check(f"--fleet {expression} is refused", (made.returncode, made.stdout, why in made.stderr), (2, "", True))

    planted(shards, there, behind)
    twice, status = ask(QUERY, "smb", [shards[0].url] * 2)
    check("two shards that have the same sensor are told of", (status, {row["rows"] for row in twice[:-1][1::2]}), (1, {None}))
    made = run(sys.executable, FLEET + "/ask.py", "smb", "--url", shards[0].url, "--program", "./nowhere")
    check("ask.py without connbits-query", (made.returncode, "nowhere" in made.stderr), (1, True))
    _, states = fleet_rows(shards, "nowhere: smb")
    check("a table that nobody has", set(states.values()), {"missing"})
    got, states = fleet_rows(shards, "conn: smb")
    check("a table that some have", ({key[1] for key in got}, states[next(
        s for s in there if s.tables[0].name == "flows").name]), ({"conn"}, "missing"))
    earlier_series(shards[1], next(sensor for sensor in there if sensor.shard is shards[1]))
    hostile(shards[1], next(sensor for sensor in there if sensor.shard is shards[1]))
    stay(shards, there, questions[:2])
    shards[1].end()
    made = run(sys.executable, FLEET + "/ask.py", "smb", "--program", QUERY,
               *[word for shard in shards for word in ("--url", shard.url)])
    check("a shard that is gone is told of", (made.returncode, f"{shards[1].url}" in made.stdout), (1, True))
    shards[0].end()

    shipped = [sum(os.path.getsize(f"{s.out}/{name}") for name in os.listdir(s.out)
                   if name[0] != "." and name != "manifest.jsonl") for s in sensors if not s.columns]
    print(f"{SENSORS} sensors, {sum(len(s.tables) for s in sensors)} tables; two nights made in {nights - started:.0f} and {shipped_at - nights:.0f} s; "
          f"{sorted(shipped)[len(shipped) // 2] // 2} bytes a sensor and night (median); loaded in {loading:.1f} s; "
          f"{len(questions)} questions compared in {asking:.1f} s")


def hostile(shard, sensor):
    """Watermarks of an enemy stop nobody else's, and count for nothing."""
    place = f"{shard.folder}/evil"
    os.mkdir(place)
    mark = json.loads(open(max(f"{sensor.out}/{name}" for name in os.listdir(sensor.out) if "watermark" in name)).readline())
    mark.update(sensor="evil", series=1111111111111, files=[])
    text = json.dumps(dict(mark, number=4711))
    big = '"' + "x" * 2000 + '"'
    changes = [(r'"generation": \d+', f'"generation": {value}') for value in (
        "1e999", "Infinity", "NaN", "-1", str(2**64), "9" * 5000, "true", "null", '"1"', "1.5")]
    changes += [(r'"rows": \d+', f'"rows": {value}') for value in ("1e30", "[]", "-5")]
    changes += [(r'"table_name": "[^"]*"', f'"table_name": {value}') for value in (
        r'"a\\u001fb"', r'"a\\udc00b"', r'"a\\u0000b"', '""', big, "7", "{}")]
    changes += [(r'"lacking": \[\]', f'"lacking": {value}') for value in (
        "[" * 980 + "]" * 980, '{"a":' * 900 + "1" + "}" * 900, "[1]", "null", "7")]
    changes += [(r'"filters": \{', '"filters": {' + value) for value in ('"x": -1, ', '"": 1, ', '"y": "1", ')]
    changes += [(r'"files": \[\]', f'"files": {value}') for value in (
        '[["../s0000/x", 1, "00"]]', "[1]", "{}", '[["1111111111111-00004711.bitmaps.native.zst", 1, "0"]]', "[[[]]]")]
    changes += [(r'"sensor": "evil"', f'"sensor": "{sensor.name}"'), (r'"through": "[^"]*"', '"through": "2026-13-01"'),
                (r'^\{', "{{"), (r'^\{', ""), (r".*", ""), (r".*", "[]"), (r'"series": \d+', '"series": 5')]
    for number, (old, new) in enumerate(changes, 1):
        made = re.sub(old, new, text, count=1).replace("4711", str(number))
        if made == text.replace("4711", str(number)):
            check(f"{old} to {new[:40]} changes something", made, "")
        with open(f"{place}/1111111111111-{number:08}.watermark.json", "w") as file:
            file.write(made + "\n")
    shard.server.run("INSERT INTO connbits.sensors (sensor, tolerance) VALUES ('evil', 1000000)")
    before = shard.rows("SELECT count() AS n FROM connbits.watermarks")
    made = shard.load(shard.folder)
    check("hostile watermarks", (made.returncode, "Traceback" in made.stderr, made.stdout.split(" ")[0]), (1, False, "0"))
    check("each is told of", made.stderr.count("evil: "), len(changes))
    check("none counts", shard.rows("SELECT count() AS n FROM connbits.watermarks"), before)
    shutil.rmtree(place)
    shard.server.run("INSERT INTO connbits.sensors (sensor, retired) VALUES ('evil', 1)")
    for url in ("", "abc", "http://[::1", "http://local host:1", "file:///etc/passwd", shard.url + "9"):
        made = run(sys.executable, FLEET + "/load.py", shard.folder, "--url", url)
        check(f"load.py --url {url}: {made.stderr}", (made.returncode, "Traceback" in made.stderr), (1, False))


def earlier_series(shard, sensor):
    """What a removed manifest left behind is not waited for; a series that began under a clock that was ahead is told of."""
    place = f"{shard.folder}/{sensor.name}"
    name = max(name for name in os.listdir(place) if "watermark" in name)
    marks = [json.loads(line) for line in open(f"{place}/{name}")]
    series = marks[0]["series"] - 5000
    said = []
    for exported_at in ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"):
        path = f"{place}/{series:013}-00000077.watermark.json"
        with open(path, "w") as file:
            file.writelines(json.dumps(dict(mark, series=series, number=77, exported_at=exported_at, files=[])) + "\n"
                            for mark in marks)
        said.append(f"{sensor.name}: series" in shard.load(shard.folder).stderr)
        os.remove(path)
    check("an earlier series is told of where it was made later", said, [False, True])


def stay(shards, there, questions):
    """What retention takes, and what it leaves."""
    server = shards[0].server
    retired = next(sensor for sensor in there if sensor.shard is shards[0] and sensor.columns)
    loading = next(sensor for sensor in there if sensor.shard is shards[0] and sensor is not retired and sensor.size > 50)
    count = "SELECT count() AS n FROM connbits."
    # Of an export that is just being loaded: its watermark is not there yet.
    server.run("INSERT INTO connbits.bitmaps SELECT sensor, table_name, generation + 1, number, chunk, filter, rows, digest, "
               f"bitmap FROM connbits.bitmaps FINAL WHERE sensor = '{loading.name}'")
    waiting = (f"{count}bitmaps FINAL WHERE sensor = '{loading.name}' AND (sensor, table_name, generation) NOT IN "
               "(SELECT sensor, table_name, generation FROM connbits.watermarks)")
    coming = shards[0].rows(waiting)
    server.run(f"INSERT INTO connbits.sensors (sensor, retired) VALUES ('{retired.name}', 1)")
    _, states = fleet_rows(shards, "smb")
    check("a retired sensor is not asked", retired.name in states, False)
    for shard in shards:
        shard.script("retention.sql")
        shard.script("retention.sql")
        check("no row of connections is left that does not count", shard.rows(
            count + "connections FINAL WHERE NOT gone AND sensor IN (SELECT sensor FROM connbits.current)"),
              shard.rows(count + "connections_now"))
        check("nor an earlier generation", shard.rows(count + "bitmaps WHERE (sensor, table_name, generation) IN "
                                                      "(SELECT * FROM connbits.superseded)"), [{"n": 0}])
    check("what is coming stays", shards[0].rows(waiting), coming)
    check("nothing of a retired one does", shards[0].rows(f"{count}bitmaps WHERE sensor = '{retired.name}'"), [{"n": 0}])
    said = shards[0].load(shards[0].folder)
    check("its folder is told of", retired.name in said.stderr, True)
    server.run(f"INSERT INTO connbits.sensors (sensor) VALUES ('{retired.name}')")
    shards[0].load(shards[0].folder)
    check("retention leaves the answers, and a sensor comes back", compare(shards, there, questions), 0)
    exported = [row for shard in shards for row in shard.rows(
        "SELECT status, exported FROM connbits.connections_state WHERE exported IS NOT NULL")]
    check("all connections are there", {row["status"] for row in exported} - {"behind"}, {"ok"})


def planted(shards, there, behind):
    """Errors that the comparison, or the states, have to find."""
    victim = next(sensor for sensor in there if sensor not in behind and each("tcp", [sensor]) and
                  sum(each("tcp", [sensor]).values()) > 3)
    server = victim.shard.server
    where = f"sensor = '{victim.name}' AND filter = 'tcp'"
    head = "sensor, table_name, generation, number + 1, chunk, filter"
    server.run(f"INSERT INTO connbits.bitmaps SELECT {head}, rows, digest, bitmapBuild([toUInt32(4000000000)]) FROM "
               f"connbits.bitmaps FINAL WHERE {where}")
    check("planted: another bitmap is found", compare(shards, there, ["tcp and @all"]), 1)
    server.run(f"INSERT INTO connbits.bitmaps SELECT sensor, table_name, generation, number + 2, chunk, filter, rows, "
               f"digest + 1, bitmap FROM connbits.bitmaps FINAL WHERE {where}")
    _, states = fleet_rows(shards, "tcp")
    check("planted: what is not as exported is missing", states[victim.name], "missing")
    _, states = fleet_rows(shards, "udp")
    check("other filters of that sensor are not", states[victim.name], "ok")
    server.run(f"DELETE FROM connbits.bitmaps WHERE {where}")
    _, states = fleet_rows(shards, "tcp")
    check("planted: what was taken away is missing", states[victim.name], "missing")
    server.run("TRUNCATE TABLE connbits.loads")
    victim.shard.load(victim.shard.folder)
    check("loading again mends it", compare(shards, there, ["tcp and @all", "tcp"]), 0)


needed()
with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    main()
end()
