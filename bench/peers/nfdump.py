"""nfdump on the flows that its own nfpcapd makes of the packets. nfpcapd wants whole packets, so the
capture's headers are filled up first, which is not in its time. Connections of the same five numbers
within five minutes become one flow: packets are counted, of which each connection has one. No flow is
printed ("-o null"), which is nfdump's least work, and numbers are written out ("-N": else 2,428,082 is 2.4 M); its start is in its time, a few milliseconds. nfpcapd makes
a file for every five minutes, which are joined into one: to open thousands took seven times as long. Not
compressed, which was no slower to make and no faster to read."""
import os
import re
import shutil
import struct

from context import size, timed

NAME = "nfdump"
# The least that a packet of a protocol has behind its IP header, in bytes.
TRANSPORT = {1: 8, 6: 20, 17: 8, 58: 8, 132: 12}


def absent(context):
    return None if shutil.which("nfdump") and shutil.which("nfpcapd") else "nfdump is not installed"


def whole(packet):
    """An Ethernet frame of a packet that was cut off behind the ports."""
    version = packet[0] >> 4
    base = 20 if version == 4 else 40
    protocol = packet[9] if version == 4 else packet[6]
    body = packet[base:].ljust(TRANSPORT.get(protocol, 0), b"\0")
    if protocol == 6:
        body = body[:12] + b"\x50\x02" + body[14:]
    if protocol == 17:
        body = body[:4] + struct.pack(">H", len(body)) + body[6:]
    if version == 4:
        head = packet[:2] + struct.pack(">H", 20 + len(body)) + packet[4:20]
        return bytes(12) + b"\x08\x00" + head + body
    head = packet[:4] + struct.pack(">H", len(body)) + packet[6:40]
    return bytes(12) + b"\x86\xdd" + head + body


def fill_up(source, target):
    with open(source, "rb") as file:
        data = file.read()
    with open(target, "wb") as file:
        file.write(data[:20] + struct.pack("<I", 1))
        at = 24
        while at < len(data):
            seconds, micros, captured, _ = struct.unpack_from("<IIII", data, at)
            frame = whole(data[at + 16:at + 16 + captured])
            file.write(struct.pack("<IIII", seconds, micros, len(frame), len(frame)) + frame)
            at += 16 + captured


def prepare(context):
    packets, flows = context.path("whole.pcap"), context.path("flows")
    fill_up(context.capture, packets)
    shutil.rmtree(flows, ignore_errors=True)
    os.mkdir(flows)
    one = context.path("flows.nf")
    _, seconds = timed(context.run, "nfpcapd", "-r", packets, "-l", flows)
    _, joining = timed(context.run, "nfdump", "-R", flows, "-w", one)
    os.unlink(packets)
    shutil.rmtree(flows)
    return seconds + joining, size(one)


def ask(context):
    answers = {}
    for name, *_, nfdump in context.questions:
        out, seconds = timed(context.run, "nfdump", "-r", context.path("flows.nf"), "-N", "-o", "null", nfdump)
        answers[name] = (int(re.search(r"total packets: (\d+)(?! *[kMG])", out).group(1)), seconds)
    return answers
