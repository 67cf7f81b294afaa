"""ClickHouse's engine, chDB of npm in CONNBITS_CLIENTS, as a server that the scripts of data/fleet ask."""
import json
import os
import re
import subprocess
import sys

SUPPORT = os.path.dirname(os.path.abspath(__file__))
EXPORT = os.path.join(SUPPORT, "..", "export")
FLEET = os.path.join(SUPPORT, "..", "..", "data", "fleet")
CLIENTS = os.path.abspath(os.environ["CONNBITS_CLIENTS"]) if os.environ.get("CONNBITS_CLIENTS") else ""
sys.path[:0] = [FLEET]
from checks import check, run
from clickhouse import Server


def needed():
    """Ends a test that cannot be where there is no engine."""
    if not os.path.isdir(CLIENTS + "/node_modules/chdb"):
        print("NOT TESTED: ClickHouse's engine, chdb of npm, is missing in CONNBITS_CLIENTS")
        sys.exit(1 if CLIENTS else 77)


def statements(name):
    with open(f"{FLEET}/{name}") as file:
        text = re.sub(r"^--[^\n]*", "", file.read(), flags=re.M)
    return [statement.strip() for statement in text.split(";\n") if statement.strip()]


def ask(program, expression, urls):
    """The lines of ask.py, the sum last, and its exit status. program is connbits-query."""
    made = run(sys.executable, FLEET + "/ask.py", expression, "--format", "json", "--program", program,
               *[word for url in urls for word in ("--url", url)])
    check(f"ask.py {expression}: no complaint", made.stderr, "")
    return json.loads(made.stdout), made.returncode


class Shard:
    """A server of its own on a folder; options are those of ClickHouse's."""

    def __init__(self, folder, *options):
        self.process = subprocess.Popen(
            ["node", EXPORT + "/clickhouse_server.js", folder, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=dict(os.environ, NODE_PATH=CLIENTS + "/node_modules"))
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"
        self.server = Server(self.url)

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def script(self, name, most=None):
        """Runs the statements of a script, or so many of them."""
        for statement in statements(name)[:most]:
            self.server.run(statement)

    def rows(self, sql):
        return [json.loads(line) for line in self.server.run(sql + " FORMAT JSONEachRow").splitlines()]

    def load(self, folder):
        return run(sys.executable, FLEET + "/load.py", folder, "--url", self.url)
