"""Asks a fleet whose sensors are spread over several ClickHouse servers, each sensor on one of them, whole:

    python3 ask.py 'smb and not rfc1918' --url http://shard1:8123 --url http://shard2:8123 [--format table|json]

Each shard evaluates the expression for its own sensors (connbits-query --fleet); what comes over the network is a line
for each. A shard that does not answer is a line of its own, and missing, as are its sensors from the sum. Exit status:
0 all ok or behind, 1 something is missing, 2 wrong usage or an expression that is wrong.
"""
import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True  # nothing is left where this lies
from clickhouse import Failed, Server

COLUMNS = ("sensor", "table_name", "status", "rows", "through", "why")
STATUSES = ("ok", "behind", "missing")


def whole(rows):
    """The lines of a shard, whose sum says whether they are all of them."""
    lines = [dict({name: row[name] for name in COLUMNS}, sensor=str(row["sensor"]), table_name=str(row["table_name"]),
                  asks=row["asks"], rows=None if row["rows"] is None else int(row["rows"])) for row in rows]
    sums = [line for line in lines if line["sensor"] == "(all)"]
    lines = [line for line in lines if line["sensor"] != "(all)"]
    if len(sums) != 1 or not sums[0]["why"].startswith(counted(lines)):
        raise ValueError("lines are missing")
    return lines


def shard_ask(url, sql):
    try:
        return whole(Server(url, timeout=120).rows(sql))
    except (Failed, AttributeError, KeyError, TypeError, ValueError) as error:
        return [{"sensor": url, "table_name": "", "status": "missing", "rows": None, "through": None, "asks": "",
                 "why": f"the shard has not answered: {error if isinstance(error, Failed) else 'no answer to this'}"}]


def counted(rows):
    return ", ".join(f"{sum(row['status'] == status for row in rows)} {status}" for status in STATUSES)


def total(rows):
    known = [row["rows"] for row in rows if row["rows"] is not None]
    through = [row["through"] for row in rows]
    differ = len({row["asks"] for row in rows if row["asks"]}) > 1
    worst = max([STATUSES.index(row["status"]) for row in rows] + [1 if differ else 0]) if rows else 2
    return {"sensor": "(all)", "table_name": "", "status": STATUSES[worst], "rows": sum(known) if known else None,
            "through": min(through) if through and all(through) else None,
            "why": counted(rows) + ("; filters of one name differ: see connbits.different_filters" if differ else "")}


def table_print(rows):
    lines = [COLUMNS] + [tuple("" if row[name] is None else str(row[name]) for name in COLUMNS) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    for line in lines:
        print("  ".join(text.rjust(width) if name == "rows" else text.ljust(width)
                        for name, text, width in zip(COLUMNS, line, widths)).rstrip()
              .encode("unicode_escape").decode())


def main():
    parser = argparse.ArgumentParser(description="Asks a fleet that is spread over several servers.")
    parser.add_argument("expression")
    parser.add_argument("--url", action="append", required=True, help="a server; once for each")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--program", default="connbits-query", help="(default: %(default)s)")
    options = parser.parse_args()
    try:
        made = subprocess.run([options.program, "--fleet", options.expression], stdout=subprocess.PIPE, text=True,
                              check=False)
    except OSError as error:
        print(f"ask.py: {options.program}: {error.strerror}; --program PATH says where connbits-query is", file=sys.stderr)
        return 1
    if made.returncode:
        return made.returncode
    with ThreadPoolExecutor(len(options.url)) as pool:
        rows = [row for answer in pool.map(lambda url: shard_ask(url, made.stdout), options.url) for row in answer]
    rows.sort(key=lambda row: (row["sensor"], row["table_name"]))
    for row, next_row in zip(rows, rows[1:]):
        if (row["sensor"], row["table_name"]) == (next_row["sensor"], next_row["table_name"]):
            next_row.update(status="missing", rows=None, why="two shards have it: retire it on one of them")
    rows.append(total(rows))
    if options.format == "json":
        print(json.dumps([{name: row[name] for name in COLUMNS} for row in rows], indent=1))
    else:
        table_print(rows)
    return 1 if rows[-1]["status"] == "missing" else 0


if __name__ == "__main__":
    sys.exit(main())
