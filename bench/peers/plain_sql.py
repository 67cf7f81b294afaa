"""What an analyst with nothing but SQLite writes: conditions on the log's own columns, with LIKE for
networks that end at a dot. The log is in the page cache."""
import sqlite3

from context import timed

NAME = "SQL on the log"


def absent(context):
    return None


def prepare(context):
    return 0, 0


def ask(context, path=None):
    db = sqlite3.connect(f"file:{path or context.log}?mode=ro", uri=True)
    db.execute("PRAGMA cache_size = -262144")
    db.execute("PRAGMA mmap_size = 1073741824")
    answers = {}
    for name, _, _, sql, _ in context.questions:
        (count,), seconds = timed(
            lambda: db.execute(f"SELECT count(*) FROM connections WHERE {sql}").fetchone())
        answers[name] = (count, seconds)
    db.close()
    return answers
