"""DuckDB on native integer columns in its own file, all cores, sorted by what most questions ask for, so that
its zone maps leave parts out: each question alone, after a warm-up; and
all of them in one pass ("together"). Addresses of IPv4 are numbers; those of IPv6 are not asked for."""
import os

from context import size, timed

NAME = "DuckDB"


def absent(context):
    return None if context.has_node("@duckdb/node-api") else "npm's @duckdb/node-api is not installed"


def prepare(context):
    path = context.path("rows.duckdb")
    if os.path.exists(path):
        os.unlink(path)
    _, seconds = timed(context.columnar, "duckdb.cjs", "load", path)
    return context.native_seconds + seconds, size(path)


def ask(context):
    return context.columnar("duckdb.cjs", "ask", context.path("rows.duckdb"))
