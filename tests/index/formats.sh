#!/bin/sh
# Indexes as earlier versions wrote them, kept as SQL text: what this version makes of each.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1

# answers NAME LOG: every format_N.sql has the same two tables of connections
answers() {
	is "$1: smb" "4 8 12 16 1048576 5000000000 9223372036854775800 " "$("$query" "$2" 'connections: smb' --rowids | tr '\n' ' ')"
	is "$1: what is skipped" "13 1048575 5000000006 " "$("$query" "$2" 'connections: @skipped' --rowids | tr '\n' ' ')"
	is "$1: ids below 0" "-10 -9 -8 " "$("$query" "$2" 'connections: @all' --rowids | head -n 3 | tr '\n' ' ')"
	is "$1: the other table" "3 6 9 12 15 " "$("$query" "$2" 'conn: private' --rowids 2>/dev/null | tr '\n' ' ')"
}

# contents LOG: all that is indexed of it, without what is another in every run
contents() {
	sqlite3 "$1" "SELECT table_name, name, chunk, b.rows, hex(bitmap) FROM connbits_bitmap b
		JOIN connbits_filter f ON f.id = b.filter JOIN connbits_source s ON s.id = f.source ORDER BY 1, 2, 3;
		SELECT table_name, segment, h.rows, hex(outcomes) FROM connbits_header h
		JOIN connbits_source s ON s.id = h.source ORDER BY 1, 2;
		SELECT table_name, segment, column, hex(bytes) FROM connbits_column c
		JOIN connbits_source s ON s.id = c.source ORDER BY 1, 2, 3"
}

# catalogue LOG: the filters of a table's index
catalogue() {
	sqlite3 "$1" "SELECT format('[filter %s]%sexpression = %s%sdescription = %s', name, char(10), expression, char(10),
		description) FROM connbits_filter WHERE source = 1 AND name NOT LIKE '@%' ORDER BY position"
}

# kinds LOG: what is known of each table's index
kinds() {
	sqlite3 "$1" "SELECT table_name, packed, tracked FROM connbits_source ORDER BY 1"
}

# --- the index of the last release is gone on with
sqlite3 last.sqlite <"$root/tests/index/format_10.sql"
is "the fixture is of format 10" 10 "$(sqlite3 last.sqlite 'SELECT version FROM connbits_format')"
answers "before any job" last.sqlite
is "before any job: filters of filters" "4 8 " "$("$query" last.sqlite 'connections: smb-outside and from-lab' --rowids | tr '\n' ' ')"
sqlite3 last.sqlite "INSERT INTO connections SELECT 20, connection_type, connection_transport, connection_timestamp, local_host,
	local_port, remote_host, remote_port FROM connections WHERE connection = 4"
exits "its first job by this version" 0 "$index" last.sqlite --table connections --json
is "reads what is new" "false 1" "$(printf '%s' "$out" | jq -r '[.built, .rows_new] | map(tostring) | join(" ")')"
exits "the other table's" 0 "$index" last.sqlite --table conn --json
is "has nothing to do" "false 0" "$(printf '%s' "$out" | jq -r '[.built, .rows_new] | map(tostring) | join(" ")')"
exits "it verifies" 0 "$index" last.sqlite --table connections --verify=all
exits "it verifies" 0 "$index" last.sqlite --table conn --verify=all
sqlite3 last.sqlite .dump | grep -v connbits_ | sqlite3 anew.sqlite
{
	catalogue last.sqlite | sed '/^\[filter from-lab\]/,$d'
	printf '[set lab]\nnetworks =\n\t198.51.100.0/28\n\t2001:db8:1::/48\n'
	printf '[filter from-lab]\nrows = src in lab\n[filter smb-outside]\nrows = smb and not private\n'
} >last.conf
"$index" anew.sqlite last.conf --table connections --track --quiet
"$index" anew.sqlite last.conf --table conn --no-headers --quiet 2>/dev/null
exits "the index is a fresh one's" 0 test "$(contents anew.sqlite)" = "$(contents last.sqlite)"

# --- an earlier format is refused by questions, and built again by a job
sqlite3 old.sqlite <"$root/tests/index/format_4.sql"
is "the fixture is of format 4" 4 "$(sqlite3 old.sqlite 'SELECT version FROM connbits_format')"
exits "a question to it" 1 "$query" old.sqlite 'connections: smb' --count
has "is told what to do" "build it anew with connbits-index LOG CATALOGUE" "$err"
exits "a job without a catalogue" 2 "$index" old.sqlite --table connections
has "asks for one" "the index is of an earlier format, so a catalogue is needed" "$err"
catalogue old.sqlite >all.conf
is "the filters are in it" 4 "$(grep -c expression all.conf)"
exits "a job with one" 0 "$index" old.sqlite all.conf --table connections --json
is "builds it again, and says why" "true the index was of an earlier format" "$(printf '%s' "$out" | jq -r '[.built, .rebuild] | map(tostring) | join(" ")')"
is "and hands on that it was tracked" "connections|1|1" "$(kinds old.sqlite)"
exits "its other table" 0 "$index" old.sqlite all.conf --table conn --no-headers
answers "after that" old.sqlite
is "has the kind that it was given" "conn|0|0
connections|1|1" "$(kinds old.sqlite)"
exits "it verifies" 0 "$index" old.sqlite --table connections --verify=all

# --- and is then what a fresh one is
sqlite3 fresh.sqlite <"$root/tests/index/format_4.sql"
sqlite3 fresh.sqlite .dump | grep -v connbits_ | sqlite3 bare.sqlite
"$index" bare.sqlite all.conf --table connections --track --quiet
"$index" bare.sqlite all.conf --table conn --no-headers --quiet 2>/dev/null
exits "the index is a fresh one's" 0 test "$(contents bare.sqlite)" = "$(contents old.sqlite)"
is "of many rows" true "$([ "$(contents old.sqlite | wc -l)" -ge 30 ] && echo true)"
sqlite3 old.sqlite "UPDATE connections SET local_port = 445 WHERE connection = 5"
exits "a row that its triggers note" 0 "$index" old.sqlite --table connections --json
is "is read with its segment, and no other" "false 20 0" "$(printf '%s' "$out" | jq -r '[.built, .rows_read, .rows_new] | map(tostring) | join(" ")')"

# --- a later one is refused
sqlite3 old.sqlite 'UPDATE connbits_format SET version = 99'
exits "a question to a later format" 1 "$query" old.sqlite 'connections: smb' --count
has "says which connbits is needed" "use a newer connbits" "$err"
finish
