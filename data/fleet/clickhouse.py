"""ClickHouse over its HTTP interface, with what Python brings along."""
import os
import urllib.error
import urllib.request


class Failed(Exception):
    """The server's message, or why there was none."""


class Server:
    """URL as http://host:8123; user and password as CLICKHOUSE_USER and CLICKHOUSE_PASSWORD have them."""

    def __init__(self, url, timeout=3600):
        self.url = url
        self.timeout = timeout

    def run(self, sql, body=b""):
        """What a statement answers; body is the data of an INSERT, and goes behind its text."""
        request = urllib.request.Request(self.url, data=sql.encode() + b"\n" + body, method="POST")
        for name in ("User", "Password"):
            value = os.environ.get(f"CLICKHOUSE_{name.upper()}")
            if value:
                request.add_header({"User": "X-ClickHouse-User", "Password": "X-ClickHouse-Key"}[name], value)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read(4000).decode(errors="replace").strip()
            raise Failed(text.splitlines()[0] if text else f"status {error.code}") from None
        except (OSError, ValueError) as error:
            raise Failed(f"{self.url}: {getattr(error, 'reason', error)}") from None


def literal(text):
    """Text as SQL has it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
