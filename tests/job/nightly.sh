#!/bin/sh
# Night after night: what a job reads and writes when little has changed, what it notices, and
# what is answered from the stored headers.
. "$(dirname "$0")/../support/lib.sh"
# Leaks are looked for in cli.sh: over so many processes the search itself fails now and then.
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
export ASAN_OPTIONS
generate=$build/connbits-generate
cd "$work" || exit 1

field() {
	printf '%s' "$out" | jq -r "$1"
}

# One more row of the log's own kind, COUNT of them.
grow() {
	sqlite3 "$1" "INSERT INTO connections (connection_type, connection_transport,
		connection_protocol, connection_timestamp, local_host, local_port, remote_host,
		remote_port) SELECT connection_type, connection_transport, connection_protocol,
		connection_timestamp, local_host, local_port, remote_host, remote_port
		FROM connections LIMIT $2"
}

cat >two.conf <<'EOF'
[filter smb]
expression = tcp dst port 445
[filter private]
expression = src net 10.0.0.0/8
EOF
cat >three.conf <<'EOF'
[filter sip]
expression = port 5060
[filter smb]
expression = tcp dst port 445 and ip
[filter private]
expression = src net 10.0.0.0/8
description = from inside
EOF

# --- the second night
"$generate" --rows 200000 log.sqlite
exits "the first night" 0 "$index" log.sqlite two.conf --json
is "reads every row" "true null 200000 200000" "$(field '[.built, .rebuild, .rows, .rows_read] | map(tostring) | join(" ")')"
is "stores at most 8 bytes a row" 1 "$(sqlite3 log.sqlite 'SELECT sum(length(bytes)) BETWEEN 4 * headers AND 8 * headers FROM connbits_column, connbits_source WHERE column < 6')"
is "names its version" "$("$index" --version | cut -d' ' -f2)" "$(field .version)"
is "has seconds for each stage" "bitmap compile evaluate read store total" "$(field '.seconds | keys | join(" ")')"
cp log.sqlite before.sqlite
exits "nothing to do" 0 "$index" log.sqlite two.conf
has "says so" "nothing to do" "$out"
cp log.sqlite changed-filters.sqlite
cat two.conf - >more.conf <<'EOF'
[filter no-row]
expression = ip proto 253
EOF
exits "a new filter without a match" 0 "$index" changed-filters.sqlite more.conf
has "is something that was done" "1 new filter: no row had to be read" "$out"
sed 's/ip proto 253/ip proto 254/' more.conf >other.conf
exits "a changed filter" 0 "$index" changed-filters.sqlite other.conf
has "a changed filter" "1 changed filter: no row had to be read" "$out"
exits "a filter that is pruned" 0 "$index" changed-filters.sqlite two.conf --prune
has "a filter that is pruned" "1 removed filter: no row had to be read" "$out"
exits "filters that are evaluated again" 0 "$index" changed-filters.sqlite two.conf --recompute
has "filters that are evaluated again" "every filter was evaluated again" "$out"
exits "and writes nothing" 0 cmp log.sqlite before.sqlite
grow log.sqlite 1000
exits "the second night" 0 "$index" log.sqlite two.conf --json
is "has the new rows" "false 201000 1000" "$(field '[.built, .rows, .rows_new] | map(tostring) | join(" ")')"
is "reads no more than the last segment and them" true "$(field '.rows_read <= 65536 + 1000')"
is "and answers with them" "$(sqlite3 log.sqlite "SELECT count(*) FROM connections WHERE connection > 200000 AND connection_type <> 'listen'")" "$("$query" log.sqlite '@all or @skipped' --rowids | awk '$1 > 200000' | wc -l)"

# --- filters come, change and go without a row read
exits "a new and a changed filter" 0 "$index" log.sqlite three.conf --json
is "are counted" "1 1 0 0" "$(field '[.filters_new, .filters_changed, .filters_removed, .rows_read] | map(tostring) | join(" ")')"
is "stand in the order of the catalogue" "@all @skipped sip smb private" "$("$query" log.sqlite --list --format csv | tail -n +2 | cut -d, -f1 | tr '\n' ' ' | sed 's/ $//')"
is "a new description too" "from inside" "$("$query" log.sqlite --list --format json | jq -r '.[] | select(.name == "private").description')"
exits "and are right" 0 "$index" log.sqlite --verify=20000
exits "a filter goes" 0 "$index" log.sqlite two.conf --prune --json
is "with --prune only" "0 1 1 0" "$(field '[.filters_new, .filters_changed, .filters_removed, .rows_read] | map(tostring) | join(" ")')"
exits "--recompute" 0 "$index" log.sqlite --recompute --json
is "reads no row, and writes every bitmap" "0 true" "$(field '[.rows_read, .bitmap_bytes > 1000] | map(tostring) | join(" ")')"
exits "--rebuild" 0 "$index" log.sqlite --rebuild --json
is "reads every row" "201000 --rebuild" "$(field '[.rows_read, .rebuild] | map(tostring) | join(" ")')"

# --- retention
"$generate" --rows 1500000 retired.sqlite
"$index" retired.sqlite two.conf --quiet
sqlite3 retired.sqlite "DELETE FROM connections WHERE connection <= 1200000"
exits "rows deleted at the start" 0 "$index" retired.sqlite --json
is "leave the index" "false 300000 true" "$(field '[.built, .rows, .rows_read <= 65536] | map(tostring) | join(" ")')"
is "and its bitmaps" 1200001 "$("$query" retired.sqlite '@all or @skipped' --rowids | head -n 1)"
is "and its headers" $((1200001 / 65536)) "$(sqlite3 retired.sqlite 'SELECT min(segment) FROM connbits_header')"
exits "and the rest verifies" 0 "$index" retired.sqlite --verify=20000

# --- changes that are noticed, and said why
because() {
	is "$1: built again" true "$(field .built)"
	has "$1: says why" "$2" "$(field .rebuild)"
}
"$generate" --rows 3000 base.sqlite
changed() {
	cp base.sqlite changed.sqlite
	"$index" changed.sqlite two.conf --quiet
	sqlite3 changed.sqlite "$1"
	exits "before the next job: the query side refuses" 1 "$query" changed.sqlite smb --count
	exits "a changed log" 0 "$index" changed.sqlite --json
}
insert="INSERT INTO connections (connection, connection_type, connection_transport, connection_protocol, local_host, local_port, remote_host, remote_port)"
changed "DELETE FROM connections WHERE connection > 2000"
because "a log that was cut off" "ends at row id 2000 and was indexed up to 3000"
changed "UPDATE connections SET local_port = 1 WHERE connection = 3000"
because "a row that was changed" "row with id 3000 is not the one"
changed "DELETE FROM connections WHERE connection = 3000; $insert VALUES (3000, 'accept', 'tcp', '', '192.0.2.1', 7, '192.0.2.2', 9)"
because "an id that was used again" "row with id 3000 is not the one"
changed "UPDATE connections SET connection = connection - 5000"
because "a log that was renumbered" "ahead of the first one"
changed "$insert VALUES (-1, 'accept', 'tcp', '', '192.0.2.1', 7, '192.0.2.2', 9)"
because "a row ahead of all" "ahead of the first one"
changed "DELETE FROM connections WHERE connection BETWEEN 2 AND 1500"
because "retention that keeps the first row" "is gone"
cp base.sqlite changed.sqlite
"$index" changed.sqlite two.conf --quiet
sqlite3 changed.sqlite "DELETE FROM connections"
exits "an empty log" 0 "$index" changed.sqlite --json
because "an empty log" "empty now"
sqlite3 plain.sqlite "CREATE TABLE connections (connection_type, connection_transport, local_host, local_port, remote_host, remote_port)"
sqlite3 base.sqlite "ATTACH 'plain.sqlite' AS p; INSERT INTO p.connections SELECT connection_type, connection_transport, local_host, local_port, remote_host, remote_port FROM connections"
"$index" plain.sqlite two.conf --into plain.index --quiet
sqlite3 plain.sqlite "DELETE FROM connections WHERE rowid BETWEEN 1000 AND 1099; VACUUM"
exits "VACUUM of a table without INTEGER PRIMARY KEY" 0 "$index" plain.sqlite --into plain.index --json
because "VACUUM" "renumbered"
exits "and is right again" 0 "$index" plain.sqlite --into plain.index --verify=all

# --- an index without headers
cp base.sqlite bare.sqlite
exits "--no-headers" 0 "$index" bare.sqlite two.conf --no-headers --json
is "stores none" "0 0" "$(field .header_bytes) $(sqlite3 bare.sqlite 'SELECT count(*) FROM connbits_column')"
exits "a filter in braces then" 1 "$query" bare.sqlite '{tcp}' --count
has "is refused with the reason" "need stored columns" "$err"
grow bare.sqlite 100
exits "the next night" 0 "$index" bare.sqlite --json
is "reads new rows only" "false 100" "$(field '[.built, .rows_new] | map(tostring) | join(" ")')"
exits "a new filter" 0 "$index" bare.sqlite three.conf --json
because "a new filter" "no stored headers"
is "and it stays without" 0 "$(sqlite3 bare.sqlite 'SELECT count(*) FROM connbits_column')"
exits "--rebuild brings them" 0 "$index" bare.sqlite --rebuild --quiet
exits "so that braces work" 0 "$query" bare.sqlite '{tcp}' --count
exits "--no-headers drops them" 0 "$index" bare.sqlite --no-headers --quiet
is "from an index that has them" 0 "$(sqlite3 bare.sqlite 'SELECT count(*) FROM connbits_column')"

# --- triggers
"$generate" --rows 200000 tracked.sqlite
exits "--track" 0 "$index" tracked.sqlite two.conf --track --into tracked.index --quiet
triggers="SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
is "adds triggers to the log" 3 "$(sqlite3 tracked.sqlite "$triggers")"
exits "and answers" 0 "$query" tracked.sqlite smb --count --into tracked.index
sqlite3 tracked.sqlite "UPDATE connections SET remote_host = '203.0.113.77' WHERE connection = 70001; DELETE FROM connections WHERE connection = 70003"
exits "a change in the middle" 1 "$query" tracked.sqlite smb --count --into tracked.index
has "is seen by the query side" "row with id 7000" "$err"
exits "and by the next job" 0 "$index" tracked.sqlite --into tracked.index --json
is "which reads one segment" "false 65535" "$(field '[.built, .rows_read] | map(tostring) | join(" ")')"
exits "and is right" 0 "$index" tracked.sqlite --into tracked.index --verify=all
is "and clears what was noted" 0 "$(sqlite3 tracked.sqlite 'SELECT count(*) FROM connbits_change')"
sqlite3 tracked.sqlite "UPDATE connections SET local_port = 77 WHERE connection = 1"
exits "an update of the first row" 0 "$index" tracked.sqlite --into tracked.index --json
is "is no row ahead of it" "false 65535" "$(field '[.built, .rows_read] | map(tostring) | join(" ")')"
sqlite3 tracked.sqlite "UPDATE connections SET remote_host = remote_host || char(0) || 'x' WHERE connection = 80001"
exits "a change behind a NUL character" 1 "$query" tracked.sqlite smb --count --into tracked.index
sqlite3 tracked.sqlite "DELETE FROM connections WHERE connection = 190001"
"$index" tracked.sqlite --into tracked.index --quiet
sqlite3 tracked.sqlite "UPDATE connections SET connection = 190001 WHERE connection = 70010"
exits "a row that got another id" 0 "$index" tracked.sqlite --into tracked.index --json
is "is read in both places" "false 131070" "$(field '[.built, .rows_read] | map(tostring) | join(" ")')"
exits "and both are right" 0 "$index" tracked.sqlite --into tracked.index --verify=all
sqlite3 tracked.sqlite "UPDATE connections SET connection_root = 0 WHERE connection = 70001"
exits "other columns do not matter" 0 "$query" tracked.sqlite smb --count --into tracked.index
sqlite3 tracked.sqlite "DELETE FROM connections WHERE connection < 1000"
is "retention is not noted" 0 "$(sqlite3 tracked.sqlite 'SELECT count(*) FROM connbits_change')"
exits "and does not hinder" 0 "$query" tracked.sqlite smb --count --into tracked.index
sqlite3 tracked.sqlite "DROP TRIGGER connbits_update_connections"
exits "a trigger that is gone" 1 "$query" tracked.sqlite smb --count --into tracked.index
exits "a trigger that is gone" 0 "$index" tracked.sqlite --into tracked.index --json
because "a trigger that is gone" "triggers"
is "and is there again" 3 "$(sqlite3 tracked.sqlite "$triggers")"
exits "--no-track" 0 "$index" tracked.sqlite --into tracked.index --no-track --quiet
is "removes them" 0 "$(sqlite3 tracked.sqlite "$triggers")"
is "and their tables" connections "$(sqlite3 tracked.sqlite "SELECT name FROM sqlite_master WHERE type = 'table'" | grep connections)$(sqlite3 tracked.sqlite "SELECT name FROM sqlite_master WHERE name LIKE 'connbits%'")"
cp tracked.sqlite untracked.sqlite
exits "--no-track where nothing is tracked" 0 "$index" tracked.sqlite --into tracked.index --no-track --quiet
exits "writes nothing to the log" 0 cmp tracked.sqlite untracked.sqlite
exits "--track and --no-track" 2 "$index" tracked.sqlite --track --no-track
exits "--track on an index that is there" 0 "$index" tracked.sqlite --into tracked.index --track --json
because "--track on an index that is there" "before its triggers"
exits "--table in another case" 0 "$index" tracked.sqlite --into tracked.index --table CONNECTIONS --json
is "is the same table" "false 0" "$(field '[.built, .rows_read] | map(tostring) | join(" ")')"
cp tracked.sqlite copy.sqlite
grow tracked.sqlite 10
"$index" tracked.sqlite --into tracked.index --quiet
sqlite3 tracked.sqlite "UPDATE connections SET local_port = 78 WHERE connection = 80002"
exits "an index of somebody else" 0 "$index" tracked.sqlite two.conf --into second.index --track --json
exits "the first one" 1 "$query" tracked.sqlite smb --count --into tracked.index
has "is refused: it has missed notes" "for another index" "$err"
exits "the next job" 0 "$index" tracked.sqlite --into tracked.index --json
because "notes that went elsewhere" "for another index"
exits "notes that went elsewhere" 0 "$index" tracked.sqlite --into tracked.index --verify=all
cp copy.sqlite tracked.sqlite
grow tracked.sqlite 5000
exits "a log put back from a copy" 1 "$query" tracked.sqlite smb --count --into tracked.index
has "is refused" "put back from a copy" "$err"
exits "a log put back from a copy" 0 "$index" tracked.sqlite --into tracked.index --json
because "a log put back from a copy" "put back from a copy"
sqlite3 tracked.sqlite "UPDATE connections SET local_port = 79 WHERE connection = 80003"
exits "--no-track with notes that nobody read" 0 "$index" tracked.sqlite --into tracked.index --no-track --json
is "reads them first" "false 65534" "$(field '[.built, .rows_read] | map(tostring) | join(" ")')"
exits "and is right" 0 "$index" tracked.sqlite --into tracked.index --verify=all
sqlite3 tracked.sqlite "CREATE TABLE connbits_change (table_name TEXT NOT NULL, row INTEGER NOT NULL, taken INTEGER NOT NULL, PRIMARY KEY (table_name, row)) WITHOUT ROWID; CREATE TABLE connbits_watch (table_name TEXT PRIMARY KEY, last_row INTEGER NOT NULL, ahead INTEGER NOT NULL DEFAULT 0)"
exits "tables of an earlier version" 0 "$index" tracked.sqlite --into tracked.index --track --quiet
exits "do not hinder the log's writer" 0 sqlite3 tracked.sqlite "UPDATE connections SET local_port = 80 WHERE connection = 80004"
sqlite3 tracked.sqlite "DROP TABLE connbits_watch"
exits "a table of notes that is gone" 1 "$query" tracked.sqlite smb --count --into tracked.index
exits "a table of notes that is gone" 0 "$index" tracked.sqlite --into tracked.index --json
because "a table of notes that is gone" "triggers"
sqlite3 tracked.sqlite "UPDATE connections SET local_port = local_port + 1"
exits "notes of every row" 0 "$index" tracked.sqlite --into tracked.index --json
is "are read without a rebuild" "false 0" "$(field '.built') $(sqlite3 tracked.sqlite 'SELECT count(*) FROM connbits_change')"
exits "and are right" 0 "$index" tracked.sqlite --into tracked.index --verify=20000

# --- notes that no trigger wrote
sqlite3 tracked.sqlite "PRAGMA ignore_check_constraints = ON; INSERT INTO connbits_change VALUES ('connections', 'abc', 1), ('connections', 70000.5, 1); UPDATE connections SET local_port = 81 WHERE connection = 190005"
exits "notes that are no row ids" 0 timeout 60 "$index" tracked.sqlite --into tracked.index --json
because "notes that are no row ids" "noted of the log is damaged"
is "go" 0 "$(sqlite3 tracked.sqlite 'SELECT count(*) FROM connbits_change')"
exits "and hide nothing" 0 "$index" tracked.sqlite --into tracked.index --verify=20000
sqlite3 tracked.sqlite "UPDATE connbits_watch SET ahead = 'x'"
"$index" tracked.sqlite --into tracked.index --quiet
cp tracked.sqlite settled.sqlite
"$index" tracked.sqlite --into tracked.index --quiet
exits "what stands for a row ahead is settled once" 0 cmp tracked.sqlite settled.sqlite

# --- triggers of two tables
sqlite3 tracked.sqlite "CREATE TABLE other AS SELECT * FROM connections LIMIT 100"
exits "a second table that is tracked" 0 "$index" tracked.sqlite two.conf --table other --into other.index --track --quiet
exits "--no-track of the first" 0 "$index" tracked.sqlite --into tracked.index --no-track --quiet
exits "leaves the tables to the second one's writer" 0 sqlite3 tracked.sqlite "UPDATE other SET local_port = 5"
exits "whose notes count" 1 "$query" tracked.sqlite smb --count --into other.index
sqlite3 tracked.sqlite "DROP TABLE connbits_watch"
exits "--track where tables are missing" 0 "$index" tracked.sqlite --into tracked.index --track --quiet
exits "takes away triggers that would have nowhere to write" 0 sqlite3 tracked.sqlite "UPDATE other SET local_port = 6"
exits "which their index sees" 1 "$query" tracked.sqlite smb --count --into other.index
"$index" tracked.sqlite --into other.index --quiet
"$index" tracked.sqlite --into other.index --no-track --quiet
"$index" tracked.sqlite --into tracked.index --no-track --quiet
is "the last --no-track removes the tables" "" "$(sqlite3 tracked.sqlite "SELECT name FROM sqlite_master WHERE name LIKE 'connbits%'")"

# --- two tracked indexes whose jobs overlap
cp long.sqlite shared.sqlite 2>/dev/null || "$generate" --rows 1500000 shared.sqlite
"$index" shared.sqlite two.conf --into a.index --track --quiet
"$index" shared.sqlite "$root/data/filters.conf" --into a.index --rebuild --threads 1 --engine bpf --quiet 2>err &
pid=$!
until [ "$(sqlite3 a.index 'SELECT coalesce(max(last_row), 0) FROM connbits_source WHERE building IS NOT NULL' 2>/dev/null || echo 0)" -gt 1 ] 2>/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
sqlite3 -cmd ".timeout 60000" shared.sqlite "UPDATE connections SET local_port = 7 WHERE connection = 5"
exits "a job for a second index takes the notes" 0 "$index" shared.sqlite two.conf --into b.index --track --quiet
wait $pid
is "the first job fails" 1 $?
has "and says why" "another index of it has taken" "$(cat err)"
exits "its index is refused" 1 "$query" shared.sqlite smb --count --into a.index
exits "the second one answers" 0 "$query" shared.sqlite smb --count --into b.index

# --- rows deleted at the end, a job that is killed, rows among those that were there
sqlite3 sparse.sqlite "CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, connection_transport, local_host, local_port, remote_host, remote_port);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO connections SELECT i, 'accept', 'tcp', '192.0.2.1', 445, '192.0.2.2', i FROM n;
	INSERT INTO connections SELECT 200000, 'accept', 'tcp', '192.0.2.1', 445, '192.0.2.2', 7"
"$index" sparse.sqlite two.conf --into sparse.index --track --quiet
sqlite3 sparse.sqlite "DELETE FROM connections WHERE connection = 200000"
{ echo "BEGIN IMMEDIATE;"; sleep 4; } | sqlite3 sparse.index &
sleep 1
exits "a job that is killed before it writes to the index" 137 timeout -s KILL 1 "$index" sparse.sqlite --into sparse.index --quiet
wait
sqlite3 sparse.sqlite "INSERT INTO connections SELECT 100000, 'accept', 'tcp', '192.0.2.1', 445, '192.0.2.2', 8"
exits "the next job" 0 "$index" sparse.sqlite --into sparse.index --quiet
exits "misses no row" 0 "$index" sparse.sqlite --into sparse.index --verify=all

# --- few rows far from each other
sqlite3 far.sqlite "CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, connection_transport, local_host, local_port, remote_host, remote_port);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO connections SELECT iif(i = 1, 1, 4000000000000 + i * 3), 'accept', 'tcp', '192.0.2.1', 445, '192.0.2.2', i FROM n"
"$index" far.sqlite two.conf --quiet
is "every row of a short log is remembered, wherever it is" $((50 * 16)) "$(sqlite3 far.sqlite 'SELECT length(fingerprints) FROM connbits_source')"

# --- what does not go together
"$generate" --rows 1000 utf8.sqlite
sqlite3 utf16.sqlite "PRAGMA encoding = 'UTF-16le'; ATTACH 'utf8.sqlite' AS other" 2>/dev/null
sqlite3 utf8.sqlite .dump | { echo "PRAGMA encoding = 'UTF-16le';"; cat; } | sqlite3 utf16.sqlite
"$index" utf8.sqlite two.conf --into utf.index --quiet
exits "a log of another text encoding in the place of an indexed one" 1 "$index" utf16.sqlite two.conf --into utf.index
has "is told of, with what to do" "its text is UTF-8 and the log's is UTF-16le" "$err"
mkfifo pipe.index
exits "--into a pipe" 1 timeout 10 "$index" utf8.sqlite two.conf --into pipe.index
has "is refused" "not a regular file" "$err"
"$index" utf8.sqlite two.conf --quiet
sqlite3 utf8.sqlite "DROP TABLE connections"
exits "an index whose log is gone from its file" 1 "$query" utf8.sqlite smb --count
is "refused in SQL too" 1 "$(loading sqlite3 utf8.sqlite ".load $build/connbits" "SELECT bitmap_count('smb')" 2>&1 | grep -c "table 'connections' is gone")"

# --- what a killed job left behind the watermark
"$generate" --rows 2000 ahead.sqlite
"$index" ahead.sqlite two.conf --quiet
sqlite3 ahead.sqlite "INSERT INTO connbits_bitmap SELECT filter, chunk + 1, rows, bitmap FROM connbits_bitmap"
exits "bitmaps behind the watermark" 0 "$query" ahead.sqlite smb --count
exits "bitmaps behind the watermark" 0 "$index" ahead.sqlite --quiet
is "bitmaps behind the watermark are cleared away" 0 "$(sqlite3 ahead.sqlite 'SELECT count(*) FROM connbits_bitmap WHERE chunk > 0')"
for number in 0 -5; do
	cp ahead.sqlite healed.sqlite
	sqlite3 healed.sqlite "UPDATE connbits_source SET id = $number"
	exits "--rebuild heals a source with the number $number" 0 "$index" healed.sqlite two.conf --rebuild --quiet
	exits "--rebuild heals a source with the number $number" 0 "$query" healed.sqlite smb --count
	cp ahead.sqlite hostile.sqlite
	sqlite3 hostile.sqlite "UPDATE connbits_source SET id = $number"
	exits "a source with the number $number" 1 "$query" hostile.sqlite smb --count
	has "a source with the number $number" "damaged" "$err"
done
sqlite3 ahead.sqlite "UPDATE connbits_source SET headers = 10, last_row = 10"
exits "totals that are too small" 1 "$index" ahead.sqlite --quiet
has "totals that are too small" "--rebuild" "$err"

# --- an index of an earlier format
cp base.sqlite old.sqlite
"$index" old.sqlite two.conf --quiet
sqlite3 old.sqlite "UPDATE connbits_format SET version = 1"
exits "an earlier format" 1 "$query" old.sqlite smb --count
has "is not read" "earlier connbits" "$err"
exits "nor brought up to date without a catalogue" 2 "$index" old.sqlite
exits "but built anew" 0 "$index" old.sqlite two.conf --json
because "an earlier format" "earlier format"

# --- stopped and gone on with
"$generate" --rows 2500000 long.sqlite
"$index" long.sqlite "$root/data/filters.conf" --into long.index --quiet --threads 1 --engine bpf >out 2>err &
pid=$!
until [ "$(sqlite3 long.index 'SELECT coalesce(max(last_row), 0) FROM connbits_source' 2>/dev/null || echo 0)" -gt 1 ] 2>/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
kill -TERM $pid
wait $pid
is "SIGTERM" 1 $?
has "SIGTERM says so" "interrupted" "$(cat err)"
exits "an index that is not finished" 1 "$query" long.sqlite smb --count --into long.index
cp long.index other.index
{ cat "$root/data/filters.conf"; printf '[filter zz]\nexpression = tcp src port 7\n'; } >other.conf
exits "the next job with other filters" 0 "$index" long.sqlite other.conf --into other.index --json
is "begins anew" false "$(field .resumed)"
is "and counts right" "$(sqlite3 long.sqlite "SELECT count(*) FROM connections WHERE connection_type <> 'listen'")" "$("$query" long.sqlite '@all or @skipped' --count --into other.index)"
exits "the next job" 0 "$index" long.sqlite "$root/data/filters.conf" --into long.index --json
is "goes on where it was" "true true" "$(field '[.resumed, .rows_read < .rows] | map(tostring) | join(" ")')"
exits "and is right" 0 "$index" long.sqlite --into long.index --verify=20000
exits "memory" 0 "$index" long.sqlite --rebuild --into long.index --json
[ -n "${CONNBITS_PRELOAD:-}" ] || is "stays within 256 MiB" true "$(field '.peak_memory_bytes < 268435456')"

# --- a change while a job is at work is for the next one
"$index" long.sqlite two.conf --into noted.index --track --quiet
"$index" long.sqlite "$root/data/filters.conf" --into noted.index --rebuild --threads 1 --engine bpf --quiet &
pid=$!
until [ "$(sqlite3 noted.index 'SELECT coalesce(max(last_row), 0) FROM connbits_source WHERE building IS NOT NULL' 2>/dev/null || echo 0)" -gt 1 ] 2>/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
sqlite3 -cmd ".timeout 60000" long.sqlite "UPDATE connections SET local_port = 7 WHERE connection = 5"
wait $pid
is "a job during which a row changes" 0 $?
exits "a note that came meanwhile" 1 "$query" long.sqlite smb --count --into noted.index
has "a note that came meanwhile is kept" "row with id 5 was changed" "$err"
exits "a note that came meanwhile" 0 "$index" long.sqlite --into noted.index --json
is "and is for the next job" "false 65535" "$(field '[.built, .rows_read] | map(tostring) | join(" ")')"

# --- {pcap filter}
"$generate" --rows 20000 search.sqlite
"$index" search.sqlite "$root/data/filters.conf" --quiet
sqlite3 search.sqlite "SELECT name || char(9) || expression FROM connbits_filter WHERE kind = 'pcap'" >all.filters
while IFS="$(printf '\t')" read -r name expression; do
	is "{$name} is $name" "$("$query" search.sqlite "$name" --count)" "$("$query" search.sqlite "{$expression}" --count)"
done <all.filters
is "with names" "$("$query" search.sqlite 'smb and not rfc1918' --count)" "$("$query" search.sqlite '{tcp dst port 445} and not rfc1918' --count)"
is "twice" "$("$query" search.sqlite smb --rowids | cksum)" "$("$query" search.sqlite '{tcp dst port 445} and not {udp}' --rowids | cksum)"
sed 's/^expression = tcp dst port 445/expression = udp/' three.conf >others.conf
cp search.sqlite others.sqlite
"$index" others.sqlite others.conf --prune --quiet
is "where no stored filter asks for the same" "$("$query" search.sqlite smb --rowids | cksum)" "$("$query" others.sqlite '{tcp dst port 445}' --rowids | cksum)"
is "and counted" "$("$query" search.sqlite smb --count)" "$("$query" others.sqlite '{tcp dst port 445}' --count)"
cp search.sqlite marked.sqlite
sqlite3 marked.sqlite "UPDATE connbits_filter SET rows = 0 WHERE name = 'smb'; DELETE FROM connbits_bitmap WHERE filter = (SELECT id FROM connbits_filter WHERE name = 'smb')"
is "the bitmap answers where one does, whatever the text" "0 0" "$("$query" marked.sqlite '{dst port 0x1bd and tcp}' --count) $("$query" marked.sqlite '{tcp and not (not dst port 445)} or {tcp dst port 445}' --count)"
is "with one thread" "$("$query" search.sqlite smb --rowids | cksum)" "$(OMP_NUM_THREADS=1 "$query" search.sqlite '{tcp dst port 445}' --rowids | cksum)"
exits "a filter that does not compile" 2 "$query" search.sqlite 'smb or {dst prot 5}' --count
has "is pointed at" "         ^" "$err"
exits "one that no row can answer" 2 "$query" search.sqlite '{tcp[13] = 2}' --count
has "is refused with its bytes" "tcp[13], the TCP flags" "$err"
cp search.sqlite torn.sqlite
sqlite3 torn.sqlite "UPDATE connbits_column SET bytes = substr(bytes, 1, 100)"
exits "damaged columns" 1 "$query" torn.sqlite '{tcp src port 4242}' --count
has "are an error" "damaged column" "$err"
exits "and are told of by a new filter" 1 "$index" torn.sqlite three.conf
has "are told of" "--rebuild" "$err"
sqlite3 torn.sqlite "DELETE FROM connbits_column"
exits "missing headers" 1 "$query" torn.sqlite '{tcp src port 4242}' --count
has "missing headers are counted" "0 headers where" "$err"
exits "missing headers and a new filter" 1 "$index" torn.sqlite three.conf
exits "which --rebuild mends" 0 "$index" torn.sqlite three.conf --rebuild --quiet

# --- -w: tcpdump is the oracle
"$query" search.sqlite @all -w all.pcap
while IFS="$(printf '\t')" read -r name expression; do
	is "tcpdump counts $name" "$("$query" search.sqlite "$name" --count)" "$(tcpdump -r all.pcap --count "$expression" 2>/dev/null | cut -d' ' -f1)"
done <all.filters
"$query" search.sqlite smb -w smb.pcap
is "a filter's rows" "$("$query" search.sqlite smb --count)" "$(tcpdump -r smb.pcap --count 2>/dev/null | cut -d' ' -f1)"
is "-w -" "$(cksum <smb.pcap)" "$("$query" search.sqlite smb -w - | cksum)"
is "raw IP" "RAW (Raw IP)" "$(tcpdump -r smb.pcap --count 2>&1 | sed -n 's/.*link-type \(.*\), snap.*/\1/p')"
is "the log's timestamps" "$(sqlite3 search.sqlite "SELECT CAST(connection_timestamp AS INTEGER) FROM connections WHERE connection_type <> 'listen' ORDER BY connection LIMIT 1")" "$(tcpdump -tt -n -r all.pcap -c 1 2>/dev/null | cut -d. -f1)"
exits "-w over the log" 2 "$query" search.sqlite smb -w search.sqlite
exits "-w into nowhere" 1 "$query" search.sqlite smb -w none/smb.pcap
exits "a file that is there is replaced" 0 "$query" search.sqlite smb -w smb.pcap
is "and nothing is left beside it" smb.pcap "$(ls | grep smb.pcap)"
exits "a partial file in the way" 1 sh -c "touch way.pcap.partial-\$\$; exec '$query' search.sqlite smb -w way.pcap"
has "a partial file in the way is named" "way.pcap.partial-" "$err"
exits "-w onto a full disk" 1 "$query" search.sqlite @all -w /dev/full
has "-w onto a full disk" "No space left" "$err"
cp search.sqlite moved.sqlite
sqlite3 moved.sqlite "UPDATE connections SET local_port = 9 WHERE local_port = 445 AND connection BETWEEN 5001 AND 5005"
is "the headers that are stored, though the log has others" "$("$query" search.sqlite smb --count)" "$("$query" moved.sqlite smb -w moved.pcap; tcpdump -r moved.pcap --count 'tcp dst port 445' 2>/dev/null | cut -d' ' -f1)"
"$index" bare.sqlite two.conf --rebuild --no-headers --quiet
is "an index without headers gives the log's" "$("$query" bare.sqlite smb --count)" "$("$query" bare.sqlite smb -w bare.pcap; tcpdump -r bare.pcap --count 2>/dev/null | cut -d' ' -f1)"
sqlite3 dates.sqlite "CREATE TABLE conn (h, p, rh, rp, t, ts); INSERT INTO conn VALUES ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', '2026-01-02 03:04:05.250'), ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1750000000.5), ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', '1750000001.75'), ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', NULL), ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 'never')"
printf '[source]\ntable = conn\nsource_host = h\nsource_port = p\ndestination_host = rh\ndestination_port = rp\ntransport = t\ntimestamp = ts\n[filter a]\nexpression = tcp\n' >dates.conf
"$index" dates.sqlite dates.conf --quiet
exits "times that cannot be read" 0 "$query" dates.sqlite a -w dates.pcap
is "are told of, with the first row" "connbits-query: rows without a time that can be read and a capture can hold: 2, the first is row 4; the capture has 1970-01-01 for them" "$err"
is "dates, seconds, and none" "1767323045.250000 1750000000.500000 1750000001.750000 0.000000 0.000000" "$(tcpdump -tt -n -r dates.pcap 2>/dev/null | grep -o '^ *[0-9.]*' | tr -d ' ' | tr '\n' ' ' | sed 's/ $//')"
sqlite3 units.sqlite "CREATE TABLE conn (h, p, rh, rp, t, ts); INSERT INTO conn VALUES ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1700000000), ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1700000000000), ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1700000000000000), ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1700000000000000000), ('10.0.0.1', 1, '10.0.0.2', 2, 'tcp', '2023-11-14 23:13:20 +0100 CET')"
"$index" units.sqlite dates.conf --quiet
exits "times in every unit" 0 "$query" units.sqlite a -w units.pcap
is "in silence" "" "$err"
is "are one time" "5 1700000000.000000" "$(tcpdump -tt -n -r units.pcap 2>/dev/null | grep -o '^ *[0-9.]*' | uniq -c | sed 's/^ *//')"
grep -v '^timestamp' dates.conf >timeless.conf
"$index" units.sqlite timeless.conf --rebuild --quiet
"$query" units.sqlite a -w units.pcap 2>err
has "a log without times is told of" "no column of the log is known to hold times" "$(cat err)"
sed 's/timestamp = ts/timestamp = nosuch/' dates.conf >nosuch.conf
exits "a timestamp that is no column" 1 "$index" dates.sqlite nosuch.conf --rebuild
has "is named" "no column 'nosuch' (for timestamp)" "$err"

# --- manuals
for manual in indexer/connbits-index query/connbits-query bench/connbits-bench bench/connbits-generate; do
	program=${manual##*/}
	# Which other manuals are installed is no matter of this one.
	is "$program.1 is clean" "" "$(mandoc -Tlint "$root/$manual.1" 2>/dev/null | grep -v 'referenced manual not found')"
	for option in $("$build/$program" --help | grep -o -- '--[a-z-]*' | sort -u) $("$build/$program" --help | grep -o -- '^  -[a-z] ' | tr -d ' '); do
		has "$program.1 has $option" "$option" "$(mandoc -Tascii "$root/$manual.1" 2>/dev/null | sed 's/.\x08//g')"
	done
done

# --- what many filters leave behind is cleared away in few transactions
writes() {
	od -An -tu1 -j24 -N4 "$1" | awk '{print (($1 * 256 + $2) * 256 + $3) * 256 + $4}'
}
awk 'BEGIN {for (i = 1; i <= 400; i++) printf "[filter f%d]\nexpression = tcp dst port %d\n", i, i}' >many.conf
"$build/connbits-generate" --rows 5000 many.sqlite
"$index" many.sqlite many.conf --into many.idx --quiet
before=$(writes many.idx)
"$index" many.sqlite many.conf --into many.idx --quiet --recompute
is "400 filters are replaced in fewer than 40 transactions" true "$([ $(($(writes many.idx) - before)) -lt 40 ] && echo true)"
is "and nothing of them is left" 0 "$(sqlite3 many.idx "SELECT count(*) FROM connbits_bitmap WHERE filter NOT IN (SELECT id FROM connbits_filter)")"

# --- connbits-bench --nightly
exits "bench --nightly" 0 "$build/connbits-bench" --nightly --rows 100000 two.conf --repeat 1 --json
is "has the nights and a new filter" "1 true true" "$(field '[(.nights | length), .nights[0].bytes_written > 0, .filter.ratio > 0] | map(tostring) | join(" ")')"
exits "bench --nightly with a few rows" 2 "$build/connbits-bench" --nightly --rows 10 two.conf

finish
