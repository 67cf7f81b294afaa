#!/usr/bin/env python3
"""Address sets in every form of file against Python's ipaddress, on every row: given for one
question, stored, in filters that are made of others; their mistakes, what comes and goes, a file
that has gone; counts by a value, and how sets match, against the same in Python.

usage: sets.py BUILD [ROUNDS [SEED]]"""

import collections
import csv
import datetime
import io
import ipaddress
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
INDEX, QUERY = (os.path.join(BUILD, name) for name in ("connbits-index", "connbits-query"))
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 6 * int(os.environ.get("CONNBITS_ROUNDS", "1"))
R = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 19)
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
os.chdir(tempfile.mkdtemp(prefix="connbits-sets-"))
checks = failures = 0


def check(what, got, wanted):
    global checks, failures
    checks += 1
    if got != wanted:
        failures += 1
        if isinstance(got, (list, set)) and got and isinstance(wanted, (list, set)):
            got, wanted = [g for g in got if g not in wanted], [w for w in wanted if w not in got]
        print(f"FAILED: {what}: expected {str(wanted)[:400]!r}, got {str(got)[:400]!r}")


def run(*command, status=0):
    done = subprocess.run(command, capture_output=True, text=True)
    check(f"exit of {' '.join(command)[:200]}: {done.stderr[:300]}", done.returncode, status)
    return done


def ask(expression, *more):
    return [int(row) for row in run(QUERY, "log.sqlite", expression, "--rowids", *more).stdout.split()]


# --- a log, and what its rows are
POOL = [ipaddress.ip_address(t) for t in
        ["0.0.0.0", "0.0.0.1", "10.0.0.1", "10.255.255.255", "11.0.0.0", "127.255.255.255", "128.0.0.0",
         "192.0.2.7", "198.51.100.200", "255.255.255.255", "::1", "2001:db8::1", "2001:db8:0:1::", "fe80::1",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1::", "::fffe:ffff:ffff"]]


def near():
    address = R.choice(POOL)
    top = 2 ** address.max_prefixlen - 1
    made = type(address)(min(top, max(0, int(address) + R.choice([0, 0, 0, 1, -1, 255, 256, -256, 65535, 65536]))))
    # An IPv4-mapped address is IPv4: written() has those.
    return near() if made.version == 6 and made.ipv4_mapped else made


def written(address):
    """One of the ways in which logs write an address."""
    if address.version == 4 and R.random() < 0.2:
        return f"::ffff:{address}"
    return R.choice([str(address), address.exploded]) if address.version == 6 else str(address)


def make_log(rows):
    db = sqlite3.connect("log.sqlite")
    db.execute("CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type TEXT, "
               "connection_transport TEXT, connection_timestamp INTEGER, local_host TEXT, local_port INTEGER, "
               "remote_host TEXT, remote_port INTEGER)")
    made = {}
    row = 0
    for _ in range(rows):
        row += R.choice([1, 1, 1, 2, 70000])
        source = near()
        while (destination := near()).version != source.version:
            pass
        if R.random() < 0.1:
            destination = source
        transport = R.choice(["tcp", "tcp", "udp", "icmp", "47", "odd"])
        port = R.choice([22, 53, 445, 445, 0])
        at = R.choice([1700000000 + R.randrange(400000), None])
        db.execute("INSERT INTO connections VALUES (?, 'accept', ?, ?, ?, ?, ?, ?)",
                   (row, transport, at, written(destination), port, written(source), 1024))
        if transport != "odd":
            made[row] = (source, destination, transport, port, at)
    db.commit()
    db.close()
    return made


# --- random entries, and how files write them
def random_entries(count):
    entries = []
    for _ in range(count):
        address = near()
        if R.random() < 0.4:
            entries.append((address, address, str(address)))
        elif R.random() < 0.7:
            bits = R.choice([0, 1, 8, 15, 16, 17, 24, 31, 32, 48, 64, 127, 128])
            network = ipaddress.ip_network((address, min(bits, address.max_prefixlen)), strict=False)
            text = f"{address if R.random() < 0.2 else network.network_address}/{network.prefixlen}"
            entries.append((network[0], network[-1], text))
        else:
            other = near()
            if other.version != address.version:
                continue
            first, last = min(address, other), max(address, other)
            entries.append((first, last, f"{first}{R.choice(['-', ' - '])}{last}"))
    return entries


def has(entries, address):
    return any(f.version == address.version and f <= address <= l for f, l, *_ in entries)


def write_file(path, entries, form):
    """Returns what a catalogue says of the file besides its name."""
    with open(path, "w", newline="") as file:
        if form == "plain":
            for entry in entries:
                file.write(R.choice(["", "# a comment\n", "\n", " ", "\t"]) + entry[2] +
                           R.choice(["", " ", " ; SBL1", "# x", "\t#", "\r"]) + "\n")
        elif form == "csv":
            file.write(R.choice(["# downloaded\n", ""]) + R.choice(["", "# "]) + '"id","network", "note"\n')
            for number, entry in enumerate(entries):
                file.write(f'{number},{R.choice([entry[2], chr(34) + entry[2] + chr(34)])},"a, ""b"""\r\n')
        elif form == "json":
            for entry in entries:
                file.write(json.dumps({"sblid": "SBL1", "cidr": entry[2], "rir": {"name": "x"}}) + "\n")
            if entries:
                file.write('{"type": "metadata", "records": 3}\n')
        else:
            file.write("create a hash:net family inet hashsize 1024 maxelem 65536 comment\n")
            for entry in entries:
                option = R.choice(["", " timeout 0", ' comment "x # nomatch"'])
                file.write(f"add a {entry[2].replace(' ', '')}{option}\n")
    return {"csv": ("column", "network"), "json": ("key", "cidr")}.get(form)


def expected(rows, source=None, destination=None, either=None):
    return [row for row, (s, d, *_) in rows.items()
            if (source is None or has(source, s)) and (destination is None or has(destination, d))
            and (either is None or has(either, s) or has(either, d))]


def feeds(rows):
    """One feed in each form, stored and for one question."""
    catalogue, given, sets = "", [], {}
    for form in ("plain", "csv", "json", "ipset"):
        sets[form] = random_entries(R.choice([0, 1, 5, 40]))
        where = write_file(f"{form}.txt", sets[form], form)
        catalogue += f"[set {form}]\nfile = {form}.txt\n" + (f"{where[0]} = {where[1]}\n" if where else "")
        given += ["--set", f"q-{form}={form}.txt" + (f",{where[0]}={where[1]}" if where else "")]
    sets["inline"] = random_entries(5)
    catalogue += "[set inline]\nnetworks = # none here\n" + "".join(f"  {e[2]}\n" for e in sets["inline"])
    catalogue += ("[filter smb]\nexpression = tcp dst port 445\n[filter listed]\nrows = src in plain or dst in csv\n"
                  "[filter deep]\nrows = smb and not listed and host in json\n")
    with open("feeds.conf", "w") as file:
        file.write(catalogue)
    run(INDEX, "log.sqlite", "feeds.conf", "--into", "log.index", "--quiet")
    for name, entries in sets.items():
        more = ["--into", "log.index"]
        check(f"src in {name}", ask(f"src in {name}", *more), expected(rows, source=entries))
        check(f"DST In {name}", ask(f"DST In {name}", *more), expected(rows, destination=entries))
        check(f"host in {name}", ask(f"host in {name}", *more), expected(rows, either=entries))
        if name != "inline":
            check(f"host in q-{name}", ask(f"host in q-{name}", *more, *given), expected(rows, either=entries))
    stored = dict(sqlite3.connect("log.index").execute("SELECT name, entries FROM connbits_set"))
    check("entries", stored, {n: len({(f, l) for f, l, _ in e}) for n, e in sets.items()})
    listed = {row for row, (s, d, *_) in rows.items() if has(sets["plain"], s) or has(sets["csv"], d)}
    check("listed", set(ask("listed", "--into", "log.index")), listed)
    deep = [row for row, (s, d, t, p, _) in rows.items() if t == "tcp" and p == 445 and row not in listed
            and (has(sets["json"], s) or has(sets["json"], d))]
    check("deep", ask("deep", "--into", "log.index"), deep)
    run(INDEX, "log.sqlite", "--into", "log.index", "--verify=all")
    return sets


def nomatch(rows):
    inside = random_entries(10)
    outside = random_entries(6)
    with open("ipset.txt", "w") as file:
        file.write("create a hash:net\n")
        file.write("".join(f"add a {e[2].replace(' ', '')}\n" for e in inside))
        file.write("".join(f"add a {e[2].replace(' ', '')} nomatch\n" for e in outside))
    wanted = [row for row, (s, *_) in rows.items() if has(inside, s) and not has(outside, s)]
    check("nomatch", ask("src in x", "--into", "log.index", "--set", "x=ipset.txt"), wanted)
    with open("ipset.txt", "w") as file:
        file.write("create a hash:ip family inet netmask 24\nadd a 10.0.0.0\nadd a 192.0.2.0\n")
    wanted = [row for row, (s, *_) in rows.items() if str(s).rsplit(".", 1)[0] in ("10.0.0", "192.0.2")]
    check("netmask", ask("src in x", "--into", "log.index", "--set", "x=ipset.txt"), wanted)


# --- counts by a value, and how sets match
def counted(values):
    count = collections.Counter(values)
    without = count.pop(None, 0)

    def key(item):
        value = item[0]
        if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
            return (value.version, int(value))
        return (0, value)
    lines = sorted(count.items(), key=lambda item: (-item[1], *key(item)))
    return [(str(v), str(n)) for v, n in lines] + ([("", str(without))] if without else [])


def by(what, expression="@all", *more):
    out = run(QUERY, "log.sqlite", expression, "--by", what, "--format", "csv", "--into", "log.index", *more).stdout
    lines = list(csv.reader(io.StringIO(out)))
    check(f"columns of --by {what}", lines[:1], [["value", "rows"]])
    return plain(lines[1:])


def plain(lines):
    """Addresses as Python writes them, where the C library has ::0.1.0.0."""
    return [(str(ipaddress.ip_address(v)) if ":" in v else v, n) for v, n in lines]


def facets(rows, skipped):
    protocols = {"tcp": 6, "udp": 17, "icmp": 1, "47": 47}
    check("src", by("src"), counted(s for s, *_ in rows.values()))
    check("dst", by("dst"), counted(d for _, d, *_ in rows.values()))
    check("host", by("host"), counted(h for s, d, *_ in rows.values() for h in {s, d}))
    check("port", by("port"), counted(p if t in ("tcp", "udp") else None for _, _, t, p, _ in rows.values()))
    names = {6: "tcp", 17: "udp", 1: "icmp", 47: "47"}
    lines = counted(protocols[t] for _, _, t, *_ in rows.values())
    # ICMP over IPv6 is as the log has it.
    check("proto", by("proto"), [(names[int(v)], n) for v, n in lines])
    days = collections.Counter(datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%d")
                               for *_, at in rows.values() if at is not None)
    without = sum(1 for *_, at in rows.values() if at is None)
    check("day", by("day"), sorted((v, str(n)) for v, n in days.items()) + [("", str(without))])
    check("limit", by("src", "@all", "--limit", "2"), counted(s for s, *_ in rows.values())[:2])
    check("skipped", by("src", "@skipped"), [("", str(skipped))])
    tcp = {row: v for row, v in rows.items() if v[2] == "tcp"}
    check("some rows", by("host", "{tcp}"), counted(h for s, d, *_ in tcp.values() for h in {s, d}))
    # A sanitized extension needs its runtime in the shell.
    if os.environ.get("CONNBITS_SANITIZED") == "1":
        return
    sql = run("sqlite3", ":memory:", f".load {BUILD}/connbits.so", "ATTACH 'log.index' AS i",
              "ATTACH 'log.sqlite' AS l", ".mode csv", "SELECT value, rows FROM bitmap_facet('@all', 'dst')").stdout
    check("bitmap_facet", plain(csv.reader(io.StringIO(sql))), counted(d for _, d, *_ in rows.values()))


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def matches(rows, sets):
    lines = json.loads(run(QUERY, "log.sqlite", "--sets", "--format", "json", "--into", "log.index").stdout)
    check("--sets names", [line["set"] for line in lines], sorted(sets))
    for line in lines:
        for end, place in (("src", 0), ("dst", 1)):
            found = [v for v in rows.values() if has(sets[line["set"]], v[place])]
            times = [v[4] for v in found if v[4] is not None]
            check(f"--sets {line['set']} {end}", (line[f"{end}_rows"], line[f"{end}_first"], line[f"{end}_last"]),
                  (len(found), stamp(min(times)) if times else None, stamp(max(times)) if times else None))


# --- mistakes and changes
def text(path, content):
    with open(path, "w") as file:
        file.write(content)


def refused(what, catalogue, *parts, extra=()):
    """Exit 2 with these words, and nothing is changed."""
    text("bad.conf", catalogue)
    before = open("log.index", "rb").read()
    done = run(INDEX, "log.sqlite", "bad.conf", "--into", "log.index", *extra, status=2)
    for part in parts:
        check(f"{what}: says {part}: {done.stderr}", part in done.stderr, True)
    check(f"{what}: changes nothing", open("log.index", "rb").read() == before, True)


def mistakes():
    text("bad.txt", "10.0.0.1\n10.0.0.300\n\n10.0.0.0/33\n10.0.0.9-10.0.0.1\n::1-10.0.0.1\n"
                    "fe80::1%eth0\n1.2.3.4 5.6.7.8\nadd a 1.2.3.4,tcp:80\nadd b 1.2.3.4\nhello\n010.1.1.1\n10.0.0.1/08\n")
    refused("bad lines", "[set x]\nfile = bad.txt\n[filter f]\nexpression = tcp\n",
            *[f"bad.txt:{line}: " for line in (2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)], "11 mistakes")
    text("many.txt", "x\n" * 5000)
    refused("many bad lines", "[set x]\nfile = many.txt\n", "many.txt:1000: ", " more\n", "5000 mistakes")
    text("bytes.txt", "10.0.0.1\n\0\x1b[31m\n")
    refused("bytes", "[set x]\nfile = bytes.txt\n", "bytes.txt:2: a zero byte")
    text("csv.txt", "a,b\n1,2\n")
    refused("no column", "[set x]\nfile = csv.txt\ncolumn = network\n", "csv.txt:1: the first line has no column 'network'")
    text("json.txt", '{"a": "10.0.0.1"}\n[1]\n')
    refused("no key", "[set x]\nfile = json.txt\nkey = cidr\n", "json.txt:2: no object of JSON", "no line has a key 'cidr'")
    refused("no file", "[set x]\nfile = none.txt\n", "bad.conf:1: set 'x': none.txt: No such file")
    refused("a folder", "[set x]\nfile = /\n", "Is a directory")
    refused("keys", "[set x]\n[set y]\nfile = bad.txt\nnetworks = ::1\ncolumn = a\nkey = b\nodd = 1\n[set y]\nnetworks = 1\n[set and]\n",
            "set 'x' has neither a file nor networks", "both a file and networks", "both a column (of CSV) and a key",
            "unknown key 'odd' in [set y]", "set 'y' is there already, in line 2", "9: set 'y': no IP address",
            "'and' cannot name an address set")
    refused("both", "[filter f]\nexpression = tcp\nrows = g\n", "both expression (pcap) and rows")
    refused("a circle", "[filter a]\nrows = b\n[filter b]\nrows = not c\n[filter c]\nrows = a and {tcp}\n",
            "in a circle: a -> b -> c -> a")
    refused("itself", "[filter a]\nrows = a\n", "in a circle: a -> a")
    refused("unknown", "[filter a]\nrows = nobody and src in nothing\n", "no filter 'nobody' in the catalogue")
    refused("unknown set", "[filter a]\nrows = src in nothing\n", "no address set 'nothing' in the catalogue")
    refused("back", "[filter a]\nrows = since -7d\n", "counted back from now")
    refused("syntax", "[filter a]\nrows = smb and\n", "bad.conf:2: filter 'a': ")
    refused("brace", "[filter a]\nrows = {tcp prot 1}\n", "bad.conf:2: filter 'a': ")
    refused("pruned filter", "[filter a]\nrows = smb\n", "uses the filter 'smb'", "--prune would drop", extra=["--prune"])
    refused("pruned set", "[filter a]\nrows = src in plain\n", "uses the address set 'plain'", extra=["--prune"])
    for question, part in (("src in nobody", "no address set 'nobody'"), ("src in", "address set behind 'in'"),
                           ("dst in plainn", "did you mean 'plain'?")):
        done = run(QUERY, "log.sqlite", question, "--count", "--into", "log.index", status=2)
        check(f"{question}: {done.stderr}", part in done.stderr, True)
    done = run(QUERY, "log.sqlite", "src in x", "--count", "--into", "log.index", "--set", "x=bad.txt", status=2)
    check(f"--set: {done.stderr}", "bad.txt:2: " in done.stderr and "bad.txt: 11 mistakes" in done.stderr, True)
    text("one.txt", "10.0.0.1\n")
    run(QUERY, "log.sqlite", "src in x", "--count", "--into", "log.index", "--set", "x=one.txt", "--set", "x=one.txt", status=2)
    text("forms.txt", '{"cidr": "10.0.0.0/8"}\n10.0.0.1,bad\n10.0.0.1:443\n')
    refused("forms", "[set x]\nfile = forms.txt\n", "forms.txt:1: JSON", "forms.txt:2: CSV", "forms.txt:3: no IP address")
    with open("packed.txt", "wb") as file:
        file.write(b"\x1f\x8b\x08\x00\n")
    refused("packed", "[set x]\nfile = packed.txt\n", "packed.txt:1: the file is packed")
    text("mask.txt", "create x hash:ip family inet bitmask 255.255.255.0\nadd x 10.0.0.0\n")
    refused("a bitmask", "[set x]\nfile = mask.txt\n", "mask.txt:1: an ipset with a bitmask")
    refused("a long value", "[filter x]\nrows = a" + "\n  or a" * 12000 + "\n", "bad.conf: 1 mistake")
    for names in (range(250), reversed(range(250))):
        refused("too deep", "[filter f0]\nexpression = tcp\n" +
                "".join(f"[filter f{i + 1}]\nrows = f{i}\n" for i in names), "more than 200 deep")
    done = run(QUERY, "log.sqlite", "plain", "--count", "--into", "log.index", status=2)
    check(f"a set in place of a filter: {done.stderr}", "'plain' is an address set, not a filter" in done.stderr, True)


def changes(rows):
    """Entries come and go, a file goes, sets are pruned; a job is killed in the middle of it."""
    text("c.txt", "10.0.0.1\n192.0.2.7\n")
    text("c.conf", "[set c]\nfile = c.txt\n[filter tcp]\nexpression = tcp\n[filter hit]\nrows = tcp and src in c\n"
                   "[filter not-hit]\nrows = not hit\n[filter other]\nrows = tcp and {udp}\n")
    command = [INDEX, "log.sqlite", "c.conf", "--into", "c.index"]
    run(*command)
    before = set(ask("hit", "--into", "c.index"))
    stamps = dict(sqlite3.connect("c.index").execute("SELECT name, id FROM connbits_filter"))
    text("c.txt", "# another order\n198.51.100.200\n10.0.0.1\n2001:db8::/32\n")
    done = json.loads(run(*command, "--json").stdout)
    after = set(ask("hit", "--into", "c.index"))
    check("a changed set", done["sets_changed"],
          [{"name": "c", "new": False, "entries": 3, "came": 2, "went": 1, "filters": 2, "rows_changed": 2 * len(before ^ after)}])
    check("filters that depend on it", done["filters_changed"], 2)
    now = dict(sqlite3.connect("c.index").execute("SELECT name, id FROM connbits_filter"))
    check("and no others", [name for name in stamps if stamps[name] != now[name]], ["hit", "not-hit"])
    check("no row was read", done["rows_read"], 0)
    check("hit", after, {row for row, v in rows.items() if v[2] == "tcp" and
                         has(random_fixed(["198.51.100.200", "10.0.0.1", "2001:db8::/32"]), v[0])})
    damaged(command, after)
    os.unlink("c.txt")
    done = run(*command)
    check(f"a file that has gone: {done.stderr}", "c.conf:1: warning: set 'c': c.txt: No such file" in done.stderr
          and "3 entries" in done.stderr, True)
    run(*command, "--strict", status=1)
    check("its set stays", set(ask("hit", "--into", "c.index")), after)
    run(INDEX, "log.sqlite", "c.conf", "--into", "c.index", "--rebuild")
    check("also when all is built again", set(ask("hit", "--into", "c.index")), after)
    text("c.conf", "[filter tcp]\nexpression = tcp\n")
    run(*command[:3], "--into", "c.index", "--prune")
    check("pruned", sqlite3.connect("c.index").execute("SELECT (SELECT count(*) FROM connbits_set), "
                                                       "(SELECT count(*) FROM connbits_filter)").fetchone(), (0, 3))


def damaged(command, right):
    """What is stored of a set is held against its file each time; and --verify finds a wrong bit."""
    db = sqlite3.connect("c.index")
    (whole,) = db.execute("SELECT bytes FROM connbits_set").fetchone()
    for bytes_ in (whole[:-3], whole[:10] + bytes([whole[10] ^ 1]) + whole[11:], b""):
        db.execute("UPDATE connbits_set SET bytes = ?", (bytes_,))
        db.commit()
        run(*command, "--quiet")
        check("a damaged set is repaired", set(ask("tcp and src in c", "--into", "c.index")), right)
    # Another list, which is whole: only the digest tells.
    text("o.conf", "[set o]\nnetworks = 203.0.113.0/24\n")
    run(INDEX, "log.sqlite", "o.conf", "--into", "o.index")
    (other,) = sqlite3.connect("o.index").execute("SELECT bytes FROM connbits_set").fetchone()
    db.execute("UPDATE connbits_set SET bytes = ?", (other,))
    db.commit()
    done = run(INDEX, "log.sqlite", "--into", "c.index", "--verify=all", status=1)
    check(f"--verify of a set: {done.stderr}", "address set 'c' has other entries than its digest says" in done.stderr, True)
    run(*command, "--quiet")
    check("an exchanged set is repaired", set(ask("tcp and src in c", "--into", "c.index")), right)
    run(INDEX, "log.sqlite", "--into", "c.index", "--verify=all")
    for name in ("hit", "not-hit", "other"):
        kept = db.execute("SELECT f.id, chunk, b.rows, bitmap FROM connbits_filter f JOIN connbits_bitmap b ON b.filter = f.id "
                          "WHERE name = ? ORDER BY chunk", (name,)).fetchall()
        for ident, chunk, rows, _ in kept[:1]:
            db.execute("UPDATE connbits_bitmap SET rows = b.rows, bitmap = b.bitmap FROM connbits_bitmap b JOIN connbits_filter f "
                       "ON f.id = b.filter WHERE f.name = 'tcp' AND b.chunk = connbits_bitmap.chunk AND "
                       "connbits_bitmap.filter = ? AND connbits_bitmap.chunk = ?", (ident, chunk))
            db.commit()
            done = run(INDEX, "log.sqlite", "--into", "c.index", "--verify=all", status=1)
            check(f"--verify: {done.stderr}", f"filter '{name}'" in done.stderr, True)
            db.execute("UPDATE connbits_bitmap SET rows = ?, bitmap = ? WHERE filter = ? AND chunk = ?",
                       (rows, kept[0][3], ident, chunk))
            db.commit()
    db.execute("UPDATE connbits_set SET read_at = '2020-01-01T00:00:00Z'")
    db.commit()
    run(*command)
    check("a set that was read again is new", db.execute("SELECT read_at > '2026' FROM connbits_set").fetchone(), (1,))
    text("c.txt", "# nothing\n")
    run(*command, "--strict", "--into", "e2.index", "--quiet")
    db.close()
    text("c.txt", "198.51.100.200\n10.0.0.1\n2001:db8::/32\n")


def without_headers(rows):
    """Sets are asked while rows are read; afterwards there is nothing to ask."""
    text("n.txt", "10.0.0.1\n")
    text("n.conf", "[set n]\nfile = n.txt\n[filter hit]\nrows = src in n or since 2023-11-16\n[filter both]\nrows = hit and {tcp}\n")
    command = [INDEX, "log.sqlite", "n.conf", "--into", "n.index", "--no-headers"]
    for texts in (["10.0.0.1"], ["192.0.2.7", "::1"]):
        text("n.txt", "\n".join(texts))
        run(*command)
        entries = random_fixed(texts)
        hit = [row for row, (s, *_, at) in rows.items() if has(entries, s) or (at or 0) >= 1700092800]
        check("hit without headers", ask("hit", "--into", "n.index"), hit)
        run(INDEX, "log.sqlite", "--into", "n.index", "--verify=all")
    for question in (["src in n", "--count"], ["@all", "--by", "src"], ["--sets"]):
        done = run(QUERY, "log.sqlite", *question, "--into", "n.index", status=1)
        check(f"{question}: {done.stderr}", "stored columns" in done.stderr and "--rebuild" in done.stderr, True)


def shipped():
    """The filters of the default catalogue that are made of others say what their ports and networks say."""
    conf = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "filters.conf")
    run(os.path.join(BUILD, "connbits-generate"), "--rows", "60000", "--seed", "7", "g.sqlite")
    run(INDEX, "g.sqlite", conf, "--quiet")
    nets = ("0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 "
            "192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4")
    for name, text_ in (("amplifiers", "udp and (" + " or ".join(f"dst port {p}" for p in (
                            17, 19, 53, 111, 123, 137, 161, 389, 520, 1900, 3283, 3702, 5353, 5683, 10001, 11211)) + ")"),
                        ("industrial", " or ".join(f"tcp dst port {p}" for p in (102, 502, 1911, 2404, 4840, 4911, 20000, 44818)) +
                         " or udp dst port 2222 or udp dst port 20000 or udp dst port 47808"),
                        ("special-source-ipv4", " or ".join(f"src net {n}" for n in nets.split()))):
        counts = [run(QUERY, "g.sqlite", question, "--count").stdout for question in (name, f"{{{text_}}}")]
        check(f"{name} is as its ports and networks", counts[0], counts[1])


def random_fixed(texts):
    return [(n[0], n[-1]) for n in map(ipaddress.ip_network, texts)]


def killed():
    """Whatever a job was killed at, sets and filters fit each other."""
    text("k.conf", "[set k]\nfile = k.txt\n[filter hit]\nrows = src in k\n[filter twice]\nrows = hit and @all\n")
    pool = [str(a) for a in POOL]
    for number in range(12):
        text("k.txt", "\n".join(R.sample(pool, R.randint(0, 8))))
        job = subprocess.Popen([INDEX, "log.sqlite", "k.conf", "--into", "k.index", "--quiet"],
                               stderr=subprocess.DEVNULL)
        time.sleep(R.random() * 0.02)
        job.send_signal(signal.SIGKILL)
        job.wait()
        if not os.path.exists("k.index"):
            continue
        asked = subprocess.run([QUERY, "log.sqlite", "hit", "--rowids", "--into", "k.index"], capture_output=True, text=True)
        if asked.returncode:
            continue
        check(f"killed {number}", asked.stdout.split(), [str(row) for row in ask("src in k", "--into", "k.index")])
        run(INDEX, "log.sqlite", "--into", "k.index", "--verify=all", "--quiet")
    run(INDEX, "log.sqlite", "k.conf", "--into", "k.index", "--quiet")
    check("and the last one ends", ask("hit", "--into", "k.index"), ask("src in k", "--into", "k.index"))


def explained():
    text("e.conf", "[filter smb]\nexpression = tcp dst port 445\n[filter dns]\nexpression = port 53\n[set e]\nnetworks = ::/0\n"
                   "[filter a]\nrows = smb or dns or not host in e\n[filter b]\nrows = a and (a or since 2023-11-14)\n")
    run(INDEX, "log.sqlite", "e.conf", "--into", "e.index")
    out = run(QUERY, "log.sqlite", "--explain", "b", "--into", "e.index").stdout.splitlines()
    parts = [line.split(None, 2)[2] for line in out[2:]]
    check("--explain", parts, ["b, as it is stored", "a and (a or since 2023-11-14)", "a = smb or dns or not host in e",
                               "smb or dns or not (src in e or dst in e)", "smb", "dns", "not (src in e or dst in e)",
                               "src in e or dst in e", "src in e", "dst in e", "a or since 2023-11-14",
                               "a = smb or dns or not host in e (as above)", "since 2023-11-14"])
    for line in out[2:]:
        rows, _, part = line.split(None, 2)
        expression = part.split(" = ")[0].split(",")[0]
        check(f"rows of {expression}", int(rows), len(ask(expression, "--into", "e.index")))


ROWS = make_log(3000)
(SKIPPED,) = sqlite3.connect("log.sqlite").execute("SELECT count(*) FROM connections WHERE connection_transport = 'odd'").fetchone()
for _ in range(ROUNDS):
    SETS = feeds(ROWS)
    nomatch(ROWS)
facets(ROWS, SKIPPED)
matches(ROWS, SETS)
mistakes()
changes(ROWS)
killed()
explained()
without_headers(ROWS)
shipped()
print(f"{checks - failures} passed, {failures} failed")
sys.exit(failures > 0)
