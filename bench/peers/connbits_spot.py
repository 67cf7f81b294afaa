"""connbits, on the spot: bitmap_count('{pcap filter}'), evaluated over the stored headers on all cores,
on a connection that has just been opened. Prepared by the index of the peer before. All of them in one pass
("together") is a whole connbits-index --recompute: compiled, evaluated, and stored as bitmaps."""
from context import timed

NAME = "connbits, {on the spot}"


def absent(context):
    return None


def prepare(context):
    return context.index_cost


def ask(context):
    answers = {}
    for name, pcap, *_ in context.questions:
        db = context.connect()
        (count,), seconds = timed(
            lambda: db.execute("SELECT bitmap_count(?)", ("{" + pcap + "}",)).fetchone())
        answers[name] = (count, seconds)
        db.close()
    _, seconds = timed(context.run, context.build + "/connbits-index", context.log, context.path("questions.conf"),
                       "--into", context.index, "--quiet", "--recompute")
    answers["together"] = (0, seconds)
    return answers
