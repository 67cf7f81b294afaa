#!/bin/sh
# Counts the instructions of a fixed evaluation, and fails where they are 10 % more than the figure
# recorded in instructions.txt for this compiler and processor. To record what they are now:
#   CONNBITS_BUILD=BUILD sh tests/engine/instructions.sh --record
. "$(dirname "$0")/../support/lib.sh"
figures=$root/tests/engine/instructions.txt
program=$build/tests/fixed_evaluation
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[^=]*=//p' "$build/CMakeCache.txt")
simd=$(CONNBITS_SIMD=avx2 "$program" "$root/data/filters.conf" 1 >/dev/null 2>&1 && echo avx2 || echo baseline)
kind=$(uname -m)-$simd-$("$compiler" --version | grep -q clang && echo clang || echo gcc)-$("$compiler" -dumpversion | cut -d. -f1)
command -v valgrind >/dev/null || {
	echo "NOT TESTED: valgrind is missing"
	exit 1
}

# count ROUNDS: the instructions of a run of so many rounds
count() {
	CONNBITS_SIMD=$simd OMP_NUM_THREADS=1 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"$program" "$root/data/filters.conf" "$1" 2>&1 | sed -n 's/.*Collected : //p'
}

# The first rounds are for learning, and whatever is done once is in both counts.
short=$(count 3)
long=$(count 7)
now=$(((long - short) / 4))
[ -n "$short" ] && [ -n "$long" ] && [ "$now" -gt 0 ] || {
	fail "nothing was counted"
	finish
	exit 1
}
if [ "${1:-}" = --record ]; then
	{
		grep -v "^$kind " "$figures" 2>/dev/null
		echo "$kind $now"
	} | sort >"$work/figures"
	cp "$work/figures" "$figures"
	echo "recorded: $kind $now"
	exit 0
fi
recorded=$(sed -n "s/^$kind //p" "$figures")
if [ -z "$recorded" ]; then
	echo "NOT TESTED: no figure is recorded for $kind (it is $now); record it with:"
	echo "  CONNBITS_BUILD=$build sh tests/engine/instructions.sh --record"
	exit 77
fi
echo "$now instructions a segment of 65,536 rows and $(grep -c '^\[filter' "$root/data/filters.conf") filters; recorded: $recorded"
is "no more than 10 % over the recorded figure" true "$([ $((now * 10)) -le $((recorded * 11)) ] && echo true)"
[ $((now * 10)) -ge $((recorded * 9)) ] || echo "10 % less than recorded: record the new figure, so that it stays so"
finish
