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
import time
import uuid

sys.dont_write_bytecode = True  # nothing is left where this lies
from clickhouse import Failed, Server, Unanswered, literal

WATERMARK = re.compile(r"([0-9]{13})-([0-9]{8})\.watermark\.json")
SENSOR = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
WATERMARK_MAX = 4 << 20  # bytes
TABLES_MAX = 100  # of a sensor
BATCH = 100  # exports that are looked at, and loaded, together

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
# Rows that a file may have: some bytes of Zstandard become as many as somebody likes.
ROWS_MOST = {"connections": 100_000_000, "bitmaps": 10_000_000}
# Of no export, but of the server.
SERVER_FAILS = re.compile("[(](ACCESS_DENIED|NOT_ENOUGH_SPACE|TOO_MANY_PARTS|TABLE_IS_READ_ONLY|READONLY|UNKNOWN_TABLE|"
                          "UNKNOWN_DATABASE|UNKNOWN_SETTING)[)]")
# What is not taken from the file as it is.
COMPUTED = {
    "digest": "digest + throwIf(rows != bitmapCardinality(bitmap) OR rows > 1048576, 'rows are not those of the bitmap')",
}
UNSIGNED = (0, 2**64 - 1)
SIGNED = (-2**63, 2**63 - 1)
MARK_TIMES = ("exported_at", "indexed_at", "through")
MARK_NUMBERS = {"first_row": SIGNED, "last_row": SIGNED, "rows": UNSIGNED, "headers": UNSIGNED, "skipped": UNSIGNED,
                "rows_behind": UNSIGNED, "bitmaps": UNSIGNED, "gone": (0, 1), "connections": UNSIGNED}
MARK_MAPS = {"filters": int, "checks": int, "digests": str}


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


def number(mark, name, bounds):
    """A whole number within its bounds."""
    value = mark[name]
    if type(value) is not int or not bounds[0] <= value <= bounds[1]:
        raise ValueError(f"its watermark has no {name} that can be")
    return value


def name_check(name):
    """A table's or a filter's name, as an export has them."""
    if not isinstance(name, str) or not 0 < len(name) <= 1000 or min(name) < " ":
        raise ValueError("its watermark has a name that cannot be")
    name.encode()
    return name


def mark_map(mark, name, kind):
    pairs = mark.get(name, {})
    if not isinstance(pairs, dict) or any(type(value) is not kind for value in pairs.values()):
        raise ValueError(f"its watermark has no {name}")
    return {name_check(key): number(pairs, key, UNSIGNED) if kind is int else name_check(value)
            for key, value in pairs.items()}


def mark_row(export, line):
    """A watermark as a row, and the files beside it. ValueError and KeyError say that it is none."""
    mark = json.loads(line)
    if not isinstance(mark, dict):
        raise ValueError("its watermark is none")
    if mark["sensor"] != export.sensor:
        raise ValueError(f"its watermark is of sensor {str(mark['sensor'])[:100]!r}: there, remove manifest.jsonl and "
                         f"export with --sensor {export.sensor}")
    if number(mark, "number", UNSIGNED) != export.number or number(mark, "series", UNSIGNED) != export.series:
        raise ValueError("its watermark is of another export")
    row = {"sensor": export.sensor, "table_name": name_check(mark["table_name"]), "series": export.series,
           "generation": number(mark, "generation", UNSIGNED), "number": export.number}
    for name in MARK_TIMES:
        if name in mark:
            if not isinstance(mark[name], str) or not TIME.fullmatch(mark[name]):
                raise ValueError(f"its watermark has no {name} that can be")
            row[name] = mark[name]
    row.update({name: number(mark, name, bounds) for name, bounds in MARK_NUMBERS.items() if name in mark})
    row.update({name: mark_map(mark, name, kind) for name, kind in MARK_MAPS.items()})
    if not isinstance(mark.get("lacking", []), list) or not isinstance(mark["files"], list):
        raise ValueError("its watermark has no lists where they belong")
    row["lacking"] = [name_check(name) for name in mark.get("lacking", [])]
    return row, mark["files"]


def examine(folder, export):
    """Reads the watermark and compares the files with it. What is wrong becomes the export's problem."""
    place = os.path.join(folder, export.sensor)
    try:
        with regular(os.path.join(place, export.stem + ".watermark.json")) as file:
            text = file.read(WATERMARK_MAX + 1)
        if len(text) > WATERMARK_MAX:
            raise ValueError("its watermark is too long")
        lines = text.decode().split("\n")[:-1]
        if not 0 < len(lines) <= TABLES_MAX:
            raise ValueError(f"its watermark has not 1 to {TABLES_MAX} tables")
        for line in lines:
            row, files = mark_row(export, line)
            export.marks.append(row)
        for name, size, sha256 in files:
            kind = next((kind for kind in KINDS if name == f"{export.stem}.{kind}.native.zst"), None)
            if not kind or kind in export.files:
                raise ValueError("its watermark names a file of another export, or one twice")
            path = os.path.join(place, name)
            if os.lstat(path).st_size != size or digest(path) != sha256:
                raise ValueError(f"{name} is not the file that its watermark tells of: remove it, and it is shipped again")
            export.files[kind] = os.path.join(export.sensor, name)
    except FileNotFoundError as error:
        export.problem = f"{os.path.basename(error.filename)} has not come yet"
    except OSError as error:
        export.problem = f"{error.filename}: {error.strerror}"
    except (ValueError, KeyError, TypeError, RecursionError, MemoryError) as error:
        export.problem = f"{export.stem}: {error if isinstance(error, ValueError) else 'no watermark'}"[:500]


def belated(folder, export, last):
    """Whether an export is of an earlier series than the last one, and was made later: that began under a clock that was
    ahead. Else the last one took its place."""
    if last > time.time() * 1000:
        return True
    examine(folder, export)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(last // 1000))
    return any(mark.get("exported_at", "") > began for mark in export.marks)


def found(folder, sensors, loaded):
    """Exports that are not loaded yet, and folders and series with which nothing can be done."""
    exports = []
    odd = [f"{sensor}: connbits.sensors has this name, which no sensor can have" for sensor in sensors
           if not SENSOR.fullmatch(sensor)]
    last = {}
    for sensor, series, _ in loaded:
        last[sensor] = max(series, last.get(sensor, 0))
    for sensor in filter(SENSOR.fullmatch, sensors):
        try:
            names = sorted(os.listdir(os.path.join(folder, sensor)))
        except FileNotFoundError:
            continue
        except OSError as error:
            odd.append(f"{sensor}: its folder cannot be read: {error.strerror}")
            continue
        new = [match for match in map(WATERMARK.fullmatch, names)
               if match and (sensor, int(match[1]), int(match[2])) not in loaded]
        earlier = [match for match in new if int(match[1]) < last.get(sensor, 0)]
        if earlier and belated(folder, Export(sensor, *earlier[-1].groups()), last[sensor]):
            odd.append(f"{sensor}: series {earlier[-1][1]} is not loaded, since series {last[sensor]} looks later: its clock "
                       "was ahead when that began; README.md says what to do")
        exports += [Export(sensor, *match.groups()) for match in new if int(match[1]) >= last.get(sensor, 0)]
    return exports, odd


def in_halves(exports, what, load_all):
    """Loads some exports together; where that fails, each half of them, so that only those at fault are left out."""
    if not exports:
        return
    try:
        load_all(exports)
    except Failed as failure:
        if isinstance(failure, Unanswered) or SERVER_FAILS.search(str(failure)):
            raise
        if len(exports) == 1:
            exports[0].problem = f"{exports[0].stem}.{what}: {failure}"[:1000]
            return
        in_halves(exports[:len(exports) // 2], what, load_all)
        in_halves(exports[len(exports) // 2:], what, load_all)


def insert_settings():
    """What was loaded before is loaded again, though the server may have seen the block, and is there once it has said so."""
    return f"insert_deduplication_token = '{uuid.uuid4()}', async_insert = 0"


def files_select(root, kind, exports):
    """The rows of one kind of file of some exports. Each file is named: of a pattern ClickHouse leaves out, without a word,
    what it cannot find or read."""
    names = [name for name, _ in KINDS[kind]]
    structure = literal(", ".join(f"{name} {type_name}" for name, type_name in KINDS[kind]))
    few = f"number + throwIf(rowNumberInAllBlocks() >= {ROWS_MOST[kind]}, 'more rows than a file may have')"
    columns = ", ".join({"number": few, **COMPUTED}.get(name, name) for name in names[1:])
    return " UNION ALL ".join(f"SELECT {literal(export.sensor)} AS sensor, {columns} "
                              f"FROM file({literal(root + '/' + export.files[kind])}, Native, {structure})"
                              for export in exports)


def files_check(server, root, exports):
    """Reads bitmaps and keeps nothing: connections are not loaded beside some that cannot be."""
    server.run(f"SELECT count() FROM ({files_select(root, 'bitmaps', exports)}) WHERE NOT ignore(*)")


def files_insert(server, root, kind, exports):
    names = ", ".join(name for name, _ in KINDS[kind])
    server.run(f"INSERT INTO connbits.{kind} ({names}) SETTINGS {insert_settings()} {files_select(root, kind, exports)}")


def rows_insert(server, table, rows):
    body = "\n".join(json.dumps(row) for row in rows).encode()
    server.run(f"INSERT INTO connbits.{table} SETTINGS {insert_settings()}, input_format_skip_unknown_fields = 1, "
               "date_time_input_format = 'best_effort' FORMAT JSONEachRow", body)


def load(server, folder, root):
    """The exports, and what else was found."""
    known = {str(row["sensor"]): int(row["retired"]) for row in server.rows(
        "SELECT sensor, retired FROM connbits.sensors FINAL ORDER BY sensor")}
    sensors = [sensor for sensor, retired in known.items() if not retired]
    loaded = {(str(row["sensor"]), int(row["series"]), int(row["number"])) for row in server.rows(
        "SELECT sensor, series, number FROM connbits.loads FINAL WHERE problem = ''")}
    exports, odd = found(folder, sensors, loaded)
    others = set(name for name in os.listdir(folder) if not name.startswith(".")) - set(sensors)
    odd += [f"{name}: " + ("this sensor is retired: remove its folder, or INSERT it again with retired 0" if name in known else
                           "no sensor of this name is in connbits.sensors: INSERT it, or remove the folder")
            for name in sorted(others)]
    for first in range(0, len(exports), BATCH):
        batch = exports[first:first + BATCH]
        for export in batch:
            examine(folder, export)
        in_halves([e for e in batch if len(e.files) == len(KINDS) and not e.problem], "bitmaps.native.zst",
                  lambda some: files_check(server, root, some))
        for kind in KINDS:
            in_halves([e for e in batch if kind in e.files and not e.problem], f"{kind}.native.zst",
                      lambda some, kind=kind: files_insert(server, root, kind, some))
        in_halves([e for e in batch if not e.problem], "watermark.json",
                  lambda some: rows_insert(server, "watermarks", [row for e in some for row in e.marks]))
        rows_insert(server, "loads", [{"sensor": e.sensor, "series": e.series, "number": e.number,
                                       "problem": e.problem} for e in batch])
        for export in batch:
            export.marks = []
    return exports, odd


def main():
    parser = argparse.ArgumentParser(description="Loads what sensors have shipped into ClickHouse.")
    parser.add_argument("folder", help="has a folder of exports for each sensor")
    parser.add_argument("--url", default="http://localhost:8123", help="the server (default: %(default)s)")
    parser.add_argument("--as", dest="root", help="FOLDER as the server sees it")
    options = parser.parse_args()
    try:
        exports, odd = load(Server(options.url), options.folder,
                            (options.root or os.path.abspath(options.folder)).rstrip("/"))
    except (KeyError, TypeError, ValueError):
        print(f"load.py: {options.url}: has no tables as schema.sql makes them", file=sys.stderr)
        return 1
    except (Failed, OSError) as error:
        hint = "; schema.sql makes what is missing" if re.search("UNKNOWN_(DATABASE|TABLE)", str(error)) else ""
        print(f"load.py: {error}{hint}", file=sys.stderr)
        return 1
    problems = [export for export in exports if export.problem]
    print(f"{len(exports) - len(problems)} exports of {len({e.sensor for e in exports if not e.problem})} sensors loaded, "
          f"{len(problems)} not")
    for export in problems:
        print(f"load.py: {export.sensor}: {export.problem}".encode("unicode_escape").decode(), file=sys.stderr)
    for line in odd:
        print(f"load.py: {line}".encode("unicode_escape").decode(), file=sys.stderr)
    return 1 if problems or odd else 0


if __name__ == "__main__":
    sys.exit(main())
