#!/bin/sh
# Completion in bash: what a line is completed to, against what the commands themselves say.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1
command -v bash >/dev/null || { fail "bash is missing"; finish; }

cat >complete.bash <<'END'
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_connbits "${COMP_WORDS[0]}" 2>&1
printf '%s\n' "${COMPREPLY[@]}" | sort
END
# completes WORD...: the words that the last one may become, on one line
completes() {
	bash complete.bash "$root/data/completions/connbits.bash" "$@" | tr '\n' ' ' | sed 's/ *$//'
}

"$build/connbits-generate" --rows 3000 made.sqlite
"$index" made.sqlite "$root/data/filters.conf" --into "an index.idx" --quiet
"$index" made.sqlite "$root/data/filters.conf" --quiet
names=$("$query" made.sqlite --list --format csv | sed '1d; s/,.*//')
for command in index query import bench generate; do
	program=$build/connbits-$command
	is "every option of connbits-$command is offered" "$("$program" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u | tr '\n' ' ' | sed 's/ $//')" "$(completes "$program" --)"
	has "and the short one" "-h" "$(completes "$program" -)"
	is "connbits-$command is completed at all" 1 "$(bash -c ". '$root/data/completions/connbits.bash'; complete -p connbits-$command" | wc -l)"
done
is "a log" "made.sqlite" "$(completes "$query" mad)"
is "one with a space in its name" "an index.idx" "$(completes "$query" made.sqlite --into an)"
is "and typed in part" "an index.idx" "$(completes "$query" made.sqlite --into "an\\ in")"
is "a filter" "$(printf '%s\n' "$names" | grep ^sm | sort | tr '\n' ' ' | sed 's/ $//')" "$(completes "$query" made.sqlite sm)"
is "several of them" true "$([ "$(completes "$query" made.sqlite s | wc -w)" -ge 10 ] && echo true)"
is "words of the language, with them" "and" "$(completes "$query" made.sqlite an)"
is "behind an option" "rfc1918-source" "$(completes "$query" made.sqlite --count rfc1918-s)"
is "within quotes the whole word" "smb and not rfc1918-source" "$(completes "$query" made.sqlite "'smb and not rfc1918-s")"
is "behind a parenthesis" "(smb or (rfc1918-source" "$(completes "$query" made.sqlite "'(smb or (rfc1918-s")"
is "of an index elsewhere" "rfc1918-source" "$(completes "$query" made.sqlite --into "an\\ index.idx" rfc1918-s)"
is "to be explained" "rfc1918-source" "$(completes "$query" made.sqlite --explain rfc1918-s)"
is "formats of connbits-query" "csv json table" "$(completes "$query" made.sqlite smb --format "")"
is "formats of connbits-import" "csv json pcap zeek" "$(completes "$build/connbits-import" log.sqlite --format "")"
is "what is counted by" "day dst host hour port proto src" "$(completes "$query" made.sqlite smb --by "")"
is "engines" "bpf vector" "$(completes "$index" made.sqlite --engine "")"
is "ways to read" "pages sql" "$(completes "$index" made.sqlite --read "")"
is "rows of a capture" "connection packet" "$(completes "$build/connbits-import" --per "")"
is "tools" "$("$index" --list-schemas | sed -n 's/^\([a-z0-9_-]*\): .*/\1/p' | sort | tr '\n' ' ' | sed 's/ $//')" "$(completes "$index" made.sqlite --schema "")"
is "of no log nothing" "" "$(completes "$query" nosuch.sqlite smb)"

# --- names from an enemy are not run
sqlite3 made.sqlite "UPDATE connbits_filter SET name = 'sm\$(touch run)' WHERE name = 'smb'; UPDATE connbits_filter SET name = 'sm\`touch run\`' WHERE name = 'smtp'"
completes "$query" made.sqlite sm >/dev/null
completes "$query" "\$(touch run)" sm >/dev/null
is "nothing was run" "" "$(ls run 2>/dev/null)"
finish
