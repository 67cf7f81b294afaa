#!/bin/sh
# The extension as one file that needs nothing beyond the C library, in OUT:
#   sh data/bundle.sh OUT && sqlite3 :memory: '.load OUT/connbits' 'SELECT connbits_version()'
# Installs what it needs with apt (as root, or through sudo), and builds in build-package.
[ $# = 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
unset CDPATH
mkdir -p -- "$1" && out=$(cd -- "$1" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
. data/package/build.sh
sh data/setup.sh binutils >&2
package_build connbits_extension
mkdir -p build-package/bundle
cp build-package/connbits.so build-package/bundle/connbits.so
strip --strip-unneeded build-package/bundle/connbits.so
# The licences go along wherever the file goes: readelf -p .licences connbits.so
cat LICENSE data/package/LICENSE.libpcap >build-package/licences
objcopy --add-section .licences=build-package/licences build-package/bundle/connbits.so
# What others could not do without, or would come across.
needed=$(readelf -d build-package/bundle/connbits.so | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vxE 'lib[cm]\.so\.[0-9]+|ld-linux.*' || true)
exported=$(nm -D --defined-only build-package/bundle/connbits.so | awk '{ print $3 }' | grep -vx sqlite3_connbits_init || true)
if [ -n "$needed$exported" ]; then
	echo "data/bundle.sh: the extension would need $needed and show $exported" >&2
	exit 1
fi
package_leave build-package/bundle/connbits.so "$out"
