"""DuckDB on native integer columns in its own file, all cores: each question alone, after a warm-up; and
all of them in one pass ("together"). Addresses of IPv4 are numbers; those of IPv6 are not asked for."""
import json
import os

from context import size, timed

NAME = "DuckDB"


def absent(context):
    return None if context.has_node("@duckdb/node-api") else "npm's @duckdb/node-api is not installed"


def run(context, action):
    questions = context.path("questions.json")
    with open(questions, "w") as file:
        json.dump([(name, native) for name, _, native, *_ in context.questions], file)
    return json.loads(context.node("duckdb.cjs", action, context.path("rows.duckdb"), context.native,
                                   questions))


def prepare(context):
    path = context.path("rows.duckdb")
    if os.path.exists(path):
        os.unlink(path)
    _, seconds = timed(run, context, "load")
    return seconds, size(path)


def ask(context):
    return {name: tuple(answer) for name, answer in run(context, "ask").items()}
