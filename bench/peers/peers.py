#!/usr/bin/python3
"""connbits beside what people use today: the same rows, the same questions, in one run.

usage: peers.py BUILD [--rows N] [--repeat R] [--node NODE_MODULES] [--json]
BUILD has the programs and connbits.so; NODE_MODULES has npm's @duckdb/node-api and chdb. Before a time
is printed every peer's counts have been held against connbits'. Rounds go through all peers, so that
what disturbs the machine disturbs all of them; medians are shown."""
import argparse
import importlib
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from context import Context  # noqa: E402
from questions import QUESTIONS  # noqa: E402

PEERS = ["connbits_index", "connbits_spot", "connbits_sql", "bpf_loop", "tcpdump", "nfdump", "plain_sql", "indexed_sql",
         "rowid_tables", "duckdb", "clickhouse", "note_2010"]


def log_make(context):
    """A log of rows that all have a header, and the same rows as native integers."""
    context.run(context.build + "/connbits-generate", "--rows", str(context.rows), context.log)
    db = sqlite3.connect(context.log, isolation_level=None)
    db.enable_load_extension(True)
    db.load_extension(context.build + "/connbits")
    columns = ("connection_type, local_host, remote_host, local_port, remote_port, "
               "connection_transport")
    db.execute(f"DELETE FROM connections WHERE bpf_connection({columns}) IS NULL")
    db.execute("VACUUM")
    (context.rows,) = db.execute("SELECT count(*) FROM connections").fetchone()
    with open(context.native, "w") as file:
        file.write("id,version,protocol,source,destination,source_port,destination_port\n")
        for row, header in db.execute(f"SELECT connection, bpf_connection({columns}) FROM connections"):
            version = header[0] >> 4
            base = 20 if version == 4 else 40
            addresses = header[12:20] if version == 4 else bytes(8)
            ports = header[base:base + 4] if len(header) >= base + 4 else bytes(4)
            numbers = [row, version, header[9 if version == 4 else 6],
                       *(int.from_bytes(addresses[i:i + 4], "big") for i in (0, 4)),
                       *(int.from_bytes(ports[i:i + 2], "big") for i in (0, 2))]
            file.write(",".join(map(str, numbers)) + "\n")
    db.close()


def measure(context, repeat):
    results = {}
    for name in PEERS:
        peer = importlib.import_module(name)
        reason = peer.absent(context)
        results[name] = {"name": peer.NAME, "absent": reason, "rounds": []}
        if not reason:
            results[name]["prepare"], results[name]["bytes"] = peer.prepare(context)
    expected = None
    for _ in range(repeat):
        for name in PEERS:
            if results[name]["absent"]:
                continue
            answers = importlib.import_module(name).ask(context)
            counts = {question: answers[question][0] for question, *_ in QUESTIONS}
            expected = expected or counts
            if counts != expected:
                sys.exit(f"peers.py: {results[name]['name']} answers {counts} where connbits has "
                         f"{expected}")
            results[name]["rounds"].append({q: seconds for q, (_, seconds) in answers.items()})
    return results, expected


def summary(result):
    """Median seconds of all questions, their spread, and of one pass where there is one."""
    totals = [sum(round[q] for q, *_ in QUESTIONS) for round in result["rounds"]]
    together = [round["together"] for round in result["rounds"] if "together" in round]
    return statistics.median(totals), min(totals), max(totals), (
        statistics.median(together) if together else None)


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if "model name" in line),
                     platform.machine())
    return (f"{model}, {len(os.sched_getaffinity(0))} processors, {platform.system()} {platform.release()}; "
            f"SQLite {sqlite3.sqlite_version} through Python {platform.python_version()}")


def summaries(results):
    """What connbits-bench --report reads: one flat object a peer."""
    for name in PEERS:
        result = dict(results[name])
        if not result["absent"]:
            median, least, most, together = summary(result)
            result.update(median=median, least=least, most=most, together=together)
        yield {"peer": name, **result}


def show(context, results, counts, repeat):
    print(f"# {machine()}")
    print(f"{context.rows} rows, {len(QUESTIONS)} questions, median of {repeat} rounds")
    print("rows that match: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    base = summary(results[PEERS[0]])[0]
    print(f"\n{'':30} {'all, ms':>10} {'(min - max)':>21} {'ratio':>9} {'one pass':>9} "
          f"{'prepare s':>9} {'MB':>8}")
    for name in PEERS:
        result = results[name]
        if result["absent"]:
            print(f"{result['name']:30} absent: {result['absent']}")
            continue
        median, low, high, together = summary(result)
        print(f"{result['name']:30} {median * 1e3:10.1f} {f'({low * 1e3:.1f} - {high * 1e3:.1f})':>21} "
              f"{median / base:9.1f} {together * 1e3 if together else float('nan'):9.1f} "
              f"{result['prepare']:9.2f} {result['bytes'] / 1e6:8.1f}".replace("      nan", "         "))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--node")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="connbits-peers-")
    try:
        context = Context(os.path.abspath(options.build), folder, options.rows,
                          os.path.abspath(options.node) if options.node else None, QUESTIONS)
        log_make(context)
        results, counts = measure(context, options.repeat)
        if options.json:
            print(json.dumps({"machine": machine(), "rows": context.rows, "questions": len(QUESTIONS),
                              "repeats": options.repeat, "counts": counts,
                              "peers": list(summaries(results))}, indent=1))
        else:
            show(context, results, counts, options.repeat)
    finally:
        shutil.rmtree(folder)


main()
