#!/bin/sh
# The picture of a report that README.md shows, of the page that data/demo.sh leaves:
#   sh data/demo.sh && sh data/picture.sh
# Installs a browser where there is none.
set -eu
cd "$(dirname "$0")/.."
sh data/setup.sh chromium
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chromium --headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --user-data-dir="$folder" \
	--window-size=1130,1290 --screenshot="$PWD/data/report.png" "file://$PWD/build/demo.html" >"$folder/log" 2>&1 || {
	cat "$folder/log"
	exit 1
}
