"""pcap filters over connection logs in SQLite.

>>> import sqlite3, connbits
>>> connection = sqlite3.connect("log.sqlite")
>>> connbits.load(connection)
>>> connection.execute("SELECT * FROM connections WHERE rowid IN bitmap('smb and not rfc1918')")
"""
import os
import sqlite3

__all__ = ["load", "loadable_path"]


def loadable_path() -> str:
    """The path of the extension, without the ending that SQLite adds."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "connbits")


def load(connection: sqlite3.Connection) -> None:
    """Load the extension into a connection, and forbid it to load others, as a new connection does."""
    if not hasattr(connection, "enable_load_extension"):
        raise RuntimeError("this Python's sqlite3 was built without extensions; Debian's /usr/bin/python3 has them, "
                           "and so has the package pysqlite3")
    connection.enable_load_extension(True)
    try:
        connection.load_extension(loadable_path())
    finally:
        connection.enable_load_extension(False)
