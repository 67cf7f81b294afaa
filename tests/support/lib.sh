# What the shell tests share. Source it; it makes $work, a folder that goes
# away at the end, and counts what `check` sees.
set -u
build=$(cd "${CONNBITS_BUILD:?the folder of the build}" && pwd) || exit 1
root=$(cd "$(dirname "$0")" && until [ -d indexer ] || [ "$PWD" = / ]; do cd ..; done && pwd)
index=$build/connbits-index
query=$build/connbits-query
work=$(mktemp -d "${TMPDIR:-/tmp}/connbits-XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

pass() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	printf 'FAILED: %s\n' "$*"
}

# is NAME EXPECTED ACTUAL
is() {
	if [ "$2" = "$3" ]; then
		pass
	else
		fail "$1: expected '$2', got '$3'"
	fi
}

# has NAME PART TEXT: TEXT has PART in it
has() {
	case $3 in
	*"$2"*) pass ;;
	*) fail "$1: no '$2' in '$3'" ;;
	esac
}

# exits NAME STATUS COMMAND...: leaves what it prints in $out and $err
exits() {
	name=$1
	wanted=$2
	shift 2
	# LeakSanitizer's own search, behind the program's end, now and then crashes on threads that end too.
	for try in 1 2 3; do
		"$@" >"$work/out" 2>"$work/err" </dev/null
		status=$?
		grep -q "LeakSanitizer has encountered a fatal error" "$work/err" || break
	done
	out=$(cat "$work/out")
	err=$(cat "$work/err")
	if [ "$status" = "$wanted" ]; then
		pass
	else
		fail "$name: exit status $status instead of $wanted: $err"
	fi
}

# A sanitized extension needs its runtime in the program that loads it.
loading() {
	env LD_PRELOAD="${CONNBITS_PRELOAD-}" ASAN_OPTIONS=detect_leaks=0 "$@"
}

finish() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
}
