#!/usr/bin/env python3
"""captures.py BUILD [SEED [ROUNDS]]: captures of every kind against tcpdump.

Random packets are written with every link layer, VLAN tags, in pcap of both byte orders and
resolutions and in pcapng, plain and packed. For each filter the index of what was imported counts
what `tcpdump --count` counts of the same IP packets, and so does what connbits-query -w writes.
Packets that are no rows are counted by their reason.
"""
import collections
import gzip
import json
import os
import random
import re
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile

BUILD = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 12
chance = random.Random(SEED)
checks = 0

FILTERS = [
    "ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6", "tcp port 80", "src port 53", "udp dst port 53",
    "portrange 1000-40000", "net 10.0.0.0/8", "src net 192.168.0.0/16", "host 10.0.0.1", "dst host 2001:db8::1",
    "net 2001:db8::/64", "icmp[0] = 8", "icmp[0] = 3 and icmp[1] = 1", "ip proto 47", "ip6 proto 58", "not tcp",
    "tcp and not (port 80 or port 443)", "ip and tcp src port 443", "ip6 and udp", "sctp port 80",
]


# Once, every filter of the catalogue as well: a row of a capture can answer them all.
HERE = os.path.dirname(os.path.abspath(__file__))
with open(f"{HERE}/../../data/filters.conf") as catalogue:
    CATALOGUE = [" ".join(words.split()) for words in re.findall(r"^expression = ((?:.*\n)(?:[ \t]+\S.*\n)*)", catalogue.read(), re.M)]


def check(ok, what):
    global checks
    checks += 1
    if not ok:
        sys.exit(f"captures.py: seed {SEED}: {what}")


def run(*command):
    out = subprocess.run(command, capture_output=True, text=True)
    check(out.returncode == 0, f"{command}: {out.returncode}: {out.stderr}")
    return out.stdout


def v4():
    return chance.choice((bytes((10, 0, 0, chance.randrange(3))), bytes((192, 168, chance.randrange(256), 1)),
                          bytes(chance.randrange(256) for _ in range(4))))


def v6():
    return socket.inet_pton(socket.AF_INET6, chance.choice(("2001:db8::1", "2001:db8::%x" % chance.randrange(65536),
                                                            "fe80::%x" % chance.randrange(65536), "::1")))


def port():
    return chance.choice((80, 443, 53, chance.randrange(65536)))


def transport(protocol):
    if protocol == 6:
        return struct.pack("!HHIIBBHHH", port(), port(), 1, 2, 0x50, chance.randrange(64), 100, 0, 0)
    if protocol in (17, 132):
        return struct.pack("!HHHH", port(), port(), 8, 0) + b"\0" * chance.randrange(8)
    if protocol in (1, 58):
        return struct.pack("!BBH", chance.choice((0, 3, 8, 128, 135)), chance.randrange(3), 0) + b"\0" * 4
    return bytes(chance.randrange(256) for _ in range(chance.randrange(20)))


def packet():
    """An IP packet and what it is: a row, or the reason why not."""
    kind = chance.choices(("row", "fragment", "cut", "extension", "broken"), (80, 4, 4, 4, 3))[0]
    six = chance.random() < 0.4
    protocol = chance.choice((6, 6, 17, 132, 58 if six else 1, 47))
    if kind in ("cut", "broken"):
        protocol = chance.choice((6, 17))
    body = transport(protocol)
    keep = None
    if six:
        following, chain = protocol, b""
        if kind == "extension":
            following = chance.choice((0, 60, 43))
            chain = bytes((protocol, 1)) + b"\0" * 14
        if kind == "fragment":
            following, chain = 44, struct.pack("!BBHI", protocol, 0, 8 * 5, 7)
        head = 40 + len(chain)
        size = len(chain) + len(body)
        if kind == "broken":
            size = 2
        data = struct.pack("!IHBB", 6 << 28, size, following, 64) + v6() + v6() + chain + body
    else:
        if kind == "extension":
            kind = "row"
        options = b"\1" * 4 * chance.randrange(3)
        head = 20 + len(options)
        flags = 5 if kind == "fragment" else chance.choice((0, 0x4000, 0x2000))
        size = head + len(body)
        if kind == "broken":
            size = head + 2
        data = struct.pack("!BBHHHBBH", 0x40 | head // 4, 0, size, 1, flags, 64, protocol, 0) + v4() + v4() + options + body
    if kind == "cut":
        keep = chance.randrange(head - 4, head + 4)
    return data, kind, keep


LINKS = {"ethernet": 1, "raw": 101, "cooked": 113, "cooked2": 276, "null": 0, "loop": 108}


def framed(link, data, wire):
    """The packet behind its link layer, and how many bytes that has."""
    six = data[0] >> 4 == 6
    kind = struct.pack("!H", 0x86DD if six else 0x0800)
    tags = b"".join(struct.pack("!HH", chance.choice((0x8100, 0x88A8)), chance.randrange(4096))
                    for _ in range(chance.choice((0, 0, 1, 2))))
    if link == "ethernet":
        head = b"\2" * 6 + b"\4" * 6 + tags + kind
    elif link == "cooked":
        head = struct.pack("!HHH8s", 0, 1, 6, b"\2" * 8) + kind
    elif link == "cooked2":
        head = kind + struct.pack("!HIHBB8s", 0, 1, 1, 0, 6, b"\2" * 8)
    elif link == "null":
        head = struct.pack(chance.choice("<>") + "I", chance.choice((10, 24, 28, 30)) if six else 2)
    elif link == "loop":
        head = struct.pack("!I", chance.choice((24, 28, 30)) if six else 2)
    else:
        head = b""
    return head + data, len(head) + wire


def other(link):
    """A packet of a protocol that is not IP."""
    if link == "ethernet":
        return b"\xff" * 6 + b"\4" * 6 + b"\x08\x06" + b"\0" * 28
    if link == "cooked":
        return struct.pack("!HHH8sH", 0, 1, 6, b"\2" * 8, 0x0806) + b"\0" * 28
    if link == "cooked2":
        return struct.pack("!HHIHBB8s", 0x0806, 0, 1, 1, 0, 6, b"\2" * 8) + b"\0" * 28
    return b"\0\0\0\x07" + b"\0" * 20 if link in ("null", "loop") else b"\x10" + b"\0" * 20


def pcap(link, frames):
    order, nano = chance.choice("<>"), chance.random() < 0.3
    out = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, LINKS[link])]
    for i, (data, wire) in enumerate(frames):
        out.append(struct.pack(order + "IIII", 1700000000 + i, i % 1000, len(data), wire) + data)
    return b"".join(out)


def pcapng(link, frames):
    order = chance.choice("<>")

    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)

    out = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
           block(1, struct.pack(order + "HHI", LINKS[link], 0, 262144))]
    for i, (data, wire) in enumerate(frames):
        when = (1700000000 + i) * 1000000 + i % 1000
        out.append(block(6, struct.pack(order + "IIIII", 0, when >> 32, when & 0xFFFFFFFF, len(data), wire) + data))
    return b"".join(out)


def count(path, expression):
    words = subprocess.run(["tcpdump", "-n", "--count", "-r", path, expression], capture_output=True, text=True)
    check(words.returncode == 0, f"tcpdump {expression}: {words.stderr}")
    return int(words.stdout.split()[0])


catalogue_done = False
for number in range(ROUNDS):
    link = chance.choice(list(LINKS))
    frames, rows, reasons = [], [], collections.Counter()
    for _ in range(chance.choice((1, 50, 600))):
        if chance.random() < 0.03:
            data = other(link)
            frames.append((data, len(data)))
            reasons["not_ip"] += 1
            continue
        data, kind, keep = packet()
        frames.append(framed(link, data[:keep] if keep is not None else data, len(data)))
        if kind in ("row", "extension"):
            rows.append((data, kind))
        if kind != "row":
            reasons[{"broken": "packet"}.get(kind, kind)] += 1
    with tempfile.TemporaryDirectory(prefix="connbits-captures-") as folder:
        log, path, plain, made = (f"{folder}/{name}" for name in ("log", "a.cap", "plain.cap", "made.pcap"))
        content = chance.choice((pcap, pcapng))(link, frames)
        with (gzip.open if chance.random() < 0.3 else open)(path, "wb") as file:
            file.write(content)
        summary = json.loads(run(f"{BUILD}/connbits-import", log, path, "--json"))
        told = {**summary["malformed"], **summary["left_out"]}
        check(told == reasons, f"round {number} ({link}): {told} are told of {dict(reasons)}")
        check(summary["rows"] == len(rows), f"round {number}: {summary['rows']} rows of {len(rows)}")
        if not rows:
            continue
        answerable = [data for data, kind in rows if kind == "row"]
        with open(plain, "wb") as file:
            file.write(pcap("raw", [(data, len(data)) for data in answerable]))
        # Rows of packets with extension headers answer as if those were not there.
        with sqlite3.connect(log) as database:
            for i, (_, kind) in enumerate(rows):
                if kind == "extension":
                    database.execute("DELETE FROM packets WHERE id = ?", (i + 1,))
        with open(f"{folder}/f.conf", "w") as file:
            file.write("[filter tcp]\nexpression = tcp\n")
        run(f"{BUILD}/connbits-index", log, f"{folder}/f.conf", "--quiet")
        asked = FILTERS
        if len(rows) > 100 and not catalogue_done:
            asked, catalogue_done = FILTERS + CATALOGUE, True
        for expression in asked:
            expected = count(plain, expression)
            got = int(run(f"{BUILD}/connbits-query", log, "{%s}" % expression, "--count"))
            check(got == expected, f"round {number} ({link}): {expression}: {got}, tcpdump says {expected}")
        if answerable:
            run(f"{BUILD}/connbits-query", log, "@all", "-w", made)
            for expression in FILTERS:
                check(count(made, expression) == count(plain, expression), f"round {number}: -w: {expression}")
        with sqlite3.connect(log) as database:
            times = [row[0] for row in database.execute("SELECT time FROM packets ORDER BY id LIMIT 1")]
        check(not times or 1700000000 <= times[0] < 1700001000, f"round {number}: time {times}")
check(catalogue_done or ROUNDS < 12, "no capture was large enough for the catalogue")
print(f"captures.py: {checks} checks, {len(CATALOGUE)} filters of the catalogue")
