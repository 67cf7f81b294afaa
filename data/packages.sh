#!/bin/sh
# Debian packages of what is here, in OUT: connbits, sqlite3-connbits, connbits-bench.
#   apt-get install $(sh data/packages.sh OUT)
# Installs what it needs with apt (as root, or through sudo), and builds in build-package.
[ $# = 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
unset CDPATH
mkdir -p -- "$1" && out=$(cd -- "$1" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
. data/package/build.sh
sh data/setup.sh dpkg-dev file gzip >&2
package_build all
rm -rf build-package/deb
cpack -G DEB --config build-package/CPackConfig.cmake -B build-package/deb >build-package/log 2>&1 || {
	tail -n 40 build-package/log >&2
	exit 1
}
# What CPack installed to make them is no installation.
rm -f build-package/install_manifest*
for package in build-package/deb/*.deb; do
	package_leave "$package" "$out"
done
