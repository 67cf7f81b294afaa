#!/bin/sh
# What sqlpkg takes, in OUT: sqlpkg.json and an archive of the extension for this platform.
#   sh data/sqlpkg.sh OUT && sqlpkg install OUT/sqlpkg.json
# Published elsewhere, "path" is the address of the folder. Installs what it needs with apt (as root, or through sudo), and
# builds in build-package.
[ $# = 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
unset CDPATH
mkdir -p -- "$1" && out=$(cd -- "$1" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
. data/package/build.sh
sh data/bundle.sh build-package/sqlpkg >/dev/null
platform=linux-$(dpkg --print-architecture)
cp LICENSE data/package/LICENSE.libpcap build-package/sqlpkg
mkdir -p build-package/sqlpkg/made
tar -C build-package/sqlpkg -czf "build-package/sqlpkg/made/connbits-$platform.tar.gz" connbits.so LICENSE LICENSE.libpcap
# As JSON has it, and then as sed wants it.
path=$(printf %s "$out" | sed 's/[\\"]/\\&/g' | sed 's/[&|\\]/\\&/g')
sed "s|@VERSION@|$package_version|; s|@PLATFORM@|$platform|g; s|@PATH@|$path|" data/package/sqlpkg.json.in >build-package/sqlpkg/made/sqlpkg.json
package_leave "build-package/sqlpkg/made/connbits-$platform.tar.gz" "$out" >/dev/null
package_leave build-package/sqlpkg/made/sqlpkg.json "$out"
