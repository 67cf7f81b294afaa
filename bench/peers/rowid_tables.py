"""A table of row ids for each question in place of a bitmap, made at night from connbits' own answers:
what one would build without Roaring. The index from which they are made is in what preparing takes. INTEGER PRIMARY KEY, the smallest and fastest form that SQLite has."""
import os
import sqlite3

from context import size, timed

NAME = "row-id tables"


def absent(context):
    return None


def prepare(context):
    path = context.path("rowids.sqlite")

    def make():
        if os.path.exists(path):
            os.unlink(path)
        db = sqlite3.connect(path)
        source = context.connect()
        db.execute("PRAGMA journal_mode = OFF")
        for name, *_ in context.questions:
            db.execute(f'CREATE TABLE "{name}" (id INTEGER PRIMARY KEY)')
            db.executemany(f'INSERT INTO "{name}" VALUES (?)',
                           source.execute("SELECT value FROM bitmap(?)", (name,)))
        db.commit()
        db.close()
        source.close()

    _, seconds = timed(make)
    return context.index_cost[0] + seconds, size(path)


def ask(context):
    answers = {}
    for name, *_ in context.questions:
        db = sqlite3.connect(f"file:{context.path('rowids.sqlite')}?mode=ro", uri=True)
        # As connbits' index is attached: what tables there are is read before.
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (count,), seconds = timed(lambda: db.execute(f'SELECT count(*) FROM "{name}"').fetchone())
        answers[name] = (count, seconds)
        db.close()
    return answers
