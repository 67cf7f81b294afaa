"""Python's sqlite3. usage: client.py EXTENSION LOG STATEMENTS"""
import sqlite3
import sys

extension, log, statements = sys.argv[1:]
db = sqlite3.connect(log, isolation_level=None)
db.enable_load_extension(True)
db.load_extension(extension)
for statement in open(statements):
    for row in db.execute(statement):
        print("\t".join("NULL" if value is None else str(value) for value in row))
