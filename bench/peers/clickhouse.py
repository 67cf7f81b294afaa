"""ClickHouse in the process (chDB) on native integer columns in a MergeTree ordered by row id, all cores:
each question alone, after a warm-up; and all of them in one pass ("together")."""
import json
import shutil

from context import size, timed

NAME = "ClickHouse (chDB)"


def absent(context):
    return None if context.has_node("chdb") else "npm's chdb is not installed"


def run(context, action):
    questions = context.path("questions.json")
    with open(questions, "w") as file:
        json.dump([(name, native) for name, _, native, *_ in context.questions], file)
    return json.loads(context.node("clickhouse.cjs", action, context.path("clickhouse"), context.native,
                                   questions))


def prepare(context):
    path = context.path("clickhouse")
    shutil.rmtree(path, ignore_errors=True)
    _, seconds = timed(run, context, "load")
    return seconds, size(path)


def ask(context):
    return {name: tuple(answer) for name, answer in run(context, "ask").items()}
