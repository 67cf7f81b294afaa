#!/bin/sh
# Runs whole jobs under ThreadSanitizer, by page, through SQLite and over stored columns: what threads
# share while they read, evaluate, pack and store.
#   sh tests/threads.sh FOLDER
set -eu
cd "$(dirname "$0")/.."
folder=$1
archer=$(clang -print-resource-dir)/../../libarcher.so

# Without it ThreadSanitizer does not know what OpenMP's locks and ends of regions order.
[ -e "$archer" ] || {
	echo "threads.sh: $archer is missing; it comes with libomp-dev"
	exit 1
}
cmake -S . -B "$folder" -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS='-fsanitize=thread -g -O1' >"$folder.log" 2>&1 &&
	cmake --build "$folder" -j "$(nproc)" --target connbits-index connbits-query connbits-generate >>"$folder.log" 2>&1 || {
	cat "$folder.log"
	exit 1
}
TSAN_OPTIONS="ignore_noninstrumented_modules=1 exitcode=66"
OMP_TOOL_LIBRARIES=$archer
export TSAN_OPTIONS OMP_TOOL_LIBRARIES

job() {
	what=$1
	shift
	"$folder/connbits-index" "$@" --threads 4 --quiet || {
		echo "threads.sh: $what: exit $?"
		exit 1
	}
}

rm -f "$folder"/log.* "$folder"/*.conf
"$folder/connbits-generate" --rows 1300000 "$folder/log.sqlite"
cat >"$folder/few.conf" <<'EOF'
[set hosts]
networks =
	203.0.113.0/24
	10.0.0.0/8
[filter smb]
expression = tcp dst port 445
[filter listed]
rows = smb and src in hosts
EOF
cp "$folder/few.conf" "$folder/more.conf"
printf '[filter ten]\nexpression = src net 10.0.0.0/8 or udp\n' >>"$folder/more.conf"
job "a first index by page" "$folder/log.sqlite" "$folder/few.conf" --into "$folder/log.idx"
job "a new filter" "$folder/log.sqlite" "$folder/more.conf" --into "$folder/log.idx"
job "a first index through SQLite, in the log" "$folder/log.sqlite" "$folder/few.conf" --read sql
job "an index held against the log" "$folder/log.sqlite" --into "$folder/log.idx" --verify=200000
# Threads of a question to several logs, each of which has threads that search.
cp "$folder/log.sqlite" "$folder/log.two"
OMP_NUM_THREADS=4 "$folder/connbits-query" --each 'smb or {tcp dst port 23 and src net 10.0.0.0/9}' "$folder/log.sqlite" \
	"$folder/log.two" "$folder/log.sqlite" >/dev/null || {
	echo "threads.sh: --each: exit $?"
	exit 1
}
echo "no thread was seen to touch what another one had"
