#!/bin/sh
# The Python wheel, in OUT:
#   pip install "$(sh data/wheel.sh OUT)"
# Installs what it needs with apt (as root, or through sudo), and builds in build-package.
[ $# = 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
unset CDPATH
mkdir -p -- "$1" && out=$(cd -- "$1" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
. data/package/build.sh
sh data/setup.sh binutils python3 python3-pip python3-setuptools python3-wheel >&2
folder=build-package/wheel
rm -rf "$folder"
mkdir -p "$folder"
cp -R data/package/python/. "$folder"
sh data/bundle.sh "$folder/connbits" >/dev/null
cp LICENSE data/package/LICENSE.libpcap "$folder"
# The platforms that have the C library it was linked with.
glibc=$(nm -D "$folder/connbits/connbits.so" | sed -n 's/.*@GLIBC_\([0-9.]*\)$/\1/p' | sort -Vu | tail -n 1)
export CONNBITS_VERSION="$package_version" CONNBITS_PLATFORM="manylinux_$(echo "$glibc" | tr . _)_$(uname -m)"
/usr/bin/python3 -m pip wheel --quiet --no-index --no-deps --no-build-isolation --wheel-dir "$folder/made" "$folder" >build-package/log 2>&1 || {
	tail -n 40 build-package/log >&2
	exit 1
}
for wheel in "$folder"/made/*.whl; do
	package_leave "$wheel" "$out"
done
