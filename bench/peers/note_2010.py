"""The 2010 note's way: a function of Python in SQLite that compiles, matches and frees for every row.
Its bugs are mended by giving it rows it can do and connbits' own header bytes, which spares it the
making of a header. It sees the first rows only, and its time is scaled to all of them: it would take
minutes a question."""
import ctypes
import ctypes.util

from context import timed

NAME = "the note of 2010, scaled"
ROWS = 20000
DLT_RAW = 12
LIBRARY = ctypes.util.find_library("pcap")


def absent(context):
    return None if LIBRARY else "libpcap is not found"


def prepare(context):
    return 0, 0


class Program(ctypes.Structure):
    _fields_ = [("bf_len", ctypes.c_int), ("bf_insns", ctypes.c_void_p)]


def note(pattern, header):
    pcap = ctypes.cdll.LoadLibrary(LIBRARY)
    program = Program()
    if pcap.pcap_compile_nopcap(40, DLT_RAW, ctypes.byref(program), pattern.encode(), 0, 0) != 0:
        raise ValueError(pattern)
    matched = pcap.bpf_filter(ctypes.c_void_p(program.bf_insns), header, 40, len(header))
    pcap.pcap_freecode(ctypes.byref(program))
    return matched > 0


def ask(context):
    db = context.connect()
    db.create_function("note", 2, note)
    db.execute(f"""CREATE TEMP TABLE sample AS SELECT connection, bpf_connection(connection_type,
        local_host, remote_host, local_port, remote_port, connection_transport) AS header
        FROM connections LIMIT {ROWS}""")
    rows, last = db.execute("SELECT count(*), max(connection) FROM sample").fetchone()
    answers = {}
    for name, pcap, *_ in context.questions:
        (count,), seconds = timed(
            lambda: db.execute("SELECT count(*) FROM sample WHERE note(?, header)", (pcap,)).fetchone())
        (expected,) = db.execute("SELECT count(*) FROM bitmap(?) WHERE value <= ?",
                                 (name, last)).fetchone()
        if count != expected:
            raise ValueError(f"{name}: {count} of {rows} rows where connbits has {expected}")
        (all_rows,) = db.execute("SELECT bitmap_count(?)", (name,)).fetchone()
        answers[name] = (all_rows, seconds * context.rows / rows)
    db.close()
    return answers
