#!/bin/sh
# Installs the named Debian packages that are missing:
#   sh data/setup.sh PACKAGE...
# As root, or through sudo where there is one. Says nothing where nothing is missing.
set -eu
missing=
for package in "$@"; do
	dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installing$missing (some minutes where all is missing)"
as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "data/setup.sh: needs root or sudo; or install by hand:$missing" >&2
		exit 1
	}
	as_root=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Asks for the password now, before what apt prints is only in a file.
[ -z "$as_root" ] || sudo -v
# shellcheck disable=SC2086
{
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
} >"$log" 2>&1 &
sh "$(dirname "$0")/progress.sh" $! "$log"
wait $! || {
	tail -n 20 "$log" >&2
	exit 1
}
