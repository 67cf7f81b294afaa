#!/usr/bin/python3
"""connbits beside what people use today: the same rows, the same questions, in one run.

usage: peers.py BUILD [--rows N] [--repeat R] [--node NODE_MODULES] [--json | --markdown] [--save FILE.json]
BUILD has the programs and connbits.so; NODE_MODULES has npm's @duckdb/node-api and chdb. Before a time
is printed every peer's counts have been held against connbits'. Rounds go through all peers, so that
what disturbs the machine disturbs all of them; medians are shown."""
import argparse
import importlib
import json
import os
import platform
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from context import Context, log_make  # noqa: E402
from questions import QUESTIONS  # noqa: E402

PEERS = ["connbits_index", "connbits_spot", "connbits_sql", "bpf_loop", "tcpdump", "nfdump", "plain_sql", "indexed_sql",
         "rowid_tables", "duckdb", "clickhouse", "note_2010"]


def measure(context, repeat):
    results = {}
    for name in PEERS:
        peer = importlib.import_module(name)
        reason = peer.absent(context)
        results[name] = {"name": peer.NAME, "absent": reason, "rounds": []}
        if not reason:
            results[name]["prepare"], results[name]["bytes"] = peer.prepare(context)
    expected = None
    # The first round is for what is slow only once, and does not count.
    for number in range(repeat + 1):
        for name in PEERS:
            if results[name]["absent"]:
                continue
            answers = importlib.import_module(name).ask(context)
            counts = {question: answers[question][0] for question, *_ in QUESTIONS}
            expected = expected or counts
            if counts != expected:
                sys.exit(f"peers.py: {results[name]['name']} answers {counts} where connbits has "
                         f"{expected}")
            if number:
                results[name]["rounds"].append({q: seconds for q, (_, seconds) in answers.items()})
    return results, expected


def total(round):
    return sum(round[q] for q, *_ in QUESTIONS)


def summary(result, first):
    """Median seconds of all questions, their spread, of one pass where there is one, and the median of the
    ratios to the first peer, round by round."""
    totals = [total(round) for round in result["rounds"]]
    together = [round["together"] for round in result["rounds"] if "together" in round]
    ratios = [time / total(round) for time, round in zip(totals, first["rounds"])]
    return {"median": statistics.median(totals), "least": min(totals), "most": max(totals),
            "together": statistics.median(together) if together else None, "ratio": statistics.median(ratios)}


def version(*command):
    """The first line that a program says of its version; None where it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return ((done.stdout + done.stderr).strip().splitlines() or [None])[0]


def versions(context):
    packages = {"DuckDB": "@duckdb/node-api", "chDB": "chdb"}
    known = [version("tcpdump", "--version"), version("nfdump", "-V"), version("node", "--version")]
    for name, package in packages.items():
        if context.has_node(package):
            with open(os.path.join(context.node_modules, package, "package.json")) as file:
                known.append(f"{name} {json.load(file)['version']}")
    return "; ".join(text for text in known if text)


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
            result.update(summary(result, results[PEERS[0]]))
        yield {"peer": name, **result}


def show(context, results, counts, repeat):
    print(f"# {machine()}\n# {versions(context)}")
    print(f"{context.rows} rows, {len(QUESTIONS)} questions, median of {repeat} rounds")
    print("rows that match: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    print(f"\n{'':30} {'ratio':>9} {'all, ms':>10} {'(min - max)':>21} {'one pass':>9} "
          f"{'prepare s':>9} {'MB':>8}")
    for name in PEERS:
        result = results[name]
        if result["absent"]:
            print(f"{result['name']:30} absent: {result['absent']}")
            continue
        found = summary(result, results[PEERS[0]])
        together = f"{found['together'] * 1e3:.1f}" if found["together"] else ""
        spread = f"({found['least'] * 1e3:.1f} - {found['most'] * 1e3:.1f})"
        print(f"{result['name']:30} {found['ratio']:9.1f} {found['median'] * 1e3:10.1f} {spread:>21} {together:>9} "
              f"{result['prepare']:9.2f} {result['bytes'] / 1e6:8.1f}")


def time_text(seconds):
    unit, name = next(((u, n) for u, n in ((1, "s"), (1e-3, "ms")) if seconds >= u), (1e-6, "µs"))
    return f"{seconds / unit:.{1 if seconds / unit < 9.95 else 0}f} {name}"


def show_markdown(results):
    print("| | ratio | all questions | in one pass | prepared in | MB on disk |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in PEERS:
        result = results[name]
        if result["absent"]:
            print(f"| {result['name']} | absent: {result['absent']} | | | | |")
            continue
        found = summary(result, results[PEERS[0]])
        print(f"| {result['name']} | {found['ratio']:.{1 if found['ratio'] < 9.95 else 0}f} | "
              f"{time_text(found['median'])} | {time_text(found['together']) if found['together'] else ''} | "
              f"{time_text(result['prepare']) if result['prepare'] else ''} | "
              f"{result['bytes'] / 1e6:.1f} |".replace(" 0.0 |", " |"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--node")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--save", metavar="FILE.json", help="write the JSON there too")
    options = parser.parse_args()
    if options.repeat < 1 or options.rows < 1000:
        parser.error("--repeat from 1 and --rows from 1000")
    if not os.access(os.path.join(options.build, "connbits-index"), os.X_OK):
        parser.error(f"{options.build} has no connbits-index")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="connbits-peers-")
    try:
        context = Context(os.path.abspath(options.build), folder, options.rows,
                          os.path.abspath(options.node) if options.node else None, QUESTIONS)
        log_make(context)
        results, counts = measure(context, options.repeat)
        text = json.dumps({"machine": f"{machine()}; {versions(context)}", "rows": context.rows,
                           "questions": len(QUESTIONS), "repeats": options.repeat, "counts": counts,
                           "peers": list(summaries(results))}, indent=1)
        if options.save:
            with open(options.save, "w") as file:
                file.write(text + "\n")
        if options.json:
            print(text)
        elif options.markdown:
            show_markdown(results)
        else:
            show(context, results, counts, options.repeat)
    except subprocess.CalledProcessError as failure:
        sys.exit(f"peers.py: {' '.join(failure.cmd)[:200]}: {failure.stderr.strip()[-500:]}")
    finally:
        shutil.rmtree(folder)


main()
