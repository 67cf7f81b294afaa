#!/usr/bin/python3
"""Address sets and top sources beside what people use today: the same rows and the same lists of addresses,
the answers compared before a time is shown.

usage: set_peers.py BUILD [--rows N] [--entries E] [--repeat R] [--node NODE_MODULES] [--only NAMES] [--markdown]
Ten lists of E entries each, nine tenths of them single IPv4 addresses and one tenth networks; each has a few hundred
of the log's own sources. Asked are one list, all ten joined by `or`, {src net 10.0.0.0/8} beside them, and the ten
sources with the most rows. connbits answers through SQL in a new connection each time, so that the lists are read from
the index and nothing is kept. DuckDB has the rows and the lists as numbers and joins them by ranges (ASOF, its fastest
way, since the ranges do not overlap); PostgreSQL has them as inet, with an index of GiST over the list; nfdump reads
the list with its filter, of which it takes 100,000 entries in a quarter of a minute and so gets one of 10,000.
SiLK is not packaged for Debian. What is not installed is left out with a line that says so."""
import argparse
import ipaddress
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import nfdump  # noqa: E402
from context import Context, log_make, timed  # noqa: E402

LISTS = 10
NFDUMP_ENTRIES = 10000


def feeds_make(context, entries):
    """Lists of ranges that neither overlap nor touch, as every peer takes them."""
    generator = random.Random(19)
    db = context.connect(index=False)
    hosts = [int(ipaddress.IPv4Address(host)) for (host,) in db.execute(
        "SELECT DISTINCT remote_host FROM connections WHERE remote_host GLOB '[0-9]*.*.*.*' ORDER BY 1")]
    db.close()
    for number in range(LISTS):
        wanted = {(generator.randrange(2**32), 0) for _ in range(entries * 9 // 10)}
        wanted |= {(generator.randrange(2**24) << 8, 8) for _ in range(entries // 10)}
        wanted |= {(host, 0) for host in generator.sample(hosts, min(300, len(hosts)))}
        ranges = []
        for first, bits in sorted(wanted):
            if not ranges or first > ranges[-1][1]:
                ranges.append((first, first + 2**bits - 1, bits))
        with open(context.path(f"s{number}.csv"), "w") as numbers, open(context.path(f"s{number}.txt"), "w") as text:
            numbers.write("first,last\n")
            for first, last, bits in ranges:
                numbers.write(f"{first},{last}\n")
                text.write(f"{ipaddress.IPv4Address(first)}/{32 - bits}\n")


class Connbits:
    NAME = "connbits"

    def __init__(self, context, entries):
        self.context = context
        with open(context.path("sets.conf"), "w") as file:
            file.write("[filter ipv4]\nexpression = ip\n")
            file.writelines(f"[set s{i}]\nfile = s{i}.txt\n" for i in range(LISTS))
        context.run(context.build + "/connbits-index", context.log, context.path("sets.conf"), "--into", context.index,
                    "--quiet")

    def ask(self):
        ten = " or ".join(f"src in s{i}" for i in range(LISTS))
        answers = {}
        for name, sql in (("net", "SELECT bitmap_count('{src net 10.0.0.0/8}')"),
                          ("one", "SELECT bitmap_count('src in s0')"),
                          ("ten", f"SELECT bitmap_count('{ten}')"),
                          ("top", "SELECT value, rows FROM bitmap_facet('ipv4', 'src') LIMIT 10")):
            db = self.context.connect()
            db.execute("SELECT bitmap_count('ipv4')").fetchall()  # the index is found and held against its log
            got, seconds = timed(lambda: db.execute(sql).fetchall())
            db.close()
            answers[name] = (([[int(ipaddress.IPv4Address(v)), n] for v, n in got] if name == "top" else got[0][0]),
                             seconds)
        return answers


class DuckDB:
    NAME = "DuckDB"

    def __init__(self, context, entries):
        self.context = context
        self.list = context.path("feeds.json")
        with open(self.list, "w") as file:
            json.dump({f"s{i}": context.path(f"s{i}.csv") for i in range(LISTS)}, file)
        self.run("load")

    @staticmethod
    def absent(context):
        return None if context.has_node("@duckdb/node-api") else "npm's @duckdb/node-api is not installed"

    def run(self, action):
        return json.loads(self.context.node("set_feeds.cjs", action, self.context.path("sets.duckdb"),
                                            self.context.native, self.list))

    def ask(self):
        return {name: tuple(answer) for name, answer in self.run("ask").items()}


class PostgreSQL:
    NAME = "PostgreSQL"

    def __init__(self, context, entries):
        self.context = context
        self.folder = context.path("pg")
        self.user = [] if os.getuid() else ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        os.chmod(context.folder, 0o755)
        os.mkdir(self.folder)
        if not os.getuid():
            shutil.chown(self.folder, "nobody", "nogroup")
        self.command(self.bin("initdb"), "-D", self.folder, "-A", "trust", "-U", "bench")
        self.command(self.bin("pg_ctl"), "-D", self.folder, "-w", "-l", self.folder + "/log", "-o",
                     f"-k {self.folder} -h ''", "start")
        self.sql("CREATE TABLE rows (id bigint, version int, protocol int, source bigint, destination bigint, "
                 "source_port int, destination_port int)")
        self.sql(f"\\copy rows FROM '{context.native}' CSV HEADER")
        self.sql("CREATE TABLE r AS SELECT id, version, '0.0.0.0'::inet + source AS source FROM rows; ANALYZE r")
        self.sql("CREATE TABLE f (net inet)")
        self.sql(f"\\copy f FROM '{context.path('s0.txt')}'")
        self.sql("CREATE INDEX ON f USING gist (net inet_ops); ANALYZE f")

    @staticmethod
    def bin(name):
        return shutil.which(name) or max(sorted(
            (os.path.join(root, name) for root, _, files in os.walk("/usr/lib/postgresql") if name in files)), default="")

    @classmethod
    def absent(cls, context):
        return None if cls.bin("initdb") and shutil.which("psql") else "PostgreSQL is not installed"

    def command(self, *command):
        return subprocess.run([*self.user, *command], check=True, capture_output=True, text=True, cwd="/").stdout

    def sql(self, text):
        return self.command("psql", "-h", self.folder, "-U", "bench", "-At", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c",
                            text)

    def ask(self):
        answers = {}
        for name, sql in (("net", "SELECT count(*) FROM r WHERE version = 4 AND source <<= '10.0.0.0/8'"),
                          ("one", "SELECT count(*) FROM r WHERE version = 4 AND EXISTS "
                                  "(SELECT 1 FROM f WHERE f.net >>= r.source)"),
                          ("top", "SELECT (source - '0.0.0.0'::inet) || ',' || count(*) FROM r WHERE version = 4 "
                                  "GROUP BY source ORDER BY count(*) DESC, source LIMIT 10")):
            got, seconds = timed(self.sql, sql)
            answers[name] = ([list(map(int, line.split(","))) for line in got.split()] if name == "top" else int(got),
                             seconds)
        return answers

    def close(self):
        self.command(self.bin("pg_ctl"), "-D", self.folder, "-m", "immediate", "stop")


class NFDump:
    NAME = f"nfdump, {NFDUMP_ENTRIES} entries"

    def __init__(self, context, entries):
        self.context = context
        context.run(context.build + "/connbits-query", context.log, "@all", "-w", context.capture, "--into", context.index)
        nfdump.prepare(context)
        with open(context.path("s0.txt")) as file:
            lines = file.read().split()
        self.lines = lines[:NFDUMP_ENTRIES]
        with open(context.path("few.nf"), "w") as file:
            file.write("src net " + " or src net ".join(self.lines) if len(self.lines) < 2 else
                       "src ip in [ " + " ".join(line.removesuffix("/32") for line in self.lines) + " ]")
        with open(context.path("few.txt"), "w") as file:
            file.write("\n".join(self.lines))

    @staticmethod
    def absent(context):
        return nfdump.absent(context)

    def ask(self):
        run, few = self.context.run, self.context.path("few.txt")
        wanted, _ = timed(run, self.context.build + "/connbits-query", self.context.log, "src in few", "--count", "--into",
                          self.context.index, "--set", f"few={few}")
        out, seconds = timed(run, "nfdump", "-r", self.context.path("flows.nf"), "-N", "-o", "null", "-f",
                             self.context.path("few.nf"))
        got = int(re.search(r"total packets: (\d+)", out).group(1))
        if got != int(wanted):
            sys.exit(f"set_peers.py: nfdump finds {got} rows where connbits has {wanted.strip()}")
        return {"few": (got, seconds)}


def compare(peer, answers, first):
    for name, (got, _) in answers.items():
        if name in first and got != first[name][0]:
            sys.exit(f"set_peers.py: {peer.NAME} answers {got} to '{name}' where connbits has {first[name][0]}")


def measure(context, peers, repeat):
    """The first round is for what is slow only once, and does not count."""
    rounds = {peer.NAME: [] for peer in peers}
    for number in range(repeat + 1):
        first = None
        for peer in peers:
            answers = peer.ask()
            first = first or answers
            compare(peer, answers, first)
            if number:
                rounds[peer.NAME].append({name: seconds for name, (_, seconds) in answers.items()})
    return rounds, first


def show(rounds, markdown):
    columns = ("net", "one", "ten", "top", "few")
    heads = ("{src net 10.0.0.0/8}", "one list", "ten lists", "top sources", "a short list")
    line = "| {:24} | " + " | ".join("{:>20}" for _ in columns) + " |" if markdown else "{:24} " + "{:>21}" * len(columns)
    print(line.format("milliseconds", *heads))
    if markdown:
        print("| --- |" + " ---: |" * len(columns))
    for name, times in rounds.items():
        cells = [f"{statistics.median(r[c] for r in times) * 1e3:.1f}" if c in times[0] else "" for c in columns]
        print(line.format(name, *cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--entries", type=int, default=100000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--node", metavar="NODE_MODULES")
    parser.add_argument("--only", metavar="NAMES", default="", help="of peers beside connbits, with commas between")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="connbits-sets-") as folder:
        context = Context(os.path.abspath(options.build), folder, options.rows, options.node, [])
        log_make(context)
        feeds_make(context, options.entries)
        peers = []
        try:
            for peer in (Connbits, DuckDB, PostgreSQL, NFDump):
                if options.only and peers and peer.__name__ not in options.only.split(","):
                    continue
                reason = peer.absent(context) if hasattr(peer, "absent") else None
                if reason:
                    print(f"# {peer.NAME} is left out: {reason}")
                else:
                    peers.append(peer(context, options.entries))
            rounds, answers = measure(context, peers, options.repeat)
        finally:
            for peer in peers:
                if hasattr(peer, "close"):
                    peer.close()
    print(f"{context.rows} rows, {LISTS} lists of {options.entries} entries, median of {options.repeat} rounds; rows that "
          f"match: " + ", ".join(f"{name} {answers[name][0]}" for name in ("net", "one", "ten")))
    show(rounds, options.markdown)


main()
