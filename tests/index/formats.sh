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
