#!/usr/bin/env python3
"""What a ClickHouse server can do to a fleet: it sees no files, forgets what it has seen, answers in part, may nothing,
stops in the middle of retention. No answer is less than it says, and what was in the way once is not for ever.
usage: fleet_server.py BUILD
  CONNBITS_CLIENTS=FOLDER   has node_modules with chdb"""
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
from checks import check, end, run
from clickhouse_shard import FLEET, Shard, ask, needed, statements
from clickhouse import Failed

BUILD = os.path.abspath(sys.argv[1])
QUERY = BUILD + "/connbits-query"
SENSORS = ("s1", "s2")
CATALOGUE = "[filter smb]\nexpression = tcp dst port {}\n[filter udp]\nexpression = udp\n"


def sensor_make(name, rows, port=445):
    with open(f"{name}.conf", "w") as file:
        file.write(CATALOGUE.format(port))
    for command in ((BUILD + "/connbits-generate", "--rows", str(rows), f"{name}.sqlite"),
                    (BUILD + "/connbits-index", f"{name}.sqlite", f"{name}.conf", "--quiet"),
                    (QUERY, f"{name}.sqlite", "--export", f"files/{name}", "--sensor", name, "--columns-too")):
        made = run(*command)
        check(" ".join(command), (made.returncode, made.stderr), (0, ""))


def lines_of(expression, url):
    """Lines by sensor, and the exit status."""
    rows, status = ask(QUERY, expression, [url])
    return {row["sensor"]: row for row in rows}, status


def answers(shard, name="smb"):
    lines, _ = lines_of(name, shard.url)
    return {sensor: lines[sensor]["rows"] for sensor in SENSORS}


def truth(name="smb"):
    return {sensor: int(run(QUERY, f"{sensor}.sqlite", name, "--count").stdout) for sensor in SENSORS}


def unseen(shard):
    """Files that the server cannot see are not loaded, and are once it can."""
    made = run(sys.executable, FLEET + "/load.py", "files", "--url", shard.url, "--as", "/nowhere")
    check("files that the server does not see", (made.returncode, made.stdout), (1, "0 exports of 0 sensors loaded, 2 not\n"))
    os.rename("files/s2", "elsewhere")
    shutil.copytree("elsewhere", "half/s2")
    os.symlink(os.path.abspath("elsewhere"), "files/s2")
    # One of two: of a pattern ClickHouse would leave it out.
    shutil.copytree("files/s1", "half/s1")
    for name in os.listdir("half/s2"):
        if "bitmaps" in name:
            os.unlink(f"half/s2/{name}")
    made = run(sys.executable, FLEET + "/load.py", "files", "--url", shard.url, "--as", os.path.abspath("half"))
    check("one of two", (made.returncode, made.stdout), (1, "1 exports of 1 sensors loaded, 1 not\n"))
    lines, status = lines_of("smb", shard.url)
    check("is missing", (lines["s2"]["status"], lines["s2"]["rows"], status), ("missing", None, 1))
    os.unlink("files/s2")
    os.rename("elsewhere", "files/s2")
    check("all are loaded then", (shard.load("files").returncode, answers(shard)), (0, truth()))


def too_many(shard):
    """A file with more rows than one may have is refused, and its connections are not there either."""
    count = shard.rows("SELECT count() AS n FROM connbits.connections")
    shard.server.run("TRUNCATE TABLE connbits.loads")
    few = ("import sys; sys.path[:0] = [sys.argv.pop(1)]; import load; load.ROWS_MOST = {'bitmaps': 2, 'connections': 2}; "
           "sys.exit(load.main())")
    made = run(sys.executable, "-c", few, FLEET, "files", "--url", shard.url)
    check("more rows than a file may have", (made.returncode, ["more rows than" in line for line in made.stderr.splitlines()]),
          (1, [True, True]))
    check("nothing of them is loaded", shard.rows("SELECT count() AS n FROM connbits.connections"), count)
    check("loaded again", (shard.load("files").returncode, answers(shard)), (0, truth()))


def forgetful(shard):
    """A server that takes no block twice: what was taken away comes again."""
    for table in ("bitmaps", "connections", "watermarks", "loads"):
        shard.server.run(f"ALTER TABLE connbits.{table} MODIFY SETTING non_replicated_deduplication_window = 1000")
    for _ in range(2):
        for table in ("bitmaps", "connections", "segments", "watermarks", "loads"):
            shard.server.run(f"DELETE FROM connbits.{table} WHERE 1")
        check("loaded", (shard.load("files").returncode, answers(shard)), (0, truth()))
        state = shard.rows("SELECT DISTINCT status FROM connbits.connections_state")
        check("with the connections", state, [{"status": "ok"}])


def killed_retention(shard):
    """Wherever retention stops, a sensor that comes back is loaded again."""
    steps = len(statements("retention.sql"))
    for stop in range(3, steps + 1, 2):
        shard.server.run("INSERT INTO connbits.sensors (sensor, retired) VALUES ('s2', 1)")
        shard.script("retention.sql", stop)
        shard.server.run("INSERT INTO connbits.sensors (sensor) VALUES ('s2')")
        shard.load("files")
        if answers(shard) != truth():
            check(f"retention that stops behind statement {stop}", answers(shard), truth())
    shard.server.run("INSERT INTO connbits.loads (sensor, series, number, problem, loaded_at) "
                     "SELECT sensor, series, number, problem, now() - INTERVAL 500 DAY FROM connbits.loads FINAL")
    shard.server.run("OPTIMIZE TABLE connbits.loads FINAL")
    shard.script("retention.sql")
    check("what was loaded long ago is not loaded again", shard.load("files").stdout, "0 exports of 0 sensors loaded, 0 not\n")


class Partial(BaseHTTPRequestHandler):
    """A shard, of whose answer something is left out."""
    url = change = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with urllib.request.urlopen(self.url, data=body) as answer:
            lines = answer.read().decode().splitlines(keepends=True)
        made = "".join(self.change(lines)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(made)))
        self.end_headers()
        self.wfile.write(made)

    def log_message(self, *_):
        pass


def partial(shard):
    """An answer that is not whole is none."""
    server = HTTPServer(("127.0.0.1", 0), Partial)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    Partial.url = shard.url
    for what, change, whole in (("all of it", lambda lines: lines, True), ("nothing", lambda lines: [], False),
                                ("all but a sensor", lambda lines: lines[1:], False),
                                ("all but the sum", lambda lines: lines[:-1], False)):
        Partial.change = staticmethod(change)
        lines, status = lines_of("smb", url)
        check(f"a shard that answers {what}", (status, url in lines), (0, False) if whole else (1, True))
    server.shutdown()


def other_meaning(shard):
    """A filter that asks for something else on another sensor is told of in the sum."""
    lines, _ = lines_of("smb", shard.url)
    check("filters that are the same", (lines["(all)"]["status"], lines["(all)"]["why"]), ("ok", "2 ok, 0 behind, 0 missing"))
    shutil.rmtree("files/s2")
    os.unlink("s2.sqlite")
    sensor_make("s2", 900, 22)
    shard.load("files")
    lines, _ = lines_of("smb", shard.url)
    check("a filter that asks for something else", (lines["(all)"]["status"], "differ" in lines["(all)"]["why"],
                                                    lines["s1"]["status"]), ("behind", True, "ok"))
    sql = run(QUERY, "--fleet", "smb").stdout
    row = shard.rows(sql)[-1]
    check("in the SQL, too", (row["sensor"], row["status"], "differ" in row["why"]), ("(all)", "behind", True))
    lines, _ = lines_of("udp", shard.url)
    check("others do not", lines["(all)"]["status"], "ok")


def as_account(roles, profile="<default/>"):
    """A server whose account may what grants.sql gives the roles."""
    grants = [made[1] for made in (re.fullmatch(rf"(GRANT.*) TO ({roles})", line) for line in statements("grants.sql")) if made]
    with open("users.xml", "w") as file:
        file.write(f"<clickhouse><profiles>{profile}</profiles><quotas><default/></quotas><users><default><password/>"
                   "<profile>default</profile><quota>default</quota><networks><ip>::/0</ip></networks><grants>" +
                   "".join(f"<query>{grant}</query>" for grant in grants) + "</grants></default></users></clickhouse>")
    with open("config.xml", "w") as file:
        file.write(f"<clickhouse><users_config>{os.path.abspath('users.xml')}</users_config></clickhouse>")
    return Shard("db", "--config-file=" + os.path.abspath("config.xml"))


def may(shard, sql):
    try:
        shard.server.run(sql)
        return True
    except Failed as error:
        check(f"{sql}: {error}", "ACCESS_DENIED" in str(error) or "READONLY" in str(error), True)
        return False


def least_rights():
    """Each role may what its script does, and no more."""
    loader = as_account("connbits_load")
    made = loader.load("files")
    check(f"load.py: {made.stderr}", (made.returncode, made.stdout), (0, "1 exports of 1 sensors loaded, 0 not\n"))
    check("a loader retires nobody", may(loader, "INSERT INTO connbits.sensors (sensor, retired) VALUES ('s1', 1)"), False)
    check("a loader reads no connection", may(loader, "SELECT * FROM connbits.connections"), False)
    check("a loader writes no file", may(loader, "INSERT INTO FUNCTION file('x.tsv', TSV, 'a UInt8') VALUES (1)"), False)
    loader.end()
    asker = as_account("connbits_ask", "<default><readonly>2</readonly></default>")
    lines, status = lines_of("smb", asker.url)
    check("ask.py", (lines["s1"]["status"], status), ("ok", 0))
    check("who asks sees no connection", may(asker, "SELECT * FROM connbits.connections_now"), False)
    check("who asks writes nothing", may(asker, "INSERT INTO connbits.loads (sensor) VALUES ('x')"), False)
    asker.end()
    seer = as_account("connbits_ask|connbits_see", "<default><readonly>2</readonly></default>")
    with open(FLEET + "/README.md") as file:
        question = re.search(r"^```\n(SELECT s\.sensor.*?)\n```$", file.read(), re.M | re.S)[1]
    rows = {row["sensor"]: row for row in seer.rows(question.replace("INTERVAL 7 DAY", "INTERVAL 90 YEAR"))}
    check("the connections of README.md", {name: (rows[name]["status"], int(rows[name]["rows"])) for name in ("s1", "s3")},
          {name: ("ok", int(run(QUERY, f"{name}.sqlite", "smb", "--count").stdout)) for name in ("s1", "s3")})
    check("who sees them writes nothing", may(seer, "INSERT INTO connbits.loads (sensor) VALUES ('x')"), False)
    seer.end()
    keeper = as_account("connbits_retain")
    keeper.script("retention.sql")
    check("retention.sql", may(keeper, "INSERT INTO connbits.loads (sensor) VALUES ('x')"), False)
    keeper.end()


needed()
with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    os.mkdir("files")
    os.mkdir("half")
    for number, sensor in enumerate(SENSORS):
        sensor_make(sensor, 700 + number)
    server = Shard("db")
    server.script("schema.sql")
    server.server.run("INSERT INTO connbits.sensors (sensor) VALUES ('s1'), ('s2')")
    for test in (unseen, too_many, forgetful, killed_retention, partial, other_meaning):
        test(server)
    server.server.run("INSERT INTO connbits.sensors (sensor) VALUES ('s3')")
    sensor_make("s3", 300)
    server.end()
    least_rights()
end()
