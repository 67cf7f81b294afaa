"""ClickHouse over its HTTP interface, with what Python brings along."""
import http.client
import json
import os
import urllib.error
import urllib.request


class Failed(Exception):
    """The server's message."""


class Unanswered(Failed):
    """Why there was none."""


class Server:
    """URL as http://host:8123; user and password as CLICKHOUSE_USER and CLICKHOUSE_PASSWORD have them."""

    def __init__(self, url, timeout=3600):
        self.url = url
        self.timeout = timeout

    def run(self, sql, body=b""):
        """What a statement answers; body is the data of an INSERT, and goes behind its text."""
        try:
            if not self.url.startswith(("http://", "https://")):
                raise ValueError("a URL of a server begins with http:// or https://")
            request = urllib.request.Request(self.url, data=sql.encode() + b"\n" + body, method="POST")
            for name, header in (("USER", "X-ClickHouse-User"), ("PASSWORD", "X-ClickHouse-Key")):
                value = os.environ.get(f"CLICKHOUSE_{name}")
                if value:
                    request.add_header(header, value)
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            text = error.read(4000).decode(errors="replace").strip()
            raise Failed(text.split("\n")[0] if text else f"{self.url}: status {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unanswered(f"{self.url}: {getattr(error, 'reason', error)}") from None

    def rows(self, sql):
        """What a SELECT answers, a dictionary a row. 64-bit numbers may come as text."""
        lines = [line for line in self.run(sql + " FORMAT JSONEachRow").split("\n") if line]
        try:
            rows = [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            rows = [None]
        if not all(isinstance(row, dict) for row in rows):
            raise Failed(f"{self.url}: answers with something else than ClickHouse does")
        return rows


def literal(text):
    """Text as SQL has it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
