#!/bin/sh
# What sqlpkg takes, in OUT: sqlpkg.json and an archive of the extension for this platform.
#   sh data/sqlpkg.sh OUT && sqlpkg install OUT/sqlpkg.json
# Published elsewhere, "path" is the address of the folder. Installs what it needs with apt (as root, or through sudo), and
# builds in build-package.
[ $# = 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1" && out=$(cd "$1" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
. data/package/build.sh
sh data/bundle.sh build-package/sqlpkg >/dev/null
platform=linux-$(dpkg --print-architecture)
cp LICENSE data/package/LICENSE.libpcap build-package/sqlpkg
tar -C build-package/sqlpkg -czf "$out/connbits-$platform.tar.gz" connbits.so LICENSE LICENSE.libpcap
sed "s|@VERSION@|$package_version|; s|@PLATFORM@|$platform|g; s|@PATH@|$(printf %s "$out" | sed 's/[&|\\]/\\&/g')|" data/package/sqlpkg.json.in >"$out/sqlpkg.json"
echo "$out/sqlpkg.json"
