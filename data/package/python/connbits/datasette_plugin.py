"""A Datasette plugin: every connection has bitmap(), bpf_filter() and the rb_ functions."""
from datasette import hookimpl

import connbits


@hookimpl
def prepare_connection(conn):
    connbits.load(conn)
