#!/usr/bin/env python3
"""Whatever is done to the tables of an index or to the log's notes: --rebuild mends it, and until
then a job says what is wrong, or mends it by itself.

usage: rebuild.py BUILD [STRIDE]: every STRIDEth damage, all unless told"""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
stride = int(sys.argv[2]) if len(sys.argv) > 2 else 1
folder = tempfile.mkdtemp(prefix="connbits-rebuild-")
os.chdir(folder)
INDEX = "connbits_format connbits_source connbits_filter connbits_bitmap connbits_set connbits_header connbits_column connbits_day connbits_daily".split()
NOTES = ["connbits_watch", "connbits_change"]


def kind(db, table):
    return db.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]


def copied(db, table):
    """CREATE TABLE AS loses keys and constraints."""
    db.execute(f"CREATE TABLE copy AS SELECT * FROM {table}")
    db.execute(f"DROP {kind(db, table)} {table}")
    db.execute(f"ALTER TABLE copy RENAME TO {table}")


def filled(db, table, value):
    copied(db, table)
    for column in db.execute(f"PRAGMA table_info({table})").fetchall():
        db.execute(f'UPDATE {table} SET "{column[1]}" = {value}')


def viewed(db, table):
    if kind(db, table) == "view":
        db.execute(f"CREATE TABLE moved AS SELECT * FROM {table}")
        db.execute(f"DROP VIEW {table}")
    else:
        db.execute(f"ALTER TABLE {table} RENAME TO moved")
    db.execute(f"CREATE VIEW {table} AS SELECT * FROM moved")


def doubled(db, table):
    copied(db, table)
    db.execute(f"INSERT INTO {table} SELECT * FROM {table}")


def emptied(db, table):
    if kind(db, table) == "table":
        db.execute(f"DELETE FROM {table}")


def dropped(db, table):
    db.execute(f"DROP {kind(db, table)} {table}")


def another(db, table):
    db.execute(f"DROP {kind(db, table)} {table}")
    db.execute(f"CREATE TABLE {table} (x)")


DAMAGES = [copied, viewed, doubled, emptied, dropped, another, lambda db, table: filled(db, table, "NULL"),
           lambda db, table: filled(db, table, "x'00ff'")]
VALUES = [("connbits_source", column) for column in
          "mark next_mark identity fingerprints first_row columns tracked".split()] + \
         [("connbits_watch", column) for column in "mark round last_row ahead".split()]


def run(program, *arguments):
    return subprocess.run([f"{build}/{program}", "log.sqlite", *arguments], capture_output=True, text=True)


def job(into, *more):
    return run("connbits-index", *more, "--quiet", *into)


def mended(into, what, damage, table):
    """Damages a fresh log and index, and builds again."""
    for name in ("log.sqlite", "index.sqlite"):
        if os.path.exists("kept-" + name):
            shutil.copy("kept-" + name, name)
    db = sqlite3.connect("log.sqlite" if table in NOTES or not into else "index.sqlite")
    # A view whose tables are gone meanwhile is no hindrance to renaming.
    db.execute("PRAGMA legacy_alter_table = ON")
    damage(db)
    db.commit()
    db.close()
    plain = job(into, "two.conf", "--track")
    assert plain.returncode == 0 or plain.returncode == 1 and plain.stderr.startswith("connbits-index: "), \
        (what, plain)
    steps = [job(into, "two.conf", "--track", "--rebuild"), job(into, "--verify=all"),
             run("connbits-query", "smb or udp", "--count", *into), job(into, "two.conf", "--track")]
    for step in steps:
        assert step.returncode == 0, (what, into, step, plain)
    assert steps[2].stdout == right, (what, steps[2])


subprocess.run([build + "/connbits-generate", "--rows", "900", "log.sqlite"], check=True)
with open("two.conf", "w") as file:
    file.write("[filter smb]\nexpression = tcp dst port 445\n[filter udp]\nexpression = udp\n")
shutil.copy("log.sqlite", "plain.sqlite")
cases = 0
for into in ([], ["--into", "index.sqlite"]):
    shutil.copy("plain.sqlite", "log.sqlite")
    assert job(into, "two.conf", "--track").returncode == 0
    right = run("connbits-query", "smb or udp", "--count", *into).stdout
    for name in ("log.sqlite", "index.sqlite"):
        if os.path.exists(name):
            shutil.copy(name, "kept-" + name)
    for table in INDEX + NOTES:
        for number, damage in enumerate(DAMAGES):
            # Triggers name the notes' tables: SQLite renames none of those.
            if table in NOTES and damage not in (viewed, emptied, dropped, another):
                continue
            cases += 1
            if cases % stride == 0:
                mended(into, (table, number), lambda db, t=table, d=damage: d(db, t), table)
    for table, column in VALUES:
        cases += 1
        if cases % stride == 0:
            mended(into, (table, column),
                   lambda db, t=table, c=column: db.execute(f"UPDATE {t} SET {c} = 'zz\"'"), table)
shutil.rmtree(folder)
print(f"rebuild.py: {cases // stride} damages, every one mended")
