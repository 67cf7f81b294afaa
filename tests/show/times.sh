#!/bin/sh
# Times in questions: what is refused and how, and what happens where the log's times are odd. The
# answers are held against known rows by times.py.
set -u
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1

# run COMMAND...: it has to succeed
run() {
	exits "$*" 0 "$@"
}

loading /usr/bin/python3 "$root/tests/show/times.py" "$build" || failed=$((failed + 1))

sqlite3 log.sqlite "CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type,
	connection_transport, connection_timestamp, local_host, local_port, remote_host, remote_port);
	INSERT INTO connections VALUES
	(1, 'accept', 'tcp', '2025-11-26 23:59:59.999999', '192.0.2.1', 445, '198.51.100.7', 5),
	(2, 'accept', 'tcp', '2025-11-27', '192.0.2.1', 445, '198.51.100.7', 5),
	(3, 'accept', 'tcp', unixepoch() - 3600, '192.0.2.1', 445, '198.51.100.7', 5),
	(4, 'accept', 'tcp', 'soon', '192.0.2.1', 445, '198.51.100.7', 5)"
printf '[filter smb]\nexpression = tcp dst port 445\n[filter since]\nexpression = udp\n' >filters.conf
run "$index" log.sqlite filters.conf --quiet

run "$query" log.sqlite 'since 2025-11-27 and before 2025-11-27T00:00:00.000001' --rowids
is "a day begins at midnight UTC" 2 "$out"
is "who is timeless is told" "connbits-query: rows without a time that can be read: 1; they are neither since nor before any time" "$err"
run "$query" log.sqlite smb --since -2h --rowids
is "hours back from now" 3 "$out"
run "$query" log.sqlite 'smb and before -30m' --rowids
is "minutes back from now" "1 2 3" "$(echo $out)"
run "$query" log.sqlite smb --since -9999999d --count
is "days back from now, before all times" 3 "$out"
run "$query" log.sqlite smb --limit 2 --by day
is "a table of days" "value       rows
----------  ----
2025-11-26     1
2025-11-27     1" "$out"
run "$query" log.sqlite smb --by hour --format json
has "hours as JSON" '{"value": "2025-11-26T23:00", "rows": 1},' "$out"
has "rows without a time" '{"value": null, "rows": 1}' "$out"
run "$query" log.sqlite '{udp}' --by day --format csv
is "days of no rows" "value,rows" "$(echo "$out" | tr -d '\r')"
run "$query" log.sqlite 'not since' --count
is "a filter may be called since" 4 "$out"

# Of rows that went from the log's start since then nothing is told.
run "$index" log.sqlite filters.conf --quiet --into gone.sqlite
sqlite3 log.sqlite "VACUUM INTO 'gone.log'" "DELETE FROM connections WHERE connection < 4"
run "$query" log.sqlite 'before 2030-01-01' --count --into gone.sqlite
has "a row without a time that is left" "that can be read: 1;" "$err"
mv gone.log log.sqlite
sqlite3 log.sqlite "INSERT INTO connections VALUES (5, 'accept', 'tcp', '2025-11-27', '192.0.2.1', 445, '198.51.100.7', 5)"
run "$index" log.sqlite filters.conf --quiet --into gone.sqlite
sqlite3 log.sqlite "VACUUM INTO 'kept.log'" "DELETE FROM connections WHERE connection < 5"
run "$query" log.sqlite 'since 2025-11-27' --rowids --into gone.sqlite
is "only what is left" 5 "$out"
is "and nothing is told of one that is gone" "connbits-query: 2 indexed rows are no longer in the log; connbits-index brings the index up to date" "$err"
sqlite3 kept.log "DELETE FROM connections WHERE connection = 5"
mv kept.log log.sqlite
run "$index" log.sqlite filters.conf --quiet

refused() {
	exits "$*" 2 "$query" log.sqlite "$@"
	is "$1 ${2:-} ${3:-}: nothing on stdout" "" "$out"
}
refused 'smb and since 2025-11-31'
is "a day that there is not, with a caret" "connbits-query: no time: expected 2026-11-27, 2026-11-27T18:30:05Z or, back from now, -7d, -12h, -30m
  smb and since 2025-11-31
                ^" "$err"
for text in 2026 2025-11 2025-11-27T 2025-11-27T24:00 20261127 1700000000 -7 -7w +7d -d -12345678d \
	2025-11-27T18:30+0100 2025-11-27T18 -7d5 2025-11-27Tz 2025-11-27T18:30:05. 2025-11-27T18:30Z9; do
	refused "before $text"
	has "before $text: expected" "no time: expected" "$err"
	refused smb --before "$text"
	has "--before $text: expected" "--before $text: expected" "$err"
done
refused smb --by week
has "--by: expected" "--by week: expected host, src, dst, port, proto, day or hour" "$err"
refused smb --rowids --by day
has "two actions" "exclude each other" "$err"
refused smb --by day --columns local_host
has "which actions take --columns" "--columns is for rows" "$err"
refused smb --bitmap - --limit 3
has "which actions take --limit" "--limit is for rows, --rowids and --by" "$err"
exits "a list of a time" 2 "$query" log.sqlite --list --since -7d
has "a list of a time" "--since is for rows, --count, --rowids, --by, --bitmap, -w and --each" "$err"

# An index without columns has no times, and a table without a column for them neither.
run "$index" log.sqlite filters.conf --quiet --into bare.sqlite --no-headers
for options in '--since -7d' '--by day'; do
	exits "no columns, $options" 1 "$query" log.sqlite smb $options --into bare.sqlite
	has "no columns, $options: why" "without --no-headers" "$err"
done
sqlite3 plain.sqlite "CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type,
	connection_transport, local_host, local_port, remote_host, remote_port, seen);
	INSERT INTO connections VALUES (1, 'accept', 'tcp', '192.0.2.1', 445, '198.51.100.7', 5, 1700000000)"
run "$index" plain.sqlite filters.conf --quiet
for options in '--since -7d' '--by day'; do
	exits "no column of times, $options" 1 "$query" plain.sqlite smb $options
	has "no column of times, $options: what to do" "[source]: schema = dionaea, timestamp = COLUMN" "$err"
done
printf '[source]\nschema = dionaea\ntimestamp = seen\n' | cat - filters.conf >seen.conf
run "$index" plain.sqlite seen.conf --quiet
run "$query" plain.sqlite 'smb and since 2023-11-14T22:13:20Z' --count
is "a column that is named later builds the index anew" 1 "$out"

# A time that cannot be evaluated is none, and the row has its header all the same.
sqlite3 json.sqlite "CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type,
	connection_transport, local_host, local_port, remote_host, remote_port, data);
	INSERT INTO connections VALUES (1, 'accept', 'tcp', '192.0.2.1', 445, '198.51.100.7', 5, '{\"t\": 1700000000}'),
	(2, 'accept', 'tcp', '192.0.2.1', 445, '198.51.100.7', 5, '{'),
	(3, 'accept', 'tcp', '192.0.2.1', 445, '198.51.100.7', 5, '{\"t\": \"2023-11-15\"}'),
	(4, 'accept', 'tcp', 'nowhere', 445, '198.51.100.7', 5, '{')"
printf "[source]\nschema = dionaea\ntimestamp = (data ->> '\$.t')\n" | cat - filters.conf >json.conf
run "$index" json.sqlite json.conf --quiet
run "$query" json.sqlite @all --by day --format csv
is "of an expression" "value,rows 2023-11-14,1 2023-11-15,1 ,1" "$(echo $(echo "$out" | tr -d '\r'))"
run "$index" json.sqlite --verify=all --quiet

# The time alone is another: with --track its segment is read again, else --verify finds it.
run "$index" log.sqlite filters.conf --quiet --into tracked.sqlite --track
sqlite3 log.sqlite "UPDATE connections SET connection_timestamp = 1000000000 WHERE connection = 2"
run "$index" log.sqlite --verify=all --quiet --into bare.sqlite
exits "a stored time that is another" 1 "$index" log.sqlite --verify=all --quiet --into tracked.sqlite
has "a stored time that is another" "row id 2: the index has stored another time than its row says" "$err"
exits "a change that was noted" 1 "$query" log.sqlite smb --count --into tracked.sqlite
run "$index" log.sqlite filters.conf --quiet --into tracked.sqlite
run "$query" log.sqlite 'since 2001-09-09 and before 2001-09-10' --rowids --into tracked.sqlite
is "until it is read again" 2 "$out"

# A capture is made of what is stored.
run "$query" log.sqlite 'before 2025-11-27' -w times.pcap --into tracked.sqlite
is "the times of a capture" "2001-09-09 01:46:40.000000 2025-11-26 23:59:59.999999" \
	"$(echo $(TZ=UTC tcpdump -tttt -n -r times.pcap 2>/dev/null | cut -d ' ' -f 1,2 | sort))"
finish
