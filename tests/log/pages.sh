#!/bin/sh
# Where a log is read by page, and where not: each time with the reason, and the same index.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1

printf '[filter smb]\nexpression = tcp dst port 445\n[filter low]\nexpression = src net 10.0.0.0/9\n' >f.conf
columns="connection_type TEXT, connection_transport TEXT, connection_timestamp REAL, local_host TEXT, local_port INTEGER, remote_host TEXT, remote_port INTEGER"
rows="SELECT 'accept', iif(i % 3, 'tcp', 'udp'), 1700000000 + i, '192.0.2.' || (i % 9), 440 + i % 9, '10.' || (i % 256) || '.0.' || (i % 201), 1000 + i FROM n"
numbers="WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
names="connection_type, connection_transport, connection_timestamp, local_host, local_port, remote_host, remote_port"

# make FILE SQL...: a log of 3000 rows, and what is done to it
make() {
	made=$1
	shift
	rm -f "$made" "$made"-wal "$made"-shm
	sqlite3 "$made" "CREATE TABLE connections (connection INTEGER PRIMARY KEY, $columns)" \
		"$numbers INSERT INTO connections ($names) $rows" "$@" >/dev/null
}

# bitmaps INDEX: what it says
bitmaps() {
	sqlite3 "$1" "SELECT name, chunk, hex(bitmap) FROM connbits_bitmap JOIN connbits_filter f ON f.id = filter ORDER BY 1, 2;
		SELECT segment, column, hex(bytes) FROM connbits_column ORDER BY 1, 2" | md5sum
}

# both NAME LOG REASON [OPTIONS]: read as it likes and through SQLite, which is the same; by page only with REASON null
both() {
	name=$1
	log=$2
	reason=$3
	shift 3
	rm -f best.idx sql.idx
	exits "$name" 0 "$index" "$log" f.conf --into best.idx --json "$@"
	is "$name: why not by page" "$reason" "$(printf '%s' "$out" | jq -r .not_by_page)"
	read_rows=$(printf '%s' "$out" | jq .rows_read)
	case $reason in
	null) is "$name: all by page" "$read_rows 0" "$(printf '%s' "$out" | jq -r '"\(.rows_by_page) \(.rows_by_sql)"')" ;;
	*) is "$name: none by page" "0 $read_rows" "$(printf '%s' "$out" | jq -r '"\(.rows_by_page) \(.rows_by_sql)"')" ;;
	esac
	"$index" "$log" f.conf --into sql.idx --read sql --quiet "$@"
	is "$name: the same index" "$(bitmaps sql.idx)" "$(bitmaps best.idx)"
	is "$name: the rows that SQL has" "$(sqlite3 "$log" "SELECT rowid FROM connections WHERE connection_transport = 'tcp' AND local_port = 445 ORDER BY rowid")" \
		"$("$query" "$log" smb --rowids --into best.idx)"
}

make plain.sqlite
both "an ordinary log" plain.sqlite null
exits "--verify" 0 "$index" plain.sqlite --into best.idx --verify=all --json
is "--verify holds each row's pages against SQLite" 3000 "$(printf '%s' "$out" | jq .verified.rows_by_page)"
exits "--verify of some rows" 0 "$index" plain.sqlite --into best.idx --verify=100 --json
is "--verify of some rows: theirs" 1 "$(printf '%s' "$out" | jq '.verified.rows_by_page >= 100 and .verified.rows_by_page < 3000 | if . then 1 else 0 end')"
exits "--read sql" 0 "$index" plain.sqlite f.conf --into sql.idx --rebuild --read sql --json
is "--read sql reads none by page" "0 3000 null" "$(printf '%s' "$out" | jq -r '"\(.rows_by_page) \(.rows_by_sql) \(.not_by_page)"')"
exits "--read of something else" 2 "$index" plain.sqlite f.conf --into sql.idx --read fast
has "--read of something else" "expected best, sql or pages" "$err"

sqlite3 plain.sqlite "$numbers INSERT INTO connections ($names) $rows"
exits "new rows" 0 "$index" plain.sqlite --into best.idx --json
is "new rows come by page, too" "$(printf '%s' "$out" | jq .rows_read)" "$(printf '%s' "$out" | jq .rows_by_page)"

make large.sqlite "PRAGMA page_size = 65536" "VACUUM"
both "pages of 64 KiB" large.sqlite null
make small.sqlite "PRAGMA page_size = 512" "PRAGMA auto_vacuum = 1" "VACUUM"
both "pages of 512 bytes, with auto-vacuum" small.sqlite null
make added.sqlite "ALTER TABLE connections RENAME COLUMN remote_port TO gone" "ALTER TABLE connections ADD COLUMN remote_port DEFAULT 4711"
both "a column that came later" added.sqlite null
make dropped.sqlite "ALTER TABLE connections ADD COLUMN more DEFAULT 1" "ALTER TABLE connections DROP COLUMN more"
both "a column that went" dropped.sqlite null
make strict.sqlite "ALTER TABLE connections RENAME TO old" "CREATE TABLE connections (connection INTEGER PRIMARY KEY, $columns) STRICT" \
	"INSERT INTO connections SELECT * FROM old" "DROP TABLE old"
both "a STRICT table" strict.sqlite null
make short.sqlite "ALTER TABLE connections RENAME TO old" "CREATE TABLE connections (connection INTEGER, $columns)" \
	"INSERT INTO connections (rowid, connection, $names) SELECT connection * 1000003, * FROM old" "DROP TABLE old"
both "row ids far apart" short.sqlite null

# --- where SQLite reads
sqlite3 wide16.sqlite "PRAGMA encoding = 'UTF-16le'" "CREATE TABLE connections (connection INTEGER PRIMARY KEY, $columns)" "$numbers INSERT INTO connections ($names) $rows"
both "UTF-16" wide16.sqlite "the log's text is not UTF-8"
make generated.sqlite "ALTER TABLE connections ADD COLUMN more AS (local_port + 1)"
both "a generated column" generated.sqlite "the log's table has generated columns"
make expression.sqlite
printf '[source]\ntable = connections\nschema = dionaea\nlocal_port = (local_port + 0)\n' | cat - f.conf >expression.conf
exits "an expression" 0 "$index" expression.sqlite expression.conf --into expression.idx --json
is "an expression is SQLite's" "0 3000" "$(printf '%s' "$out" | jq -r '"\(.rows_by_page) \(.rows_by_sql)"')"
is "an expression gives the rows that SQL has" "$(sqlite3 expression.sqlite "SELECT rowid FROM connections WHERE connection_transport = 'tcp' AND local_port = 445")" \
	"$("$query" expression.sqlite smb --rowids --into expression.idx)"
make stored.sqlite "ALTER TABLE connections RENAME TO old" "CREATE TABLE connections (connection INTEGER PRIMARY KEY, $columns, more AS (local_port + 1) STORED)" \
	"INSERT INTO connections SELECT * FROM old" "DROP TABLE old"
both "a generated column that is stored" stored.sqlite "the log's table has generated columns"

# A writer is killed in the midst of a transaction that it has begun to write.
make hot.sqlite
python3 - <<'HOT'
import os, sqlite3
db = sqlite3.connect("hot.sqlite", isolation_level=None)
db.execute("PRAGMA cache_size = 1")
db.execute("BEGIN")
db.execute("UPDATE connections SET local_port = 139, remote_host = '10.1.2.3' || ''")
os._exit(0)
HOT
is "a hot journal is there" 1 "$([ -s hot.sqlite-journal ] && echo 1)"
exits "a hot journal" 1 "$index" hot.sqlite f.conf --into hot.idx
has "a hot journal: what to do" "a crashed writer left a journal" "$err"
sqlite3 hot.sqlite 'SELECT count(*) FROM connections' >/dev/null
both "a journal that was rolled back" hot.sqlite null

make cut.sqlite
truncate -s -500 cut.sqlite
exits "a file that lacks a part of its last page" 1 "$index" cut.sqlite f.conf --into cut.idx
has "a file that lacks a part of its last page" "is cut off" "$err"
truncate -s -8192 cut.sqlite
exits "a file that lacks pages" 1 "$index" cut.sqlite f.conf --into cut.idx

make wal.sqlite "PRAGMA journal_mode = wal"
both "a write-ahead log that is not there" wal.sqlite null
# A reader keeps the write-ahead log from being checkpointed, and a writer's connection stays open.
make pending.sqlite "PRAGMA journal_mode = wal"
mkfifo hold
sqlite3 pending.sqlite <hold >held 2>&1 &
exec 3>hold
printf 'PRAGMA wal_autocheckpoint = 0;\nDELETE FROM connections WHERE connection %% 7 = 0;\n.print ready\n' >&3
for _ in $(seq 100); do grep -q ready held && break; sleep 0.05; done
both "frames that the file lacks" pending.sqlite "a part of the log is in its write-ahead log"
printf 'PRAGMA wal_checkpoint;\n.print done\n' >&3
for _ in $(seq 100); do grep -q done held && break; sleep 0.05; done
is "a write-ahead log that keeps its size" 1 "$([ -s pending.sqlite-wal ] && echo 1)"
both "and lies in the file as a whole" pending.sqlite null
exec 3>&-
wait

# --- a machine that reads wrongly
cc -shared -fPIC -o liar.so "$root/tests/log/lying_pages.c" -ldl
make lied.sqlite
lie() {
	name=$1
	status=$2
	shift 2
	exits "$name" "$status" env LD_PRELOAD=./liar.so LIAR_FROM="$from" LIAR_TO="$to" "$index" "$@"
}
from=192.0.2. to=192.0.3.
rm -f lied.idx
lie "rows that read differently by page" 1 lied.sqlite f.conf --into lied.idx
has "rows that read differently by page are told of" "reads differently by page than through SQLite" "$err"
has "rows that read differently by page: what to do" "--read sql" "$err"
lie "the next run" 0 lied.sqlite f.conf --into lied.idx --json
is "the next run reads all through SQLite" "0 3000" "$(printf '%s' "$out" | jq -r '"\(.rows_by_page) \(.rows_by_sql)"')"
sqlite3 lied.sqlite "$numbers INSERT INTO connections ($names) $rows"
lie "and the one after it" 0 lied.sqlite --into lied.idx --json
is "and so does the one after it" 0 "$(printf '%s' "$out" | jq .rows_by_page)"
"$index" lied.sqlite f.conf --into right.idx --quiet
is "and its index is right" "$(bitmaps right.idx)" "$(bitmaps lied.idx)"
lie "--read pages reads them again" 1 lied.sqlite --into lied.idx --read pages --rebuild
has "--read pages reads them again" "reads differently" "$err"
exits "--read pages on a sound machine" 0 "$index" lied.sqlite --into lied.idx --read pages --json
is "--read pages on a sound machine reads all by page" 6000 "$(printf '%s' "$out" | jq .rows_by_page)"
has "and all rows are read again" "read differently" "$(printf '%s' "$out" | jq -r .rebuild)"
exits "and then by default" 0 "$index" lied.sqlite --into lied.idx --rebuild --json
is "and so does a run by default" 6000 "$(printf '%s' "$out" | jq .rows_by_page)"
# What was read right, and reads wrongly now.
lie "--verify finds rows that read differently now" 1 lied.sqlite --into lied.idx --verify=all
has "--verify says that rows read differently" "reads differently by page" "$err"
exits "an index with such rows does not answer" 1 "$query" lied.sqlite smb --count --into lied.idx
has "an index with such rows says what to do" "have connbits-index make it anew" "$err"
exits "--check changes nothing of what is remembered" 0 "$index" --check lied.sqlite f.conf --into lied.idx
lie "the run after --verify" 0 lied.sqlite --into lied.idx --json
is "the run after --verify reads all rows again through SQLite" "0 6000" "$(printf '%s' "$out" | jq -r '"\(.rows_by_page) \(.rows_by_sql)"')"
lie "--verify without pages" 0 lied.sqlite --into lied.idx --verify=all --read sql
exits "--check --read pages changes nothing of it" 0 "$index" --check lied.sqlite f.conf --into lied.idx --read pages
exits "the index answers again" 0 "$query" lied.sqlite smb --count --into lied.idx
finish
