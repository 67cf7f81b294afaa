"""bpf_filter of libpcap in a loop of C over headers that lie in memory, one thread: what libpcap itself
takes, without reading, making headers or a result. From the cost sheet of connbits-bench, whose time a
row is that of up to 262,144 rows, scaled to all of them. The sheet has held it against the vector engine, whose
counts it shows."""
import json

NAME = "bpf_filter in C, scaled"


def absent(context):
    return None


def prepare(context):
    return 0, 0


def ask(context):
    sheet = json.loads(context.run(context.build + "/connbits-bench", "--sheet", context.log,
                                   context.path("questions.conf"), "--json"))
    return {line["filter"]: (line["rows"], line["bpf_ns"] * 1e-9 * context.rows)
            for line in sheet["filters"]}
