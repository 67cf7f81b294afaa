#!/bin/sh
# From nothing to an answered question:
#   sh data/demo.sh
# Installs what is missing (as root, or through sudo), builds, generates a log
# of a million connections, indexes it, and queries it in two ways. Everything
# goes to build/; CONNBITS_DEMO_ROWS changes the size of the log.
set -eu
cd "$(dirname "$0")/.."
rows=${CONNBITS_DEMO_ROWS:-1000000}
folder=$PWD/build
log=$folder/demo.sqlite

show() {
	printf '\n$ %s\n' "$1"
	eval "$1"
}

sh data/setup.sh cmake gcc libmd-dev libpcap-dev libsqlite3-dev libyajl-dev libzstd-dev make pkg-config sqlite3 zlib1g-dev
echo "building in $folder (a minute or two)"
{ cmake -S . -B "$folder" && cmake --build "$folder" -j "$(nproc)"; } >"$folder.log" 2>&1 &
sh data/progress.sh $! "$folder.log"
wait $! || {
	cat "$folder.log"
	exit 1
}
rm -f "$folder.log" "$log" "$log-journal" "$folder/capture.sqlite" "$folder/capture.pcap"
PATH=$folder:$PATH
cd "$folder"

show "connbits-generate --rows $rows demo.sqlite"
show "connbits-index demo.sqlite ../data/filters.conf"
show "connbits-query demo.sqlite smb --count"
show "connbits-query demo.sqlite 'smb and not (rfc1918 or ipv6)' --count"
show "connbits-query demo.sqlite 'smb and not {src net 10.0.0.0/8 or src portrange 1024-4999}' --count"
show "connbits-query demo.sqlite 'smb and not (rfc1918 or ipv6)' --limit 4 \\
    --columns connection,connection_type,remote_host,remote_port,local_host,local_port"
show "connbits-query demo.sqlite 'smb and since 2025-06-24' --by day"
show "connbits-query demo.sqlite --summary --days 7"
show "connbits-query demo.sqlite --report demo.html"
show "connbits-index demo.sqlite ../data/filters.conf"
show "connbits-query demo.sqlite smb -w capture.pcap"
show "connbits-import capture.sqlite capture.pcap"
show "connbits-index capture.sqlite ../data/filters.conf"
show "connbits-query capture.sqlite 'smb and not rfc1918' --count"
printf "\\n\$ sqlite3 -box -cmd '.load ./connbits' demo.sqlite\\n"
sqlite3 -batch -box -cmd '.load ./connbits' demo.sqlite <<'EOF'
.echo on
SELECT bitmap_count('industrial') AS industrial, bitmap_count('amplifiers') AS amplifiers;
SELECT remote_host, count(*) AS connections FROM connections
 WHERE rowid IN bitmap('smb and not rfc1918') GROUP BY 1 ORDER BY 2 DESC LIMIT 3;
EOF
printf '\nWhat the last days brought, as a page: file://%s/demo.html\n' "$folder"
