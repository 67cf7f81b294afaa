#!/bin/sh
# The extension in the sqlite3 shell and in Python's sqlite3.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1
"$build/connbits-generate" --rows 150000 log.sqlite
sqlite3 log.sqlite "DELETE FROM connections WHERE connection BETWEEN 70000 AND 140000;
	INSERT INTO connections SELECT connection - 5000000, connection_type, connection_transport,
	connection_protocol, connection_timestamp, NULL, NULL, local_host, local_port, remote_host, '',
	remote_port FROM connections WHERE connection <= 300;
	INSERT INTO connections SELECT connection + (1 << 33), connection_type, connection_transport,
	connection_protocol, connection_timestamp, NULL, NULL, local_host, local_port, remote_host, '',
	remote_port FROM connections WHERE connection BETWEEN 1 AND 300"
cp log.sqlite plain.sqlite
"$index" log.sqlite "$root/data/filters.conf" --quiet
"$index" plain.sqlite "$root/data/filters.conf" --into plain.idx --quiet

sql() {
	loading sqlite3 -bail log.sqlite ".load $build/connbits" "$@" 2>&1
}
ids=$("$query" log.sqlite smb --rowids)
count=$("$query" log.sqlite smb --count)
some=$(printf '%s\n' "$ids" | sed -n '1000p')
none=$("$query" log.sqlite 'not smb' --rowids --limit 1)

# --- what libpcap's optimiser gets wrong is told where SQL has a place for it
miscompiled='host 192.0.2.1 and not ((host 203.0.113.4 or host 198.51.100.8) and icmp) and not (host 198.51.100.8 or host 192.0.2.1)'
for call in "bitmap_count('{$miscompiled}')" "bpf_filter('$miscompiled', 'accept', '10.0.0.1', '192.0.2.1', 445, 1, 'tcp')"; do
	is "the optimiser's mistake is in SQLite's log" "(28) connbits: plain tcpdump answers otherwise (libpcap's optimiser is wrong): $miscompiled 0" \
		"$(loading sqlite3 -cmd ".log stderr" log.sqlite ".load $build/connbits" "SELECT $call" 2>&1 | tr '\n' ' ' | sed 's/ $//')"
done
is "and no other filter" 0 "$(loading sqlite3 -cmd ".log stderr" log.sqlite ".load $build/connbits" "SELECT bitmap_count('{tcp dst port 445}')" 2>&1 >/dev/null | wc -l)"

is "rowid IN" "$ids" "$(sql "SELECT connection FROM connections WHERE rowid IN bitmap('smb') ORDER BY 1")"
is "FROM" "$ids" "$(sql "SELECT value FROM bitmap('smb')")"
is "ORDER BY" "$ids" "$(sql "SELECT value FROM bitmap('smb') ORDER BY value")"
is "ORDER BY DESC" "$(printf '%s\n' "$ids" | sort -rn)" "$(sql "SELECT value FROM bitmap('smb') ORDER BY value DESC")"
is "JOIN" "$count" "$(sql "SELECT count(*) FROM bitmap('smb') JOIN connections ON connection = value")"
is "= finds" 1 "$(sql "SELECT count(*) FROM bitmap('smb') WHERE value = $some")"
is "= misses" 0 "$(sql "SELECT count(*) FROM bitmap('smb') WHERE value = $none")"
is "= with text is a number by affinity" 1 "$(sql "SELECT count(*) FROM bitmap('smb') WHERE value = '$some'")"
is "= with a fraction finds nothing" 0 "$(sql "SELECT count(*) FROM bitmap('smb') WHERE value = $some.5")"
is "= with NULL finds nothing" 0 "$(sql "SELECT count(*) FROM bitmap('smb') WHERE value = NULL")"
is "IN" 2 "$(sql "SELECT count(*) FROM bitmap('smb') WHERE value IN ($some, $none, $(printf '%s\n' "$ids" | sed -n 5p))")"
for range in "> $some" ">= $some" "< $some" "<= $some" "BETWEEN 100 AND 20000" "BETWEEN -4999900 AND 50" "> 9223372036854775806" "< -9223372036854775807" "> 100.5" "BETWEEN 60000 AND 145000" "BETWEEN 71000 AND 71001" "> 8589934592"; do
	for order in ASC DESC; do
		is "value $range $order" \
			"$(sql "SELECT group_concat(v) FROM (SELECT v FROM (SELECT connection AS v FROM connections WHERE connection IN bitmap('smb')) WHERE v $range ORDER BY v $order)")" \
			"$(sql "SELECT group_concat(value) FROM (SELECT value FROM bitmap('smb') WHERE value $range ORDER BY value $order)")"
	done
done
is "LIMIT" "$(printf '%s\n' "$ids" | head -n 3)" "$(sql "SELECT value FROM bitmap('smb') ORDER BY value LIMIT 3")"
is "a sort is not needed" "" "$(sql "EXPLAIN QUERY PLAN SELECT value FROM bitmap('smb') ORDER BY value DESC LIMIT 3" | grep 'B-TREE')"
is "a rare bitmap drives the join" "bitmap" "$(sql "EXPLAIN QUERY PLAN SELECT * FROM bitmap('modbus') b JOIN connections ON connection = value" | sed -n 's/.*SCAN \([a-z]*\).*/\1/p' | sed 's/^b$/bitmap/')"
is "a common one is probed" "connections" "$(sql "ANALYZE connections" "EXPLAIN QUERY PLAN SELECT * FROM bitmap('@all') b JOIN connections ON connection = value" | sed -n 's/.*SCAN \([a-z]*\).*/\1/p' | head -n 1)"
is "a narrow range of a common bitmap drives the join" "bitmap" "$(sql "EXPLAIN QUERY PLAN SELECT * FROM bitmap('@all') JOIN connections ON connection = value WHERE value BETWEEN 100 AND 200" | sed -n 's/.*SCAN \([a-z]*\).*/\1/p' | head -n 1)"
is "a correlated expression" "$("$query" log.sqlite smb --count) $("$query" log.sqlite sip --count)" "$(sql "SELECT group_concat(n, ' ') FROM (SELECT (SELECT count(*) FROM bitmap(name)) AS n FROM connbits_filter WHERE name IN ('smb', 'sip') ORDER BY id)")"
is "NULL in, nothing out" "0||" "$(sql "SELECT (SELECT count(*) FROM bitmap(NULL)), bitmap_count(NULL), bitmap_contains(NULL, 1)")"

is "bitmap_count" "$count" "$(sql "SELECT bitmap_count('smb')")"
is "bitmap_contains" "1|0|" "$(sql "SELECT bitmap_contains('smb', $some), bitmap_contains('smb', $none), bitmap_contains('smb', NULL)")"
is "bitmap_contains on every row" "$count" "$(sql "SELECT count(*) FROM connections WHERE bitmap_contains('smb', connection)")"
is "bitmap_contains by column" "$(sql "SELECT count(*) FROM bitmap('smb or sip') WHERE value BETWEEN 0 AND 500")" "$(sql "SELECT count(*) FROM connections WHERE connection BETWEEN 0 AND 500 AND (SELECT max(bitmap_contains(name, connection)) FROM connbits_filter WHERE name IN ('smb', 'sip'))")"
"$query" log.sqlite smb --bitmap smb.roaring
is "bitmap_blob" "$(od -An -tx1 -v smb.roaring | tr -d ' \n' | tr a-f A-F)" "$(sql "SELECT hex(bitmap_blob('smb'))")"
has "an error points at the place" "         ^" "$(sql "SELECT bitmap_count('smb or smv')")"
has "a pcap filter without braces in bitmap()" "write '{tcp dst port 445}'" "$(sql "SELECT * FROM bitmap('tcp dst port 445')")"
has "an error in bitmap()" "did you mean 'smb'?" "$(sql "SELECT * FROM bitmap('smv')")"
has "no expression" "needs an expression" "$(sql "SELECT * FROM bitmap")"
has "a row id that is none" "not an integer" "$(sql "SELECT bitmap_contains('smb', 'x')")"
has "it is read-only" "may not be modified" "$(sql "INSERT INTO bitmap VALUES (1)")"

is "bitmap_contains with a schema" "$count" "$(sql "SELECT count(*) FROM connections WHERE bitmap_contains('smb', connection, 'main')")"
is "bitmap_contains with the schema by row" "$count|0" "$(sql "SELECT sum(bitmap_contains('smb', connection, s) IS 1), sum(bitmap_contains('smb', connection, s) IS NULL) FROM connections, (SELECT 'main' AS s)")"
is "= with numbers as text, from a column" 2 "$(sql "SELECT count(*) FROM (SELECT '$some' AS v UNION SELECT '$none' UNION SELECT '$some.0' UNION SELECT '$some.5') JOIN bitmap('smb') ON value = v")"
has "a zero byte in an expression" "zero byte" "$(sql "SELECT bitmap_count('smb' || char(0) || 'x')")"
has "a zero byte in the table's" "zero byte" "$(sql "SELECT * FROM bitmap('smb' || char(0) || 'x')")"
has "a bitmap damaged by the same connection" "damaged" "$(sql "BEGIN" "SELECT bitmap_count('smb')" "UPDATE connbits_bitmap SET bitmap = x'00'" "SELECT bitmap_count('smb')")"

is "a change that is not committed yet" "1|2" "$(sql "CREATE TEMP TABLE kept AS SELECT * FROM connbits_bitmap" "BEGIN" "UPDATE connbits_filter SET rows = 1 WHERE name = 'smb'" "UPDATE connbits_bitmap SET rows = 1, chunk = 0, bitmap = x'3a3000000100000000000000100000000100' WHERE filter = (SELECT id FROM connbits_filter WHERE name = 'smb') AND chunk = 0" "DELETE FROM connbits_bitmap WHERE filter = (SELECT id FROM connbits_filter WHERE name = 'smb') AND chunk <> 0" "CREATE TEMP TABLE one AS SELECT bitmap_count('smb') AS n" "UPDATE connbits_filter SET rows = 2 WHERE name = 'smb'" "UPDATE connbits_bitmap SET rows = 2, bitmap = x'3a30000001000000000001001000000001000200' WHERE filter = (SELECT id FROM connbits_filter WHERE name = 'smb')" "SELECT n, bitmap_count('smb') FROM one")"

# An index in a file of its own, attached.
attached() {
	loading sqlite3 -bail plain.sqlite ".load $build/connbits" "ATTACH 'plain.idx' AS idx" "$@" 2>&1
}
is "attached: found by itself" "$ids" "$(attached "SELECT connection FROM connections WHERE rowid IN bitmap('smb') ORDER BY 1")"
is "attached: by name" "$count" "$(attached "SELECT bitmap_count('smb', 'idx')")"
is "attached: by name, table" "$count" "$(attached "SELECT count(*) FROM bitmap('smb', 'idx')")"
printf '[filter smb]\nexpression = udp dst port 5060\n' >meaning.conf
"$index" plain.sqlite meaning.conf --into other.idx --quiet
is "attached again under the same name: no stale answer" "$count
$("$query" plain.sqlite smb --count --into other.idx)" "$(attached "SELECT bitmap_count('smb')" "DETACH idx" "ATTACH 'other.idx' AS idx" "SELECT bitmap_count('smb')")"
cp plain.sqlite begun.sqlite
sqlite3 begun.sqlite "CREATE TABLE connbits_format (version); INSERT INTO connbits_format VALUES (1);
	CREATE TABLE connbits_source (table_name)"
is "an unfinished index in main does not hide one that is attached" "$count" "$(loading sqlite3 -bail begun.sqlite ".load $build/connbits" "ATTACH 'plain.idx' AS idx" "SELECT bitmap_count('smb')" 2>&1)"
sqlite3 changed.sqlite "CREATE TABLE connections AS SELECT * FROM plain.connections" 2>/dev/null ||
	sqlite3 changed.sqlite "ATTACH 'plain.sqlite' AS plain; CREATE TABLE connections AS SELECT * FROM plain.connections ORDER BY connection DESC"
has "a log that does not fit, attached" "no longer fits" "$(loading sqlite3 :memory: ".load $build/connbits" "ATTACH 'changed.sqlite' AS lg" "ATTACH 'plain.idx' AS idx" "SELECT bitmap_count('smb')" 2>&1)"
is "two logs with an index each" "$count" "$(loading sqlite3 changed.sqlite ".load $build/connbits" "ATTACH 'plain.sqlite' AS p" "ATTACH 'plain.idx' AS idx" "SELECT bitmap_count('smb', 'idx')" 2>&1)"

# --- an index answers for its own log's table, and for no other of that name
"$build/connbits-generate" --rows 3000 --seed 2 today.sqlite
"$build/connbits-generate" --rows 3000 --seed 1 yesterday.sqlite
"$index" yesterday.sqlite meaning.conf --quiet
"$index" today.sqlite meaning.conf --into today.idx --quiet
own=$("$query" yesterday.sqlite smb --count)
# today STATEMENT...: today's log, with yesterday's beside it
today() {
	loading sqlite3 -bail today.sqlite ".load $build/connbits" "ATTACH 'yesterday.sqlite' AS yesterday" "$@" 2>&1
}
has "a log without an index, beside one that has its own" "the table 'connections' of main has no index among the open files; that in yesterday is of the table beside it, and asked by its name: bitmap('...', 'yesterday')" "$(today "SELECT bitmap_count('smb')")"
is "by name" "$own" "$(today "SELECT bitmap_count('smb', 'yesterday')")"
is "its own index, wherever it lies" "$("$query" today.sqlite smb --count --into today.idx)" "$(today "ATTACH 'today.idx' AS idx" "SELECT bitmap_count('smb')")"
has "a temporary table in the log's place" "a temporary table or view 'connections' stands in the place of the log's; name the database whose index is meant: bitmap('...', 'main')" \
	"$(loading sqlite3 -bail yesterday.sqlite ".load $build/connbits" "CREATE TEMP TABLE connections AS SELECT * FROM main.connections WHERE connection > 1000" "SELECT bitmap_count('smb')" 2>&1)"
has "a temporary view in the log's place, after an answer" "temporary table or view" \
	"$(loading sqlite3 -bail yesterday.sqlite ".load $build/connbits" "SELECT bitmap_count('smb')" "CREATE TEMP VIEW connections AS SELECT * FROM main.connections WHERE connection > 1000" "SELECT bitmap_count('smb')" 2>&1)"
is "by name, behind a temporary table" "$own" \
	"$(loading sqlite3 -bail yesterday.sqlite ".load $build/connbits" "CREATE TEMP TABLE connections (a)" "SELECT bitmap_count('smb', 'main')" 2>&1)"
has "a view in the log's place" "is a view" "$(loading sqlite3 -bail view.sqlite ".load $build/connbits" "CREATE VIEW connections AS SELECT 1" "ATTACH 'today.sqlite' AS t" "ATTACH 'today.idx' AS idx" "SELECT bitmap_count('smb')" 2>&1)"
is "a log that is attached to nothing" "$own" "$(loading sqlite3 :memory: ".load $build/connbits" "ATTACH 'yesterday.sqlite' AS y" "SELECT bitmap_count('smb')" 2>&1)"
cp yesterday.sqlite stale.sqlite
sqlite3 stale.sqlite "UPDATE connections SET local_port = 9, remote_port = 9"
for schema in "" ", 'main'"; do
	has "a log that no longer fits, beside a copy that does" "no longer fits its log" "$(loading sqlite3 -bail stale.sqlite ".load $build/connbits" "ATTACH 'yesterday.sqlite' AS y" "SELECT bitmap_count('smb'$schema)" 2>&1)"
done
for shadow in table_list database_list table_xinfo index_list; do
	sqlite3 shadow.sqlite "CREATE TABLE pragma_$shadow (schema, name, type, ncol, wr, strict, seq, file)"
	has "a table named pragma_$shadow takes no guard away" "no longer fits its log" "$(loading sqlite3 -bail stale.sqlite ".load $build/connbits" "ATTACH 'shadow.sqlite' AS s" "SELECT bitmap_count('smb')" 2>&1)"
done
"$index" today.sqlite meaning.conf --into today.idx --quiet
sqlite3 today.sqlite "CREATE TABLE pragma_table_list (schema, name, type, ncol, wr, strict); CREATE TABLE pragma_table_xinfo (cid, name, type, pk, hidden)"
exits "nor from a job" 0 "$index" today.sqlite --into today.idx --quiet
exits "the index in another log" 1 "$query" today.sqlite smb --count --into yesterday.sqlite
has "the index in another log" "yesterday.sqlite: the index in it is of the table 'connections' beside it, not of that in" "$err"
has "attached: the wrong name" "no finished index" "$(attached "SELECT bitmap_count('smb', 'main')")"
has "attached: no such name" "no finished index" "$(attached "SELECT * FROM bitmap('smb', 'nosuch')")"
has "without any index" "connbits-index" "$(loading sqlite3 plain.sqlite ".load $build/connbits" "SELECT bitmap_count('smb')" 2>&1)"
is "with an untrusted schema, in a view" "$count" "$(sql "PRAGMA trusted_schema = OFF" "CREATE TEMP VIEW v AS SELECT value FROM bitmap('smb') WHERE bitmap_contains('smb', value)" "SELECT count(*) FROM v")"

cat >dirty.py <<'END'
# A shared cache that reads what is not committed: an answer from before is not kept.
import sqlite3, sys
def connect():
    connection = sqlite3.connect("file:dirty.sqlite?cache=shared", uri=True, isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension(sys.argv[1])
    return connection
def ask():
    try:
        return reader.execute("SELECT bitmap_count('smb')").fetchone()[0]
    except sqlite3.Error as error:
        return "changed" if "was changed or deleted" in str(error) else str(error)
reader, writer = connect(), connect()
reader.execute("PRAGMA read_uncommitted = 1")
before = ask()
writer.execute("BEGIN")
writer.execute("UPDATE connections SET local_port = 1, remote_port = 1")
print(before == int(sys.argv[2]), ask(), end=" ")
writer.execute("ROLLBACK")
print(ask() == before)
END
cp yesterday.sqlite dirty.sqlite
"$index" dirty.sqlite meaning.conf --track --quiet
is "what is not committed" "True changed True" "$(loading /usr/bin/python3 -W ignore dirty.py "$build/connbits.so" "$own" 2>&1)"

python() {
	script=$1
	shift
	loading /usr/bin/python3 -B "$root/tests/sql/$script" "$build" "$@" && pass || fail "$script"
}
python sql.py "$work" "$root"
python rb.py
python queries.py "$work" "$root/data/filters.conf"
python interrupts.py "$work" "$root/data/filters.conf"
"$build/connbits-generate" --rows 15000 bpf.sqlite
"$index" bpf.sqlite "$root/data/filters.conf" --quiet
python bpf.py bpf.sqlite "$root/tests/filter/host_names.txt"
# What libpcap would look up is told by whoever stands in for the system's look-ups.
if [ -z "${CONNBITS_PRELOAD:-}" ]; then
	cc -shared -fPIC -o looked_up.so "$root/tests/filter/looked_up.c" -ldl
	has "the stand-in tells of look-ups" "LOOKED UP" "$("$query" bpf.sqlite '{port 80}' --count >/dev/null; LD_PRELOAD=./looked_up.so "$query" bpf.sqlite '{host example}' --count 2>&1)"
	while read -r name; do
		is "nothing is looked up: $name" "" "$(LD_PRELOAD=./looked_up.so sqlite3 bpf.sqlite ".load $build/connbits" "SELECT bpf_filter('$name', x'45')" "SELECT bitmap_count('{$name}')" 2>&1 | grep 'LOOKED UP')"
	done <"$root/tests/filter/host_names.txt"
fi
finish
