"""What the Python tests of the extension share."""
import sqlite3


def connect(build, path, **how):
    db = sqlite3.connect(path, isolation_level=None, **how)
    db.enable_load_extension(True)
    db.load_extension(build + "/connbits")
    return db


def ask(db, sql, *arguments):
    """The one value of a statement."""
    return db.execute(sql, arguments).fetchone()[0]


def fails(db, sql, *arguments):
    """The message of a statement that has to fail."""
    try:
        got = db.execute(sql, arguments).fetchall()
    except sqlite3.Error as error:
        return str(error)
    raise AssertionError((sql, arguments, got))
