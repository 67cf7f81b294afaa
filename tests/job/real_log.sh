#!/bin/sh
# A real honeypot's log, where it is at hand: exact counts by plain SQL.
. "$(dirname "$0")/../support/lib.sh"
log=${CONNBITS_REAL_LOG:-$root/../shared/dionaea-logsql.sqlite}
if [ ! -r "$log" ]; then
	echo "SKIPPED: no real log at $log; name one in CONNBITS_REAL_LOG"
	exit 0
fi
before=$(cksum <"$log")
"$index" "$log" "$root/data/filters.conf" --into "$work/real.idx" --quiet || exit 1

incoming="connection_type IN ('accept', 'reject', 'pending')"
port() {
	printf "((%s AND local_port IN (%s)) OR (connection_type = 'connect' AND remote_port IN (%s))) AND connection_transport IN (%s)" "$incoming" "$1" "$1" "$2"
}
tcp="'tcp', 'tls'"
udp="'udp', 'dtls'"

# NAME and the SQL condition that says the same.
compare() {
	wanted=$(sqlite3 -readonly "$log" "SELECT group_concat(connection, char(10)) FROM (SELECT connection FROM connections WHERE connection_type <> 'listen' AND $2 ORDER BY connection)")
	is "$1" "$wanted" "$("$query" "$log" "$1" --rowids --into "$work/real.idx")"
	count=$(sqlite3 -readonly "$log" "SELECT count(*) FROM connections WHERE connection_type <> 'listen' AND $2")
	is "$1 --count" "$count" "$("$query" "$log" "$1" --count --into "$work/real.idx")"
}
compare smb "$(port 445 "$tcp")"
compare mssql "$(port 1433 "$tcp")"
compare mysql "$(port 3306 "$tcp")"
compare http "$(port "80, 8080, 8000, 8888" "$tcp")"
compare msrpc "$(port 135 "$tcp")"
compare ftp "$(port 21 "$tcp")"
compare sip "($(port 5060 "$tcp, $udp") OR $(port 5061 "$tcp"))"
compare tftp "$(port 69 "$udp")"
compare tcp "connection_transport IN ($tcp)"
compare udp "connection_transport IN ($udp)"
compare ipv6 "(local_host LIKE '%:%' AND local_host NOT LIKE '::ffff:%')"
compare "smb or mssql" "($(port 445 "$tcp") OR $(port 1433 "$tcp"))"
compare "tcp and not (mssql or mysql)" "connection_transport IN ($tcp) AND NOT $(port "1433, 3306" "$tcp")"
compare privileged-destination "CASE WHEN $incoming THEN local_port ELSE remote_port END BETWEEN 0 AND 1023"
compare ephemeral-destination "CASE WHEN $incoming THEN local_port ELSE remote_port END >= 49152"
compare @all "1"
is "the log is as it was" "$before" "$(cksum <"$log")"
is "at most 5 bytes a row are stored" 1 "$(sqlite3 "$work/real.idx" 'SELECT sum(length(bytes)) BETWEEN 2 * headers AND 5 * headers FROM connbits_column, connbits_source WHERE column < 6')"
exits "every row verifies" 0 "$index" "$log" --verify=all --into "$work/real.idx"
finish
