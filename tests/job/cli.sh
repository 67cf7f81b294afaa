#!/bin/sh
# The command lines: what they print, how they fail, what they leave alone.
. "$(dirname "$0")/../support/lib.sh"
generate=$build/connbits-generate
cd "$work" || exit 1

small_log() {
	rm -f "$1"
	sqlite3 "$1" "CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type,
		connection_transport, local_host, local_port, remote_host, remote_port);
		INSERT INTO connections VALUES
		(1, 'accept', 'tcp', '192.0.2.1', 445, '198.51.100.1', 1000),
		(2, 'accept', 'tcp', '192.0.2.1', 445, '10.0.0.1', 1001),
		(3, 'accept', 'udp', '192.0.2.1', 5060, '198.51.100.2', 1002),
		(4, 'listen', 'tcp', '192.0.2.1', 445, '', 0),
		(5, 'accept', 'tcp', '192.0.2.1', 445, 'example.org', 1003),
		(6, 'accept', 'tcp', '2001:db8::1', 445, '2001:db8::2', 1004),
		(7, 'bogus', 'tcp', '192.0.2.1', 445, '198.51.100.1', 1000),
		(8, 'accept', 'unix', '192.0.2.1', 445, '198.51.100.1', 1000),
		(9, 'accept', 'tcp', '192.0.2.1', 445, '2001:db8::2', 1000),
		(10, 'accept', 'tcp', '192.0.2.1', 445, '198.51.100.1', 99999)"
}

cat >ok.conf <<'EOF'
[filter smb]
expression = tcp dst port 445
description = SMB
[filter private]
expression = src net 10.0.0.0/8
[filter sip]
expression = udp dst port 5060
EOF

# --- help, version, usage
for program in connbits-import connbits-index connbits-query connbits-generate connbits-bench; do
	exits "$program --help" 0 "$build/$program" --help
	has "$program --help" "Example: $program" "$out"
	is "$program --help fits a screen" yes "$([ "$(wc -l <out)" -le 30 ] && echo yes)"
	is "$program --help is 80 columns wide" "" "$(awk 'length > 80' out)"
	exits "$program -h" 0 "$build/$program" -h
	exits "$program --version" 0 "$build/$program" --version
	has "$program --version" "$program 0." "$out"
	exits "$program without arguments" 2 "$build/$program"
	is "$program without arguments prints nothing on stdout" "" "$out"
	exits "$program with an unknown option" 2 "$build/$program" --nonsense
done

# --- connbits-index
small_log log.sqlite
cp log.sqlite before.sqlite
exits "--check" 0 "$index" --check log.sqlite ok.conf
exits "--check touches nothing" 0 cmp log.sqlite before.sqlite
exits "index" 0 "$index" log.sqlite ok.conf
has "the summary accounts for every row" "10 rows = 4 with header + 1 listen + 5 skipped" "$out"
has "the summary has the reasons" "(type 1, transport 1, address 1, family 1, port 1)" "$out"
is "nothing on stderr in scripts" "" "$err"
exits "index again" 0 "$index" log.sqlite ok.conf --json
is "--json adds up" 10 "$(printf '%s' "$out" | jq '.with_header + .listen + ([.skipped[]] | add)')"
is "--json has the rows" 10 "$(printf '%s' "$out" | jq .rows)"
is "--json is one object" 1 "$(printf '%s\n' "$out" | jq -s length)"
exits "--quiet" 0 "$index" log.sqlite ok.conf --quiet
is "--quiet says nothing" "" "$out$err"
exits "without a catalogue the stored filters are used" 0 "$index" log.sqlite
has "three of them" "3 filters" "$out"
exits "both engines" 0 "$index" log.sqlite ok.conf --engine bpf --into bpf.idx --quiet
exits "both engines" 0 "$index" log.sqlite ok.conf --engine vector --into vector.idx --quiet
bitmaps="SELECT name, chunk, hex(bitmap) FROM connbits_bitmap JOIN connbits_filter f ON f.id = filter ORDER BY 1, 2"
is "both engines write the same bytes" "$(sqlite3 bpf.idx "$bitmaps")" "$(sqlite3 vector.idx "$bitmaps")"
exits "an unknown engine" 2 "$index" log.sqlite ok.conf --engine gpu
has "an unknown engine" "--engine gpu: expected vector or bpf" "$err"
exits "an unknown instruction set" 2 env CONNBITS_SIMD=mmx "$index" log.sqlite ok.conf --into bpf.idx
has "an unknown instruction set" "CONNBITS_SIMD=mmx" "$err"
cat >odd.conf <<'EOF'
[filter never]
expression = tcp and udp
[filter never-either]
expression = host 10.0.0.1 and host 10.0.0.2 and host 10.0.0.3
[filter always]
expression = ip or ip6
[filter sometimes]
expression = not tcp
EOF
exits "odd filters are no mistakes" 0 "$index" log.sqlite odd.conf --check
is "odd filters are warned of, with their lines" "odd.conf:2: warning: filter 'never' never matches: no header of a connection meets it
odd.conf:4: warning: filter 'never-either' never matches: no header of a connection meets it
odd.conf:6: warning: filter 'always' always matches: every header of a connection meets it" "$err"
exits "odd filters, quietly" 0 "$index" log.sqlite odd.conf --check --quiet
is "odd filters, quietly" "" "$err"
exits "odd filters in JSON" 0 "$index" log.sqlite odd.conf --into odd.idx --json
is "odd filters in JSON" '[2,4,6]' "$(printf '%s' "$out" | jq -c '[.warnings[].line]')"
exits "options may stand anywhere" 0 "$index" --threads 1 log.sqlite --engine bpf ok.conf --rebuild
exits "--verify" 0 "$index" log.sqlite ok.conf --verify=all
has "--verify says what it did" "verified 10 rows, 50 comparisons" "$out"
exits "--verify alone" 0 "$index" log.sqlite --verify
is "--verify alone changes nothing" "verified 10 rows, 50 comparisons with bpf_filter: no difference" "$out"

cat >other.conf <<'EOF'
[filter smb]
expression = tcp dst port 445 and ip
EOF
exits "another catalogue" 0 "$index" log.sqlite other.conf
is "its definition counts" 2 "$("$query" log.sqlite smb --count)"
is "stored filters stay" 1 "$("$query" log.sqlite sip --count)"
exits "--prune" 0 "$index" log.sqlite other.conf --prune
exits "drops what the catalogue lacks" 2 "$query" log.sqlite sip --count
exits "and keeps the rest" 0 "$query" log.sqlite smb --count

# --- --into leaves the log alone
small_log log.sqlite
cp log.sqlite before.sqlite
small_log log2.sqlite
chmod a-w log.sqlite
exits "--into" 0 "$index" log.sqlite ok.conf --into log.idx
exits "--into leaves the log alone" 0 cmp log.sqlite before.sqlite
is "--into: the answer is there" 3 "$("$query" log.sqlite smb --count --into log.idx)"
exits "--into the log itself is no other file" 0 "$index" log2.sqlite ok.conf --into ./log2.sqlite
chmod u+w log.sqlite

# --- mistakes: ten of them, in one go, with file and line
cat >bad.conf <<'EOF'
stray
[filter a]
expression = tcp dst port
[filter b]
expression =
[filter c]
description = no expression
[filter a]
expression = ip
[filter 1]
expression = ip
[filter d]
expression = port 99999
[nosuch]
[filter e]
expression = tcp and
[filter f
EOF
cp log.idx idx.before
exits "ten mistakes" 2 "$index" log.sqlite bad.conf --into log.idx
is "are reported as ten" 10 "$(grep -c '^bad.conf:[0-9]*: ' err)"
is "in the order of their lines" "1 3 5 6 8 10 13 14 16 17" "$(sed -n 's/^bad.conf:\([0-9]*\):.*/\1/p' err | tr '\n' ' ' | sed 's/ $//')"
exits "and touch nothing" 0 cmp log.idx idx.before
is "nothing on stdout" "" "$out"
exits "no catalogue file" 1 "$index" log.sqlite none.conf --into log.idx
has "no catalogue file" "none.conf: No such file" "$err"
exits "a folder as a catalogue" 1 "$index" log.sqlite . --into log.idx

# --- bad logs
exits "no log" 1 "$index" none.sqlite ok.conf
has "no log" "none.sqlite: No such file" "$err"
is "no log is made" no "$([ -e none.sqlite ] && echo yes || echo no)"
head -c 20000 /dev/urandom >noise.sqlite
exits "not a database" 1 "$index" noise.sqlite ok.conf
has "not a database" "is it a SQLite file?" "$err"
exits "the log in the catalogue's place" 2 "$index" log.sqlite log.sqlite
is "is one line" "connbits-index: log.sqlite: is a file of SQLite, not a catalogue of filters; the log comes first, then the catalogue" "$err"
exits "the catalogue in the log's place" 2 "$index" ok.conf log.sqlite
has "is one, too" "the log comes first, then the catalogue" "$err"
exits "a question to a catalogue" 1 "$query" ok.conf smb
has "is told what that is" "ok.conf: is a catalogue of filters" "$err"
exits "noise as a catalogue" 2 "$index" log.sqlite noise.sqlite
is "is one line again" "connbits-index: noise.sqlite: is no text, and so no catalogue of filters" "$err"
for program in index query generate bench; do
	exits "$program: an unknown option" 2 "$build/connbits-$program" --nosuch
	has "$program: an unknown option" "connbits-$program --help shows the usage" "$err"
done
exits "an index for another log" 0 "$index" log.sqlite ok.conf --into alone.idx --quiet
for action in smb --list; do
	exits "an index as a log: $action" 1 "$query" alone.idx $action
	is "an index as a log: $action" "connbits-query: alone.idx: is an index and has no log in it; write connbits-query LOG.sqlite --into alone.idx" "$err"
done
exits "an index as a log of a job" 1 "$index" alone.idx ok.conf
has "an index as a log of a job" "alone.idx: is an index and has no log in it; write connbits-index LOG.sqlite CATALOGUE --into alone.idx" "$err"
sqlite3 bare.sqlite "CREATE TABLE t (a)"
exits "a file without an index" 1 "$query" log.sqlite smb --into bare.sqlite
has "a file without an index is named" "no finished index in $PWD/bare.sqlite;" "$err"
printf '[filter a]\nexpression = tcp or\n  # web\n  port 80 or\n  prt 443 or\n\n  icmp\n[filter b]\nexpression = tcp or or udp\n' >lines.conf
printf '[filter c]\nexpression = tcp and\n  # flags\n  tcp[13] = 2\n[filter d]\nexpression = tcp and\n  tcp[tcpflags] & tcp-syn != 0\n' >refused.conf
exits "what no row holds in values of several lines" 2 "$index" log.sqlite refused.conf
has "is shown where it is written" "refused.conf:4: filter 'c': the answer depends on tcp[13], the TCP flags, which no connection row holds, in the line 'tcp[13] = 2'" "$err"
has "and where it is written otherwise no line is" "refused.conf:6: filter 'd': the answer depends on tcp[13], the TCP flags, which no connection row holds
connbits-index:" "$err"
exits "mistakes in values of several lines" 2 "$index" log.sqlite lines.conf
has "show the line of the file" "lines.conf:5: filter 'a': " "$err"
has "and its text" ", in the line 'prt 443 or'" "$err"
has "where there is one line it is enough" "lines.conf:9: filter 'b': " "$err"
is "which is not shown again" 1 "$(echo "$err" | grep -c "in the line")"
exits "a folder as a log" 1 "$index" . ok.conf
sqlite3 empty.sqlite "CREATE TABLE t (a)"
exits "no table of connections" 1 "$index" empty.sqlite ok.conf
has "no table of connections" "[source]" "$err"
exits "no index without a catalogue" 2 "$index" before.sqlite
has "no index without a catalogue" "CATALOGUE" "$err"

"$generate" --rows 20000 damaged.sqlite
printf 'XXXXXXXXXXXXXXXXXXXXXXXX' | dd of=damaged.sqlite bs=1 seek=$((4096 * 100)) conv=notrunc 2>/dev/null
cp damaged.sqlite damaged.before
exits "a damaged log" 1 "$index" damaged.sqlite ok.conf --into damaged.idx
has "a damaged log" "malformed" "$err"
exits "a damaged log stays as it is" 0 cmp damaged.sqlite damaged.before
# empty FILE: what a job leaves of an index file that it made, since somebody may have it open.
empty() {
	sqlite3 "$1" "PRAGMA integrity_check; SELECT count(*) FROM sqlite_master" 2>&1 | xargs
}
is "an empty file is left of it" "ok 0" "$(empty damaged.idx)"

small_log kinds.sqlite
sqlite3 kinds.sqlite "CREATE VIEW v AS SELECT * FROM connections;
	CREATE TABLE w (id TEXT PRIMARY KEY, h, p, rh, rp, t) WITHOUT ROWID;
	CREATE VIRTUAL TABLE f USING fts5(h, p, rh, rp, t);
	CREATE TABLE c (h, p, rh, rp, t)"
source_conf() {
	printf '[source]\ntable = %s\nsource_host = h\nsource_port = p\ndestination_host = rh\ndestination_port = rp\ntransport = %s\n' "$1" "$2"
	cat ok.conf
}
source_conf v t >v.conf
exits "a view" 1 "$index" kinds.sqlite v.conf
has "a view" "is a view" "$err"
source_conf w t >w.conf
exits "WITHOUT ROWID" 1 "$index" kinds.sqlite w.conf
has "WITHOUT ROWID" "WITHOUT ROWID" "$err"
source_conf f t >f.conf
exits "a virtual table" 1 "$index" kinds.sqlite f.conf
has "a virtual table" "virtual table" "$err"
source_conf nosuch t >n.conf
exits "a missing table" 1 "$index" kinds.sqlite n.conf
has "a missing table" "no table 'nosuch'" "$err"
source_conf c nosuch >c.conf
exits "a missing column" 1 "$index" kinds.sqlite c.conf
has "a missing column" "no column 'nosuch'" "$err"
printf '[source]\ntable = t\nsource_host = a\n# more\nsource_port = coalesce(a, b)\ntransport = a\n[filter all]\nexpression = ip\n' >wrong-port.conf
sqlite3 wrong-port.sqlite "CREATE TABLE t (a, b)"
exits "a column that is an expression without parentheses" 1 "$index" wrong-port.sqlite wrong-port.conf
has "a column that is an expression without parentheses" "wrong-port.conf:5: [source]: the table 't' has no column 'coalesce(a, b)' (for source_port); an SQL expression goes in parentheses" "$err"
exits "the expression before the log" 2 "$query" smb log.sqlite
has "the expression before the log" "smb: No such file; the log comes first, then the expression" "$err"
exits "--table nosuch" 1 "$index" kinds.sqlite ok.conf --table nosuch
exits "--schema nosuch" 2 "$index" kinds.sqlite ok.conf --schema nosuch
exits "--schema dionaea" 0 "$index" kinds.sqlite ok.conf --schema dionaea --into kinds.idx
source_conf c t >c.conf
exits "an empty table" 0 "$index" kinds.sqlite c.conf --into empty.idx
has "an empty table" "0 rows = 0 with header" "$out"
is "an empty table has no rows" 0 "$("$query" kinds.sqlite 'not smb' --count --into empty.idx)"

# --- what cannot be written
if [ "$(id -u)" = 0 ]; then
	as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
else
	as_nobody=""
fi
small_log readonly.sqlite
"$index" readonly.sqlite ok.conf --into readonly.idx --quiet
chmod 755 .
chmod 444 readonly.idx readonly.sqlite
cp readonly.idx readonly.before
exits "a read-only index with nothing to do" 0 $as_nobody "$index" "$work/readonly.sqlite" "$work/ok.conf" --into "$work/readonly.idx"
exits "a read-only index" 1 $as_nobody "$index" "$work/readonly.sqlite" "$work/odd.conf" --into "$work/readonly.idx"
has "a read-only index" "readonly" "$err"
exits "a read-only index stays as it is" 0 cmp readonly.idx readonly.before
exits "a read-only log without --into" 1 $as_nobody "$index" "$work/readonly.sqlite" "$work/ok.conf"
has "a read-only log without --into" "--into" "$err"

# --- a job that is killed while libpcap compiles leaves nobody who holds its lock, or its output
awk 'BEGIN { printf "[filter long]\nexpression = portrange 1-2"; for (i = 1; i < 5000; i++) printf " or %d-%d", i * 3, i * 3 + 1; print "" }' >endless.conf
"$index" log.sqlite ok.conf --into killed-compile.idx --quiet
{
	"$index" log.sqlite endless.conf --into killed-compile.idx --quiet &
	pid=$!
	sleep 1
	kill -9 $pid
	wait $pid
} 2>/dev/null | cat
exits "the next job runs at once" 0 timeout 5 "$index" log.sqlite ok.conf --into killed-compile.idx --quiet

# --- a [source] that fits no row is told, with one of them
sqlite3 capitals.sqlite "CREATE TABLE f (n INTEGER PRIMARY KEY, a, p); INSERT INTO f VALUES (7, '10.0.0.1', 'TCP'), (8, '10.0.0.2', 'UDP')"
printf '[source]\ntable = f\nsource_host = a\ntransport = p\n[filter all]\nexpression = net 10.0.0.0/8\n' >capitals.conf
exits "transports in capitals" 0 "$index" capitals.sqlite capitals.conf
has "transports in capitals" "warning: 2 of 2 rows are skipped, and no filter matches them; row 7 for its transport: 'TCP' (names = any in [source] takes names in any case)" "$err"
sqlite3 capitals.sqlite "UPDATE f SET p = 'tcp', a = a || '/32'"
exits "addresses with a prefix" 0 "$index" capitals.sqlite capitals.conf
has "addresses with a prefix" "row 7 for its address: '10.0.0.1/32'" "$err"
exits "the next night says nothing" 0 "$index" capitals.sqlite capitals.conf
is "the next night says nothing" "" "$err"

# --- what is no catalogue is one line
for text in 'src,dst\n10.0.0.1,10.0.0.2\n' '{"a": 1}\n{"a": 2}\n' '#fields\tts\n1\t2\n'; do
	printf "$text" >none.conf
	exits "no catalogue" 2 "$index" log.sqlite none.conf --into none.idx
	is "is one line" "connbits-index: none.conf: has no [filter NAME], and so is no catalogue of filters (connbits-index LOG CATALOGUE)" "$err"
done
printf '\357\273\277# first\n[filter smb]\nexpression = tcp dst port 445\n' >mark.conf
exits "a byte order mark before a catalogue" 0 "$index" log.sqlite mark.conf --check
: >nothing.sqlite
exits "an empty file as a log" 1 "$index" nothing.sqlite ok.conf --into nothing.idx
is "an empty file as a log" "connbits-index: nothing.sqlite: is empty, not a log" "$err"

# --- what cannot even be locked
mkdir shelf
small_log shelf/wal.sqlite
sqlite3 shelf/wal.sqlite "PRAGMA journal_mode = WAL" >/dev/null
chmod 555 shelf
cp readonly.idx wal.idx
: >wal.pcap
chmod 666 wal.idx wal.pcap
exits "a log in WAL mode in a read-only folder" 0 $as_nobody "$index" "$work/shelf/wal.sqlite" "$work/ok.conf" --into "$work/wal.idx"
exits "is asked" 0 $as_nobody "$query" "$work/shelf/wal.sqlite" smb --into "$work/wal.idx"
exits "is verified" 0 $as_nobody "$index" "$work/shelf/wal.sqlite" --into "$work/wal.idx" --verify=all --quiet
cp wal.idx shelf/index.sqlite 2>/dev/null || { chmod 755 shelf; cp wal.idx shelf/index.sqlite; }
sqlite3 shelf/index.sqlite "PRAGMA journal_mode = WAL" >/dev/null
chmod 755 shelf
rm -f shelf/index.sqlite-*
chmod 555 shelf
exits "an index in WAL mode beside it is asked" 0 $as_nobody "$query" "$work/shelf/wal.sqlite" smb --count --into "$work/shelf/index.sqlite"
is "an index in WAL mode beside it is asked" "$("$query" "$work/shelf/wal.sqlite" smb --count --into wal.idx)" "$out"
chmod 755 shelf
rm -f shelf/*-wal shelf/*-shm shelf/index.sqlite
chmod 555 shelf
exits "takes no index" 1 $as_nobody "$index" "$work/shelf/wal.sqlite" "$work/ok.conf"
has "takes no index" "keep the index in another file with --into" "$err"
is "and is as it was" "wal.sqlite" "$(ls shelf)"
chmod 755 shelf
: >shelf/wal.sqlite-wal
chmod 555 shelf
exits "with a log of its writer beside it is not read" 1 $as_nobody "$index" "$work/shelf/wal.sqlite" "$work/ok.conf" --into "$work/wal.idx"
has "with a log of its writer beside it is not read" "close the log where it is written" "$err"
chmod 755 shelf

"$generate" --rows 200000 big.sqlite
"$index" big.sqlite ok.conf --into full.idx --quiet
cp full.idx full.before
cat >many.conf <<'EOF'
[filter odd]
expression = ip[19] & 1 = 1
[filter odd-port]
expression = tcp[3] & 1 = 1
[filter odd-source]
expression = tcp[1] & 1 = 1
EOF
exits "a full disk" 1 sh -c "ulimit -f 96; trap '' XFSZ; exec '$index' big.sqlite many.conf --into full.idx"
has "a full disk says so" "full.idx" "$err"
is "after a full disk the index is as it was" 3 "$(sqlite3 full.idx "SELECT count(*) FROM connbits_filter JOIN connbits_source s ON s.id = source WHERE table_name IS NOT NULL AND name NOT LIKE '@%'")"
is "and answers" "$("$query" big.sqlite smb --count --into full.idx)" "$(sqlite3 big.sqlite "SELECT count(*) FROM connections WHERE connection_transport IN ('tcp','tls') AND ((connection_type IN ('accept','reject','pending') AND local_port = 445) OR (connection_type = 'connect' AND remote_port = 445)) AND remote_host <> 'scanner.example' AND (local_host LIKE '%:%') = (remote_host LIKE '2a%') AND remote_port < 65536")"
exits "and can be brought up to date" 0 "$index" big.sqlite many.conf --into full.idx
exits "a full disk without an index" 1 sh -c "ulimit -f 64; trap '' XFSZ; exec '$index' big.sqlite many.conf --into new.idx"
is "leaves an empty one" "ok 0" "$(empty new.idx)"
exits "which the next job fills" 0 "$index" big.sqlite many.conf --into new.idx --quiet

# --- interrupted and killed
"$index" big.sqlite ok.conf --into killed.idx --quiet
cp killed.idx killed.before
i=0
while [ $i -lt 400 ]; do
	printf '[filter g%d]\nexpression = tcp dst port %d or udp src port %d\n' $i $i $i
	i=$((i + 1))
done >slow.conf
"$index" big.sqlite slow.conf --threads 1 --engine bpf --into killed.idx >out 2>err &
pid=$!
sleep 0.3
kill -INT $pid
wait $pid
is "Ctrl-C exits 1" 1 $?
has "Ctrl-C says so" "interrupted" "$(cat err)"
is "after Ctrl-C the index is as it was" 3 "$("$query" big.sqlite --list --format csv --into killed.idx | grep -c '^[a-z]' | awk '{print $1 - 1}')"
n=0
for delay in 0.05 0.1 0.2 0.4; do
	"$index" big.sqlite slow.conf --threads 1 --engine bpf --into killed.idx >out 2>err &
	pid=$!
	sleep $delay
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	count=$("$query" big.sqlite smb --count --into killed.idx) && [ "$count" = "$("$query" big.sqlite smb --count --into full.before)" ] && n=$((n + 1))
done
is "after kill -9 the index answers as before" 4 $n
exits "after kill -9 the next run completes" 0 "$index" big.sqlite slow.conf --into killed.idx
exits "and is right" 0 "$index" big.sqlite --verify=20000 --into killed.idx
is "and nothing of the killed runs is left" 0 "$(sqlite3 killed.idx "SELECT count(*) FROM connbits_bitmap WHERE filter NOT IN (SELECT id FROM connbits_filter)")"

# --- two jobs at once
"$index" big.sqlite slow.conf --threads 1 --into two.idx >out 2>err &
pid=$!
until [ -e two.idx ] || ! kill -0 $pid; do sleep 0.01; done
sleep 0.05
exits "a second job" 1 "$index" big.sqlite ok.conf --into two.idx
has "a second job says so" "another connbits-index" "$err"
wait $pid
is "the first one is not disturbed" 0 $?

# --- a newer format, a damaged index
cp log.idx newer.idx
sqlite3 newer.idx "UPDATE connbits_format SET version = 99"
exits "a newer format (query)" 1 "$query" log.sqlite smb --count --into newer.idx
has "a newer format (query)" "newer connbits" "$err"
exits "a newer format (index)" 1 "$index" log.sqlite ok.conf --into newer.idx
cp log.idx damaged2.idx
sqlite3 damaged2.idx "UPDATE connbits_bitmap SET bitmap = zeroblob(length(bitmap))"
exits "damaged bitmaps" 1 "$query" log.sqlite smb --count --into damaged2.idx
has "damaged bitmaps" "damaged bitmap" "$err"
exits "damaged bitmaps do not verify" 1 "$index" log.sqlite --verify --into damaged2.idx
exits "but are mended by a run" 0 "$index" log.sqlite ok.conf --into damaged2.idx
is "and answer" 3 "$("$query" log.sqlite smb --count --into damaged2.idx)"
cp log.idx moved.idx
sqlite3 moved.idx "UPDATE connbits_bitmap SET chunk = chunk + 1"
exits "bitmaps of another chunk" 1 "$query" log.sqlite smb --count --into moved.idx
cp log.idx hostile.idx
sqlite3 hostile.idx "CREATE TRIGGER t AFTER INSERT ON connbits_filter BEGIN DELETE FROM connbits_source; END"
exits "triggers of a hostile index do not run" 0 "$index" log.sqlite ok.conf --into hostile.idx
is "and the index is there" 3 "$("$query" log.sqlite smb --count --into hostile.idx)"

# --- an index that no longer fits
small_log changed.sqlite
"$index" changed.sqlite ok.conf --into changed.idx --quiet
sqlite3 changed.sqlite "UPDATE connections SET remote_host = '203.0.113.1' WHERE connection = 10"
exits "a log that was changed" 1 "$query" changed.sqlite smb --count --into changed.idx
has "a log that was changed" "no longer fits" "$err"
sqlite3 changed.sqlite "DELETE FROM connections WHERE connection = 10"
exits "a log that was cut off" 1 "$query" changed.sqlite smb --count --into changed.idx
small_log changed.sqlite
sqlite3 changed.sqlite "INSERT INTO connections VALUES (11, 'accept', 'tcp', '192.0.2.1', 445, '198.51.100.1', 1)"
exits "a log that has grown" 0 "$query" changed.sqlite smb --count --into changed.idx
is "a log that has grown is answered as indexed" 3 "$out"
has "--list says that it is behind" "behind" "$("$query" changed.sqlite --list --into changed.idx)"
exits "an answer of it" 0 "$query" changed.sqlite smb --count --into changed.idx
is "says how many rows are not in it" "connbits-query: 1 row of the log behind the index is not in the answer; connbits-index brings it up to date" "$err"

# --- connbits-query
small_log log.sqlite
"$index" log.sqlite ok.conf --quiet
is "--count" 3 "$("$query" log.sqlite smb --count)"
is "--rowids" "1 2 6" "$("$query" log.sqlite smb --rowids | tr '\n' ' ' | sed 's/ $//')"
is "not" "3" "$("$query" log.sqlite 'not smb' --rowids)"
is "and not" "1 6" "$("$query" --rowids log.sqlite 'smb && !private' | tr '\n' ' ' | sed 's/ $//')"
is "or" "4" "$("$query" --count log.sqlite 'sip or smb')"
is "@all" "4" "$("$query" log.sqlite @all --count)"
is "@skipped" "5 7 8 9 10" "$("$query" log.sqlite @skipped --rowids | tr '\n' ' ' | sed 's/ $//')"
is "--limit" "1 2" "$("$query" log.sqlite smb --rowids --limit 2 | tr '\n' ' ' | sed 's/ $//')"
is "--limit 0" "" "$("$query" log.sqlite smb --rowids --limit 0)"
is "--columns, csv" "connection,remote_host
1,198.51.100.1
2,10.0.0.1
6,2001:db8::2" "$("$query" log.sqlite smb --columns connection,remote_host --format csv | tr -d '\r')"
is "json" '[1,445]' "$("$query" log.sqlite smb --format json --limit 1 | jq -c '[.[0].connection, .[0].local_port]')"
is "--count as json" '{"count": 3}' "$("$query" log.sqlite smb --count --format json)"
is "--count as csv" "count 3" "$("$query" log.sqlite smb --count --format csv | tr -d '\r' | tr '\n' ' ' | sed 's/ $//')"
is "json of nothing" '[]' "$("$query" log.sqlite 'smb and sip' --format json)"
is "table" "connection  local_port
----------  ----------
         1         445" "$("$query" log.sqlite smb --limit 1 --columns connection,local_port)"
# --- what libpcap's optimiser gets wrong
miscompiled='host 192.0.2.1 and not ((host 203.0.113.4 or host 198.51.100.8) and icmp) and not (host 198.51.100.8 or host 192.0.2.1)'
is "a filter in braces that the optimiser gets wrong is warned of, on a terminal" 1 "$(script -qec "'$query' log.sqlite \"smb or {$miscompiled}\" --count" /dev/null </dev/null | grep -c "^connbits-query: warning: '{host 192.0.2.1 .*}': plain tcpdump answers otherwise")"
exits "scripts get the answer, and --explain tells" 0 "$query" log.sqlite "smb or {$miscompiled}" --count
is "scripts get the answer" "" "$err"
has "and --explain tells" "warning:    plain tcpdump answers otherwise" "$("$query" log.sqlite --explain "{$miscompiled}")"
exits "and no other" 0 "$query" log.sqlite 'smb or {tcp dst port 445 and host 192.0.2.1}' --count
is "and no other" "" "$err"
exits "--explain of a name that is misspelt" 2 "$query" log.sqlite --explain SMB
has "--explain of a name that is misspelt" "no filter 'SMB' is stored; did you mean 'smb'?" "$err"
is "--list" "@all @skipped smb private sip" "$("$query" log.sqlite --list --format json | jq -r '[.[].name] | join(" ")')"
# listed COLUMNS: what --list prints on a terminal of so many
listed() {
	script -qec "stty cols $1; '$query' log.sqlite --list" /dev/null </dev/null | tr -d '\r'
}
for columns in 60 80 132; do
	is "--list fits a terminal of $columns columns" "" "$(listed $columns | sed 's/…/./g' | awk -v columns=$columns 'length > columns')"
done
has "--list on a terminal cuts what does not fit" "…" "$(listed 40)"
has "and has what tells most" "private      1  current  src net 10" "$(listed 80)"
is "--list in a pipe is whole" "0" "$("$query" log.sqlite --list | grep -c '…')"
is "--list has counts" "4 5 3 1 1" "$("$query" log.sqlite --list --format json | jq -r '[.[].rows] | join(" ")' | tr -d '"')"
exits "--bitmap" 0 "$query" log.sqlite smb --bitmap smb.roaring
is "--bitmap is portable Roaring" "3a30000001000000000002001000000001000200" "$(od -An -tx1 -v smb.roaring | tr -d ' \n' | cut -c1-40)"
is "--bitmap -" "$(cksum <smb.roaring)" "$("$query" log.sqlite smb --bitmap - | cksum)"
mkfifo pipe
cat pipe >piped &
exits "--bitmap to a pipe" 0 "$query" log.sqlite smb --bitmap pipe
wait $!
is "writes to the pipe and leaves it one" "$(cksum <smb.roaring) pipe" "$(cksum <piped) $([ -p pipe ] && echo pipe)"
: >target
ln -s target link
exits "--bitmap to a symbolic link" 0 "$query" log.sqlite smb --bitmap link
is "writes behind it" "$(cksum <smb.roaring) link" "$(cksum <target) $([ -L link ] && echo link)"
cp log.sqlite kept.sqlite
exits "--bitmap over the log" 2 "$query" log.sqlite smb --bitmap log.sqlite
exits "leaves the log" 0 cmp log.sqlite kept.sqlite
exits "an unknown name" 2 "$query" log.sqlite 'smb or smv' --count
has "an unknown name" "did you mean 'smb'?" "$err"
has "shows the place" "         ^" "$err"
exits "a name in another case" 2 "$query" log.sqlite --into log.idx SMB --count
has "a name in another case" "did you mean 'smb'?" "$err"
for filter in 'tcp dst port 445' 'port 22' tcp 'icmp or udp' 'not src net 10.0.0.0/8'; do
	exits "a pcap filter without braces: $filter" 2 "$query" log.sqlite --into log.idx "$filter" --count
	is "is told where they go: $filter" "connbits-query: this reads as a pcap filter: write '{$filter}'" "$err"
	exits "as it stands there, it is answered: $filter" 0 "$query" log.sqlite --into log.idx "{$filter}" --count
	exits "nor is it explained: $filter" 2 "$query" log.sqlite --into log.idx --explain "$filter"
	has "nor is it explained: $filter" "write '{$filter}'" "$err"
done
exits "a mistake in braces" 2 "$query" log.sqlite --into log.idx 'smb and {tcp dst port htttp}' --count
has "is shown where it is" "$(printf '\n                        ^')" "$err"
printf '[filter tcp]\nexpression = tcp\n[filter udp]\nexpression = udp\n[filter icmp]\nexpression = icmp\n' >words.conf
"$index" log.sqlite words.conf --into words.idx --quiet
exits "an expression over filters that are named as pcap's words" 2 "$query" log.sqlite --into words.idx 'tcp or icmp and not udp' --count
has "has its own mistake" "'and' and 'or' together need parentheses" "$err"
exits "what may be a host's name is not looked up" 2 "$query" log.sqlite --into log.idx 'host nosuch' --count
has "what may be a host's name is not looked up" "expected and, or, or the end" "$err"
exits "mixed and, or" 2 "$query" log.sqlite 'smb or sip and private' --count
has "mixed and, or" "parentheses" "$err"
exits "an unknown column" 2 "$query" log.sqlite smb --columns nosuch
is "no partial output" "" "$out"
exits "two actions" 2 "$query" log.sqlite smb --count --rowids
exits "no expression" 2 "$query" log.sqlite --count
exits "an unquoted expression" 2 "$query" log.sqlite smb and sip --count
has "an unquoted expression" "quotes" "$err"
exits "no index" 1 "$query" before.sqlite smb --count
has "no index" "connbits-index" "$err"
exits "no index file" 1 "$query" before.sqlite smb --count --into none.idx
exits "a full pipe" 1 sh -c "'$query' log.sqlite smb --rowids >/dev/full"
has "a full pipe" "No space left" "$err"

sqlite3 log.sqlite "UPDATE connections SET remote_host = char(27) || '[2J\"x' WHERE connection = 5; UPDATE connections SET remote_port = x'00ff' WHERE connection = 10"
"$index" log.sqlite ok.conf --quiet
is "control characters do not reach the terminal" '\x1b[2J"x' "$("$query" log.sqlite @skipped --columns remote_host --limit 1 | tail -n 1)"
is "json escapes them" '"\u001b[2J\"x"' "$("$query" log.sqlite @skipped --columns remote_host --limit 1 --format json | sed -n 's/.*: \(.*\)}/\1/p')"
is "csv quotes" "\"$(printf '\033')[2J\"\"x\"" "$("$query" log.sqlite @skipped --columns remote_host --limit 1 --format csv | tail -n 1 | tr -d '\r')"
is "a blob is shown as SQL writes it" "x'00ff'" "$("$query" log.sqlite @skipped --columns remote_port --format csv | tail -n 1 | tr -d '\r')"

sqlite3 log.sqlite "UPDATE connections SET remote_port = 1750000004.5349998 WHERE connection = 10; UPDATE connections SET remote_port = NULL WHERE connection = 9; CREATE TABLE numbers (n)"
"$index" log.sqlite ok.conf --quiet
is "json keeps every digit of a real" 1750000004.5349998 "$("$query" log.sqlite @skipped --columns remote_port --format json | grep -o '1750000004[.0-9]*')"
is "csv too" 1750000004.5349998 "$("$query" log.sqlite @skipped --columns remote_port --format csv | grep -o '1750000004[.0-9]*')"
is "csv: a line for NULL" '""' "$("$query" log.sqlite @skipped --columns remote_port --format csv | tr -d '\r' | sed -n 5p)"
is "--columns rowid is called rowid" '5' "$("$query" log.sqlite @skipped --columns rowid --format json --limit 1 | jq .[0].rowid)"

# --- rows that are gone from the start do not count
small_log retention.sqlite
"$index" retention.sqlite ok.conf --quiet
sqlite3 retention.sqlite "DELETE FROM connections WHERE connection <= 1"
is "--limit counts the rows that are left" "2,10.0.0.1" "$("$query" retention.sqlite smb --limit 1 --columns connection,remote_host --format csv 2>/dev/null | tr -d '\r' | tail -n 1)"
has "those that are gone are spoken of" "no longer in the log" "$("$query" retention.sqlite smb --limit 1 2>&1 >out)"
sqlite3 retention.sqlite "DELETE FROM connections; INSERT INTO connections VALUES (99, 'accept', 'tcp', '192.0.2.1', 445, '198.51.100.1', 1000)"
exits "a log that was replaced" 1 "$query" retention.sqlite smb --count

# --- bitmaps that are lost or double
cp log.idx lost.idx
sqlite3 lost.idx "DELETE FROM connbits_bitmap WHERE filter = (SELECT id FROM connbits_filter WHERE name = '@all')"
small_log fresh.sqlite
exits "a lost bitmap" 1 "$query" fresh.sqlite 'not smb' --count --into lost.idx
has "a lost bitmap" "damaged" "$err"
exits "does not hinder others" 0 "$query" fresh.sqlite 'smb' --count --into lost.idx
cp log.idx double.idx
sqlite3 double.idx "INSERT INTO connbits_bitmap SELECT filter, 0.5, rows, bitmap FROM connbits_bitmap"
is "a bitmap outside of the log's row ids does not count" 3 "$("$query" fresh.sqlite smb --count --into double.idx)"
sqlite3 double.idx "UPDATE connbits_source SET last_row = 1048577"
exits "a double bitmap" 1 "$query" fresh.sqlite smb --count --into double.idx

# --- an index is of the log that it is asked with
"$index" fresh.sqlite ok.conf --quiet --table connections
exits "the index of another log" 1 "$query" empty.sqlite smb --count --into log.idx

# --- no partial output
"$generate" --rows 20000 torn.sqlite
"$index" torn.sqlite ok.conf --into torn.idx --quiet
head -c 4096 /dev/zero | dd of=torn.sqlite bs=4096 seek=200 conv=notrunc 2>/dev/null
for format in table csv json; do
	exits "a log damaged halfway, $format" 1 "$query" torn.sqlite @all --into torn.idx --format $format
	is "prints nothing of it, $format" "" "$out"
done

# --- a log that changes while it is read
"$generate" --rows 300000 --seed 3 before.gen
"$generate" --rows 300000 --seed 4 after.gen
cp before.gen swapped.sqlite
"$index" swapped.sqlite slow.conf --threads 1 --into swapped.idx >out 2>err &
pid=$!
# The tables appear once the log is open.
until [ -s swapped.idx ] || ! kill -0 $pid; do sleep 0.01; done
mv after.gen swapped.sqlite
wait $pid
is "a log that is replaced while it is read" 1 $?
has "a log that is replaced while it is read" "run again" "$(cat err)"
is "gives no index" "ok 0" "$(empty swapped.idx)"

# --- verification of what is left, and of sparse row ids
"$generate" --rows 30000 left.sqlite
"$index" left.sqlite ok.conf --quiet
sqlite3 left.sqlite "DELETE FROM connections WHERE connection < 1000"
exits "--verify=all after retention" 0 "$index" left.sqlite --verify=all
has "--verify=all after retention" "verified 29001 rows" "$out"
sqlite3 left.sqlite "INSERT INTO connections SELECT 1 << 62, connection_type, connection_transport, connection_protocol, connection_timestamp, NULL, NULL, local_host, local_port, remote_host, '', remote_port FROM connections WHERE connection = 1000"
"$index" left.sqlite ok.conf --quiet
exits "--verify of sparse row ids" 0 "$index" left.sqlite --verify=5000
has "--verify of sparse row ids" "verified 52 rows" "$out"
exits "--verify of more rows than there are" 0 "$index" left.sqlite --verify=50000
has "--verify of more rows than there are" "verified 29002 rows" "$out"

# --- many threads have a large address space, which is not the compiler's
{
	printf '[filter hosts]\nexpression = host 1.2.3.4\n'
	i=0
	while [ $i -lt 600 ]; do
		printf ' or host 1.2.%d.%d\n' $((i / 256)) $((i % 256))
		i=$((i + 1))
	done
} >hosts.conf
exits "a long filter with many threads" 0 "$index" left.sqlite hosts.conf --threads 24 --verify=10 --into hosts.idx

# --- names are files
exits "--into :memory: is a file" 0 "$index" fresh.sqlite ok.conf --table connections --into :memory:
is "which answers" 3 "$("$query" fresh.sqlite smb --count --into :memory:)"
cp fresh.sqlite file:x.sqlite
exits "a log named like a URI" 0 "$query" file:x.sqlite smb --count
sqlite3 fresh.sqlite "CREATE TABLE taken (rowid INTEGER PRIMARY KEY, _rowid_, oid, h, p, rh, rp, t); INSERT INTO taken VALUES (7, 1, 1, '10.0.0.1', 1, '10.0.0.2', 445, 'tcp')"
source_conf taken t >taken.conf
exits "a key named rowid" 0 "$index" fresh.sqlite taken.conf --into taken.idx
is "is the row id" 7 "$("$query" fresh.sqlite smb --rowids --into taken.idx)"
is "and means it" "" "$(echo "$err" | grep 'named rowid')"
sqlite3 names.sqlite "CREATE TABLE taken (\"the \"\"key\" INTEGER PRIMARY KEY, rowid, _rowid_, oid, h, p, rh, rp, t); INSERT INTO taken VALUES (7, 1, 1, 1, '10.0.0.1', 1, '10.0.0.2', 445, 'tcp'), (8, 7, 7, 7, '10.0.0.1', 1, '10.0.0.2', 22, 'tcp')"
exits "columns named as row ids are, beside a key" 0 "$index" names.sqlite taken.conf --track
is "are told of" "connbits-index: warning: the table 'taken' has a column named rowid that is not the row id; in SQL write \"the \"\"key\" IN bitmap('...')" "$err"
is "and not taken for them" 7 "$("$query" names.sqlite smb --rowids)"
is "by what prints rows either" "7|1" "$("$query" names.sqlite smb --columns 'the "key,rowid' --format csv | tail -n 1 | tr -d '\r' | tr , '|')"
sqlite3 names.sqlite "UPDATE taken SET rp = 445 WHERE oid = 7"
exits "nor by triggers" 0 "$index" names.sqlite
is "nor by triggers" "7 8" "$("$query" names.sqlite smb --rowids | tr '\n' ' ' | sed 's/ $//')"
exits "nor by --verify" 0 "$index" names.sqlite --verify=all
sqlite3 names.sqlite "ALTER TABLE taken RENAME TO old; CREATE TABLE taken AS SELECT * FROM old; DROP TABLE old"
exits "without a key nothing is left to ask for" 1 "$index" names.sqlite taken.conf --rebuild
has "without a key nothing is left to ask for" "rename one" "$err"
exits "--check --json" 0 "$index" fresh.sqlite ok.conf --check --json --table connections
is "--check --json is JSON" 3 "$(printf '%s' "$out" | jq .filters)"
exits "a file-size limit" 1 sh -c "ulimit -f 96; exec '$index' big.sqlite many.conf --into limit.idx"
has "a file-size limit is reported" "limit.idx" "$err"
cp log.idx columns.idx
sqlite3 columns.idx "UPDATE connbits_source SET columns = '{}'"
exits "a damaged description of the log" 1 "$index" fresh.sqlite --into columns.idx
has "a damaged description of the log" "damaged" "$err"
printf '[filter a]\nexpression = ip\n[filter \033[31mX]\nexpression = ip\n' >escape.conf
exits "control characters in a catalogue" 2 "$index" fresh.sqlite escape.conf
is "do not reach the terminal" no "$(grep -q "$(printf '\033')" err && echo yes || echo no)"

# --- what no row holds
cat >unsound.conf <<'EOF'
[filter syn]
expression = tcp[tcpflags] & tcp-syn != 0
EOF
exits "a filter on TCP flags" 2 "$index" log.sqlite unsound.conf
is "is refused with its bytes and name" "unsound.conf:2: filter 'syn': the answer depends on tcp[13], the TCP flags, which no connection row holds" "$(head -n 1 err)"

# --- WAL
small_log wal.sqlite
sqlite3 wal.sqlite "PRAGMA journal_mode = WAL" >/dev/null
exits "a log in WAL mode" 0 "$index" wal.sqlite ok.conf
is "a log in WAL mode answers" 3 "$("$query" wal.sqlite smb --count)"

# --- connbits-generate
"$generate" --rows 5000 --seed 7 g1.sqlite
"$generate" --seed 7 --rows 5000 g2.sqlite
exits "the same seed, the same bytes" 0 cmp g1.sqlite g2.sqlite
"$generate" --rows 5000 --seed 8 g3.sqlite
exits "another seed, other bytes" 1 cmp g1.sqlite g3.sqlite
exits "FILE must not exist" 1 "$generate" --rows 5 g1.sqlite
exits "and stays as it is" 0 cmp g1.sqlite g2.sqlite
exits "--rows is needed" 2 "$generate" g4.sqlite
exits "--rows 0" 0 "$generate" --rows 0 g5.sqlite
is "--rows 0 is an empty log" 0 "$(sqlite3 g5.sqlite 'SELECT count(*) FROM connections')"
is "8 % IPv6, give or take 2" yes "$(sqlite3 big.sqlite "SELECT CASE WHEN avg(remote_host LIKE '2a%') BETWEEN 0.06 AND 0.10 THEN 'yes' ELSE avg(remote_host LIKE '2a%') END FROM connections")"

# --- compiling is bounded
awk 'BEGIN { for (i = 0; i < 10000; i++) printf "[filter p%d]\nexpression = tcp dst port %d and not src net 10.%d.%d.0/24\n", i, i, i / 256, i % 256 }' >ten-thousand.conf
awk 'BEGIN { printf "[filter hosts]\nexpression = host 10.0.0.1"; for (i = 1; i < 1000; i++) printf " or host 10.1.%d.%d", i / 256, i % 256; print "" }' >thousand-hosts.conf
bounded() {
	(ulimit -v 1048576 && timeout 60 "$@")
}
# Sanitizers take terabytes of address space.
if [ -z "${CONNBITS_PRELOAD:-}" ]; then
exits "10,000 filters compile in bounds" 0 bounded "$index" log.sqlite ten-thousand.conf --check --into none.idx
has "10,000 filters compile in bounds" "10000 filters compile" "$out"
exits "a filter of 1,000 hosts compiles in bounds" 0 bounded "$index" log.sqlite thousand-hosts.conf --into hosts.idx
is "1,000 hosts are two predicates" "ipv4:       source in {10.0.0.1, 10.1.0.1-10.1.3.231} or destination in {10.0.0.1, 10.1.0.1-10.1.3.231}" "$("$query" log.sqlite --into hosts.idx --explain hosts | grep ^ipv4)"
fi

# --- --explain
"$index" log.sqlite ok.conf --into explain.idx --quiet
explain() {
	"$query" log.sqlite --into explain.idx --explain "$1" 2>&1 | grep -E "^$2:"
}
is "a stored filter is explained" "ipv4:       protocol = 6 and destination port = 445" "$(explain smb ipv4)"
is "a filter on two ports" "ipv6:       protocol in {6, 17, 132} and (source port = 53 or destination port = 53)" "$(explain '{port 53}' ipv6)"
is "an IPv4 network" "ipv4:       source in {10.0.0.0/8, 192.168.0.0/16}" "$(explain '{src net 10.0.0.0/8 or src net 192.168.0.0/16}' ipv4)"
is "is nothing on IPv6" "ipv6:       no header" "$(explain '{src net 10.0.0.0/8 or src net 192.168.0.0/16}' ipv6)"
is "an IPv6 host" "ipv6:       source = 2001:db8::1 or destination = 2001:db8::1" "$(explain '{host 2001:db8::1}' ipv6)"
is "an IPv6 network" "ipv6:       protocol = 17 and destination in 2001:db8::/36" "$(explain '{udp and dst net 2001:db8::/36}' ipv6)"
is "not an IPv6 host" "ipv6:       source != 2001:db8::1" "$(explain '{not src host 2001:db8::1}' ipv6)"
exits "an ICMP type" 2 "$query" log.sqlite --into explain.idx --explain '{icmp[icmptype] = icmp-echo}'
has "that the table has no column for" "the ICMP type, for which the table 'connections' (schema dionaea) has no column" "$err"
sqlite3 zeek.sqlite 'CREATE TABLE conn ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", proto)'
"$index" zeek.sqlite ok.conf --quiet
has "an ICMP type" "protocol = 1 and ICMP type = 8" "$("$query" zeek.sqlite --explain '{icmp[icmptype] = icmp-echo}' | grep ^ipv4)"
is "not ICMP" "ipv4:       protocol != 1" "$(explain '{not icmp}' ipv4)"
is "all" "ipv6:       every header" "$(explain '{ip or ip6}' ipv6)"
is "two columns" "ipv4:       protocol = 6 and source port = destination port" "$(explain '{tcp[0:2] = tcp[2:2]}' ipv4)"
is "a mask with holes" "ipv4:       (source[0:4] & 0xff00ff00) = 0xa000a00" "$(explain '{ip[12:4] & 0xff00ff00 = 0x0a000a00}' ipv4)"
is "what bpf_filter has to answer" "engine:     bpf, because its arithmetic, or that of all filters together, is too long" "$(explain "{ip[12:4]$(for i in $(seq 40); do printf ' * ip[16:4] + %d' "$i"; done) = 1}" engine)"
has "instructions and predicates" "BPF instructions, 2 predicates left" "$(explain smb program)"
has "shared predicates" "shared with 1 of 3 other filters" "$("$query" log.sqlite --into explain.idx --explain '{tcp dst port 445 and ip}')"
has "the cost" "ns a row beside the other filters" "$(explain smb cost)"
exits "a filter that has no answer is not explained" 2 "$query" log.sqlite --into explain.idx --explain '{tcp[13] = 2}'
has "a filter that has no answer is not explained" "tcp[13], the TCP flags" "$err"
exits "an unknown name is not explained" 2 "$query" log.sqlite --into explain.idx --explain nosuch
has "an unknown name is not explained" "no filter 'nosuch' is stored" "$err"
exits "--explain takes no expression" 2 "$query" log.sqlite smb --into explain.idx --explain smb

# --- nights, for what a sanitizer sees of them; what they should do is nightly.sh's
printf '[filter smb]\nexpression = tcp dst port 445\n' >night.conf
"$build/connbits-generate" --rows 3000 night.sqlite
exits "a first night that tracks" 0 "$index" night.sqlite night.conf --into night.index --track --quiet
sqlite3 night.sqlite "DELETE FROM connections WHERE connection < 500; UPDATE connections SET local_port = 7 WHERE connection = 900;
	INSERT INTO connections SELECT connection + 5000, connection_type, connection_transport, connection_protocol, connection_timestamp, connection_root, connection_parent, local_host, local_port, remote_host, remote_hostname, remote_port FROM connections LIMIT 100"
exits "a second one" 0 "$index" night.sqlite ok.conf --into night.index --json
exits "what is in the log after it" 0 "$index" night.sqlite --into night.index --verify=all
exits "a search" 0 "$query" night.sqlite --into night.index 'smb and not {port 53}' --count
exits "a capture" 0 "$query" night.sqlite --into night.index smb -w night.pcap
exits "filters that go" 0 "$index" night.sqlite night.conf --into night.index --prune --quiet
exits "headers that go" 0 "$index" night.sqlite --into night.index --no-headers --no-track --quiet

# --- connbits-bench
exits "bench" 0 "$build/connbits-bench" --rows 3000 ok.conf --repeat 1 --json
is "bench: every stage" "bitmap build eval+bitmap evaluate first index read+build sql store" "$(printf '%s' "$out" | jq -r '[.stages[].stage] | unique | join(" ")')"
is "bench: every figure has a floor" true "$(printf '%s' "$out" | jq 'all(.stages[]; .floor_seconds > 0 and .ratio > 0)')"
exits "bench on a log" 0 "$build/connbits-bench" log.sqlite ok.conf --repeat 1 --threads 1
has "bench on a log" "read+build" "$out"

"$build/connbits-generate" --rows 150000 sheet.sqlite
"$index" sheet.sqlite "$root/data/filters.conf" --quiet
exits "bench --sheet" 0 "$build/connbits-bench" --sheet sheet.sqlite "$root/data/filters.conf" --csv
is "a line a filter, with the rows and bytes that the index has" \
	"$(sqlite3 -csv sheet.sqlite "SELECT name, f.rows, ifnull(sum(length(bitmap)), 0) FROM connbits_filter f LEFT JOIN connbits_bitmap ON filter = id WHERE kind = 'pcap' GROUP BY id ORDER BY 1")" \
	"$(printf '%s\n' "$out" | tail -n +2 | cut -d, -f1,2,4 | sort)"
is "the dearest first" "" "$(printf '%s\n' "$out" | tail -n +2 | cut -d, -f9 | sort -rn -c 2>&1)"
exits "bench --sheet as JSON" 0 "$build/connbits-bench" --sheet sheet.sqlite ok.conf --json
is "bench --sheet as JSON: every time is there" true "$(printf '%s' "$out" | jq '.filters | length > 0 and all(.[]; .compile_ns > 0 and .alone_ns > 0 and .bpf_ns > .alone_ns / 100 and .instructions > 0)')"
exits "bench --sheet as a table" 0 "$build/connbits-bench" --sheet --rows 3000 ok.conf
has "bench --sheet as a table" "marginal" "$out"
exits "--csv without --sheet" 2 "$build/connbits-bench" --rows 3000 ok.conf --csv

exits "bench with generated filters" 0 "$build/connbits-bench" --rows 3000 --filters 80 --repeat 1 --json
is "bench with generated filters" 80 "$(printf '%s' "$out" | jq '[.stages[] | select(.stage == "eval+bitmap")][0].filters')"
exits "bench: too many catalogues" 2 "$build/connbits-bench" --rows 3000 --filters 80 ok.conf
exits "bench: an unknown engine" 2 "$build/connbits-bench" --rows 3000 ok.conf --engine gpu

finish
