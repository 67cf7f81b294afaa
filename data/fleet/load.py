"""Loads what sensors have shipped into ClickHouse, as often as it is called:

    python3 load.py FOLDER [--url http://localhost:8123] [--as PATH]

FOLDER has a folder for each sensor, of its name, with the files of connbits-query --export. PATH is FOLDER as the
server sees it, below its user_files_path; without it the same. A sensor has to be in connbits.sensors. The name of the
folder counts, not what the files say: a sensor adds to its own data alone. An export is loaded once all of its files
are there with the digests that its watermark has; one that cannot be loaded leaves the others alone, and
connbits.loads says why. Exit status: 0 all loaded, 1 something was not, 2 wrong usage.
"""
import argparse
import hashlib
import json
import os
import re
import stat
import sys

sys.dont_write_bytecode = True  # nothing is left where this lies
from clickhouse import Failed, Server, literal

WATERMARK = re.compile(r"^([0-9]{13})-([0-9]{8})\.watermark\.json$")
SENSOR = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")
WATERMARK_MAX = 64 << 20  # bytes
BATCH = 200  # files in one statement

HEAD = (("sensor", "String"), ("table_name", "String"), ("generation", "UInt64"), ("number", "UInt64"))
# In the order in which they are loaded: the sensor answers as before until its bitmaps come.
KINDS = {
    "connections": HEAD + (("segment", "Int64"), ("rowid", "Int64"), ("time", "Nullable(DateTime64(6, 'UTC'))"),
                           ("protocol", "UInt8"), ("source", "IPv6"), ("destination", "IPv6"),
                           ("source_port", "UInt16"), ("destination_port", "UInt16"),
                           ("icmp_type", "Nullable(UInt8)"), ("icmp_code", "Nullable(UInt8)"), ("gone", "UInt8")),
    "bitmaps": HEAD + (("chunk", "Int64"), ("filter", "String"), ("rows", "UInt64"), ("digest", "UInt64"),
                       ("bitmap", "AggregateFunction(groupBitmap, UInt32)")),
}
MARK_TEXTS = ("exported_at", "indexed_at", "through")
MARK_NUMBERS = ("first_row", "last_row", "rows", "headers", "skipped", "rows_behind", "bitmaps", "gone")
MARK_REST = ("connections", "filters", "checks", "digests", "lacking")


class Export:
    """One number of a sensor's folder, in the order in which they were made."""

    def __init__(self, sensor, series, number):
        self.sensor, self.series, self.number = sensor, int(series), int(number)
        self.stem = f"{series}-{number}"
        self.files = {}  # kind: path below FOLDER
        self.marks = []  # watermarks, as rows of connbits.watermarks
        self.problem = ""


def regular(path):
    """Opens a file that is one, and no link to another sensor's."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(f"{os.path.basename(path)} is no file")
    return os.fdopen(descriptor, "rb")


def digest(path):
    state = hashlib.sha256()
    with regular(path) as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            state.update(piece)
    return state.hexdigest()


def mark_row(export, line):
    """A watermark as far as it is one; ValueError and KeyError say that it is none."""
    mark = json.loads(line)
    row = {"sensor": export.sensor, "table_name": str(mark["table_name"]), "series": export.series,
           "generation": int(mark["generation"]), "number": export.number}
    if int(mark["number"]) != export.number or int(mark["series"]) != export.series:
        raise ValueError("its watermark is of another export")
    if mark["sensor"] != export.sensor:
        raise ValueError(f"its watermark is of sensor {str(mark['sensor'])[:100]!r}")
    row.update({name: str(mark[name]) for name in MARK_TEXTS if mark.get(name)})
    row.update({name: int(mark[name]) for name in MARK_NUMBERS if name in mark})
    row.update({name: mark[name] for name in MARK_REST if name in mark})
    return row, mark["files"]


def examine(folder, export):
    """Reads the watermark and compares the files with it. What is wrong becomes the export's problem."""
    place = os.path.join(folder, export.sensor)
    try:
        with regular(os.path.join(place, export.stem + ".watermark.json")) as file:
            text = file.read(WATERMARK_MAX + 1)
        if len(text) > WATERMARK_MAX:
            raise ValueError("its watermark is too long")
        for line in text.splitlines():
            row, files = mark_row(export, line)
            export.marks.append(row)
        if not export.marks:
            raise ValueError("its watermark is empty")
        for name, size, sha256 in files:
            kind = next((kind for kind in KINDS if name == f"{export.stem}.{kind}.native.zst"), None)
            if not kind:
                raise ValueError("its watermark names a file of another export")
            path = os.path.join(place, name)
            if os.lstat(path).st_size != size or digest(path) != sha256:
                raise ValueError(f"{name} is not the file that its watermark tells of: ship it again")
            export.files[kind] = os.path.join(export.sensor, name)
    except FileNotFoundError as error:
        export.problem = f"{os.path.basename(error.filename)} has not come yet"
    except OSError as error:
        export.problem = f"{error.filename}: {error.strerror}"
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        export.problem = f"{export.stem}: {error if isinstance(error, ValueError) else 'no watermark'}"[:500]


def found(folder, sensors, loaded):
    """Exports that are not loaded yet. Of a series that was followed by another nothing is wanted any more."""
    exports = []
    last = {}
    for sensor, series, _ in loaded:
        last[sensor] = max(series, last.get(sensor, 0))
    for sensor in sensors:
        if not SENSOR.match(sensor) or not os.path.isdir(os.path.join(folder, sensor)):
            continue
        for name in sorted(os.listdir(os.path.join(folder, sensor))):
            match = WATERMARK.match(name)
            if match and (sensor, int(match[1]), int(match[2])) not in loaded and int(match[1]) >= last.get(sensor, 0):
                exports.append(Export(sensor, *match.groups()))
    return exports


def insert(server, root, kind, exports):
    """Loads one kind of file of some exports; where that fails, of half of them at a time."""
    if not exports:
        return
    names = [name for name, _ in KINDS[kind]]
    structure = ", ".join(f"{name} {type_name}" for name, type_name in KINDS[kind])
    paths = ",".join(export.files[kind] for export in exports)
    glob = f"{root}/{{{paths}}}" if len(exports) > 1 else f"{root}/{paths}"
    columns = ", ".join(["splitByChar('/', _path)[-2]"] + names[1:])
    try:
        server.run(f"INSERT INTO connbits.{kind} ({', '.join(names)}) SELECT {columns} "
                   f"FROM file({literal(glob)}, Native, {literal(structure)})")
    except Failed as failure:
        if len(exports) == 1:
            exports[0].problem = f"{os.path.basename(paths)}: {failure}"[:1000]
            return
        insert(server, root, kind, exports[:len(exports) // 2])
        insert(server, root, kind, exports[len(exports) // 2:])


def rows_insert(server, table, rows):
    body = "\n".join(json.dumps(row) for row in rows).encode()
    server.run(f"INSERT INTO connbits.{table} SETTINGS input_format_skip_unknown_fields = 1, "
               "date_time_input_format = 'best_effort' FORMAT JSONEachRow", body)


def marks_insert(server, exports):
    """Watermarks of exports that are loaded, and the note of that; of all, or where one is wrong of each."""
    if not exports:
        return
    try:
        rows_insert(server, "watermarks", [row for export in exports for row in export.marks])
    except Failed as failure:
        if len(exports) == 1:
            exports[0].problem = f"{exports[0].stem}.watermark.json: {failure}"[:1000]
            return
        marks_insert(server, exports[:len(exports) // 2])
        marks_insert(server, exports[len(exports) // 2:])


def load(server, folder, root):
    sensors = [json.loads(line)["sensor"] for line in server.run(
        "SELECT sensor FROM connbits.sensors FINAL WHERE NOT retired ORDER BY sensor FORMAT JSONEachRow").splitlines()]
    loaded = {(row["sensor"], int(row["series"]), int(row["number"])) for row in map(json.loads, server.run(
        "SELECT sensor, series, number FROM connbits.loads FINAL WHERE problem = '' FORMAT JSONEachRow").splitlines())}
    strangers = sorted(set(name for name in os.listdir(folder) if not name.startswith(".")) - set(sensors))
    exports = found(folder, sensors, loaded)
    for export in exports:
        examine(folder, export)
    for first in range(0, len(exports), BATCH):
        batch = exports[first:first + BATCH]
        for kind in KINDS:
            insert(server, root, kind, [e for e in batch if kind in e.files and not e.problem])
        marks_insert(server, [e for e in batch if not e.problem])
        rows_insert(server, "loads", [{"sensor": e.sensor, "series": e.series, "number": e.number,
                                       "problem": e.problem} for e in batch])
    return exports, strangers


def main():
    parser = argparse.ArgumentParser(description="Loads what sensors have shipped into ClickHouse.")
    parser.add_argument("folder", help="has a folder of exports for each sensor")
    parser.add_argument("--url", default="http://localhost:8123", help="the server (default: %(default)s)")
    parser.add_argument("--as", dest="root", help="FOLDER as the server sees it")
    options = parser.parse_args()
    try:
        exports, strangers = load(Server(options.url), options.folder,
                                  (options.root or os.path.abspath(options.folder)).rstrip("/"))
    except (Failed, OSError) as error:
        print(f"load.py: {error}", file=sys.stderr)
        return 1
    problems = [export for export in exports if export.problem]
    print(f"{len(exports) - len(problems)} exports of {len({e.sensor for e in exports if not e.problem})} sensors loaded, "
          f"{len(problems)} not")
    for export in problems:
        print(f"load.py: {export.sensor}: {export.problem}".encode("unicode_escape").decode(), file=sys.stderr)
    for name in strangers:
        print(f"load.py: {name}: no sensor of this name is in connbits.sensors; INSERT it, or remove the folder".encode(
            "unicode_escape").decode(), file=sys.stderr)
    return 1 if problems or strangers else 0


if __name__ == "__main__":
    sys.exit(main())
