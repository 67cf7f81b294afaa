#!/usr/bin/env python3
"""connbits-query --summary and --report: every number is that of plain SQL on the log, and nothing that an enemy wrote
becomes markup or commands a terminal. usage: morning.py BUILD"""
import datetime
import ipaddress
import json
import os
import pty
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from html.parser import HTMLParser

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, end, run


BUILD = os.path.abspath(sys.argv[1])
COLOURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench", "colours.py")
INDEX = BUILD + "/connbits-index"
QUERY = BUILD + "/connbits-query"
DAY = 86400
MARKUP = "<script>alert(1)</script>&\"'\x1b[31m\u202e\u0085x"
# As SQL has them, and as pcap has them.
FILTERS = {"smb": ("port = 445", "tcp dst port 445"), "web": ("port IN (80, 443)", "tcp dst port 80 or tcp dst port 443"),
           "late": ("port = 7777", "tcp dst port 7777"), "burst": ("port = 23", "tcp dst port 23"), "quiet": ("0", "tcp dst port 1"), "gone": ("port = 6000", "tcp dst port 6000"),
           "ten": ("host LIKE '10.%'", "src net 10.0.0.0/8")}



def text_of(day):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


def make(log, last, seed):
    """Thirty days up to last, of which one has no rows; then a day that is dated far ahead, and rows without a time."""
    r = random.Random(seed)
    db = sqlite3.connect(log)
    db.execute("CREATE TABLE flows (id INTEGER PRIMARY KEY, at, host, port, dest, proto)")
    for back in range(30, -1, -1):
        for i in range(r.randrange(20, 60) if back != 4 else 0):
            port = r.choice([445, 445, 80, 443, 22, r.randrange(2000, 2010)])
            db.execute('INSERT INTO flows (at, host, port, dest, proto) VALUES (?,?,?,?,?)',
                       ((last - back) * DAY + r.randrange(DAY), f"{r.choice([10, 11])}.0.{r.randrange(4)}.{r.randrange(9)}", port,
                        "192.0.2.1", "tcp"))
        if back:
            db.execute('INSERT INTO flows (at, host, port, dest, proto) VALUES (?,?,6000,?,?)', ((last - back) * DAY, "11.1.1.1", "192.0.2.3", "tcp"))
        if back in (0, 9):
            for i in range(90 if back == 0 else 3):
                db.execute('INSERT INTO flows (at, host, port, dest, proto) VALUES (?,?,23,?,?)',
                           ((last - back) * DAY + i, f"10.9.9.{i % 50}", "192.0.2.2", "tcp"))
        if back == 0:
            db.execute('INSERT INTO flows (at, host, port, dest, proto) VALUES (?,?,7777,?,?)', (last * DAY, "2001:db8::7", "2001:db8::1", "tcp"))
    for at in (4102444800, None, "never"):
        db.execute('INSERT INTO flows (at, host, port, dest, proto) VALUES (?,?,445,?,?)', (at, "10.0.0.1", "192.0.2.1", "tcp"))
    for host, proto in ((MARKUP, "tcp"), ("10.0.0.1", MARKUP)):
        db.execute('INSERT INTO flows (at, host, port, dest, proto) VALUES (?,?,445,?,?)', (last * DAY, host, "192.0.2.1", proto))
    db.commit()
    return db


def catalogue():
    with open("f.conf", "w") as file:
        file.write("[source]\ntable = flows\nsource_host = host\ndestination_host = dest\ndestination_port = port\ntransport = proto\n"
                   "timestamp = at\n")
        file.write("[set tens]\nnetworks =\n 10.0.0.0/8\n[set nobody]\nnetworks =\n 203.0.113.0/24\n")
        for filter_, (_, expression) in FILTERS.items():
            file.write(f"[filter {filter_}]\nexpression = {expression}\ndescription = {filter_} {MARKUP.split(chr(27))[0]}\n")


HEADER = "proto = 'tcp' AND host NOT LIKE '<%'"
READABLE = "typeof(at) IN ('integer', 'real') AND " + HEADER


def rank(line):
    """Most rows first, then by number, IPv4 before IPv6."""
    value, rows = line
    return (-rows, (0, value)) if isinstance(value, int) else (-rows, (":" in value, int(ipaddress.ip_address(value))))


def wanted(db, last, days):
    """The same by SQL and a few lines."""
    days = min(days, 31)

    def one(sql, *values):
        return db.execute(sql, values).fetchall()
    result = {"days": [text_of(last - i) for i in range(days - 1, -1, -1)], "filters": {}}
    for name, (where, _) in [*FILTERS.items(), ("@all", ("1", ""))]:
        by_day = dict(one(f"SELECT CAST(at AS INTEGER) / 86400, count(*) FROM flows WHERE {READABLE} AND ({where}) GROUP BY 1"))
        counts = [by_day.get(last - i, 0) for i in range(days - 1, -1, -1)]
        before = counts[:-1]
        state = "usual"
        if len(before) < 3:
            pass
        elif counts[-1] and sum(before) == 0:
            state = "new"
        elif counts[-1] > max(before) and counts[-1] >= 2 * sum(before) / len(before):
            state = "above"
        elif counts[-1] == 0 and min(before) > 0:
            state = "gone"
        top = {}
        for what, limit in (("host", 5 if name == "@all" else 3), ("port", 5 if name == "@all" else 3)):
            top[what] = one(f"SELECT {what}, count(*) FROM flows WHERE {READABLE} AND ({where}) AND CAST(at AS INTEGER) / 86400 = ? "
                            "GROUP BY 1", last)
            top[what] = [(str(value), rows) for value, rows in sorted(top[what], key=rank)[:limit]]
        total = one(f"SELECT count(*) FROM flows WHERE {HEADER} AND ({where})")[0][0]
        result["filters"][name] = (counts, state, top["host"], top["port"], total)
    for what in ("host", "port"):
        result["new " + what] = sorted(one(f"SELECT {what}, count(*) FROM flows WHERE {READABLE} AND CAST(at AS INTEGER) / 86400 = ? AND {what} NOT IN "
                                    f"(SELECT {what} FROM flows WHERE {READABLE} AND CAST(at AS INTEGER) / 86400 < ?) GROUP BY 1", last, last), key=rank)
    result["tens"] = one(f"SELECT count(*) FROM flows WHERE host LIKE '10.%' AND proto = 'tcp'")[0][0]
    return result


def held(got, want, days):
    """The summary's JSON against SQL."""
    check("the days", got["days"], want["days"])
    for filter_ in [got["all"], *got["filters"]]:
        counts, state, sources, ports, total = want["filters"][filter_["name"]]
        check(f"{days} {filter_['name']}: days", filter_["days"], counts)
        check(f"{days} {filter_['name']}: rows", filter_["rows"], total)
        check(f"{days} {filter_['name']}: state", filter_["state"], state)
        check(f"{days} {filter_['name']}: sources", [(value["value"], value["rows"]) for value in filter_["sources"]], sources)
        check(f"{days} {filter_['name']}: ports", [(value["value"], value["rows"]) for value in filter_["ports"]], ports)
    check("each filter once", sorted(f["name"] for f in got["filters"]), sorted(FILTERS))
    order = []
    for filter_ in got["filters"]:
        counts, state = want["filters"][filter_["name"]][:2]
        mean = sum(counts[:-1]) / max(len(counts) - 1, 1)
        order.append((-["new", "above", "gone", "usual"].index(state), round(abs(counts[-1] - mean) / (mean + 1) ** 0.5, 6)))
        check(f"{days} {filter_['name']}: the days before", (filter_["most_before"], round(filter_["mean_before"], 2)),
              (max(counts[:-1], default=0), round(mean, 2)))
    check("what stands out is first, then what changed most", order, sorted(order, reverse=True))
    for what, name in (("new host", "new_sources"), ("new port", "new_ports")):
        check(name, (got[name]["count"], [(v["value"], v["rows"]) for v in got[name]["top"]]),
              (len(want[what]), [(str(value), rows) for value, rows in want[what][:5]]))
    check("sets", [(s["name"], s["src_rows"], s["dst_rows"]) for s in got["sets"]], [("nobody", 0, 0), ("tens", want["tens"], 0)])


class Page(HTMLParser):
    """Rows of tables as texts, and what stands where nothing but our own markup may."""
    def __init__(self):
        super().__init__()
        self.open, self.tags, self.rows, self.titles, self.cards, self.text = [], Counter(), [], [], [], ""

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "br" or tag == "bdi" and "th" in self.open:
            self.rows[-1][-1] += " "
        if tag == "b":
            self.cards.append("")
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags[tag] += 1

    def handle_endtag(self, tag):
        check("tags are balanced", self.open.pop(), tag)

    def handle_data(self, data):
        if "style" in self.open:
            return
        if "svg" in self.open:
            self.titles.append(data)
            return
        self.text += data
        if "b" in self.open:
            self.cards[-1] += data
        if self.rows and ("td" in self.open or "th" in self.open):
            self.rows[-1][-1] += data


def page_held(path, want, got):
    html = open(path, encoding="utf-8").read()
    page = Page()
    page.feed(html)
    check("nothing is left open", page.open, [])
    check("only our own tags", sorted(set(page.tags) - set("html head meta title style body h1 h2 p b div span bdi table caption thead tbody tr th "
                                                           "td br svg rect line".split())), [])
    check("a page asks for nothing else", re.findall(r"(?:src|href|url|@import)\s*[=(]", html), [])
    check("no control character", re.findall("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e]", html), [])
    number = lambda text: int(text.replace(",", ""))
    rows = {row[0].split()[0]: row for row in page.rows if len(row) == 7 and row[0] != "filter"}
    titles = [f"{day}: {rows:,} row{'' if rows == 1 else 's'}" for day, rows in zip(want["days"], want["filters"]["@all"][0])]
    for filter_ in got["filters"]:
        if sum(filter_["days"]):
            titles += [f"{day}: {rows:,} row{'' if rows == 1 else 's'}" for day, rows in zip(want["days"], want["filters"][filter_["name"]][0])]
    check("page: titles of all charts", page.titles, titles)
    counts = want["filters"]["@all"][0]
    check("page: cards", [number(card) for card in page.cards], [counts[-1], int(sum(counts[:-1]) / (len(counts) - 1) + 0.5), got["rows"], 2])
    lines = lambda values: [[str(value), f"{rows:,}"] for value, rows in values] or [["none"]]
    two = [row for row in page.rows if len(row) in (1, 2) and not row[0].startswith(("skipped", "listen"))]
    check("page: what is new, and what is most", two, lines(want["new host"][:5]) + lines(want["new port"][:5]) +
          lines(want["filters"]["@all"][2]) + lines(want["filters"]["@all"][3]))
    for name, (counts, state, sources, ports, total) in want["filters"].items():
        if name == "@all":
            continue
        if sum(counts) == 0:
            check(f"{name} is left out", name in rows, False)
            continue
        row = rows[name]
        check(f"page: {name}: last day", number(row[1]), counts[-1])
        check(f"page: {name}: state", (" new" in row[0].split("script")[0], " above" in row[0].split("script")[0]), (state == "new", state == "above"))
        mean = sum(counts[:-1]) / (len(counts) - 1)
        check(f"page: {name}: mean before, in all", (row[3], number(row[4])), (f"{mean:.1f}" if mean < 100 else f"{int(mean + 0.5):,}", total))
        check(f"page: {name}: sources, ports", (row[5].split(), row[6].split()), tuple([part for value, rows in values for part in (value, f"{rows:,}")]
                                                                                          for values in (sources, ports)))
        check(f"page: {name}: description is text", "<script>" in row[0], True)
    check("page: new sources", f"{got['new_sources']['count']} source" in page.text, True)
    check("page: skipped", [row for row in page.rows if row[0].startswith(("skipped", "listen"))],
          [["listen", "0"], *[[f"skipped: {why}", str(int(why in ("transport", "address")))] for why in ("type", "transport", "address", "family", "port")]])
    check("page: sets", [row[:4] for row in page.rows if row[0] == "tens"], [["tens", "1", "source", str(want["tens"])]])


def on_terminal(*command, **environment):
    """What a program writes to a terminal."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ.update({"COLUMNS": "80", "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment})
        os.execv(command[0], command)
    out = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            break
        if not part:
            break
        out += part
    os.waitpid(pid, 0)
    os.close(descriptor)
    return out.decode()


def terminals(log):
    screen = on_terminal(QUERY, log, "--summary")
    check("a terminal has blocks", "█" in screen, True)
    check("and colours for what stands out", "\033[1;" in screen, True)
    check("nobody else commands it", re.findall("\033(?!\\[1;3[35]m|\\[0m)", screen), [])
    check("lines of a screen", max(len(re.sub("\033\\[[0-9;]*m", "", line)) for line in screen.splitlines()) <= 80, True)
    check("a screen", len(screen.splitlines()) <= 24, True)
    check("NO_COLOR", "\033" in on_terminal(QUERY, log, "--summary", NO_COLOR="1"), False)
    check("a plain locale", "█" in on_terminal(QUERY, log, "--summary", LC_ALL="C"), False)
    plain = run(QUERY, log, "--summary").stdout
    check("no terminal", [c for c in plain if ord(c) > 126 or ord(c) < 10], [])


def refused():
    for what, words, *command in (
            ("csv", "take --format json", "--summary", "--format", "csv"), ("no days", "from 1 to 366", "--summary", "--days", "0"),
            ("too many", "from 1 to 366", "--report", "none.html", "--days", "367"), ("an expression", "takes no expression", "smb", "--summary"),
            ("days of something else", "--days is for --summary and --report", "smb", "--days", "3"),
            ("two at once", "exclude each other", "--summary", "--report", "none.html")):
        done = run(QUERY, "log.sqlite", *command)
        check(what, (done.returncode, words in done.stderr), (2, True))
    over = run(QUERY, "log.sqlite", "--report", "log.sqlite")
    check("over the log", (over.returncode, "--report log.sqlite would overwrite the log" in over.stderr), (2, True))
    nowhere = run(QUERY, "log.sqlite", "--report", "nowhere/page.html")
    check("into no folder", (nowhere.returncode, "No such file" in nowhere.stderr), (1, True))
    check("nothing is left", [name for name in os.listdir(".") if name.startswith("none")], [])
    bare = run(INDEX, "log.sqlite", "f.conf", "--into", "bare.idx", "--no-headers", "--quiet")
    told = run(QUERY, "log.sqlite", "--into", "bare.idx", "--summary")
    check("without columns", (bare.returncode, told.returncode, "without stored columns" in told.stderr), (0, 1, True))
    db = sqlite3.connect("log.sqlite")
    db.execute("UPDATE connbits_filter SET name = 'x) or @all' WHERE name = 'smb'")
    db.commit()
    db.close()
    told = run(QUERY, "log.sqlite", "--report", "none.html")
    check("a name that is none", (told.returncode, "damaged" in told.stderr, os.path.exists("none.html")), (1, True, False))


FRAME = """<!DOCTYPE html><title>none</title><body style="margin:0"><iframe id="f" src="page.html" width="{0}" height="1500"
style="border:0" onload="document.title = f.contentDocument.documentElement.scrollWidth"></iframe>"""


def chromium(*options):
    return run("timeout", "120", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--user-data-dir={os.getcwd()}/browser",
               "--allow-file-access-from-files", "--hide-scrollbars", *options)


def browser():
    """Both modes, on a phone and on a screen: the page has its colours, and nothing sticks out."""
    if not shutil.which("chromium"):
        print("NOT TESTED: chromium is missing")
        check("chromium is there", bool(os.environ.get("CONNBITS_CLIENTS")), False)
        return
    for width in (360, 1200):
        # A window has 500 points at the least, a frame in it any.
        with open("frame.html", "w") as file:
            file.write(FRAME.format(width))
        frame = f"file://{os.getcwd()}/frame.html"
        title = re.search("<title>(.*?)</title>", chromium("--virtual-time-budget=5000", "--dump-dom", frame).stdout)
        check(f"{width} points: nothing sticks out", bool(title) and 0 < int(title[1]) <= width, True)
        for mode, options, colours in (("light", [], ["ffffff", "0b66c3", "1b1f24"]),
                                       ("dark", ["--blink-settings=preferredColorScheme=0"], ["14171b", "5cb0ff", "e6e9ed"])):
            picture = f"{mode}-{width}.png"
            chromium(f"--window-size={max(width, 500)},1500", *options, f"--screenshot={picture}", frame)
            found = run("python3", COLOURS, picture).stdout.split()
            check(f"{picture}: what it is on", colours[0] in found[:4], True)
            check(f"{picture}: colours", [c for c in colours if c not in found], [])


with tempfile.TemporaryDirectory(prefix="connbits-morning-") as folder:
    os.chdir(folder)
    today = datetime.datetime.now(datetime.timezone.utc).date().toordinal() - datetime.date(1970, 1, 1).toordinal()
    for seed, last in enumerate((15000, today - 1)):
        for name in os.listdir("."):
            if name.endswith(".sqlite"):
                os.unlink(name)
        db = make("log.sqlite", last, seed)
        if seed == 1:
            # Of today, which is not over.
            db.execute("INSERT INTO flows (at, host, port, dest, proto) VALUES (?, '10.0.0.1', 445, '192.0.2.1', 'tcp')", (today * DAY,))
        db.commit()
        catalogue()
        done = run(INDEX, "log.sqlite", "f.conf", "--quiet")
        check(f"indexed: {done.stderr}", done.returncode, 0)
        for days in (1, 2, 7, 14, 366):
            told = run(QUERY, "log.sqlite", "--summary", "--format", "json", "--days", str(days))
            check(f"a summary: {told.stderr}", told.returncode, 0)
            got = json.loads(told.stdout)
            want = wanted(db, last, days)
            held(got, want, days)
            check("later days", (got["later"], got["age_days"] == today - last), (1 + seed, True))
            if days in (7, 14):
                page = run(QUERY, "log.sqlite", "--report", "page.html", "--days", str(days))
                check("a report says nothing", (page.returncode, page.stdout, page.stderr), (0, "", ""))
                page_held("page.html", want, got)
        db.close()
        terminals("log.sqlite")
    # The name of the file is an enemy's, too.
    hostile = MARKUP.replace("/", "_") + ".sqlite"
    shutil.copy("log.sqlite", hostile)
    run(QUERY, hostile, "--report", "hostile.html")
    hostile_page = open("hostile.html", encoding="utf-8").read()
    check("a name of a file is text", ("<script" in hostile_page, "&lt;script&gt;" in hostile_page), (False, True))
    check("on a terminal too", "\033[31m" in on_terminal(QUERY, hostile, "--summary"), False)
    browser()
    refused()
    os.chdir("/")
end()
