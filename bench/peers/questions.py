"""The questions that every peer is asked, each in the peer's own language. All rows of the log have
a header, so that nobody has to know which rows do not."""

# name, pcap, SQL on native integer columns (see peers.py), SQL on the log's own columns, nfdump
SOURCE = "iif(connection_type = 'connect', local_host, remote_host)"
TARGET_PORT = "iif(connection_type = 'connect', remote_port, local_port)"
SOURCE_PORT = "iif(connection_type = 'connect', local_port, remote_port)"
TCP = "connection_transport IN ('tcp', 'tls')"
UDP = "connection_transport IN ('udp', 'dtls')"
TEN = f"({SOURCE} LIKE '10.%' OR {SOURCE} LIKE '::ffff:10.%')"

QUESTIONS = [
    ("smb", "tcp dst port 445",
     "protocol = 6 AND destination_port = 445",
     f"{TCP} AND {TARGET_PORT} = 445",
     "proto tcp and dst port 445"),
    ("smb-inside", "tcp dst port 445 and src net 10.0.0.0/8",
     "protocol = 6 AND destination_port = 445 AND version = 4 AND source BETWEEN 167772160 AND "
     "184549375",
     f"{TCP} AND {TARGET_PORT} = 445 AND {TEN}",
     "proto tcp and dst port 445 and src net 10.0.0.0/8"),
    ("dns", "udp port 53",
     "protocol = 17 AND (source_port = 53 OR destination_port = 53)",
     f"{UDP} AND (local_port = 53 OR remote_port = 53)",
     "proto udp and port 53"),
    ("web", "tcp and (dst port 80 or dst port 443 or dst port 8080)",
     "protocol = 6 AND destination_port IN (80, 443, 8080)",
     f"{TCP} AND {TARGET_PORT} IN (80, 443, 8080)",
     "proto tcp and (dst port 80 or dst port 443 or dst port 8080)"),
    ("low-sources", "tcp src portrange 1024-4999",
     "protocol = 6 AND source_port BETWEEN 1024 AND 4999",
     f"{TCP} AND {SOURCE_PORT} BETWEEN 1024 AND 4999",
     "proto tcp and src port > 1023 and src port < 5000"),
    ("one-host", "host 192.0.2.11",
     "version = 4 AND (source = 3221225995 OR destination = 3221225995)",
     "(local_host IN ('192.0.2.11', '::ffff:192.0.2.11') OR remote_host IN ('192.0.2.11', "
     "'::ffff:192.0.2.11'))",
     "host 192.0.2.11"),
    ("rare", "tcp dst port 502",
     "protocol = 6 AND destination_port = 502",
     f"{TCP} AND {TARGET_PORT} = 502",
     "proto tcp and dst port 502"),
]
