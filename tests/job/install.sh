#!/bin/sh
# What is installed, under whatever prefix, works there: programs, units, the catalogue of a new index.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1

prefix="$work/a prefix"
exits "install" 0 cmake --install "$build" --prefix "$prefix"
for file in bin/connbits-import share/man/man1/connbits-import.1 bin/connbits-index bin/connbits-query bin/connbits-generate bin/connbits-bench share/connbits/filters.conf \
	share/man/man1/connbits-index.1 lib/systemd/system/connbits-index.service lib/systemd/system/connbits-index.timer; do
	is "$file is installed" "$prefix/$file" "$(ls "$prefix/$file" 2>&1)"
done
for file in connbits.so connbits.pc; do
	is "$file is installed" 1 "$(find "$prefix" -name "$file" | wc -l)"
done

# --- units
units="$prefix/lib/systemd/system"
exits "the units" 0 systemd-analyze verify "$units/connbits-index.service" "$units/connbits-index.timer"
is "have nothing to be told" "" "$err"
exits "and are hardened" 0 systemd-analyze security --offline=true --threshold=10 "$units/connbits-index.service"
mkdir fleet
cp "$prefix"/share/connbits/fleet/connbits-* fleet
exits "the fleet's units, as they are copied" 0 systemd-analyze verify fleet/connbits-export.service fleet/connbits-export.timer \
	fleet/connbits-ship.service fleet/connbits-ship.timer fleet/connbits-load.service fleet/connbits-load.timer
is "have nothing to be told" "" "$(printf '%s\n' "$err" | grep fleet/)"
is "know no other place" "" "$(grep -h 'connbits' fleet/*.service | grep -v "^#\|/var/lib/\|/srv/\|/etc/default/\|$prefix\|${prefix% prefix}%%20prefix\|connbits-[a-z]*\.service\|^StateDirectory\|^Environment=FLEET_AS")"
has "they run what is installed" "ExecStart=\"$prefix/bin/connbits-index\" " "$(cat "$units/connbits-index.service")"
has "with the catalogue that is installed" "\"CATALOGUE=$prefix/share/connbits/filters.conf\"" "$(cat "$units/connbits-index.service")"
exits "install where a unit's own characters are in the way" 0 cmake --install "$build" --prefix "$work/p%f\$x"
exits "install where a unit's own characters are in the way" 0 systemd-analyze verify "$work/p%f\$x/lib/systemd/system/connbits-index.service"
is "install where a unit's own characters are in the way" "" "$err"
exits "install for a package" 0 env DESTDIR="$work/package" cmake --install "$build" --prefix /opt/connbits
has "its units know of no other place" 'ExecStart="/opt/connbits/bin/connbits-index" ' \
	"$(cat "$work/package/opt/connbits/lib/systemd/system/connbits-index.service")"

# --- presets
for preset in release dev asan fuzz; do
	exits "the preset $preset" 0 cmake -S "$root" --preset "$preset" -B "$work/preset-$preset"
	rm -rf "$work/preset-$preset"
done

# --- parts, and taking it away again
exits "a part" 0 cmake --install "$build" --prefix "$work/part" --component extension
is "has the extension and how to find it" "connbits-config-version.cmake connbits-config.cmake connbits.pc connbits.so" \
	"$(find "$work/part" -type f | sed 's|.*/||' | sort | tr '\n' ' ' | sed 's/ $//')"
mkdir find
cat >find/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(find LANGUAGES NONE)
find_package(connbits 0.2 REQUIRED)
message(STATUS "extension: ${connbits_EXTENSION}")
END
exits "find_package" 0 cmake -S find -B find/build -DCMAKE_PREFIX_PATH="$work/part"
has "says what to load" "extension: $(find "$work/part" -name connbits.so)" "$out"
mkdir copy
cp "$build/uninstall.cmake" copy
exits "nothing to take away" 1 cmake -P copy/uninstall.cmake
find "$prefix" -type f | sort >copy/install_manifest.txt
touch "$prefix/share/another"
cp -R "$prefix" kept
exits "uninstall" 0 cmake -P copy/uninstall.cmake
is "leaves what is not ours" "$prefix/share/another" "$(find "$prefix" -type f)"
rm -rf "$prefix" && mv kept "$prefix"

# --- the catalogue of a new index
installed="$prefix/bin/connbits-index"
"$build/connbits-generate" --rows 2000 log.sqlite
filters=$(grep -c '^\[filter' "$prefix/share/connbits/filters.conf")
exits "no catalogue for a new index" 0 "$installed" log.sqlite
is "it is named" "connbits-index: no CATALOGUE is given, so these are the filters of $prefix/share/connbits/filters.conf" "$err"
has "it is used" "$filters filters, " "$out"
exits "the next night" 0 "$installed" log.sqlite
is "needs none" "" "$err"
has "and does nothing" "nothing to do" "$out"
exits "silence in scripts" 0 "$installed" log.sqlite --into quiet.idx --quiet
is "silence in scripts" "" "$out$err"
sqlite3 log.sqlite "CREATE TABLE conn (ts, uid, \"id.orig_h\", \"id.orig_p\", \"id.resp_h\", \"id.resp_p\", proto);
	INSERT INTO conn VALUES (1, 'C', '192.0.2.1', 1024, '198.51.100.1', 445, 'tcp')"
exits "a second table" 0 "$installed" log.sqlite --table conn
has "a second table" "no CATALOGUE is given" "$err"
is "is indexed" 1 "$("$query" log.sqlite 'conn: smb' --count)"
exits "a log that is not there" 1 "$installed" nosuch.sqlite
is "is spoken of, and nothing else" "connbits-index: nosuch.sqlite: No such file or directory" "$err"
exits "--verify makes no index" 1 "$installed" log.sqlite --into none.idx --verify
printf '[filter smb]\nexpression = tcp dst port 445\n' >own.conf
exits "one of one's own" 0 "$installed" log.sqlite own.conf --table connections --into own.idx
exits "stays so" 0 "$installed" log.sqlite --into own.idx
has "stays so" "1 filters, " "$out"
ln -s "$installed" link
exits "by a link" 0 ./link log.sqlite --table conn --into link.idx --quiet
mv "$prefix" moved
exits "moved" 0 moved/bin/connbits-index log.sqlite --table conn --into moved.idx
has "moved" "$work/moved/share/connbits/filters.conf" "$err"
rm moved/share/connbits/filters.conf
exits "without a catalogue" 2 moved/bin/connbits-index log.sqlite --table conn --into bare.idx
has "without a catalogue" "so a catalogue is needed: connbits-index LOG CATALOGUE" "$err"

finish
