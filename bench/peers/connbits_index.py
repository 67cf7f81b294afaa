"""connbits, names that were indexed at night: bitmap_count() on a connection that has just been
opened, so that every question reads its bitmap. Preparing is the whole nightly job, from rows to
bitmaps and stored headers."""
from context import size, timed

NAME = "connbits, indexed names"


def absent(context):
    return None


def prepare(context):
    catalogue = context.path("questions.conf")
    with open(catalogue, "w") as file:
        for name, pcap, *_ in context.questions:
            file.write(f"[filter {name}]\nexpression = {pcap}\n")
    _, seconds = timed(context.run, context.build + "/connbits-index", context.log, catalogue,
                       "--into", context.index, "--quiet", "--rebuild")
    context.index_cost = seconds, size(context.index)
    return context.index_cost


def ask(context):
    answers = {}
    for name, *_ in context.questions:
        db = context.connect()
        (count,), seconds = timed(lambda: db.execute("SELECT bitmap_count(?)", (name,)).fetchone())
        answers[name] = (count, seconds)
        db.close()
    return answers
