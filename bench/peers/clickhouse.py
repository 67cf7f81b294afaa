"""ClickHouse in the process (chDB) on native integer columns in a MergeTree, all cores, ordered by what most
questions ask for, so that parts of it need not be read: each question alone, after a warm-up; and all of them in one pass ("together")."""
import shutil

from context import size, timed

NAME = "ClickHouse (chDB)"


def absent(context):
    return None if context.has_node("chdb") else "npm's chdb is not installed"


def prepare(context):
    path = context.path("clickhouse")
    shutil.rmtree(path, ignore_errors=True)
    _, seconds = timed(context.columnar, "clickhouse.cjs", "load", path)
    return context.native_seconds + seconds, size(path)


def ask(context):
    return context.columnar("clickhouse.cjs", "ask", context.path("clickhouse"))
