#!/usr/bin/python3
"""bpf_filter() in SQL beside what the 2010 note on libpcap and ctypes did: a function of Python that
loads libpcap, makes a header of a row's columns, compiles the filter, matches, and frees it, for
every row. Both see the same rows: the ones the note could do, IPv4 and TCP that came in.

usage: note_2010.py LOG BUILD [ROWS [EXPRESSION]]
LOG is a log of dionaea's columns; BUILD has connbits.so. Needs a Python that loads extensions."""

import ctypes
import ctypes.util
import socket
import sqlite3
import statistics
import struct
import sys
import time

LOG, BUILD = sys.argv[1:3]
ROWS = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
EXPRESSION = sys.argv[4] if len(sys.argv) > 4 else "dst port 445 and src net 0.0.0.0/2"
ROUNDS = 7
DLT_RAW = 12
LIBRARY = ctypes.util.find_library("pcap")


def note(pattern, contype, localhost, remotehost, localport, remoteport, proto):
    """As the note has it, but for its bug: rows that came in are the only ones it is given."""
    pcap = ctypes.cdll.LoadLibrary(LIBRARY)

    class Program(ctypes.Structure):
        _fields_ = [("bf_len", ctypes.c_int), ("bf_insns", ctypes.c_void_p)]

    def address(host):
        host = host or "0.0.0.0"
        return socket.inet_pton(socket.AF_INET, host[7:] if host.startswith("::ffff:") else host)

    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 512, 0x4711, 0, 64, 6, 0,
                         address(remotehost), address(localhost))
    header += struct.pack("!HHIIB", remoteport, localport, 123, 234, 32)
    header += b" " * (40 - len(header))
    program = Program()
    if pcap.pcap_compile_nopcap(40, DLT_RAW, ctypes.byref(program), pattern.encode(), 0, 0) != 0:
        raise ValueError(pattern)
    matched = pcap.bpf_filter(ctypes.c_void_p(program.bf_insns), header, len(header), len(header))
    pcap.pcap_freecode(ctypes.byref(program))
    return matched > 0


def timed(db, function):
    start = time.perf_counter()
    (count,) = db.execute(
        f"""SELECT count(*) FROM sample WHERE {function}(?, connection_type, local_host, remote_host,
            local_port, remote_port, connection_transport)""", (EXPRESSION,)).fetchone()
    return count, time.perf_counter() - start


def main():
    db = sqlite3.connect(f"file:{LOG}?mode=ro", uri=True)
    db.enable_load_extension(True)
    db.load_extension(BUILD + "/connbits")
    db.create_function("note", 7, note)
    db.execute("""CREATE TEMP TABLE sample AS SELECT connection_type, local_host, remote_host,
        local_port, remote_port, connection_transport FROM connections
        WHERE connection_type IN ('accept', 'reject') AND connection_transport = 'tcp'
        AND bpf_filter('ip', connection_type, local_host, remote_host, local_port, remote_port,
        connection_transport) LIMIT ?""", (ROWS,))
    (rows,) = db.execute("SELECT count(*) FROM sample").fetchone()
    seconds = {"bpf_filter": [], "note": []}
    for _ in range(ROUNDS):
        counts = set()
        for function, times in seconds.items():
            count, took = timed(db, function)
            counts.add(count)
            times.append(took)
        if len(counts) != 1:
            sys.exit(f"note_2010.py: the answers differ: {counts}")
    ratios = sorted(a / b for a, b in zip(seconds["note"], seconds["bpf_filter"]))
    print(f"{rows} rows, {counts.pop()} match '{EXPRESSION}', median of {ROUNDS} interleaved rounds")
    for function, times in seconds.items():
        print(f"{function:12} {statistics.median(times) / rows * 1e9:10.0f} ns a row")
    print(f"the note takes {statistics.median(ratios):.0f} times as long "
          f"({ratios[0]:.0f} - {ratios[-1]:.0f})")


main()
