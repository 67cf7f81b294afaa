#!/usr/bin/python3
"""Prints the colours of a PNG file, as "rrggbb share", the commonest first.

usage: colours.py FILE.png
Reads what a browser's screenshot is: 8 bits a channel, RGB or RGBA, not interlaced (PNG specification, third
edition, sections 9 and 11)."""
import collections
import struct
import sys
import zlib


def rows(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG file"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and colour in (2, 6) and not interlaced, "another kind of PNG"
            channels = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    raw, stride = zlib.decompress(packed), width * channels
    before = bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        before = unfiltered(raw[start], bytearray(raw[start + 1:start + 1 + stride]), before, channels)
        yield before, channels


def unfiltered(kind, line, before, channels):
    if kind == 2:
        line = bytearray((a + b) & 255 for a, b in zip(line, before))
    elif kind:
        for i, value in enumerate(line):
            left = line[i - channels] if i >= channels else 0
            up = before[i]
            if kind == 1:
                line[i] = (value + left) & 255
            elif kind == 3:
                line[i] = (value + (left + up) // 2) & 255
            else:
                corner = before[i - channels] if i >= channels else 0
                guess = left + up - corner
                nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up),
                              (abs(guess - corner), 2, corner))[2]
                line[i] = (value + nearest) & 255
    return line


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    counts = collections.Counter()
    for line, channels in rows(data):
        counts.update(zip(line[0::channels], line[1::channels], line[2::channels]))
    total = sum(counts.values())
    for colour, count in counts.most_common(200):
        print("%02x%02x%02x %.6f" % (*colour, count / total))


main()
