#!/bin/sh
# Columns that are SQL expressions of the row: where one is wrong, what it may not do, and where it is never evaluated.
# That they give what a column of the same values gives is layouts.py's.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1

# catalogue PORT [TIME]: the eighth line is the destination's port, the ninth the time
catalogue() {
	cat <<-END
		[source]
		table = ulog
		source_host = s
		destination_host = (ifnull(nullif(d, ''), nat))
		transport = p
		source_port =
		    (coalesce(tcp_sport, udp_sport))
		destination_port = $1
		timestamp = ${2:-(ts / 1000)}
		[filter dns]
		expression = udp dst port 53
		[filter smb]
		expression = tcp dst port 445
	END
}
ports='(coalesce(tcp_dport, udp_dport))'
catalogue "$ports" >ulog.conf
sqlite3 ulog.sqlite "CREATE TABLE ulog (n INTEGER PRIMARY KEY, s, d, nat, p, tcp_sport, tcp_dport, udp_sport, udp_dport, ts);
	CREATE TABLE names (id INTEGER PRIMARY KEY, port);
	CREATE TABLE connbits_mine (port);
	CREATE VIRTUAL TABLE words USING fts5(word);
	CREATE VIEW seen AS SELECT 445 AS port;
	INSERT INTO names VALUES (445, 445), (53, 53);
	INSERT INTO ulog VALUES (1, '192.0.2.1', '', '198.51.100.1', 6, 1024, 445, NULL, NULL, 1700000000123),
	    (2, '192.0.2.1', '198.51.100.2', NULL, 17, NULL, NULL, 1024, 53, 1700000001456)"

# --- a wrong one is an error at its line
# wrong NAME PART PORT [TIME]
wrong() {
	catalogue "$3" "${4:-}" >wrong.conf
	exits "$1" 2 "$index" ulog.sqlite wrong.conf --into wrong.idx
	has "$1 says where and what" "$2" "$err"
	is "$1 leaves nothing" "" "$(ls wrong.idx 2>/dev/null)"
}
wrong "a column that is not there" "wrong.conf:8: 'destination_port' is not an expression of a row of 'ulog': no such column: nosuch" '(nosuch)'
wrong "a name in double quotes that is no column" "no such column: nosuch" '("nosuch")'
wrong "a wrong time" "wrong.conf:9: 'timestamp' is not an expression of a row of 'ulog': no such column: t" "$ports" '(t / 1000)'
wrong "two at once" "wrong.conf: 2 mistakes" '(a)' '(b)'
wrong "a syntax that is not SQL's" "wrong.conf:8: 'destination_port' is not an expression of a row of 'ulog': near" '(1 +)'
wrong "an end before its end" "wrong.conf:8: 'destination_port' is not an expression: its first parenthesis" '(1), (2)'
wrong "a second statement" "wrong.conf:8: 'destination_port' is not an expression" '(1) FROM ulog; DROP TABLE ulog'
wrong "all rows together" "about all rows together, not about one" '(max(tcp_dport))'
wrong "all rows together, in a question of its own" "about all rows together" '((SELECT max(tcp_dport)))'
wrong "two values" "row value misused" '(1, 2)'
wrong "what is never the same" "not authorized to use function: random, only such" '(random())'
wrong "the time it is now" "not authorized to use function: current_timestamp" "$ports" '(current_timestamp)'
wrong "the time it is now, in a date" "wrong.conf:9: 'timestamp' is not an expression: 'now' in date()" "$ports" "(date('now'))"
wrong "a function that does things" "not authorized to use function: load_extension" "(load_extension('x'))"
wrong "a recursion" "WITH has no place in it" '((WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 1))'
wrong "a pragma" "not authorized" '((SELECT 1 FROM pragma_database_list))'
wrong "a table of SQLite" "not authorized" '((SELECT 1 FROM sqlite_schema))'
wrong "a column of a table of SQLite" "sqlite_master.name is prohibited" '((SELECT name FROM sqlite_master))'
wrong "a table of connbits" "connbits_mine.port is prohibited" '((SELECT port FROM connbits_mine))'
wrong "a virtual table" "no such module" '((SELECT word FROM words))'
wrong "a view" "access to view \"seen\" prohibited" '((SELECT port FROM seen))'
wrong "the file's pages" "no such table: dbstat" '((SELECT 1 FROM dbstat))'
printf '[source]\ntable = (ulog)\nsource_host = s\ntransport = p\n[filter a]\nexpression = tcp\n' >wrong.conf
exits "a table is no expression" 1 "$index" ulog.sqlite wrong.conf --into wrong.idx

# --- one that is right
exits "index" 0 "$index" ulog.sqlite ulog.conf --into ulog.idx
is "smb and dns" "1/2" "$("$query" ulog.sqlite smb --rowids --into ulog.idx)/$("$query" ulog.sqlite dns --rowids --into ulog.idx)"
is "the time of a packet" "1700000000 1700000001" "$("$query" ulog.sqlite 'smb or dns' -w - --into ulog.idx | tcpdump -tt -n -r - 2>/dev/null | cut -d. -f1 | xargs)"
is "the host of another column" "1" "$("$query" ulog.sqlite '{dst host 198.51.100.1}' --rowids --into ulog.idx)"
exits "verified" 0 "$index" ulog.sqlite --into ulog.idx --verify=all
exits "a run without a catalogue" 0 "$index" ulog.sqlite --into ulog.idx
has "a run without a catalogue reads nothing" "nothing to do" "$out"
exits "without headers" 0 "$index" ulog.sqlite ulog.conf --into bare.idx --no-headers
is "without headers" "1" "$("$query" ulog.sqlite smb -w - --into bare.idx | tcpdump -n -r - 2>/dev/null | grep -c '> 198.51.100.1.445')"
exits "the bench" 0 "$build/connbits-bench" ulog.sqlite ulog.conf --repeat 1 --json
sed 's/^timestamp.*/timestamp = ts/' ulog.conf >time.conf
exits "another time" 0 "$index" ulog.sqlite time.conf --into ulog.idx
has "another time counts" "built again: other columns" "$out"
sed 's/tcp_dport, udp_dport/TCP_dport, udp_dport/' ulog.conf >other.conf
exits "another text" 0 "$index" ulog.sqlite other.conf --into ulog.idx
has "another text is another column" "built again: other columns are indexed than before" "$out"
catalogue '((SELECT port FROM names WHERE id = coalesce(tcp_dport, udp_dport)))' >names.conf
exits "another table" 0 "$index" ulog.sqlite names.conf --into names.idx
sqlite3 ulog.sqlite "UPDATE names SET port = 139 WHERE id = 445"
exits "fingerprints go by the value" 1 "$query" ulog.sqlite smb --count --into names.idx
has "fingerprints go by the value" "the row with id 1 is not the one that was indexed" "$err"
exits "and the next run builds it again" 0 "$index" ulog.sqlite --into names.idx --quiet
is "and the next run builds it again" "0" "$("$query" ulog.sqlite smb --count --into names.idx)"
catalogue '((SELECT count(*) FROM ulog a, ulog b, ulog c, ulog d, ulog e, ulog f, ulog g, ulog h, ulog i, ulog j, ulog k, ulog l, ulog m, ulog n, ulog o, ulog p, ulog q, ulog r, ulog s, ulog t, ulog u, ulog v, ulog w, ulog x, ulog y, ulog z, ulog aa, ulog ab, ulog ac, ulog ad))' >long.conf
exits "one without an end" 1 "$index" ulog.sqlite long.conf --into long.idx
has "one without an end" "takes too long for one row" "$err"

# A function is not interrupted: none may take long, or much.
catalogue "(length(hex(printf('%.*c', 900000, 'a'))))" >long.conf
exits "one that makes much" 0 "$index" ulog.sqlite long.conf --into much.idx
has "one that makes much" "an expression of [source] fails for row 1: string or blob too big; such rows are skipped" "$err"
catalogue "(instr(printf('%.*c', 1000000, 'a') || n, printf('%.*c', 500000, 'a') || 'b'))" >slow.conf
exits "one that searches much" 0 timeout 20 "$index" ulog.sqlite slow.conf --into slow.idx --quiet

# --- a row for which one fails is skipped, and no other
sqlite3 events.sqlite "CREATE TABLE ev (n INTEGER PRIMARY KEY, s); INSERT INTO ev VALUES
	(1, '{\"a\":\"192.0.2.1\",\"p\":\"tcp\",\"t\":1700000000}'), (2, '{\"a\":\"192'), (3, ''), (65536, '{\"a\":\"192.0.2.3\",\"p\":\"tcp\",\"t\":1}'), (70000, 'x')"
printf "[source]\ntable = ev\nsource_host = (s ->> '\$.a')\ntransport = (s ->> '\$.p')\ntimestamp = (s ->> '\$.t')\n[filter tcp]\nexpression = tcp\n" >events.conf
exits "texts that are no JSON" 0 "$index" events.sqlite events.conf --into events.idx
has "texts that are no JSON" "warning: an expression of [source] fails for row 2: malformed JSON; such rows are skipped" "$err"
is "are skipped" "2 3 70000" "$("$query" events.sqlite @skipped --rowids --into events.idx | xargs)"
is "and no other is" "1 65536" "$("$query" events.sqlite tcp --rowids --into events.idx | xargs)"
exits "which is verified" 0 "$index" events.sqlite --into events.idx --verify=all
sqlite3 capitals.sqlite "CREATE TABLE ev (n INTEGER PRIMARY KEY, s); INSERT INTO ev VALUES (1, '{'), (2, '{\"a\":\"192.0.2.1\",\"p\":\"TCP\"}'), (3, '{\"a\":\"192.0.2.1\",\"p\":\"UDP\"}')"
exits "and hides no other reason" 0 "$index" capitals.sqlite events.conf --into capitals.idx
has "and hides no other reason" "row 2 for its transport: 'TCP'" "$err"
sqlite3 events.sqlite "INSERT INTO ev VALUES (70001, 'y'), (70002, '{\"a\":\"192.0.2.4\",\"p\":\"tcp\"}')"
exits "a new one" 0 "$index" events.sqlite --into events.idx
has "a new one is told" "fails for row 70001: malformed JSON" "$err"
has "rows are counted" "2 new rows, 0 removed" "$out"
is "rows behind a failing one" "1 65536 70002" "$("$query" events.sqlite tcp --rowids --into events.idx | xargs)"
sqlite3 events.sqlite "UPDATE ev SET s = 'z' WHERE n = 1"
exits "one that fails now" 1 "$query" events.sqlite tcp --count --into events.idx
has "one that fails now" "the row with id 1 is not the one" "$err"
sqlite3 events.sqlite "DELETE FROM ev WHERE n <= 3"
exits "rows that went" 0 "$index" events.sqlite events.conf --into events.idx --no-headers --rebuild
is "a capture without stored headers" 2 "$("$query" events.sqlite tcp -w - --into events.idx 2>/dev/null | tcpdump -nr - 2>/dev/null | wc -l)"

# --- triggers have none in them, and note what it may depend on
cp ulog.sqlite tracked.sqlite
exits "tracked" 0 "$index" tracked.sqlite ulog.conf --track
is "no trigger has an expression" "0" "$(sqlite3 tracked.sqlite "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%coalesce%'")"
sqlite3 tracked.sqlite "UPDATE ulog SET nat = '203.0.113.9' WHERE n = 1"
exits "a change of what it reads" 0 "$index" tracked.sqlite --quiet
is "a change of what it reads" "1" "$("$query" tracked.sqlite '{dst host 203.0.113.9}' --rowids)"
exits "other tables are not tracked" 2 "$index" tracked.sqlite names.conf
has "other tables are not tracked" "'destination_port' reads other rows than its own" "$err"
exits "unless they are no longer" 0 "$index" tracked.sqlite names.conf --no-track --quiet
exits "--track from the start" 2 "$index" ulog.sqlite names.conf --track --into new.idx
has "--track from the start" "without --track" "$err"

# --- an index from an enemy
# stored NAME PART EXPRESSION
stored() {
	cp ulog.idx enemy.idx
	sqlite3 enemy.idx "UPDATE connbits_source SET columns = json_set(columns, '\$.destination_port', '$(printf %s "$3" | sed "s/'/''/g")')"
	exits "$1 is not asked" 1 "$query" ulog.sqlite smb --count --into enemy.idx
	has "$1 is not asked" "$2" "$err"
	exits "$1 is not gone on from" 1 "$index" ulog.sqlite --into enemy.idx
	has "$1 is not gone on from" "$2" "$err"
	exits "$1 in a host" 1 loading sqlite3 ulog.sqlite -cmd ".load $build/connbits.so" -cmd "ATTACH 'enemy.idx' AS i" "SELECT bitmap_count('smb')"
	has "$1 in a host" "$2" "$err"
	exits "$1 is built again" 0 "$index" ulog.sqlite ulog.conf --into enemy.idx --quiet
}
stored "another statement" "closes before its end" "(1) FROM ulog; ATTACH 'x.sqlite' AS x; --"
stored "a function" "not authorized to use function: load_extension" "(load_extension('x'))"
catalogue '((SELECT count(*) FROM ulog a, ulog b, ulog c, ulog d, ulog e, ulog f, ulog g, ulog h, ulog i, ulog j, ulog k, ulog l, ulog m, ulog n, ulog o, ulog p, ulog q, ulog r, ulog s, ulog t, ulog u, ulog v, ulog w, ulog x, ulog y, ulog z, ulog aa, ulog ab, ulog ac, ulog ad))' >long.conf
stored "one of all rows" "about all rows together, not about one" "(max(tcp_dport))"
stored "an endless one" "takes too long for one row" "$(sed -n 's/^destination_port = //p' long.conf)"

# --- a host's connection
exits "index" 0 "$index" ulog.sqlite ulog.conf --into ulog.idx --quiet
# host SQL...: what a host prints that has the log open, and the index attached
host() {
	loading sqlite3 ulog.sqlite -cmd ".load $build/connbits.so" -cmd "ATTACH 'ulog.idx' AS i" "$@"
}
exits "a host asks" 0 host "SELECT n FROM ulog WHERE rowid IN bitmap('smb')"
is "a host asks" "1" "$out"
exits "a host that is writing" 1 host "BEGIN IMMEDIATE; SELECT bitmap_count('smb')"
has "a host that is writing" "commit first" "$err"
exits "a log in memory" 1 loading sqlite3 :memory: -cmd ".load $build/connbits.so" -cmd "ATTACH 'ulog.idx' AS i" \
	"CREATE TABLE ulog (n INTEGER PRIMARY KEY, s, d, nat, p, tcp_sport, tcp_dport, udp_sport, udp_dport, ts); SELECT bitmap_count('smb')"
has "a log in memory" "a log in memory has no file" "$err"
cat >host.py <<'END'
# A function of the host's by the name of one in the expression: whoever evaluates it in the host's connection calls this.
import sqlite3, sys
calls = []
host = sqlite3.connect("ulog.sqlite")
host.create_function("coalesce", -1, lambda *values: calls.append(values))
host.create_function("ifnull", 2, lambda *values: calls.append(values))
host.create_function("nullif", 2, lambda *values: calls.append(values))
seen = []
host.set_authorizer(lambda *words: seen.append(words) or sqlite3.SQLITE_OK)
host.enable_load_extension(True)
host.load_extension(sys.argv[1])
host.execute("ATTACH 'ulog.idx' AS i")
rows = host.execute("SELECT n FROM ulog WHERE rowid IN bitmap('smb')").fetchall()
print(rows, calls, [words[2] for words in seen if words[0] == sqlite3.SQLITE_FUNCTION and words[2] in ("coalesce", "ifnull", "nullif")])
END
exits "nothing of it runs in a host's connection" 0 loading /usr/bin/python3 host.py "$build/connbits.so"
is "nothing of it runs in a host's connection" "[(1,)] [] []" "$out"

cat >other.py <<'END'
# What a second connection in a host's process must not do, and what it could not see.
import os, shutil, sqlite3, subprocess, sys, threading
extension = sys.argv[1]
def host(path="host.sqlite"):
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.enable_load_extension(True)
    connection.load_extension(extension)
    connection.execute("ATTACH 'ulog.idx' AS i")
    return connection
def ask(connection):
    try:
        return connection.execute("SELECT n FROM ulog WHERE rowid IN bitmap('smb')").fetchall()
    except sqlite3.Error as error:
        return str(error)
def other():
    return subprocess.run(["sqlite3", "host.sqlite", "UPDATE ulog SET ts = 0 WHERE n = 1"], capture_output=True).returncode
def says(name, part, answer):
    print(name, "ok" if part in str(answer) else answer)
for mode in "delete", "wal":
    shutil.copy("ulog.sqlite", "host.sqlite")
    one = host()
    one.execute("PRAGMA journal_mode = " + mode)
    one.execute("PRAGMA locking_mode = EXCLUSIVE")
    one.execute("UPDATE ulog SET ts = 1 WHERE n = 2")
    says(mode + ", a host that has locked its log", "locked", ask(one))
    says("has it locked still", "True", other() != 0)
    one.close()
shutil.copy("ulog.sqlite", "host.sqlite")
one = host()
one.execute("SELECT * FROM ulog").fetchone()
os.rename("host.sqlite", "moved.sqlite")
shutil.copy("ulog.sqlite", "host.sqlite")
says("a log that was moved", "another file has taken the place", ask(one))
one.close()
two = sqlite3.connect("host.sqlite", isolation_level=None)
two.execute("PRAGMA journal_mode = wal")
one = host()
one.execute("BEGIN")
one.execute("SELECT count(*) FROM ulog").fetchone()
says("a transaction in WAL mode", "end that first", ask(one))
one.execute("COMMIT")
says("and behind it", "[(1,)]", ask(one))
one.close()
two.close()
sqlite3.enable_shared_cache(True)
one = host()
threading.Timer(30, lambda: os._exit(3)).start()
says("a shared cache", "[(1,)]", ask(one))
os._exit(0)
END
exits "beside a host" 0 loading /usr/bin/python3 -W ignore other.py "$build/connbits.so"
is "beside a host" "delete, a host that has locked its log ok
has it locked still ok
wal, a host that has locked its log ok
has it locked still ok
a log that was moved ok
a transaction in WAL mode ok
and behind it ok
a shared cache ok" "$out"

# --- what is now is no time of a row
catalogue "$ports" "(datetime('no' || 'w'))" >now.conf
exits "the time it is now, in parts" 0 "$index" ulog.sqlite now.conf --into now.idx --quiet
"$query" ulog.sqlite smb -w now.pcap --into now.idx 2>now.err
has "is none" "rows without a time that can be read and a capture can hold: 1" "$(cat now.err)"

# --- text of another encoding
sqlite3 wide.sqlite "PRAGMA encoding = 'UTF-16le'; CREATE TABLE ulog (n INTEGER PRIMARY KEY, s, d, nat, p, tcp_sport, tcp_dport, udp_sport, udp_dport, ts);
	INSERT INTO ulog VALUES (1, '192.0.2.1', '', '198.51.100.1', 'tcp', '1024', '445', NULL, NULL, '2023-11-14')"
catalogue "$ports" "(ts || 'T12:00')" >wide.conf
exits "UTF-16" 0 "$index" wide.sqlite wide.conf --quiet
is "UTF-16" "1" "$("$query" wide.sqlite smb -w - | TZ=UTC tcpdump -tttt -n -r - 2>/dev/null | grep -c '^2023-11-14 12:00:00.* > 198.51.100.1.445')"

finish
