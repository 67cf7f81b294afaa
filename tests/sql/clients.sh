#!/bin/sh
# The SQL of query/sql/README.md in every client: the sqlite3 shell, Python, Node with better-sqlite3, and a
# program in C through pkg-config; Roaring for Node, ClickHouse's engine and DuckDB on the blobs; and the scripts of
# the bench.
#   CONNBITS_CLIENTS=FOLDER   has the node_modules of clients/package.json
# Where a client is missing that is said aloud, and with CONNBITS_CLIENTS set it is a failure.
. "$(dirname "$0")/../support/lib.sh"
clients=$root/tests/sql/clients
cd "$work" || exit 1

missing() {
	printf 'NOT TESTED: %s is missing\n' "$1"
	[ -z "${CONNBITS_CLIENTS:-}" ] || fail "$1 is missing"
}

cmake --install "$build" --prefix "$work/installed" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$work/installed" -name connbits.pc)")
export PKG_CONFIG_PATH
extension=$(pkg-config --variable=extension connbits)
is "pkg-config knows the version" "$("$index" --version | cut -d' ' -f2)" "$(pkg-config --modversion connbits)"
is "pkg-config says what to load" "$(find "$work/installed" -name connbits.so)" "$(realpath "$extension.so")"

"$build/connbits-generate" --rows 30000 made.sqlite
"$index" made.sqlite "$root/data/filters.conf" --quiet
"$index" made.sqlite "$root/data/filters.conf" --into log.idx --quiet
python3 "$clients/statements.py" "$root/query/sql/README.md" >statements.sql
is "the page has statements" true "$([ "$(wc -l <statements.sql)" -ge 7 ] && echo true)"

# answers CLIENT COMMAND...: what a client prints, on a log of its own
answers() {
	client=$1
	shift
	cp made.sqlite log.sqlite
	exits "$client" 0 "$@"
	printf '%s\n' "$out" >"$client.out"
	if [ "$client" = shell ]; then
		is "the statements answer" true "$([ "$(wc -l <shell.out)" -gt 1000 ] && echo true)"
	else
		exits "$client says what the shell says" 0 cmp shell.out "$client.out"
	fi
}

answers shell sh -c "{ echo '.load $extension'; echo '.mode tabs'; echo '.nullvalue NULL'; cat statements.sql; } | sqlite3 -bail log.sqlite"
if /usr/bin/python3 -c 'import sqlite3; sqlite3.connect(":memory:").enable_load_extension(True)' 2>/dev/null; then
	answers python /usr/bin/python3 "$clients/client.py" "$extension" log.sqlite statements.sql
else
	missing "a Python that loads extensions"
fi
exits "the peers of the bench agree" 0 /usr/bin/python3 -B "$root/bench/peers/peers.py" "$build" --rows 3000 --repeat 1 --node "${CONNBITS_CLIENTS:-.}/node_modules" --json
printf '%s\n' "$out" >peers.json
for peer in $(jq -r '.peers[] | select(.absent) | .peer' peers.json); do
	missing "the peer $peer"
done
is "the peers of the bench are twelve" 12 "$(jq '.peers | length' peers.json)"
exits "the bars of the peers" 0 "$build/connbits-bench" --figure peers.svg --peers peers.json
is "a bar for each that is there" "$(jq '[.peers[] | select(.absent | not)] | length' peers.json)" "$(grep -c '<rect x="230"' peers.svg)"
exits "without Node's peers" 0 /usr/bin/python3 -B "$root/bench/peers/peers.py" "$build" --rows 1000 --repeat 1
has "a peer that is missing is said to be" "absent: npm's" "$out"
exits "the note of 2010 agrees" 0 /usr/bin/python3 -B "$root/bench/note_2010.py" made.sqlite "$build" 200
# shellcheck disable=SC2046
cc -std=gnu11 -DEXTENSION="\"$extension\"" -o client "$clients/client.c" $(pkg-config --cflags --libs connbits)
answers c ./client log.sqlite statements.sql
if [ -d "${CONNBITS_CLIENTS:-none}/node_modules/better-sqlite3" ] && command -v node >/dev/null; then
	NODE_PATH=$CONNBITS_CLIENTS/node_modules
	export NODE_PATH
	answers node node "$clients/client.js" "$extension" log.sqlite statements.sql
	if [ -d "$NODE_PATH/roaring" ]; then
		cp made.sqlite log.sqlite
		exits "Roaring for Node" 0 node "$clients/blobs.js" "$extension" log.sqlite
		has "Roaring for Node reads every blob" "the same" "$out"
	else
		missing "Roaring for Node"
	fi
	if [ -d "$NODE_PATH/chdb" ]; then
		exits "ClickHouse's engine" 0 node "$clients/clickhouse.js" "$extension" "$work"
		has "ClickHouse's engine writes and reads the same states" "the same" "$out"
	else
		missing "chDB for Node"
	fi
	if [ -d "$NODE_PATH/@duckdb/node-api" ]; then
		exits "DuckDB" 0 node "$clients/duckdb.js" "$extension" made.sqlite
		has "DuckDB reads what rb_to_array() gives" "the same" "$out"
	else
		missing "DuckDB for Node"
	fi
else
	missing "Node with better-sqlite3"
fi
finish
