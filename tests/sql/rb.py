"""The rb_ functions against sets of Python, on random bitmaps, on blobs of another writer in every
form that the format allows, on the specification's test data, and on damaged blobs.

usage: rb.py BUILD"""
import bisect
import ctypes
import functools
import itertools
import json
import os
import random
import sqlite3
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import extension

BUILD = sys.argv[1]
ROUNDS = (5 if os.environ.get("CONNBITS_PRELOAD") else 50) * int(os.environ.get("CONNBITS_ROUNDS", "1"))
RANDOM = random.Random(1)
MIN, MAX = -(1 << 63), (1 << 63) - 1

db = extension.connect(BUILD, ":memory:")
ask = functools.partial(extension.ask, db)
fails = functools.partial(extension.fails, db)


# --- a writer of the format, from its specification
def container(values, form):
    """Values of 16 bits, ascending, in one of the three forms."""
    if form == "run":
        runs = []
        for value in values:
            if runs and value == runs[-1][0] + runs[-1][1] + 1:
                runs[-1][1] += 1
            else:
                runs.append([value, 0])
        return struct.pack("<H", len(runs)) + b"".join(struct.pack("<HH", *run) for run in runs)
    if len(values) <= 4096:
        return struct.pack(f"<{len(values)}H", *values)
    bits = bytearray(8192)
    for value in values:
        bits[value // 8] |= 1 << value % 8
    return bytes(bits)


def bitmap32(values, runs=lambda key: False):
    keys = {}
    for value in sorted(values):
        keys.setdefault(value >> 16, []).append(value & 0xffff)
    parts = [(key, low, container(low, "run" if runs(key) else "plain"), runs(key))
             for key, low in keys.items()]
    any_run = any(part[3] for part in parts)
    if any_run:
        flags = bytearray((len(parts) + 7) // 8)
        for i, part in enumerate(parts):
            flags[i // 8] |= part[3] << i % 8
        head = struct.pack("<I", 12347 | (len(parts) - 1) << 16) + bytes(flags)
    else:
        head = struct.pack("<II", 12346, len(parts))
    head += b"".join(struct.pack("<HH", key, len(low) - 1) for key, low, _, _ in parts)
    if not any_run or len(parts) >= 4:
        at = len(head) + 4 * len(parts)
        offsets = []
        for part in parts:
            offsets.append(at)
            at += len(part[2])
        head += struct.pack(f"<{len(parts)}I", *offsets)
    return head + b"".join(part[2] for part in parts)


def bitmap64(values, runs=lambda key: False):
    buckets = {}
    for value in values:
        buckets.setdefault((value & (1 << 64) - 1) >> 32, set()).add(value & 0xffffffff)
    return struct.pack("<Q", len(buckets)) + b"".join(
        struct.pack("<I", key) + bitmap32(buckets[key], runs) for key in sorted(buckets))


def written(values):
    """As somebody else may write it."""
    runs = RANDOM.choice([lambda key: False, lambda key: True, lambda key: key % 2 == 0])
    if all(0 <= value < 1 << 32 for value in values) and RANDOM.random() < 0.7:
        return bitmap32(values, runs)
    return bitmap64(values, runs)


def smallest(values):
    """As we write it: the smallest form of each container, 64 bits where they are needed."""
    wide = not all(0 <= value < 1 << 32 for value in values)

    def chosen(low):
        plain = 8192 if len(low) > 4096 else 2 * len(low)
        return len(container(low, "run")) < plain

    def runs_of(bucket):
        keys = {}
        for value in sorted(bucket):
            keys.setdefault(value >> 16, []).append(value & 0xffff)
        return lambda key: chosen(keys[key])

    if not wide:
        return bitmap32(values, runs_of(values))
    buckets = {}
    for value in values:
        buckets.setdefault((value & (1 << 64) - 1) >> 32, set()).add(value & 0xffffffff)
    return struct.pack("<Q", len(buckets)) + b"".join(
        struct.pack("<I", key) + bitmap32(buckets[key], runs_of(buckets[key]))
        for key in sorted(buckets))


def some_values():
    """A set of one of many kinds: sparse, dense, of runs, wide apart, negative, empty."""
    kind = RANDOM.randrange(9)
    start = RANDOM.choice([0, 5, 65530, 1 << 20, (1 << 32) - 70000])
    if kind == 0:
        return set()
    if kind == 1:
        return {start + RANDOM.randrange(200000) for _ in range(RANDOM.randrange(1, 400))}
    if kind == 2:
        return set(range(start, start + RANDOM.randrange(1, 70000)))
    if kind == 3:
        return {start + 2 * i for i in range(RANDOM.randrange(1, 9000))}
    if kind == 4:
        return {RANDOM.randrange(MIN, MAX + 1) for _ in range(RANDOM.randrange(1, 30))}
    if kind == 5:
        return set(range(-RANDOM.randrange(1, 5000), RANDOM.randrange(1, 5000)))
    if kind == 6:
        return {RANDOM.choice([MIN, MAX, -1, 0, (1 << 32) - 1, 1 << 32]) for _ in range(3)}
    if kind == 7:
        return set(range((1 << 32) - 300, (1 << 32) + RANDOM.randrange(1, 300)))
    return {RANDOM.randrange(40) for _ in range(20)}


def a_number(*sets):
    near = RANDOM.choice([sorted(s) for s in sets if s] or [[0]])
    number = RANDOM.choice(near) + RANDOM.randrange(-2, 3)
    return min(max(number, MIN), MAX)


def same(name, blob, values):
    assert blob == smallest(values), (name, len(blob), len(values))


# --- every function on random bitmaps
for number in range(ROUNDS):
    a, b = some_values(), some_values()
    if RANDOM.random() < 0.3:
        b = {value for value in a if RANDOM.random() < 0.7}
    x, y = written(a), written(b)
    for name, values in (("and", a & b), ("or", a | b), ("xor", a ^ b), ("andnot", a - b)):
        same(name, ask(f"SELECT rb_{name}(?, ?)", x, y), values)
        assert ask(f"SELECT rb_{name}_cardinality(?, ?)", x, y) == len(values), name
    assert ask("SELECT rb_equals(?, ?)", x, y) == (a == b)
    assert ask("SELECT rb_not_equals(?, ?)", x, y) == (a != b)
    assert ask("SELECT rb_intersect(?, ?)", x, y) == bool(a & b)
    assert ask("SELECT rb_contains(?, ?)", x, y) == (b <= a)
    assert ask("SELECT rb_containedby(?, ?)", x, y) == (a <= b)
    jaccard = ask("SELECT rb_jaccard_dist(?, ?)", x, y)
    assert jaccard == (len(a & b) / len(a | b) if a | b else None)
    assert ask("SELECT rb_cardinality(?)", x) == len(a)
    assert ask("SELECT rb_is_empty(?)", x) == (not a)
    assert ask("SELECT rb_min(?)", x) == (min(a) if a else None)
    assert ask("SELECT rb_max(?)", x) == (max(a) if a else None)
    ordered = sorted(a)
    for _ in range(3):
        n = a_number(a, b)
        assert ask("SELECT rb_contains(?, ?)", x, n) == (n in a)
        assert ask("SELECT rb_containedby(?, ?)", n, x) == (n in a)
        assert ask("SELECT rb_rank(?, ?)", x, n) == bisect.bisect_right(ordered, n)
        assert ask("SELECT rb_index(?, ?)", x, n) == (ordered.index(n) if n in a else -1)
        same("add", ask("SELECT rb_add(?, ?)", x, n), a | {n})
        same("remove", ask("SELECT rb_remove(?, ?)", x, n), a - {n})
    low = a_number(a, b)
    high = RANDOM.choice([a_number(a, b), min(low + RANDOM.randrange(100000), MAX), low - 1
                          if low > MIN else low])
    inside = {value for value in a if low <= value < high}
    same("range", ask("SELECT rb_range(?, ?, ?)", x, low, high), inside)
    assert ask("SELECT rb_range_cardinality(?, ?, ?)", x, low, high) == len(inside)
    same("clear", ask("SELECT rb_clear(?, ?, ?)", x, low, high), a - inside)
    if high - low <= 200000:
        span = set(range(low, high))
        same("fill", ask("SELECT rb_fill(?, ?, ?)", x, low, high), a | span)
        same("flip", ask("SELECT rb_flip(?, ?, ?)", x, low, high), a ^ span)
    limit, offset = RANDOM.randrange(8), RANDOM.randrange(5)
    same("select", ask("SELECT rb_select(?, ?, ?)", x, limit, offset),
         set(ordered[offset:offset + limit]))
    same("select reverse", ask("SELECT rb_select(?, ?, ?, 1)", x, limit, offset),
         set(ordered[::-1][offset:offset + limit]))
    same("select in a range", ask("SELECT rb_select(?, ?, ?, 0, ?, ?)", x, limit, offset, low, high),
         set(sorted(inside)[offset:offset + limit]))
    distance = RANDOM.choice([1, 7, 65536, 1 << 33, MAX])
    for name, way in (("right", 1), ("left", -1)):
        moved = {value + way * distance for value in a}
        same("shift", ask(f"SELECT rb_shift{name}(?, ?)", x, distance),
             {value for value in moved if MIN <= value <= MAX})
    if len(a) < 3000:
        assert json.loads(ask("SELECT rb_to_array(?)", x)) == ordered
        same("build from JSON", ask("SELECT rb_build(?)", json.dumps(RANDOM.sample(ordered, len(a)))),
             a)
        same("text for a bitmap", ask("SELECT rb_or(?, '[]')", json.dumps(ordered)), a)
    statistics = json.loads(ask("SELECT rb_statistics(?)", x))
    assert statistics["cardinality"] == len(a) and statistics["bytes"] == len(x), statistics
    assert statistics["containers"] == len({value >> 16 for value in a}), statistics
    for order in ("", "DESC"):
        got = [r[0] for r in db.execute(f"SELECT value FROM rb_iterate(?) ORDER BY value {order}",
                                        (x,))]
        assert got == (ordered[::-1] if order else ordered)
        got = [r[0] for r in db.execute("SELECT value FROM rb_iterate(?) WHERE value >= ? AND "
                                        f"value < ? ORDER BY value {order} LIMIT 5", (x, low, high))]
        assert got == (sorted(inside, reverse=bool(order)))[:5]

# --- aggregates
for number in range(ROUNDS // 5):
    sets = [some_values() for _ in range(RANDOM.randrange(0, 6))]
    db.execute("CREATE TABLE IF NOT EXISTS bitmaps (i, b)")
    db.execute("DELETE FROM bitmaps")
    db.executemany("INSERT INTO bitmaps VALUES (?, ?)",
                   [(i, written(s)) for i, s in enumerate(sets)])
    db.execute("INSERT INTO bitmaps VALUES (NULL, NULL)")
    for name, fold in (("and", set.intersection), ("or", set.union),
                       ("xor", lambda *s: functools.reduce(set.symmetric_difference, s))):
        expected = fold(*sets) if sets else None
        got = ask(f"SELECT rb_{name}_agg(b) FROM bitmaps")
        assert (got is None) == (expected is None)
        if sets:
            same(name + "_agg", got, expected)
        assert ask(f"SELECT rb_{name}_cardinality_agg(b) FROM bitmaps") == (
            None if expected is None else len(expected))
        running = db.execute(f"SELECT rb_{name}_agg(b) OVER (ORDER BY i) FROM bitmaps WHERE i >= 0")
        for i, (blob,) in enumerate(running):
            same(name + " over", blob, fold(*sets[:i + 1]))
    for i, (blob,) in enumerate(db.execute(
            "SELECT rb_xor_agg(b) OVER (ORDER BY i ROWS 1 PRECEDING) FROM bitmaps WHERE i >= 0")):
        same("a window of xor", blob, sets[i] ^ sets[i - 1] if i else sets[0])
    values = [value for s in sets for value in RANDOM.sample(sorted(s), min(len(s), 3000))]
    RANDOM.shuffle(values)
    db.execute("CREATE TABLE IF NOT EXISTS numbers (n)")
    db.execute("DELETE FROM numbers")
    db.executemany("INSERT INTO numbers VALUES (?)", [(value,) for value in values + [None]])
    got = ask("SELECT rb_build_agg(n) FROM numbers")
    assert (got is None) == (not values)
    if values:
        same("build_agg", got, set(values))
assert "only one that grows" in fails(
    "SELECT rb_or_agg(b) OVER (ORDER BY i ROWS 1 PRECEDING) FROM (SELECT 1 AS i, rb_build(1) AS b "
    "UNION SELECT 2, rb_build(2) UNION SELECT 3, rb_build(3))")
scattered = [RANDOM.randrange(MIN, MAX + 1) for _ in range(150000)]
db.execute("DELETE FROM numbers")
db.executemany("INSERT INTO numbers VALUES (?)", [(value,) for value in scattered])
assert ask("SELECT rb_cardinality(rb_build_agg(n)) FROM numbers") == len(set(scattered))
# Many small bitmaps, far from each other: no more work than sorting them.
few = scattered[:30000]
for name in ("or", "xor"):
    assert ask(f"SELECT rb_{name}_cardinality_agg(rb_build(n)) FROM (SELECT n FROM numbers LIMIT 30000)"
               ) == len(set(few))

# --- the format specification's test data: bitmapwithruns.bin and bitmapwithoutruns.bin hold these
data = {*range(0, 100000, 1000), *(3 * i for i in range(100000, 200000)), *range(700000, 800000)}
for blob in (bitmap32(data), bitmap32(data, lambda key: True), bitmap32(data, lambda key: key > 10),
             bitmap64(data), bitmap64(data, lambda key: True)):
    assert ask("SELECT rb_cardinality(?)", blob) == len(data)
    same("the specification's", ask("SELECT rb_or(?, '[]')", blob), data)
assert ask("SELECT hex(rb_build())") == "3A30000000000000"
assert ask("SELECT rb_cardinality(x'0000000000000000')") == 0, "an empty 64-bit bitmap"
# Numbers of buckets that look like the cookies of 32-bit bitmaps.
for buckets in (12346, 12347, 12347 | 1 << 16):
    wide = {i << 32 | i for i in range(buckets)}
    blob = bitmap64(wide)
    assert ask("SELECT rb_cardinality(?)", blob) == buckets
    assert ask("SELECT rb_max(?)", blob) == max(wide)
same("one 32-bit container with the same cookie", ask("SELECT rb_or(?, '[]')", bitmap32({0}, bool)), {0})

# --- what is wrong is an error, and NULL is NULL
touching = (struct.pack("<IB", 12347, 1) + struct.pack("<HHH", 0, 199, 2) +
            struct.pack("<HHHH", 0, 99, 100, 99))
for bad in (touching, b"", b"\0", b"\x3a\x30\0\0", bitmap32({1, 2})[:-1], bitmap32({1, 2}) + b"\0",
            bitmap64({1 << 40})[:-3], struct.pack("<Q", 1 << 60), struct.pack("<Q", 3) + b"\0" * 36,
            bitmap64({1, 1 << 40})[:8] + bitmap64({1})[8:] + bitmap64({1})[8:]):
    assert "damaged" in fails("SELECT rb_cardinality(?)", bad), bad
for text in ("", "x", "{1,2}", "5", '{"a":1}', "[1,", "[1.5]", '["a"]', "[null]", "[[1]]",
             "[9223372036854775808]"):
    assert "JSON array of integers" in fails("SELECT rb_cardinality(?)", text), text
for sql in ("rb_cardinality(5)", "rb_cardinality(1.5)", "rb_and('[1]', 7)", "rb_add('[1]', 'x')",
            "rb_add('[1]', 1.5)", "rb_rank('[1]', x'00')", "rb_build(1, 'x')", "rb_select('[1]')",
            "rb_select('[1]', -1)", "rb_fill('[]', 0, 1 << 40)", "rb_flip('[]', -9e18, 5)",
            "rb_fill('[]', -9223372036854775807, 9223372036854775807)", "rb_shiftleft('[1]', 'a')",
            "rb_shiftright(rb_fill('[]', 0, 1 << 30), 1)", "rb_to_array(rb_fill('[]', 0, 1 << 30))"):
    fails("SELECT " + sql)
# --- pg_roaringbitmap's bytes, as its README shows them
PG_32 = bytes.fromhex("3a30000001000000000002001000000001000a006400")
PG_64 = bytes.fromhex("0100000000000000000000003a30000001000000000002001000000001000a006400")
assert ask("SELECT rb_build(1, 100, 10)") == PG_32
assert ask("SELECT rb_to_array(?)", PG_32) == ask("SELECT rb_to_array(?)", PG_64) == "[1,10,100]"

# --- states of ClickHouse: what is none, and what has no room (what is one: clients/clickhouse.js)
assert ask("SELECT hex(rb_to_clickhouse('[2,1]'))") == "00020100000002000000"
assert ask("SELECT hex(rb_to_clickhouse('[1]', 64))") == "00010100000000000000"
assert ask("SELECT rb_to_array(rb_from_clickhouse(rb_to_clickhouse('[-5,4294967296]')))") == "[-5,4294967296]"
assert "ask for 64 bits" in fails("SELECT rb_to_clickhouse('[-1]', 32)")
assert "bits are 32 or 64" in fails("SELECT rb_to_clickhouse('[1]', 16)")
assert "as a blob" in fails("SELECT rb_from_clickhouse('[1]')")
LARGE = ask("SELECT rb_to_clickhouse(rb_fill('[]', 0, 100000))")
for bad, why in ((b"", "too early"), (b"\0", "too early"), (b"\0\x80", "too early"), (b"\2\0", "neither 0 nor 1"),
                 (b"\0\x21" + bytes(4 * 33), "more than 32"), (b"\0\1\0\0\0", "UInt32"), (b"\0\0\0", "UInt32"),
                 (b"\0\2" + bytes(12), "UInt32"), (b"\1" + b"\xff" * 10, "too early"), (LARGE + b"\0", "as long as"),
                 (LARGE[:-1], "as long as"), (b"\1\x80\x80\x80\x80\x80\x80\x80\x80\x80\2", "too early")):
    assert why in fails("SELECT rb_from_clickhouse(?)", bad), bad
assert "damaged" in fails("SELECT rb_from_clickhouse(?)", b"\1\4" + PG_32[:4])

functions = {"rb_build": (1, 3), "rb_to_array": 1, "rb_statistics": 1, "rb_and": 2, "rb_or": 2,
             "rb_xor": 2, "rb_andnot": 2, "rb_and_cardinality": 2, "rb_or_cardinality": 2,
             "rb_xor_cardinality": 2, "rb_andnot_cardinality": 2, "rb_equals": 2,
             "rb_not_equals": 2, "rb_intersect": 2, "rb_contains": 2, "rb_containedby": 2,
             "rb_jaccard_dist": 2, "rb_cardinality": 1, "rb_is_empty": 1, "rb_min": 1, "rb_max": 1,
             "rb_rank": 2, "rb_index": 2, "rb_add": 2, "rb_remove": 2, "rb_range": 3,
             "rb_range_cardinality": 3, "rb_fill": 3, "rb_clear": 3, "rb_flip": 3,
             "rb_to_clickhouse": (1, 2), "rb_from_clickhouse": 1, "rb_select": (2, 6), "rb_shiftright": 2, "rb_shiftleft": 2}
listed = {r[0] for r in db.execute("SELECT DISTINCT name FROM pragma_function_list WHERE name LIKE "
                                   "'rb\\_%' ESCAPE '\\' AND type = 's'")}
assert listed == set(functions), listed ^ set(functions)
for name, counts in functions.items():
    for count in (counts if isinstance(counts, tuple) else (counts,)):
        for null in range(count):
            arguments = ", ".join("NULL" if i == null else "'[1]'" if i == 0 else "1"
                                  for i in range(count))
            assert ask(f"SELECT {name}({arguments})") is None, (name, arguments)
flags = dict(db.execute("SELECT name, min(flags) FROM pragma_function_list WHERE name LIKE 'rb\\_%' "
                        "ESCAPE '\\' GROUP BY 1"))
DETERMINISTIC, INNOCUOUS = 0x800, 0x200000
GROWING = "rb_fill rb_flip rb_shiftleft rb_shiftright rb_to_array".split()
for name, flag in flags.items():
    assert flag & DETERMINISTIC, name
    assert bool(flag & INNOCUOUS) == (name not in GROWING), name

# --- what is innocuous takes no more than a small multiple of its arguments; all of it is SQLite's memory
library = ctypes.CDLL("libsqlite3.so.0")
library.sqlite3_memory_highwater.restype = library.sqlite3_memory_used.restype = ctypes.c_int64
FULL = ask("SELECT rb_fill('[]', 0, 1 << 33)")
SPARSE = ask("WITH RECURSIVE n(v) AS (VALUES (0) UNION ALL SELECT v + 1 FROM n WHERE v < 65535) "
             "SELECT rb_build_agg(v * 65536 + 5) FROM n")
FAR = ask("WITH RECURSIVE n(v) AS (VALUES (0) UNION ALL SELECT v + 1 FROM n WHERE v < 20000) "
          "SELECT rb_build_agg(v << 32) FROM n")
DENSE = ask("SELECT rb_xor(rb_fill('[]', 0, 1 << 23), rb_build_agg(value * 2)) FROM "
            "rb_iterate(rb_fill('[]', 0, 1 << 22))")
for first, second in itertools.product((FULL, SPARSE, FAR, DENSE), repeat=2):
    for name, counts in functions.items():
        if name in GROWING or name in ("rb_build", "rb_iterate"):
            continue
        for count in (counts if isinstance(counts, tuple) else (counts,)):
            two = name.split("_")[1] in ("and", "or", "xor", "andnot", "equals", "not", "intersect",
                                         "contains", "containedby", "jaccard")
            arguments = [first] + ([second] if two else [64 if "clickhouse" in name else 7] * (count - 1))
            if name == "rb_from_clickhouse":
                arguments = [ask("SELECT rb_to_clickhouse(?)", first)]
            given = len(first) + (len(second) if two else 0)
            library.sqlite3_memory_highwater(1)
            before = library.sqlite3_memory_used()
            ask(f"SELECT {name}({', '.join('?' * len(arguments))})", *arguments)
            taken = library.sqlite3_memory_highwater(0) - before
            assert taken < 16 * given + (1 << 20), (name, len(first), len(second), taken)

# --- damaged blobs: an error or an answer, never a crash, and never one that is not a set
for number in range(ROUNDS * 10):
    blob = bytearray(written(some_values()))
    for _ in range(RANDOM.randrange(1, 4)):
        change = RANDOM.randrange(3)
        if change == 0 and blob:
            blob[RANDOM.randrange(min(len(blob), 60))] = RANDOM.randrange(256)
        elif change == 1:
            del blob[RANDOM.randrange(len(blob) + 1):]
        elif blob:
            at = RANDOM.randrange(len(blob))
            blob[at:at] = blob[RANDOM.randrange(len(blob)):][:RANDOM.randrange(20)]
    try:
        again = ask("SELECT rb_or(?, '[]')", bytes(blob))
    except sqlite3.OperationalError as error:
        assert "damaged" in str(error), error
        continue
    assert ask("SELECT rb_equals(?, ?)", bytes(blob), again) == 1
print("rb.py: passed")
