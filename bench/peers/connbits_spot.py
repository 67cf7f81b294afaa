"""connbits, on the spot: bitmap_count('{pcap filter}'), evaluated over the stored columns on all cores,
each on a connection that has just been opened, after a warm-up as DuckDB has one: what ran before has taken
the processor's caches. The index has none of the questions, whose bitmaps would
be the answer. All of them in one pass ("together") are seven counts in one statement, on a connection
that has just been opened."""
from context import size, timed

NAME = "connbits, {on the spot}"


def absent(context):
    return None


def prepare(context):
    catalogue, context.spot = context.path("other.conf"), context.path("spot.idx")
    with open(catalogue, "w") as file:
        file.write("[filter other]\nexpression = tcp dst port 54321\n")
    _, seconds = timed(context.run, context.build + "/connbits-index", context.log, catalogue,
                       "--into", context.spot, "--quiet", "--rebuild")
    return seconds, size(context.spot)


def counts(context, pcaps):
    """Answers to some filters in one statement, and seconds."""
    db = context.connect(index=context.spot)
    statement = "SELECT " + ", ".join(["bitmap_count(?)"] * len(pcaps))
    row, seconds = timed(lambda: db.execute(statement, ["{" + pcap + "}" for pcap in pcaps]).fetchone())
    db.close()
    return row, seconds


def ask(context):
    answers = {}
    counts(context, [pcap for _, pcap, *_ in context.questions])
    for name, pcap, *_ in context.questions:
        (count,), seconds = counts(context, [pcap])
        answers[name] = (count, seconds)
    row, seconds = counts(context, [pcap for _, pcap, *_ in context.questions])
    assert list(row) == [answers[name][0] for name, *_ in context.questions], row
    answers["together"] = (0, seconds)
    return answers
