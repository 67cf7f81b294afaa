#!/bin/sh
# The npm package, in OUT:
#   package=$(sh data/npm.sh OUT) && npm install "$package"
# Installs what it needs with apt (as root, or through sudo), and builds in build-package.
[ $# = 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
unset CDPATH
mkdir -p -- "$1" && out=$(cd -- "$1" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
. data/package/build.sh
command -v npm >/dev/null || sh data/setup.sh nodejs npm >&2
folder=build-package/npm
rm -rf "$folder"
mkdir -p "$folder"
platform=$(node -p 'process.platform + "-" + process.arch')
sh data/bundle.sh "$folder/lib/$platform" >/dev/null
cp data/package/npm/index.js data/package/npm/index.mjs data/package/npm/index.d.ts data/package/npm/README.md LICENSE data/package/LICENSE.libpcap "$folder"
sed "s/@VERSION@/$package_version/" data/package/npm/package.json.in >"$folder/package.json"
(cd "$folder" && npm pack --silent --loglevel=error --pack-destination ..) >build-package/packed 2>build-package/log || {
	cat build-package/log >&2
	exit 1
}
package_leave "build-package/$(tail -n 1 build-package/packed)" "$out"
