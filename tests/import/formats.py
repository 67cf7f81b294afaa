#!/usr/bin/env python3
"""formats.py BUILD: what becomes of each format, and what connbits-import says of what is none.

Zeek's and Suricata's logs, CSV, nfdump's own output, captures of other tools; the types of values,
tables and columns, malformed lines, folders, retention; and that connbits-index needs no [source].
"""
import csv
import gzip
import json
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
checks = 0
folder = tempfile.TemporaryDirectory(prefix="connbits-formats-")
os.chdir(folder.name)


def check(ok, what):
    global checks
    checks += 1
    if not ok:
        sys.exit(f"formats.py: {what}")


def same(what, expected, got):
    check(expected == got, f"{what}: expected {expected!r}, got {got!r}")


def tool(name, *arguments, code=0, data=None):
    out = subprocess.run([f"{BUILD}/connbits-{name}", *arguments], capture_output=True, text=data is None, input=data)
    check(out.returncode == code, f"{name} {arguments}: {out.returncode}: {out.stdout}{out.stderr}")
    return out


def imported(*arguments, code=0, data=None):
    return json.loads(tool("import", *arguments, "--json", code=code, data=data).stdout)


def write(path, text):
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def ask(log, sql, *values):
    database = sqlite3.connect(log)
    try:
        rows = database.execute(sql, values).fetchall()
        database.commit()
        return rows
    finally:
        database.close()


def count(log, expression, table=None):
    return int(tool("query", log, f"{table}: {expression}" if table else expression, "--count").stdout)


write("f.conf", "[filter all-tcp]\nexpression = tcp\n")


def index(log, *arguments):
    tool("index", log, "f.conf", "--quiet", *arguments)


# --- Zeek, tab-separated: the types of its own SQLite writer
ZEEK = ("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2020-06-05\n"
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tlocal_orig"
        "\thistory\ttunnel_parents\n"
        "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tbool\tstring\tset[string]\n"
        "1591367999.305988\tCMdzit1\t192.168.4.76\t36844\t192.168.4.1\t53\tudp\tdns\t0.066852\t62\tT\tDd\t(empty)\n"
        "1591368000.5\tC2\tfe80::1\t128\tff02::2\t0\ticmp\t-\t-\t18446744073709551615\tF\ta\\x09b\\x00\tx,y\n")
write("conn.log", ZEEK + "#close\t2020-06-05\n")
report = imported("zeek.sqlite", "conn.log")
same("rows of conn.log", [2, {"conn": 2}], [report["rows"], report["files"][0]["tables"]])
same("a row of Zeek's", [(1, 1591367999.305988, "CMdzit1", "192.168.4.76", 36844, "192.168.4.1", 53, "udp", "dns", 0.066852,
                          62, 1, "Dd", "")], ask("zeek.sqlite", "SELECT * FROM conn WHERE id = 1"))
same("unset, escaped and large values", [(None, None, float(2 ** 64 - 1), 0, "a\tb\\x00", "x,y")],
     ask("zeek.sqlite", "SELECT service, duration, orig_bytes, local_orig, history, tunnel_parents FROM conn WHERE id = 2"))
same("types", ["integer", "double precision", "text", "text", "integer", "text", "integer", "text", "text",
               "double precision", "integer", "boolean", "text", "text"],
     [row[2].lower() for row in ask("zeek.sqlite", "PRAGMA table_info(conn)")])
index("zeek.sqlite")
same("Zeek's ICMP", [1, 1], [count("zeek.sqlite", "{icmp6 and ip6[40] = 128}"), count("zeek.sqlite", "{udp port 53}")])
write("dns.log", ZEEK.replace("#path\tconn", "#path\tdns").replace("history", "query"))
tool("import", "zeek.sqlite", "dns.log", "--quiet")
index("zeek.sqlite", "--table", "dns")
same("another kind of log is another table", 1, count("zeek.sqlite", "{udp}", "dns"))
write("weird.log", ZEEK.replace("#path\tconn", "#path\tweird").replace("\tproto\t", "\tname\t"))
tool("import", "weird.sqlite", "weird.log", "--quiet")
out = tool("index", "weird.sqlite", "f.conf", code=1)
check("the table 'weird' has no column for the transport" in out.stderr, out.stderr)
write("later.log", ZEEK.replace("history", "vlan").replace("1591367999", "1691367999"))
tool("import", "zeek.sqlite", "later.log", "--quiet")
same("a column that appears later is added", [(None, "Dd"), ("Dd", None)],
     ask("zeek.sqlite", "SELECT vlan, history FROM conn WHERE id IN (1, 3)"))

# --- a header that says less than the one before, and a log that is gone on with behind it
short = ZEEK.replace("#path\tconn", "#path\tdns").replace("#unset_field\t-", "#unset_field\tNA").replace("\t-\t-\t", "\tNA\tNA\t")
fields = "\n".join(line for line in ZEEK.splitlines() if line.startswith(("#fields", "#types"))) + "\n"
write("joined.log", short + fields + short.splitlines()[-1] + "\n")
tool("import", "joined-logs.sqlite", "joined.log", "--quiet")
write("joined.log", short + fields + (short.splitlines()[-1] + "\n") * 2)
tool("import", "joined-logs.sqlite", "joined.log", "--quiet")
same("the rest counts on", [(4, 3)], ask("joined-logs.sqlite", "SELECT count(*), sum(service IS NULL) FROM dns"))

# --- malformed lines are counted, and ten of a file are named
write("bad.log", ZEEK + "1\t2\n" * 12 + "#types\tone\n" + ZEEK.splitlines()[-1].replace("C2", "C\0") + "\n" + "x" * (2 << 20) + "\n"
      + ZEEK.splitlines()[-1] + "\n")
out = tool("import", "bad.sqlite", "bad.log")
same("the first ten are named", [f"connbits-import: bad.log:{line}: another number of fields than the header has"
                                 for line in range(11, 21)], out.stderr.splitlines())
report = imported("bad2.sqlite", "bad.log")
same("all are counted", {"fields": 12, "header": 1, "zero": 1, "long": 1}, report["malformed"])
same("and the others are taken", 3, report["rows"])
same("none is said with --quiet", "", tool("import", "bad3.sqlite", "bad.log", "--quiet").stderr)

# --- Zeek, JSON
lines = [{"ts": 1591367999.305988, "uid": "C1", "id.orig_h": "10.0.0.1", "id.orig_p": 1024, "id.resp_h": "10.0.0.2",
          "id.resp_p": 445, "proto": "tcp", "conn_state": "S0", "local_orig": True, "tags": ["a", {"b": 1}]},
         {"ts": 1591367999, "id": {"orig_h": "::1", "orig_p": 8, "resp_h": "::2", "resp_p": 0}, "proto": "icmp",
          "more": "é\"\n", "big": 12345678901234567890, "small": -5, "real": 1e3}]
write("json.log", "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines) + '{"a":\n' + "[1]\n" + "{}\n"
      + '{"id.orig_h":"a\\u0000b","id.resp_h":"c"}\n' + "[" * 40 + "\n" + '{"a":' * 40 + "\n")
report = imported("json.sqlite", "json.log")
same("JSON that is none", [{"json": 3, "depth": 1, "zero": 1}, {"no_address": 1}],
     [report["malformed"], report["left_out"]])
same("a row of JSON", [("10.0.0.1", 1024, "tcp", 1, '["a",{"b":1}]')],
     ask("json.sqlite", 'SELECT "id.orig_h", "id.orig_p", proto, local_orig, tags FROM conn WHERE id = 1'))
same("values of JSON", [("::1", 'é"\n', "12345678901234567890", -5, 1000.0)],
     ask("json.sqlite", 'SELECT "id.orig_h", more, big, small, "real" FROM json WHERE id = 1'))
index("json.sqlite", "--table", "conn")
same("is known", 1, count("json.sqlite", "{tcp dst port 445}", None))

# --- Suricata
events = [{"timestamp": "2026-11-27T10:00:00.000001+0100", "flow_id": 1234567890123456, "event_type": kind, "src_ip": "10.0.0.1",
           "src_port": 1, "dest_ip": "10.0.0.2", "dest_port": 80, "proto": proto, kind: {"a": {"b": {"c": {"d": 1}}}}}
          for kind, proto in (("flow", "TCP"), ("alert", "UDP"), ("flow", "IPv6-ICMP"))]
events[2].update(src_ip="::1", dest_ip="::2", icmp_type=128, icmp_code=0)
write("eve.json", "".join(json.dumps(event) + "\n" for event in
                          [{"timestamp": "x", "event_type": "stats", "stats": {}}] + events))
report = imported("eve.sqlite", "eve.json")
same("tables of events", {"suricata_flow": 2, "suricata_alert": 1}, report["files"][0]["tables"])
same("events without addresses", {"no_address": 1}, report["left_out"])
same("members of members", [('{"d": 1}',), (None,)],
     [ask("eve.sqlite", 'SELECT "flow.a.b.c" FROM suricata_flow WHERE id = 1')[0],
      ask("eve.sqlite", "SELECT icmp_type FROM suricata_flow WHERE id = 1")[0]])
index("eve.sqlite")
same("flows are taken of several", [1, 1], [count("eve.sqlite", "{tcp}"), count("eve.sqlite", "{icmp6}")])
same("their times", 1, count("eve.sqlite", "all-tcp and since 2026-11-27T09:00:00Z and before 2026-11-27T09:00:01Z"))

write("plain.json", '\ufeff \n{"src_ip":"10.0.0.1","dest_ip":"10.0.0.2","proto":"tcp","src_port":"080"}\n')
same("any event with addresses", {"events": 1}, imported("plain.sqlite", "plain.json")["files"][0]["tables"])
same("a port as text stays text", [("080",)], ask("plain.sqlite", "SELECT src_port FROM events"))

# --- CSV
write("odd.csv", '\ufeffStart Time;Source IP;Source Port;Destination IP;Destination Port;Protocol;id;Note;Note;n;r;z\n'
                 '2026-11-27 10:00:00; 10.0.0.1 ;1024;10.0.0.2;445;TCP;7;"a ""b""; c";;5;1.5;007\n'
                 '2026-11-27 10:00:01;10.0.0.1;;10.0.0.3;;47;8;"two\nlines";"";-6;2.25;1\n'
                 'short;line\n"open;quote\n2026-11-27 10:00:02;::1;1;::2;53;17;9;x;y;7;1;2\n')
report = imported("csv.sqlite", "odd.csv")
same("rows of CSV", [3, {"fields": 1, "quotes": 1}], [report["rows"], report["malformed"]])
same("a row of CSV", [(1, "2026-11-27 10:00:00", "10.0.0.1", 1024, "10.0.0.2", 445, "TCP", 7, 'a "b"; c', None, 5, 1.5, "007")],
     ask("csv.sqlite", "SELECT * FROM flows WHERE row_id = 1"))
same("quotes", [("two\nlines", "", -6, 2.25, "1")], ask("csv.sqlite", "SELECT Note, Note_9, n, r, z FROM flows WHERE row_id = 2"))
index("csv.sqlite")
same("is known", [1, 1, 1], [count("csv.sqlite", expression) for expression in
                             ("{tcp dst port 445}", "{ip proto 47}", "{ip6 and udp dst port 53}")])
for separator, name in ("\t", "a.tsv"), ("|", "a.csv"), (",", "b.csv"):
    write(name, separator.join(("saddr", "sport", "daddr", "dport", "proto")) + "\n"
          + separator.join(("10.0.0.9", "1", "10.0.0.8", "2", "tcp")) + "\n")
    same(name, 1, imported(name + ".sqlite", name)["rows"])

chance = random.Random(5)
rows = [["first", "10.0.0.1", "10.0.0.2", "tcp"]] + [
    ["".join(chance.choice('ab ,;"\n\t0.') for _ in range(chance.randrange(12))).strip(" ") or "x", "10.0.0.1", "10.0.0.2", "udp"]
    for _ in range(3000)]
with open("random.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator=chance.choice(("\n", "\r\n")))
    writer.writerow(("note", "src", "dst", "proto"))
    writer.writerows(rows)
same("records of Python's writer", [len(rows), {}], [imported("random.sqlite", "random.csv")[key] for key in ("rows", "malformed")])
same("records of Python's writer", [row[0] for row in rows],
     [row[0] for row in ask("random.sqlite", "SELECT note FROM flows ORDER BY id")])

# --- --map, and what cannot be told
write("own.csv", "von,vp,nach,np,was\n10.0.0.1,1,10.0.0.2,445,tcp\n")
out = tool("import", "own.sqlite", "own.csv", code=1)
check("von,vp,nach,np,was" in out.stderr and "--map source_host=COLUMN" in out.stderr, out.stderr)
out = tool("import", "own.sqlite", "own.csv", "--map", "source_host=von", code=2)
check("which column is the transport" in out.stderr, out.stderr)
out = tool("import", "own.sqlite", "own.csv", "--map", "source_host=nosuch", code=2)
check("there is no such column; there are: von, vp, nach, np, was" in out.stderr, out.stderr)
for wrong in ("source_host", "nokey=von", "source_host=", "hosts=bogus", "transport='foo'", "icmp=x"):
    tool("import", "own.sqlite", "own.csv", "--map", wrong, code=2)
maps = [word for pair in ("source_host=von", "source_port=vp", "destination_host=nach", "destination_port=np", "transport=was")
        for word in ("--map", pair)]
same("mapped", 1, imported("own.sqlite", "own.csv", *maps)["rows"])
index("own.sqlite")
same("the map is stored", 1, count("own.sqlite", "{tcp dst port 445}"))
write("own2.csv", "von,nach\n10.0.0.1,10.0.0.2\n")
same("a protocol of all rows", 1, imported("own2.sqlite", "own2.csv", "--map", "source_host=von", "--map",
                                           "destination_host=nach", "--map", "transport='udp'")["rows"])
index("own2.sqlite")
same("a protocol of all rows", 1, count("own2.sqlite", "{udp}"))
out = tool("import", "own.sqlite", "b.csv", code=1)
check("is read by other columns" in out.stderr and "--table NAME" in out.stderr, out.stderr)
same("another table", 1, imported("own.sqlite", "b.csv", "--table", "second")["rows"])

# --- a mapping is kept for the next file, and can be corrected
write("day1.csv", "a,b,c,d\n10.0.0.1,1,10.0.0.2,445\n")
imported("days.sqlite", "day1.csv", "--map", "source_host=a", "--map", "transport='tcp'")
write("day2.csv", "a,b,c,d\n10.0.0.1,1,10.0.0.2,446\n")
same("the next day needs no --map", 1, imported("days.sqlite", "day2.csv", "--format", "csv")["rows"])
same("a better --map", 0, imported("days.sqlite", "day1.csv", "--map", "source_host=a", "--map", "source_port=b", "--map",
                                   "destination_host=c", "--map", "destination_port=d", "--map", "transport='tcp'")["rows"])
index("days.sqlite")
same("is that of all rows", [1, 1], [count("days.sqlite", "{dst port 445}"), count("days.sqlite", "{dst port 446}")])
out = tool("import", "days.sqlite", "eve.json", "--map", "source_host=src_ip", code=2)
check("--map says what columns of CSV mean" in out.stderr, out.stderr)

write("more.csv", "a,b,c,d,proto\n10.0.0.1,1,10.0.0.2,53,udp\n")
out = tool("import", "days.sqlite", "more.csv", "--format", "csv", code=2)
check("which column is the source_host" in out.stderr, "what was said of other columns says nothing here: " + out.stderr)

# --- what was guessed for a table is not used for a file that has more
write("tcp.tsv", "frame.time_epoch\tip.src\tip.dst\tip.proto\ttcp.srcport\ttcp.dstport\n1\t10.0.0.1\t10.0.0.2\t6\t1\t445\n")
write("both.tsv", "frame.time_epoch\tip.src\tip.dst\tip.proto\ttcp.srcport\ttcp.dstport\tudp.srcport\tudp.dstport\n"
      "1\t10.0.0.1\t10.0.0.2\t17\t\t\t1111\t53\n")
imported("grown.sqlite", "tcp.tsv")
out = tool("import", "grown.sqlite", "both.tsv", code=1)
check("is read by other columns" in out.stderr, out.stderr)
write("quoted.csv", '"ip.src","ip.dst","ip.proto","tcp.srcport","tcp.dstport","udp.srcport","udp.dstport"\n'
      '"10.0.0.1","10.0.0.2","17","","","1111","53"\n')
imported("quoted.sqlite", "quoted.csv")
index("quoted.sqlite")
same("empty fields in quotes are no ports", 1, count("quoted.sqlite", "{udp port 53}"))
write("joined.csv", "src,dst,proto,bytes\n10.0.0.1,10.0.0.2,tcp,900\nsrc,dst,proto,bytes\n10.0.0.1,10.0.0.2,tcp,10000\n")
imported("joined.sqlite", "joined.csv")
same("a header that comes again is no value", [(10000,)], ask("joined.sqlite", "SELECT max(bytes) FROM flows"))

# --- exports of other tools
write("tshark.csv", "frame.time_epoch\tip.src\tipv6.src\tip.dst\tipv6.dst\tip.proto\tipv6.nxt\ttcp.srcport\ttcp.dstport\tudp.srcport\t"
      "udp.dstport\ticmp.type\ticmpv6.type\ticmp.code\ticmpv6.code\n1700000000.5\t10.0.0.1\t\t10.0.0.2\t\t6\t\t1\t445\t\t\t\t\t\t\n"
      "1700000001.5\t\t::1\t\t::2\t\t17\t\t\t2\t53\t\t\t\t\n1700000002.5\t\t::1\t\t::2\t\t58\t\t\t\t\t\t128\t\t0\n")
imported("tshark.sqlite", "tshark.csv")
index("tshark.sqlite")
same("tshark -T fields", [1, 1, 1, 2], [count("tshark.sqlite", expression) for expression in
                                       ("{tcp dst port 445}", "{ip6 and udp dst port 53}", "{icmp6 and ip6[40] = 128}", "{ip6}")])
write("nprobe.csv", "IPV4_SRC_ADDR|IPV6_SRC_ADDR|IPV4_DST_ADDR|IPV6_DST_ADDR|L4_SRC_PORT|L4_DST_PORT|PROTOCOL\n"
      "10.0.0.1|::|10.0.0.2|::|1|445|6\n0.0.0.0|2001:db8::1|0.0.0.0|2001:db8::2|2|53|17\n")
imported("nprobe.sqlite", "nprobe.csv")
index("nprobe.sqlite")
same("nProbe's two families", [1, 1, 0], [count("nprobe.sqlite", expression) for expression in ("{ip}", "{ip6}", "{host 0.0.0.0}")])
write("vpc.log", "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets start\n"
      "2 123 eni-1 10.0.0.1 10.0.0.2 1024 445 6 1 1700000000\n")
imported("vpc.sqlite", "vpc.log")
write("rwcut.txt", "         sIP|        dIP|sPort|dPort|pro|                  sTime|\n"
      "    10.0.0.1|   10.0.0.2| 1024|  445|  6|2023/11/14T22:13:20.250|\n")
imported("silk.sqlite", "rwcut.txt", "--map", "timestamp=sTime")
for log in "vpc.sqlite", "silk.sqlite":
    index(log)
    same(log, 1, count(log, "{tcp dst port 445} and since 2023-11-14T22:13:20Z and before 2023-11-14T22:13:21Z"))
write("zeek.csv", "ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto\n1,10.0.0.1,8,10.0.0.2,0,icmp\n")
imported("zeekcsv.sqlite", "zeek.csv")
index("zeekcsv.sqlite")
same("Zeek's columns have Zeek's ICMP", 1, count("zeekcsv.sqlite", "{icmp[0] = 8}"))
write("text.csv", "src,dst,proto,n,t\n10.0.0.1,10.0.0.2,tcp,5,0012\n10.0.0.1,10.0.0.2,tcp,12e4,1\n10.0.0.1,10.0.0.2,tcp,"
      "99999999999999999999,+5\n")
imported("text.sqlite", "text.csv")
same("text stays what it is", [("5", "0012"), ("12e4", "1"), ("99999999999999999999", "+5")],
     ask("text.sqlite", "SELECT n, t FROM flows ORDER BY id"))
write("twice.csv", "a,a_9,a,src,dst,proto,x,y,a\n1,2,3,10.0.0.1,10.0.0.2,tcp,7,8,9\n")
same("names that meet", 1, imported("twice.sqlite", "twice.csv")["rows"])
write("rowid.csv", "rowid,_rowid_,oid,src,dst,proto,ts\n7,1,1,10.0.0.1,10.0.0.2,tcp,1000000000\n7,2,2,10.0.0.1,10.0.0.3,tcp,%d\n7,3,3,"
      "10.0.0.1,10.0.0.4,tc" % time.time())
report = imported("rowid.sqlite", "rowid.csv", "--keep", "90d")
write("rowid.csv", open("rowid.csv").read() + "p,5\n")
imported("rowid.sqlite", "rowid.csv")
same("columns named rowid", [("10.0.0.3", "tcp"), ("10.0.0.4", "tcp")], ask("rowid.sqlite", "SELECT dst, proto FROM flows ORDER BY id"))

# --- a log of somebody else's keeps its tables
subprocess.run([f"{BUILD}/connbits-generate", "dionaea.sqlite", "--rows", "1000"], check=True)
packet = (b"\2" * 12 + b"\x08\0" + struct.pack("!BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + bytes((10, 0, 0, 1, 10, 0, 0, 2))
          + struct.pack("!HHIIBBHHH", 1024, 445, 1, 2, 0x50, 2, 100, 0, 0))
answer = (b"\2" * 12 + b"\x08\0" + struct.pack("!BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + bytes((10, 0, 0, 2, 10, 0, 0, 1))
          + struct.pack("!HHIIBBHHH", 445, 1024, 1, 2, 0x50, 0x12, 100, 0, 0))


def capture(*packets):
    """Packets with their times in seconds."""
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(
        struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(data), len(data)) + data for when, data in packets)


write("a.pcap", capture((1700000000.25, packet), (1700000001, answer), (1700000100, packet), (1700000101, packet)))
out = tool("import", "dionaea.sqlite", "a.pcap", "--per", "connection", code=1)
check("'connections' that connbits-import did not make" in out.stderr, out.stderr)
same("nothing was changed", 1000, ask("dionaea.sqlite", "SELECT count(*) FROM connections")[0][0])
same("but may have others", 4, imported("dionaea.sqlite", "a.pcap")["rows"])

# --- connections of a capture
same("connections", 2, imported("conn.sqlite", "a.pcap", "--per", "connection")["rows"])
same("joined in both directions", [(1700000000.25, 1700000001.0, "10.0.0.1", 1024, "10.0.0.2", 445, "tcp", 1, 40, 1, 40, 0x12),
                                   (1700000100.0, 1700000101.0, "10.0.0.1", 1024, "10.0.0.2", 445, "tcp", 2, 80, 0, 0, 2)],
     ask("conn.sqlite", "SELECT time, last_time, source_host, source_port, destination_host, destination_port, protocol, "
                        "packets, bytes, answer_packets, answer_bytes, tcp_flags FROM connections"))
same("with another idle time", 1, imported("idle.sqlite", "a.pcap", "--per", "connection", "--idle", "5m")["rows"])
same("whose source the answer names", 1,
     imported("turned.sqlite", write("b.pcap", capture((1, answer), (2, packet))), "--per", "connection")["rows"])
same("whose source the answer names", [("10.0.0.1", 445)],
     ask("turned.sqlite", "SELECT source_host, destination_port FROM connections"))
same("both ways into one log", [4, 2], [imported("both.sqlite", "a.pcap")["rows"],
                                        imported("both.sqlite", "a.pcap", "--per", "connection")["rows"]])

# --- captures of other tools
if shutil.which("tcprewrite"):
    subprocess.run(["tcprewrite", "--enet-vlan=add", "--enet-vlan-tag=42", "--enet-vlan-cfi=0", "--enet-vlan-pri=0",
                    "-i", "a.pcap", "-o", "vlan.pcap"], check=True, capture_output=True)
    same("VLAN tags of tcprewrite", 4, imported("vlan.sqlite", "vlan.pcap")["rows"])
    index("vlan.sqlite")
    same("VLAN tags of tcprewrite", 4, count("vlan.sqlite", "{tcp port 445}"))
subprocess.run(["tcpdump", "-r", "a.pcap", "-w", "copy.pcap"], check=True, capture_output=True)
same("tcpdump's writer", 4, imported("copy.sqlite", "copy.pcap")["rows"])
icmp = (b"\2" * 12 + b"\x08\0" + struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 1, 0) + bytes((10, 0, 0, 3, 10, 0, 0, 4))
        + struct.pack("!BBHI", 3, 10, 0, 0))
write("flows.pcap", capture((1700000000, packet), (1700000002, icmp)))
os.mkdir("nfdump")
subprocess.run(["nfpcapd", "-r", "flows.pcap", "-l", "nfdump"], check=True, capture_output=True)
flows = subprocess.run(["nfdump", "-R", "nfdump", "-o", "csv"], check=True, capture_output=True).stdout
check(b"Summary" in flows, "nfdump writes another summary")
report = imported("nfdump.sqlite", "-", data=flows)
same("nfdump's flows, and not its summary", [2, {}], [report["rows"], report["malformed"]])
index("nfdump.sqlite")
same("nfdump's ICMP", [1, 1], [count("nfdump.sqlite", "{icmp[0] = 3 and icmp[1] = 10}"), count("nfdump.sqlite", "{tcp dst port 445}")])
write("later.csv", "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets\n2026-11-27 10:00:00.123,0.1,ICMP,10.0.0.1,0,10.0.0.2,3.10,1\n")
imported("later.sqlite", "later.csv")
index("later.sqlite")
same("ICMP of later versions", 1, count("later.sqlite", "{icmp[0] = 3 and icmp[1] = 10}"))
write("linktype.pcap", struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 105))
check("its link type is IEEE802_11 (105)" in tool("import", "x.sqlite", "linktype.pcap", code=1).stderr, "a link type")

# --- what is none of the formats says what it is
for content, words in ((b"SQLite format 3\0", "connbits-index reads as it is"), (b"BZh9", "bzip2 -dc"), (b"\xfd7zXZ\0", "xz -dc"),
                       (b"hello\n", "text without a header"), (b"\x7fELF", "a program"), (b"<a>\n", "XML or HTML"),
                       (b'{"a":1}\n', "has Zeek's id.orig_h or Suricata's"), (b"[{}]\n", "jq -c"), (b"\x0c\xa5\1\0", "nfdump -r"), (b"\1\2\3", "binary")):
    out = tool("import", "none.sqlite", write("none", content), code=1)
    check(words in out.stderr, f"{content}: {out.stderr}")
same("an empty file is none, and no failure", 0, imported("none.sqlite", write("empty", ""))["rows"])
check("No such file" in tool("import", "none.sqlite", "nosuch", code=1).stderr, "a missing file")
with gzip.open("cut.gz", "wb") as file:
    file.write((ZEEK * 2000).encode())
write("cut.gz", open("cut.gz", "rb").read()[:-2000])
out = tool("import", "cut.sqlite", "cut.gz", code=1)
check("gzip ends too early" in out.stderr, out.stderr)
check(ask("cut.sqlite", "SELECT count(*) FROM conn")[0][0] > 0, "what came before is kept")
with gzip.open("cut.gz", "wb") as file:
    file.write((ZEEK * 2000).encode())
tool("import", "cut.sqlite", "cut.gz", "--quiet")
same("and the next import goes on there", 4000, ask("cut.sqlite", "SELECT count(*) FROM conn")[0][0])

# --- a folder, every night
os.mkdir("logs")
for name in ("conn.log", "dns.log", "eve.json"):
    shutil.copy(name, "logs")
write("logs/README", "what lies here\n")
write("logs/.hidden", "what is not seen")
os.makedirs("logs/2026-11-26")
with gzip.open("logs/2026-11-26/http.log.gz", "wb") as file:
    file.write(ZEEK.replace("#path\tconn", "#path\thttp").encode())
os.symlink("..", "logs/2026-11-26/loop")
report = imported("night.sqlite", "logs")
same("a folder's files, and its folders'", [9, 5, 0], [report["rows"], report["files_read"], report["failed"]])
same("a second night", [0, 4], [imported("night.sqlite", "logs")["rows"], imported("night.sqlite", "logs")["nothing_new"]])
subprocess.run(["gzip", "logs/conn.log"], check=True)
os.rename("logs/dns.log", "logs/dns.2026-11-27.log")
same("rotated and packed", 0, imported("night.sqlite", "logs")["rows"])

deep = "/".join(["deep"] + list("123456789"))
os.makedirs(deep)
shutil.copy("conn.log", deep)
same("folders in folders", 2, imported("deep.sqlite", "deep")["rows"])
os.makedirs(deep + "/" + "/".join("abcdefgh"))
check("folders deep" in tool("import", "deep.sqlite", "deep", code=1).stderr, "what is too deep is told")

# --- retention
now = time.time()
write("wireshark.csv", '"No.","Time","Source","Destination","Protocol"\n"1","0.1","10.0.0.1","10.0.0.2","TCP"\n')
report = imported("relative.sqlite", "wireshark.csv", "--keep", "90d")
same("times since a capture's beginning say nothing", [0, 1], [report["removed"], report["undated"]])
write("keep.csv", "ts,src,sport,dst,dport,proto\n" + "".join(f"{now - days * 86400:.3f},10.0.0.1,1,10.0.0.2,{days},tcp\n"
                                                           for days in (100, 91, 89, 1)) + ",10.0.0.1,1,10.0.0.2,5,tcp\n")
report = imported("keep.sqlite", "keep.csv", "--keep", "90d")
same("old rows are removed", [5, 2], [report["rows"], report["removed"]])
same("the others stay", [(89,), (1,), (5,)], ask("keep.sqlite", "SELECT dport FROM flows ORDER BY id"))
same("without a file", 1, imported("keep.sqlite", "--keep", "12d")["removed"])
ask("keep.sqlite", "DELETE FROM flows")
write("more.csv", "ts,src,sport,dst,dport,proto\n2,10.0.0.1,1,10.0.0.2,7,tcp\n")
imported("keep.sqlite", "more.csv")
same("ids are not used again", [(6,)], ask("keep.sqlite", "SELECT id FROM flows"))
for wrong in ("90", "d", "-1d", "0d", "1y"):
    tool("import", "keep.sqlite", "--keep", wrong, code=2)
print(f"formats.py: {checks} checks")
