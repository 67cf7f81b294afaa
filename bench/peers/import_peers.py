#!/usr/bin/env python3
"""Importing, beside what people use: the same files into SQLite, in turns, in one run.

usage: import_peers.py BUILD [--rows N] [--repeat R] [--json | --markdown]
A CSV and a Zeek conn.log of the same N rows of 21 columns, and a capture of N packets, are made. connbits-import
takes each, `sqlite3 .import` the first two, tshark and nfpcapd the capture where they are installed; and
`connbits-bench --inserts` runs the bare loop of prepared inserts of the same values, which is the least that
anything with SQLite can take. What each has imported is counted before a time is shown; medians of the rounds."""
import argparse
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

NAMES = ("ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig "
         "local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents").split()
TYPES = ("time string addr port addr port enum string interval count count string bool bool count string count count count "
         "count set[string]").split()


def logs_make(folder, rows):
    chance = random.Random(1)
    with open(f"{folder}/conn.log", "w") as zeek, open(f"{folder}/conn.csv", "w") as csv:
        zeek.write("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
                   "#fields\t" + "\t".join(NAMES) + "\n#types\t" + "\t".join(TYPES) + "\n")
        csv.write(",".join(NAMES) + "\n")
        for i in range(rows):
            row = (f"{1591367999 + i / 50:.6f}", "C%017x" % chance.getrandbits(68), f"10.{i % 7}.{chance.randrange(256)}.{i % 256}",
                   str(chance.randrange(1024, 65536)), f"192.168.{chance.randrange(4)}.{chance.randrange(256)}",
                   chance.choice(("80", "443", "445", "22", "53")), chance.choice(("tcp", "tcp", "udp")),
                   chance.choice(("http", "ssl", "-", "dns")), f"{chance.random() * 10:.6f}", str(chance.randrange(100000)),
                   str(chance.randrange(1000000)), chance.choice(("SF", "S0", "REJ")), "T", "F", "0", "ShADadFf",
                   str(chance.randrange(100)), str(chance.randrange(100000)), str(chance.randrange(100)),
                   str(chance.randrange(100000)), "(empty)")
            zeek.write("\t".join(row) + "\n")
            csv.write(",".join("" if value == "-" else value for value in row) + "\n")


def capture_make(folder, rows):
    chance = random.Random(2)
    with open(f"{folder}/a.pcap", "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i in range(rows):
            packet = (b"\2" * 12 + b"\x08\0" + struct.pack("!BBHHHBBH", 0x45, 0, 60, 1, 0, 64, 6, 0)
                      + bytes((10, chance.randrange(4), chance.randrange(256), i % 256, 192, 168, chance.randrange(256), 7))
                      + struct.pack("!HHIIBBHHH", 1024 + i % 60000, chance.choice((80, 443, 445)), 1, 0, 0x50, 2, 100, 0, 0)
                      + b"x" * 20)
            file.write(struct.pack("<IIII", 1700000000 + i // 1000, i % 1000 * 1000, len(packet), len(packet)) + packet)


def timed(command, **more):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    return time.perf_counter() - start


def rows_of(database, table):
    out = subprocess.run(["sqlite3", database, f"SELECT count(*) FROM {table}"], check=True, capture_output=True, text=True)
    return int(out.stdout)


class Runs:
    """One turn of each way to take a file; each gives its seconds."""

    def __init__(self, build, folder, rows):
        self.build, self.folder, self.rows = build, folder, rows

    def connbits(self, file, table, *options):
        log = f"{self.folder}/{file}.sqlite"
        if os.path.exists(log):
            os.unlink(log)
        seconds = timed([f"{self.build}/connbits-import", log, f"{self.folder}/{file}", "--quiet", *options])
        if table != "connections" and rows_of(log, table) != self.rows:
            sys.exit(f"import_peers.py: connbits-import took {rows_of(log, table)} rows of {file}")
        return seconds

    def loop(self, file, table):
        out = subprocess.run([f"{self.build}/connbits-bench", "--inserts", table, f"{self.folder}/{file}.sqlite", "--json"],
                             check=True, capture_output=True, text=True)
        return json.loads(out.stdout)["seconds"]

    def shell(self, file, *commands):
        database = f"{self.folder}/shell.sqlite"
        if os.path.exists(database):
            os.unlink(database)
        seconds = timed(["sqlite3", database, *commands, f".import {'--skip 7' if file == 'conn.log' else ''} {self.folder}/{file} t"])
        if rows_of(database, "t") != self.rows:
            sys.exit(f"import_peers.py: .import took {rows_of(database, 't')} rows of {file}")
        return seconds

    def tshark(self):
        fields = [word for field in ("frame.time_epoch", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "ip.proto", "ip.len",
                                     "tcp.flags") for word in ("-e", field)]
        return timed(["tshark", "-n", "-r", f"{self.folder}/a.pcap", "-T", "fields", *fields])

    def nfpcapd(self):
        flows = f"{self.folder}/flows"
        shutil.rmtree(flows, ignore_errors=True)
        os.mkdir(flows)
        return timed(["nfpcapd", "-r", f"{self.folder}/a.pcap", "-l", flows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--rows", type=int, default=500000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    columns = ", ".join(f'"{name}"' for name in NAMES)
    with tempfile.TemporaryDirectory(prefix="connbits-import-") as folder:
        logs_make(folder, options.rows)
        capture_make(folder, options.rows)
        runs = Runs(options.build, folder, options.rows)
        ways = [
            ("CSV", "connbits-import", lambda: runs.connbits("conn.csv", "flows")),
            ("CSV", "bare loop of inserts", lambda: runs.loop("conn.csv", "flows")),
            ("CSV", "sqlite3 .import", lambda: runs.shell("conn.csv", ".mode csv")),
            ("Zeek", "connbits-import", lambda: runs.connbits("conn.log", "conn")),
            ("Zeek", "bare loop of inserts", lambda: runs.loop("conn.log", "conn")),
            ("Zeek", "sqlite3 .import", lambda: runs.shell("conn.log", f"CREATE TABLE t ({columns})", ".mode tabs")),
            ("pcap", "connbits-import", lambda: runs.connbits("a.pcap", "packets")),
            ("pcap", "bare loop of inserts", lambda: runs.loop("a.pcap", "packets")),
            ("pcap", "connbits-import --per connection", lambda: runs.connbits("a.pcap", "connections", "--per", "connection")),
        ]
        if shutil.which("tshark"):
            ways.append(("pcap", "tshark -T fields, no database", runs.tshark))
        if shutil.which("nfpcapd"):
            ways.append(("pcap", "nfpcapd, into flows", runs.nfpcapd))
        times = [[] for _ in ways]
        for number in range(options.repeat + 1):
            for i, (_, _, run) in enumerate(ways):
                seconds = run()
                if number:
                    times[i].append(seconds)
    results = [{"file": file, "way": way, "seconds": statistics.median(taken), "least": min(taken), "most": max(taken)}
               for (file, way, _), taken in zip(ways, times)]
    first = {}
    for result in results:
        first.setdefault(result["file"], result["seconds"])
        result["ratio"] = result["seconds"] / first[result["file"]]
    if options.json:
        print(json.dumps({"rows": options.rows, "results": results}, indent=1))
        return
    if options.markdown:
        print("| | | ratio | seconds | rows a second |\n| --- | --- | ---: | ---: | ---: |")
    for result in results:
        line = (result["file"], result["way"], f"{result['ratio']:.2f}", f"{result['seconds']:.2f}",
                f"{options.rows / result['seconds']:,.0f}")
        print("| " + " | ".join(line) + " |" if options.markdown else "%-5s %-34s %6s %8s s %12s rows/s" % line)


if __name__ == "__main__":
    main()
