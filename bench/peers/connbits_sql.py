"""connbits without an index: bpf_filter() over the rows in SQL, one thread. Nothing to prepare."""
from context import timed

NAME = "connbits, bpf_filter() in SQL"
COLUMNS = "connection_type, local_host, remote_host, local_port, remote_port, connection_transport"


def absent(context):
    return None


def prepare(context):
    return 0, 0


def ask(context):
    db = context.connect(index=False)
    answers = {}
    for name, pcap, *_ in context.questions:
        (count,), seconds = timed(lambda: db.execute(
            f"SELECT count(*) FROM connections WHERE bpf_filter(?, {COLUMNS})", (pcap,)).fetchone())
        answers[name] = (count, seconds)
    db.close()
    return answers
