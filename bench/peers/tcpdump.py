"""tcpdump -r with the filter, over the capture that connbits-query -w writes of all headers: what a
network engineer does with a capture. Its start is in its time, a few milliseconds.
What is prepared is the capture, by connbits-query from its index; tcpdump itself has nothing to prepare."""
import shutil

from context import size, timed

NAME = "tcpdump -r"


def absent(context):
    return None if shutil.which("tcpdump") else "tcpdump is not installed"


def prepare(context):
    _, seconds = timed(context.run, context.build + "/connbits-query", context.log, "@all",
                       "--into", context.index, "-w", context.capture)
    return seconds, size(context.capture)


def ask(context):
    answers = {}
    for name, pcap, *_ in context.questions:
        out, seconds = timed(context.run, "tcpdump", "-r", context.capture, "--count", pcap)
        answers[name] = (int(out.split()[0]), seconds)
    return answers
