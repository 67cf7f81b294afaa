"""connbits, on the spot: bitmap_count('{pcap filter}'), evaluated over the stored headers on all cores,
on a connection that has just been opened. Prepared by the index of the peer before."""
from context import timed

NAME = "connbits, {on the spot}"


def absent(context):
    return None


def prepare(context):
    return 0, 0


def ask(context):
    answers = {}
    for name, pcap, *_ in context.questions:
        db = context.connect()
        (count,), seconds = timed(
            lambda: db.execute("SELECT bitmap_count(?)", ("{" + pcap + "}",)).fetchone())
        answers[name] = (count, seconds)
        db.close()
    return answers
