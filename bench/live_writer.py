#!/usr/bin/env python3
"""How long a job keeps a log's own writer waiting: one process inserts rows at a steady rate in
short transactions while connbits-index builds the index of the same log, from nothing, then
again, and then drops all of its filters but one.

usage: live_writer.py BUILD [ROWS [RATE [FILTERS]]]
Prints, for rollback journal and WAL, and for the index in the log and beside it, how long inserts
took while the job ran, and how many failed. Exits 1 if one did."""

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

BUILD = sys.argv[1]
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 5000000
RATE = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
FILTERS = sys.argv[4] if len(sys.argv) > 4 else os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "data", "filters.conf")
INSERT = """INSERT INTO connections (connection_type, connection_transport, connection_protocol,
  connection_timestamp, local_host, local_port, remote_host, remote_port)
  VALUES ('accept', 'tcp', 'smbd', ?, '192.0.2.1', 445, '198.51.100.1', 40000)"""


def write(log, stop, results):
    """One row a transaction, RATE a second; what was missed is made up for."""
    db = sqlite3.connect(log, isolation_level=None, timeout=30)
    waits = []
    failed = 0
    start = time.monotonic()
    while not stop.is_set():
        due = start + len(waits) / RATE
        now = time.monotonic()
        if due > now:
            time.sleep(due - now)
            now = time.monotonic()
        try:
            db.execute(INSERT, (int(time.time()),))
        except sqlite3.OperationalError:
            failed += 1
        waits.append(time.monotonic() - now)
    db.close()
    results.put((waits, failed))


def writer_with_nothing_else(log, seconds):
    return measure(log, lambda: time.sleep(seconds))


def measure(log, job):
    stop = multiprocessing.Event()
    results = multiprocessing.Queue()
    writer = multiprocessing.Process(target=write, args=(log, stop, results))
    writer.start()
    time.sleep(0.2)
    start = time.monotonic()
    job()
    seconds = time.monotonic() - start
    stop.set()
    waits, failed = results.get()
    writer.join()
    return waits, failed, seconds


def show(name, waits, failed, seconds):
    waits = sorted(waits)
    at = lambda share: waits[min(int(len(waits) * share), len(waits) - 1)] * 1000
    print(f"{name:30} {len(waits):7} {failed:6} {at(0.5):8.2f} {at(0.99):8.2f} "
          f"{at(0.999):8.2f} {waits[-1] * 1000:8.1f} {seconds:8.1f}", flush=True)


def main():
    folder = tempfile.mkdtemp(prefix="connbits-live-")
    made = os.path.join(folder, "made.sqlite")
    all_failed = 0
    subprocess.run([os.path.join(BUILD, "connbits-generate"), "--rows", str(ROWS), made],
                   check=True)
    print(f"a job over {ROWS} rows beside a writer of {RATE} rows a second, one a transaction")
    print(f"{'log, index':30} {'inserts':>7} {'failed':>6} {'median':>8} {'99 %':>8} "
          f"{'99.9 %':>8} {'longest':>8} {'job':>8}")
    print(f"{'':30} {'':7} {'':6} {'ms':>8} {'ms':>8} {'ms':>8} {'ms':>8} {'s':>8}")
    try:
        for journal in ("DELETE", "WAL"):
            for into in (False, True):
                log = os.path.join(folder, "log.sqlite")
                for name in os.listdir(folder):
                    if name != "made.sqlite":
                        os.unlink(os.path.join(folder, name))
                shutil.copy(made, log)
                db = sqlite3.connect(log)
                db.execute(f"PRAGMA journal_mode = {journal}")
                db.close()
                command = [os.path.join(BUILD, "connbits-index"), log, FILTERS, "--quiet"]
                if into:
                    command += ["--into", os.path.join(folder, "log.index")]
                if not into:
                    show(f"{journal}, no job", *writer_with_nothing_else(log, 2))
                one = os.path.join(folder, "one.conf")
                with open(one, "w") as file:
                    file.write("[filter smb]\nexpression = tcp dst port 445\n")
                where = "beside" if into else "in the log"
                for name, job in ((f"{journal}, index {where}", command),
                                  ("  built again", command + ["--rebuild"]),
                                  ("  pruned", [*command[:2], one, *command[3:], "--prune"])):
                    result = measure(log, lambda: subprocess.run(job, check=True))
                    show(name, *result)
                    all_failed += result[1]
    finally:
        shutil.rmtree(folder)
    sys.exit(all_failed > 0)


main()
