"""bpf_filter() and bpf_connection() against the index, row by row, and on packets.

usage: bpf.py BUILD LOG NAMES: LOG has an index of the catalogue, NAMES filters with names of hosts"""
import functools
import os
import sqlite3
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import extension

build, log = sys.argv[1:3]
db = extension.connect(build, log)
ask = functools.partial(extension.ask, db)
fails = functools.partial(extension.fails, db)
COLUMNS = "connection_type, local_host, remote_host, local_port, remote_port, connection_transport"


# Every filter of the catalogue, on every row, in both forms: what the index says.
filters = db.execute("SELECT name, expression FROM connbits_filter WHERE kind = 'pcap'").fetchall()
for name, expression in filters:
    wrong = ask(f"""SELECT count(*) FROM (SELECT rowid AS id, bpf_filter(?1, {COLUMNS}) AS row,
        bpf_filter(?1, bpf_connection({COLUMNS})) AS packet FROM connections)
        WHERE row <> bitmap_contains(?2, id) OR ifnull(packet, 0) <> row""", expression, name)
    assert wrong == 0, (name, wrong)
assert ask(f"SELECT count(*) FROM connections WHERE bpf_connection({COLUMNS}) IS NOT NULL") == ask(
    "SELECT bitmap_count('@all')")

# An expression that is another one row by row.
assert db.execute(f"""SELECT f.name, sum(bpf_filter(f.expression, {COLUMNS})) FROM connections
    JOIN (SELECT * FROM connbits_filter WHERE kind = 'pcap' ORDER BY name LIMIT 50) f
    WHERE connections.rowid % 50 = 0 GROUP BY 1 ORDER BY 1""").fetchall() == db.execute(
    """SELECT name, (SELECT count(*) FROM bitmap(name) WHERE value % 50 = 0) FROM connbits_filter
    WHERE kind = 'pcap' ORDER BY name LIMIT 50""").fetchall()

# The note's own packet, in its own words.
PACKET = bytes.fromhex("4500005b7e1f40004006be7b7f0000017f00000101bdb07ee52351d3e567cecf"
                       "80180182fe4f0000")
assert ask("SELECT bpf_filter('src port 445 and src net 127.0.0.0/8', ?)", PACKET) == 1
assert ask("SELECT bpf_filter('dst port 445', ?)", PACKET) == 0
assert ask("SELECT bpf_filter('src port 445 and src net 127.0.0.0/8', x'4500005b7e1f40004006be7b7f"
           "0000017f00000101bdb07ee52351d3e567cecf80180182fe4f0000')") == 1
assert ask("SELECT bpf_filter('tcp[13] & 8 != 0', ?)", PACKET) == 1, "a whole packet has TCP flags"
assert ask("SELECT bpf_filter('len = 91', ?)", PACKET) == 1, "the length it had on the wire"
assert "TCP flags" in fails("SELECT bpf_filter('tcp[13] & 8 != 0', ?)", PACKET[:24])
assert "TCP flags" in fails(
    "SELECT bpf_filter('tcp[13] = 2', 'accept', '10.0.0.1', '10.0.0.2', 1, 2, 'tcp')")
for packet in (b"", b"\x45", b"\x00" * 60, PACKET[:9], b"\x60" + b"\0" * 10, b"\xff" * 64):
    assert ask("SELECT bpf_filter('tcp', ?)", packet) == 0, packet
EXAMPLE = ask("SELECT bpf_connection('accept', '192.0.2.1', '203.0.113.9', 445, 50000, 'tcp')")
assert EXAMPLE[0] == 0x45 and len(EXAMPLE) == 24
assert EXAMPLE[12:] == bytes([203, 0, 113, 9, 192, 0, 2, 1]) + struct.pack(">HH", 50000, 445)

# Direction, hosts that are missing, and rows that are no connection.
CASES = [
    ("src host 10.0.0.2 and dst port 5", ("accept", "10.0.0.1", "10.0.0.2", 5, 6, "tcp"), 1),
    ("src host 10.0.0.1 and dst port 6", ("connect", "10.0.0.1", "10.0.0.2", 5, 6, "udp"), 1),
    ("src host 10.0.0.1", ("reject", "10.0.0.1", "10.0.0.2", 5, 6, "tcp"), 0),
    ("src host 0.0.0.0", ("accept", "10.0.0.1", None, 5, None, "tcp"), 1),
    ("ip6 and src host ::", ("accept", "2001:db8::1", "", 5, 6, "tls"), 1),
    ("dst port 5", ("accept", "::ffff:10.0.0.1", "10.0.0.2", "5", 6, "dtls"), 1),
    ("ip", ("listen", "10.0.0.1", "10.0.0.2", 5, 6, "tcp"), 0),
    ("not tcp", ("accept", "10.0.0.1", "10.0.0.2", 5, 6, "unix"), 0),
    ("not tcp", ("accept", "example.org", "10.0.0.2", 5, 6, "udp"), 0),
    ("ip", ("accept", "10.0.0.1", "2001:db8::1", 5, 6, "tcp"), 0),
    ("ip", ("accept", "10.0.0.1", "10.0.0.2", 65536, 6, "tcp"), 0),
    ("ip", ("accept", "10.0.0.1", "10.0.0.2", 5.5, b"6", "tcp"), 0),
    ("ip proto 47", ("accept", "10.0.0.1", "10.0.0.2", 0, 0, "47"), 1),
]
for expression, row, expected in CASES:
    assert ask("SELECT bpf_filter(?, ?, ?, ?, ?, ?, ?)", expression, *row) == expected, row
assert ask("SELECT bpf_filter(NULL, 'accept', '', '', 1, 2, 'tcp')") is None
assert ask("SELECT bpf_filter('tcp', NULL)") is None
assert ask("SELECT bpf_connection('listen', '', '', 1, 2, 'tcp')") is None

# What is wrong says so. No name of a host is looked up, whatever the statement that asks.
assert "no word of pcap's" in fails("SELECT bpf_filter('host example.org', ?)", PACKET)
assert "no word of pcap's" in fails("SELECT bpf_filter('host \\example', ?)", PACKET)
assert "no word of pcap's" in fails("SELECT bpf_filter('net dead.beef.de', ?)", PACKET)
assert "no word of pcap's" in fails("SELECT bpf_filter('host 1.2.3.4.5', ?)", PACKET)
assert "no word of pcap's" in fails("SELECT bpf_filter(?, ?)", "host " + "x" * 300, PACKET)
assert "example.org" in fails("SELECT bitmap_count('{host example.org}')")
for fine in ("port http", "ip proto gre", "ip proto \\gre", "ip proto \\icmp", "proto ospf or gre",
             "tcp portrange ftp-http", "portrange 20-http", "tcp[0:2]-tcp[2:2]=0", "port http or smtp",
             "-tcp[0:2]+tcp[2:2]=0", "src port (http or smtp)", "tcp[0x0:0x2] = 5", "ip6 host 2001:db8::face", "tcp[0:2] = 0x1bd", "portrange 80-443",
             "ip proto \\tcp", "src net 127.0.0.0 mask 255.0.0.0", "ip6 net 2001:db8::/32",
             "icmp[icmptype] = icmp-echo", "host 127.0.0.1 && !udp"):
    ask("SELECT bpf_filter(?, ?)", fine, PACKET)
# Words of pcap and names of services are hosts where a host may stand. looked_up.c tells of look-ups.
for name in open(sys.argv[3]).read().split("\n"):
    if name:
        assert "looked up" in fails("SELECT bpf_filter(?, ?)", name, PACKET), name
fails("SELECT bpf_filter('dst prot 5', ?)", PACKET)
fails("SELECT bpf_filter('', 5)")
assert "no blob" in fails("SELECT bpf_filter('tcp', '45')")
assert "zero byte" in fails("SELECT bpf_filter('tcp' || char(0) || 'x', ?)", PACKET)
fails("SELECT bpf_filter('tcp')")

# Deterministic: an index on it. Not innocuous: nothing of it in a schema that is not trusted, where
# the header of a connection and bitmaps that are at hand may be used.
SCHEMA = """CREATE TABLE packets (id INTEGER PRIMARY KEY, header BLOB, members,
        smb AS (bpf_filter('tcp port 445', header)));
    CREATE INDEX smb ON packets (smb) WHERE bpf_filter('tcp', header);
    CREATE VIEW of_smb AS SELECT id FROM packets WHERE bpf_filter('tcp port 445', header);
    CREATE VIEW sizes AS SELECT id, rb_cardinality(members) AS size,
        bpf_connection('accept', '192.0.2.1', '192.0.2.2', 445, 1, 'tcp') AS built FROM packets;
    CREATE TRIGGER counted AFTER INSERT ON packets BEGIN
        UPDATE packets SET members = rb_build(NEW.id, 7) WHERE id = NEW.id; END;"""
memory = extension.connect(build, ":memory:")
memory.executescript(SCHEMA)
memory.execute("INSERT INTO packets (id, header) VALUES (1, ?), (2, x'00')", (PACKET,))
assert memory.execute("SELECT id FROM of_smb").fetchall() == [(1,)]
memory.execute("PRAGMA trusted_schema = OFF")
assert memory.execute("SELECT size, length(built) FROM sizes").fetchall() == [(2, 24), (2, 24)]
for sql in ("SELECT id FROM of_smb", "SELECT smb FROM packets"):
    try:
        raise AssertionError(memory.execute(sql).fetchall())
    except sqlite3.OperationalError as error:
        assert "unsafe use" in str(error), error
print("bpf.py: passed")
