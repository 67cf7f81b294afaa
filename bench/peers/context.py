"""What the peers share: where the log and its other forms are, and how to time."""
import json
import os
import shutil
import sqlite3
import subprocess
import time


class Context:
    def __init__(self, build, folder, rows, node_modules, expressions):
        self.build = build
        self.folder = folder
        self.rows = rows
        self.node_modules = node_modules
        self.questions = expressions
        self.native_seconds = 0  # to make the native columns out of the log
        self.index_cost = 0, 0  # seconds and bytes of connbits' index
        self.log = self.path("log.sqlite")
        self.index = self.path("log.idx")
        self.spot = None  # another one, made by connbits_spot
        self.capture = self.path("all.pcap")
        self.native = self.path("native.csv")

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *command, **options):
        return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout

    def connect(self, path=None, index=True):
        """A new connection with the extension, and nothing in its cache; index is the path of one, True for
        that of the questions, or False."""
        db = sqlite3.connect(f"file:{path or self.log}?mode=ro", uri=True)
        db.enable_load_extension(True)
        db.load_extension(self.build + "/connbits")
        if index:
            db.execute("ATTACH ? AS idx", (self.index if index is True else index,))
        return db

    def node(self, script, *arguments):
        environment = dict(os.environ, NODE_PATH=self.node_modules or "")
        here = os.path.dirname(os.path.abspath(__file__))
        # ES modules look beside the script only.
        copy = self.path(script)
        shutil.copy(os.path.join(here, script), copy)
        return self.run("node", copy, *arguments, env=environment)

    def columnar(self, script, action, path):
        """Has a peer of Node that works on native columns load them, or answer all questions."""
        questions = self.path("questions.json")
        with open(questions, "w") as file:
            json.dump([(name, native) for name, _, native, *_ in self.questions], file)
        answers = json.loads(self.node(script, action, path, self.native, questions))
        return {name: tuple(answer) for name, answer in answers.items()}

    def has_node(self, package):
        return bool(self.node_modules and shutil.which("node") and
                    os.path.isdir(os.path.join(self.node_modules, package)))


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def size(*paths):
    """Bytes of files and folders."""
    total = 0
    for path in paths:
        for folder, _, names in os.walk(path):
            total += sum(os.path.getsize(os.path.join(folder, name)) for name in names)
        if os.path.isfile(path):
            total += os.path.getsize(path)
    return total


def log_make(context):
    """A log of rows that all have a header, and the same rows as native integers."""
    context.run(context.build + "/connbits-generate", "--rows", str(context.rows), context.log)
    db = sqlite3.connect(context.log, isolation_level=None)
    db.enable_load_extension(True)
    db.load_extension(context.build + "/connbits")
    columns = ("connection_type, local_host, remote_host, local_port, remote_port, "
               "connection_transport")
    db.execute(f"DELETE FROM connections WHERE bpf_connection({columns}) IS NULL")
    db.execute("VACUUM")
    (context.rows,) = db.execute("SELECT count(*) FROM connections").fetchone()
    start = time.perf_counter()
    with open(context.native, "w") as file:
        file.write("id,version,protocol,source,destination,source_port,destination_port\n")
        for row, header in db.execute(f"SELECT connection, bpf_connection({columns}) FROM connections"):
            version = header[0] >> 4
            base = 20 if version == 4 else 40
            addresses = header[12:20] if version == 4 else bytes(8)
            ports = header[base:base + 4] if len(header) >= base + 4 else bytes(4)
            numbers = [row, version, header[9 if version == 4 else 6],
                       *(int.from_bytes(addresses[i:i + 4], "big") for i in (0, 4)),
                       *(int.from_bytes(ports[i:i + 2], "big") for i in (0, 2))]
            file.write(",".join(map(str, numbers)) + "\n")
    context.native_seconds = time.perf_counter() - start
    db.close()
