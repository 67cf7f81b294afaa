#!/bin/sh
# The tables of all known tools: made as they document them (layouts.py), and made by the tools that
# Debian has; and several tables in one file.
# Where a tool is missing that is said aloud, and with CONNBITS_CLIENTS set it is a failure. A machine
# where no network namespace can be made is only said to be one.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1

missing() {
	printf 'NOT TESTED: %s is missing\n' "$1"
	[ -z "${CONNBITS_CLIENTS:-}" ] || fail "$1 is missing"
}

exits "every layout" 0 python3 "$root/tests/log/layouts.py" "$build" "${CONNBITS_LAYOUT_ROWS:-1000}" 1 ${CONNBITS_PRELOAD:+5}
printf '%s\n' "$out" | tail -n 5

# --- what is known
exits "--list-schemas" 0 "$index" --list-schemas
schemas=$out
for schema in dionaea zeek pmacct ulogd2 opensnitch portmaster ntopng fort; do
	has "--list-schemas has $schema" "$schema: " "$schemas"
done
has "--list-schemas says what is not certain" "not certain" "$schemas"
is "--list-schemas is 100 columns wide, long lists aside" "" "$(printf '%s\n' "$schemas" | grep -v '^    without' | awk 'length > 100')"

# --- several tables in one file
printf '[filter smb]\nexpression = tcp dst port 445\n[filter dns]\nexpression = udp port 53\n' >few.conf
sqlite3 zeek.sqlite 'CREATE TABLE conn (ts, "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", proto);
	CREATE TABLE dns (ts, "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", proto, query);
	CREATE TABLE ssl (ts, "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p");
	CREATE TABLE odd (ts, "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p");
	CREATE TABLE notice (ts, note);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
	INSERT INTO conn SELECT i, '"'10.0.0.1', i, '192.0.2.9', 440 + i % 10, 'tcp'"' FROM n;
	INSERT INTO dns SELECT rowid, "id.orig_h", "id.orig_p", "id.resp_h", 53, '"'udp', 'x'"' FROM conn WHERE rowid % 2;
	INSERT INTO ssl SELECT rowid, "id.orig_h", "id.orig_p", "id.resp_h", 445 FROM conn WHERE rowid <= 7;
	INSERT INTO odd SELECT * FROM ssl'
exits "conn is found among several" 0 "$index" zeek.sqlite few.conf --into zeek.idx --json
is "conn is found among several" '"conn" "zeek" 1000' "$(printf '%s' "$out" | jq -r '[.table, .schema, .rows] | map(tojson) | join(" ")')"
is "an index of one table needs no name of it" 100 "$("$query" zeek.sqlite smb --count --into zeek.idx)"
is "but may have it" 100 "$("$query" zeek.sqlite 'conn: smb' --count --into zeek.idx)"
exits "a second table" 0 "$index" zeek.sqlite few.conf --into zeek.idx --quiet --table DNS
exits "a third table, whose protocol goes without saying" 0 "$index" zeek.sqlite few.conf --into zeek.idx --quiet --table ssl
is "each has its own index" "conn dns ssl" "$(sqlite3 zeek.idx "SELECT group_concat(table_name, ' ') FROM connbits_source")"
exits "without a name" 1 "$query" zeek.sqlite smb --count --into zeek.idx
has "without a name says how" "'conn: smb'" "$err"
is "before the expression" "100 500 7" "$("$query" zeek.sqlite 'conn: smb' --count --into zeek.idx) $("$query" zeek.sqlite ' "dns" : dns and not smb' --count --into zeek.idx) $("$query" zeek.sqlite 'SSL:smb' --count --into zeek.idx)"
is "by --table" "100 500" "$("$query" zeek.sqlite smb --count --into zeek.idx --table conn) $("$query" zeek.sqlite '{udp}' --count --into zeek.idx --table dns)"
exits "both" 2 "$query" zeek.sqlite 'conn: smb' --table dns --count --into zeek.idx
exits "a table that is not indexed" 1 "$query" zeek.sqlite 'odd: smb' --count --into zeek.idx
has "a table that is not indexed" "no table 'odd'" "$err"
is "--list is of one table" "500" "$("$query" zeek.sqlite --list --table dns --into zeek.idx --format json | jq -r 'map(select(.name == "dns")) | .[0].rows')"
has "--explain is of one table" "445" "$("$query" zeek.sqlite --explain 'ssl: smb' --into zeek.idx)"
has "a mistake is shown where it is" "did you mean 'smb'" "$("$query" zeek.sqlite 'conn: smv' --count --into zeek.idx 2>&1)"
sql() {
	loading sqlite3 -bail zeek.sqlite ".load $build/connbits" "ATTACH 'zeek.idx' AS idx" "$@" 2>&1
}
is "in SQL" "100|500|7" "$(sql "SELECT bitmap_count('conn: smb'), bitmap_count('dns:dns'), (SELECT count(*) FROM ssl WHERE rowid IN bitmap('ssl: smb'))")"
is "tables that take turns in SQL" "100|500|100|7|100" "$(sql "SELECT bitmap_count('conn: smb'), bitmap_count('dns: dns'), bitmap_count('conn: smb'), bitmap_count('ssl: smb'), bitmap_count('conn: smb')")"
is "in SQL it is said which" "conn|ssl" "$(sql "SELECT bitmap_table('conn: smb'), bitmap_table('SSL: smb', 'idx')")"
has "--list says which" "table dns (zeek)" "$("$query" zeek.sqlite --list --table dns --into zeek.idx)"
has "--explain says which" "table:      ssl (zeek)" "$("$query" zeek.sqlite --explain 'ssl: smb' --into zeek.idx)"
has "in SQL without a name" "has several tables" "$(sql "SELECT bitmap_count('smb')")"
sqlite3 zeek.sqlite 'INSERT INTO conn SELECT * FROM conn WHERE rowid <= 10; INSERT INTO dns SELECT * FROM dns WHERE rowid <= 3'
exits "all tables are brought up to date" 0 "$index" zeek.sqlite --into zeek.idx --json
is "all tables are brought up to date" "conn 10 dns 3 ssl 0" "$(printf '%s' "$out" | jq -r '.table, .rows_new' | tr '\n' ' ' | sed 's/ $//')"
exits "and verified" 0 "$index" zeek.sqlite --into zeek.idx --verify=all --json
is "and verified" 3 "$(printf '%s' "$out" | grep -c verified)"
sqlite3 zeek.sqlite 'DELETE FROM conn WHERE rowid BETWEEN 20 AND 30; VACUUM'
exits "a table that was renumbered" 1 "$query" zeek.sqlite 'conn: smb' --count --into zeek.idx
exits "does not hinder another" 0 "$query" zeek.sqlite 'ssl: smb' --count --into zeek.idx
exits "and is built again" 0 "$index" zeek.sqlite few.conf --into zeek.idx --quiet
is "alone" "100 503 7" "$("$query" zeek.sqlite 'conn: smb' --count --into zeek.idx) $("$query" zeek.sqlite 'dns: dns' --count --into zeek.idx) $("$query" zeek.sqlite 'ssl: smb' --count --into zeek.idx)"
exits "tracked, one of several" 0 "$index" zeek.sqlite few.conf --into zeek.idx --quiet --table ssl --track
sqlite3 zeek.sqlite 'UPDATE ssl SET "id.resp_p" = 1 WHERE rowid = 3'
exits "a change is seen" 1 "$query" zeek.sqlite 'ssl: smb' --count --into zeek.idx
exits "and dealt with" 0 "$index" zeek.sqlite --into zeek.idx --quiet
is "and dealt with" 6 "$("$query" zeek.sqlite 'ssl: smb' --count --into zeek.idx)"

# --- a table that is gone
sqlite3 zeek.sqlite 'DROP TABLE dns'
exits "a table that is gone" 1 "$query" zeek.sqlite 'dns: dns' --count --into zeek.idx
exits "--prune" 0 "$index" zeek.sqlite few.conf --into zeek.idx --quiet --prune
is "--prune drops it" "conn ssl" "$(sqlite3 zeek.idx "SELECT group_concat(table_name, ' ') FROM connbits_source")"
is "--prune leaves nothing of it" "0 0" "$(sqlite3 zeek.idx "SELECT count(*) FROM connbits_filter WHERE source NOT IN (SELECT id FROM connbits_source); SELECT count(*) FROM connbits_bitmap WHERE filter NOT IN (SELECT id FROM connbits_filter)" | tr '\n' ' ' | sed 's/ $//')"
sqlite3 zeek.sqlite 'CREATE TABLE dns AS SELECT *, 1 AS query FROM conn LIMIT 3; CREATE TABLE http AS SELECT ts, "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p" FROM conn'

# --- catalogues that are about one of several tables
printf "[source]\nschema = zeek\ntable = http\ntransport = 'udp'\n" | cat - few.conf >http.conf
exits "a [source] of its own table" 0 "$index" zeek.sqlite http.conf --into both.idx --quiet
exits "does not count for another" 0 "$index" zeek.sqlite http.conf --into both.idx --quiet --table ssl
rows=$(sqlite3 zeek.sqlite "SELECT count(*) FROM http")
is "does not count for another" "0 $rows 7 0" "$("$query" zeek.sqlite 'http: {tcp}' --count --into both.idx) $("$query" zeek.sqlite 'http: {udp}' --count --into both.idx) $("$query" zeek.sqlite 'ssl: {tcp}' --count --into both.idx) $("$query" zeek.sqlite 'ssl: {udp}' --count --into both.idx)"
sqlite3 zeek.sqlite 'INSERT INTO http SELECT * FROM http LIMIT 5; DROP TABLE ssl'
exits "a table that is gone fails" 1 "$index" zeek.sqlite --into both.idx --json
has "and is named" "table 'ssl'" "$err"
is "but the others are brought up to date" "http 5" "$(printf '%s' "$out" | jq -r '"\(.table) \(.rows_new)"')"
exits "--forget" 0 "$index" zeek.sqlite --into both.idx --forget --table ssl
is "--forget says nothing" "" "$out$err"
exits "--forget leaves the other" 0 "$query" zeek.sqlite dns --count --into both.idx
exits "--forget twice" 1 "$index" zeek.sqlite --into both.idx --forget --table ssl
has "--forget twice" "no index of the table 'ssl'" "$err"
exits "--forget of which" 2 "$index" zeek.sqlite --into both.idx --forget
exits "a schema without a catalogue stays with its table" 0 "$index" zeek.sqlite --into both.idx --schema zeek --json
is "a schema without a catalogue stays with its table" http "$(printf '%s' "$out" | jq -r .table)"
sqlite3 two.sqlite 'CREATE TABLE acct_v5 (ip_src, ip_dst, src_port, dst_port, ip_proto); CREATE TABLE acct_v9 (ip_src, ip_dst, port_src, port_dst, ip_proto)'
exits "tables of two schemas" 1 "$index" two.sqlite few.conf
has "tables of two schemas" "'acct_v5', 'acct_v9'" "$err"
sqlite3 names.sqlite 'CREATE TABLE "a:b" ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", proto); CREATE TABLE "say ""c""" AS SELECT * FROM "a:b"; INSERT INTO "a:b" VALUES ('"'10.0.0.1', 1, '10.0.0.2', 445, 'tcp'"')'
"$index" names.sqlite few.conf --into names.idx --quiet --table a:b 2>/dev/null
"$index" names.sqlite few.conf --into names.idx --quiet --table 'say "c"' 2>/dev/null
exits "names that need quotes" 1 "$query" names.sqlite smb --count --into names.idx
has "names that need quotes" '("a:b", "say ""c""")' "$err"
is "names that need quotes, in quotes" "1 0" "$("$query" names.sqlite '"a:b": smb' --count --into names.idx) $("$query" names.sqlite '"say ""c""": smb' --count --into names.idx)"
exits "a quote that is not closed" 2 "$query" names.sqlite '"a:b: smb' --count --into names.idx

# --- a killed build of one table, and the next job of another
sqlite3 killed.sqlite 'CREATE TABLE conn ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", proto); CREATE TABLE dns AS SELECT * FROM conn;
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200000) INSERT INTO dns SELECT '"'10.0.0.1', i % 60000, '192.0.2.9', 53, 'udp'"' FROM n;
	INSERT INTO conn SELECT * FROM dns LIMIT 10'
"$index" killed.sqlite few.conf --into killed.idx --quiet
sqlite3 killed.idx "INSERT INTO connbits_source (id, building, schema, columns, identity, packed, inside, tracked, first_row, last_row) SELECT 77, 'dns', schema, columns, 'x', packed, inside, tracked, 1, 0 FROM connbits_source"
"$index" killed.sqlite few.conf --into killed.idx --quiet
is "a build that was begun stays for its own table" 77 "$(sqlite3 killed.idx "SELECT id FROM connbits_source WHERE building = 'dns'")"
"$index" killed.sqlite few.conf --into killed.idx --quiet --table dns
is "and is gone after it" "conn dns" "$(sqlite3 killed.idx "SELECT group_concat(coalesce(table_name, building), ' ') FROM connbits_source")"
is "the answers are right" "0 1200000" "$("$query" killed.sqlite 'conn: smb' --count --into killed.idx) $("$query" killed.sqlite 'dns: dns' --count --into killed.idx)"

# --- an index of the format before
"$build/connbits-generate" --rows 5000 old.sqlite
"$index" old.sqlite few.conf --into old.idx --quiet --track --no-headers
sqlite3 old.idx "UPDATE connbits_format SET version = 3"
exits "an index of the format before" 0 "$index" old.sqlite few.conf --into old.idx --json
has "an index of the format before is built again" "earlier format" "$(printf '%s' "$out" | jq -r .rebuild)"
is "and stays as it was" "0|1" "$(sqlite3 old.idx "SELECT packed, tracked FROM connbits_source")"
sqlite3 old.sqlite "UPDATE connections SET local_port = 445, connection_transport = 'tcp' WHERE connection BETWEEN 2000 AND 2010"
exits "its triggers still count" 1 "$query" old.sqlite smb --count --into old.idx

# --- where a table cannot be known
exits "a table of Zeek's whose transport is not known" 1 "$index" zeek.sqlite few.conf --table odd --into odd.idx
has "a table of Zeek's whose transport is not known: what to write" "schema = zeek, table = odd, transport = 'tcp'" "$err"
printf "[source]\nschema = zeek\ntable = odd\ntransport = 'tcp'\n" | cat - few.conf >odd.conf
exits "it is given once" 0 "$index" zeek.sqlite odd.conf --into odd.idx --quiet
exits "and remembered" 0 "$index" zeek.sqlite --into odd.idx --quiet
is "and used" 7 "$("$query" zeek.sqlite smb --count --into odd.idx)"
sqlite3 zeek.sqlite 'DROP TABLE conn'
exits "several tables and none of them first" 1 "$index" zeek.sqlite few.conf --into none.idx
has "several tables and none of them first: which" "'dns', 'http'" "$err"
exits "a schema that there is not" 2 "$index" zeek.sqlite few.conf --schema bro --into none.idx
has "a schema that there is not" "--list-schemas" "$err"
exits "a schema that does not fit" 1 "$index" zeek.sqlite few.conf --schema pmacct --table dns --into none.idx
has "a schema that does not fit: what is missing" "no column 'ip_proto'" "$err"
sqlite3 none.sqlite "CREATE TABLE t (a, b)"
exits "no table of a known tool" 1 "$index" none.sqlite few.conf
has "no table of a known tool" "--list-schemas" "$err"
mistake() {
	printf '[source]\ntable = t\nsource_host = a\nsource_port = a\ndestination_host = a\ndestination_port = a\n%s\n' "$2" | cat - few.conf >bad.conf
	exits "$1" 2 "$index" none.sqlite bad.conf --into none.idx
	has "$1" "$3" "$err"
}
mistake "hosts of another kind" "$(printf 'transport = b\nhosts = octal')" "expected text, integer, network or blob"
mistake "a transport in quotes that is none" "transport = 'pigeon'" "in quotes"
mistake "a direction without hosts that need it" "$(printf 'transport = b\ndirection = inbound')" "goes with local_host"
mistake "a transport given twice" "$(printf "transport = b\ntransport = 'tcp'")" "given twice"
mistake "an unknown schema" "$(printf 'transport = b\nschema = bro')" "unknown schema"
mistake "no transport" "icmp = ports" "no 'transport'"
# builds NAME LINES PART: a section on top of a schema
builds() {
	printf '[source]\nschema = %s\n%s\n' "$2" "$3" | cat - few.conf >bad.conf
	exits "$1" 2 "$index" none.sqlite bad.conf --into none.idx
	has "$1" "$4" "$err"
}
builds "a source where there is a local host" dionaea "source_host = a" "local and remote"
builds "a local host where there is a source" zeek "local_host = a" "sources and destinations"
builds "a direction where there is none" zeek "direction = inbound" "goes with local_host"
builds "a type where there is no direction" zeek "type = ts" "goes with local_host"
builds "a type of ICMP without a code" zeek "icmp_type = ts" "both 'icmp_type' and 'icmp_code'"

# --- a table without ports
sqlite3 hosts.sqlite "CREATE TABLE seen (a, b, p); INSERT INTO seen VALUES ('10.0.0.1', '192.0.2.1', 'tcp'), ('192.0.2.1', '10.0.0.1', 'udp')"
printf '[source]\ntable = seen\nsource_host = a\ndestination_host = b\ntransport = p\n' >hosts.source
cat "$(dirname "$0")/../../data/filters.conf" hosts.source >hosts.conf
exits "the catalogue of connbits on a table without ports" 0 "$index" hosts.sqlite hosts.conf
is "leaves filters out in one line" "1" "$(echo "$err" | grep -c "^connbits-index: warning: 82 filters are left out: the table 'seen' (schema catalogue) has no column for ports and ICMP types$")"
has "and has the others" "25 filters" "$out"
is "which answer" "1 2" "$("$query" hosts.sqlite tcp --rowids) $("$query" hosts.sqlite '{udp and dst net 10}' --rowids)"
exits "a night says so again" 0 "$index" hosts.sqlite hosts.conf
has "a night says so again" "82 filters are left out" "$err"
exits "without a catalogue there is nothing to leave out" 0 "$index" hosts.sqlite
is "without a catalogue there is nothing to leave out" "" "$(echo "$err" | grep "left out")"
cat hosts.source few.conf >hosts.conf
exits "any other catalogue" 2 "$index" hosts.sqlite hosts.conf
has "is told of the option" "--skip-unanswerable" "$err"
exits "a question in braces" 2 "$query" hosts.sqlite '{src port 53}' --count
has "names the table" "the source port, for which the table 'seen'" "$err"

# --- pmacctd over a capture
"$build/connbits-generate" --rows 3000 log.sqlite
"$index" log.sqlite "$root/data/filters.conf" --quiet
"$query" log.sqlite @all -w all.pcap
if command -v pmacctd >/dev/null && [ -d /usr/share/pmacct/sql ]; then
	for version in 1 9; do
		table=acct$([ $version = 1 ] || echo _v$version)
		sqlite3 pmacct.sqlite <"/usr/share/pmacct/sql/pmacct-create-table_v$version.sqlite3"
		cat >pmacct.conf <<CONF
daemonize: false
pcap_savefile: $work/all.pcap
aggregate: src_host, dst_host, src_port, dst_port, proto
plugins: sqlite3
sql_db: $work/pmacct.sqlite
sql_table: $table
sql_table_version: $version
sql_refresh_time: 3600
sql_dont_try_update: true
sql_optimize_clauses: true
CONF
		timeout 60 pmacctd -f pmacct.conf >pmacct.log 2>&1
		exits "what pmacctd wrote, version $version" 0 "$index" pmacct.sqlite "$root/data/filters.conf" --into pmacct.idx --json --table "$table"
		is "what pmacctd wrote, version $version" "pmacct" "$(printf '%s' "$out" | jq -r .schema)"
		for filter in smb ssh mssql ipv6 sip http; do
			exits "dionaea's rows of $filter" 0 "$query" log.sqlite "$filter" --count
			printf '%s\n' "$out" >expected
			is "pmacctd's rows of $filter, version $version" "$(cat expected)" "$("$query" pmacct.sqlite "$table: $filter" --into pmacct.idx --columns packets --format csv | tail -n +2 | awk '{s += $1} END {print s + 0}')"
		done
	done
else
	missing pmacctd
fi

# --- ulogd2 in a network namespace, told of connections that nobody makes
plugins=$(find /usr/lib -name ulogd_inpflow_NFCT.so 2>/dev/null | head -n 1)
space=connbits-$$
if ! command -v ulogd >/dev/null || ! command -v conntrack >/dev/null || [ -z "$plugins" ]; then
	missing ulogd2
elif ! ip netns add "$space" 2>/dev/null; then
	# Containers often forbid it, and the documented table was tested above.
	printf 'NOT TESTED: what ulogd2 writes, since no network namespace can be made here\n'
else
	sqlite3 ulogd.sqlite "CREATE TABLE ulog_ct (orig_ip_saddr INTEGER, orig_ip_daddr INTEGER, orig_ip_protocol INTEGER,
		orig_l4_sport INTEGER, orig_l4_dport INTEGER, icmp_type INTEGER, icmp_code INTEGER, flow_start_sec INTEGER)"
	cat >ulogd.conf <<CONF
[global]
logfile="$work/ulogd.log"
plugin="$plugins"
plugin="$(dirname "$plugins")/ulogd_output_SQLITE3.so"
stack=ct1:NFCT,sq1:SQLITE3
[ct1]
event_mask=0x00000001
hash_enable=0
[sq1]
table="ulog_ct"
db="$work/ulogd.sqlite"
CONF
	cat >ulogd.sh <<'SCRIPT'
ulogd -c ulogd.conf &
daemon=$!
for try in 1 2 3 4 5 6 7 8 9 10; do
	grep -q "entering main loop" ulogd.log 2>/dev/null && break
	sleep 0.5
done
conntrack -I -s 10.0.0.1 -d 203.0.113.200 -p tcp --sport 40000 --dport 445 --state ESTABLISHED -t 100
conntrack -I -s 192.0.2.1 -d 203.0.113.200 -p udp --sport 5353 --dport 53 -t 100
conntrack -I -s 10.0.0.9 -d 203.0.113.200 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 7 -t 100
for try in 1 2 3 4 5 6 7 8 9 10; do
	[ "$(sqlite3 ulogd.sqlite "SELECT count(*) FROM ulog_ct")" = 3 ] && break
	sleep 0.5
done
kill $daemon
wait $daemon
SCRIPT
	ip netns exec "$space" sh ulogd.sh >ulogd.out 2>&1
	ip netns del "$space"
	printf '[filter smb]\nexpression = src net 10.0.0.0/8 and tcp dst port 445\n[filter dns]\nexpression = src host 192.0.2.1 and udp port 53\n[filter echo]\nexpression = icmp[0] == 8 and dst host 203.0.113.200\n' >ulogd-filters.conf
	exits "what ulogd2 wrote" 0 "$index" ulogd.sqlite ulogd-filters.conf --json
	is "what ulogd2 wrote" "ulogd2 3 3" "$(printf '%s' "$out" | jq -r '[.schema, .rows, .with_header] | map(tostring) | join(" ")')"
	is "ulogd2's rows" "1 2 3" "$(for filter in smb dns echo; do "$query" ulogd.sqlite $filter --rowids; done | tr '\n' ' ' | sed 's/ $//')"
fi
finish
