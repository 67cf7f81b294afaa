#!/bin/sh
# Every stage its room: holds the tree against the rules of tests/layers.txt and of this page.
# Names file, line and rule of each breach; exit status 1 where there is one.
#   sh tests/layers.sh [TREE]
set -u
cd "${1:-$(dirname "$0")/..}" || exit 1
bench_headers=22 # of the internals that bench/ includes: becomes smaller, never larger
breaches=$(mktemp "${TMPDIR:-/tmp}/connbits-layers-XXXXXX")
trap 'rm -f "$breaches"' EXIT
sources=$(find indexer query bench -name '*.[ch]' | sort)
folders=$(find indexer query bench -mindepth 1 -maxdepth 1 -type d ! -name peers ! -name __pycache__ | sort)

# told RULE: lines of `file:line: what` become breaches of the rule.
told() {
	sed "s/\$/ ($1)/" >>"$breaches"
}

# --- rule 1: what knows SQLite
for folder in base bitmap packet filter condition engine expression; do
	grep -n sqlite3 indexer/$folder/*.[ch] | sed 's/^\([^:]*:[0-9]*\):.*/\1: sqlite3 is named/'
done | told "rule 1: $(echo base bitmap packet filter condition engine expression) do without SQLite"

# --- rule 2: who names the tables of the index and of the notes
grep -nE '"[^"]*connbits_(format|source|filter|bitmap|header|column|set|day)' $sources |
	grep -v '^indexer/index/' | sed 's/^\([^:]*:[0-9]*\):.*/\1: a table of the index is named/' |
	told "rule 2: only indexer\\/index has SQL on the index's tables"
grep -nE '"[^"]*connbits_(change|watch)' $sources |
	grep -v '^indexer/log/notes_' | sed 's/^\([^:]*:[0-9]*\):.*/\1: a table of the notes is named/' |
	told "rule 2: only indexer\\/log\\/notes_\\* has SQL on the notes' tables"

# --- rule 3: libpcap and CRoaring
grep -nE '#include <pcap' $sources |
	grep -vE '^(indexer/(filter|condition|import)/|query/show/capture\.c|query/sql/bpf_functions\.c|bench/measure/machine\.c)' |
	sed 's/^\([^:]*:[0-9]*\):.*/\1: includes libpcap/' | told "rule 3: libpcap is for filter, condition and captures"
grep -nE '#include <roaring' $sources |
	sed 's/^\([^:]*:[0-9]*\):.*/\1: includes CRoaring/' | told "rule 3: CRoaring is for the tests, which compare with it"

# --- rule 4: includes go one way, and through faces
faces() {
	sed -n 's/^Faces: *//p' "$1/README.md" 2>/dev/null | tr -d '`' | tr ' ' '\n' | grep '\.h$'
}
for folder in $folders; do
	faces "$folder" | sed "s|^|face ${folder##*/} |"
	echo "folder ${folder%/*} ${folder##*/}"
done >"$breaches.rules"
sed -n 's/^\([a-z]*\): *\(.*\)/rule \1 \2/p' tests/layers.txt >>"$breaches.rules"
awk -v rules="$breaches.rules" '
BEGIN {
	while ((getline line < rules) > 0) {
		count = split(line, word, " ")
		if (word[1] == "face") face[word[2] "/" word[3]] = 1
		if (word[1] == "folder") home[word[3]] = word[2]
		if (word[1] == "rule") {
			known[word[2]] = 1
			for (i = 3; i <= count; i++) allowed[word[2], word[i]] = 1
			if (word[2] == "bench") for (i = 3; i <= count; i++) listed[word[i]] = 1
		}
	}
}
function tell(what, rule) { printf "%s:%d: %s (%s)\n", FILENAME, FNR, what, rule }
FNR == 1 {
	parts = split(FILENAME, path, "/")
	top = path[1]
	here = parts > 2 ? path[2] : ""
}
/^#include "/ {
	split($0, quoted, "\"")
	header = quoted[2]
	if (header !~ /\//) next
	folder = header
	sub(/\/.*/, "", folder)
	if (!(folder in home)) { tell("includes " header ", which is no folder", "rule 4: folder/file.h across folders"); next }
	from_outside = top == "bench" && home[folder] != "bench"
	if (from_outside) {
		measured[header] = 1
		if (!(header in listed)) tell("includes " header, "rule 4: not in the list of bench in tests/layers.txt")
		next
	}
	if (here == "") {
		if (top == "indexer" && home[folder] != "indexer") tell("includes " header, "rule 4: indexer knows no " home[folder])
	} else if (!((here, folder) in allowed) && !((here, "indexer") in allowed && home[folder] == "indexer"))
		tell("includes " header, "rule 4: " here " may not include " folder)
	used[header] = 1
	if (top != "bench" && !(header in face)) tell("includes " header, "rule 4: not among the faces in the README of " home[folder] "/" folder)
}
END {
	for (header in listed) if (!(header in measured)) printf "tests/layers.txt:1: bench no longer includes %s (rule 4: the list only shrinks: take it out)\n", header
	for (header in face) {
		folder = header
		sub(/\/.*/, "", folder)
		if (home[folder] != "bench" && !(header in used)) printf "%s/%s/README.md:1: nobody includes the face %s (rule 4: faces are what others need)\n", home[folder], folder, header
	}
	for (folder in known) if (folder != "bench" && !(folder in home)) printf "tests/layers.txt:1: a rule for %s, which is no folder (rule 4: folders in the order of the data)\n", folder
	for (folder in home) if (!(folder in known)) printf "%s/%s:1: a folder that tests/layers.txt does not know (rule 4: folders in the order of the data)\n", home[folder], folder
}' $sources >>"$breaches"
# Within a folder includes are bare, and of that folder.
grep -nE '^#include "[^/"]+"' $sources | while IFS=: read -r file line text; do
	header=${text#*\"}
	[ -e "${file%/*}/${header%\"*}" ] || echo "$file:$line: includes ${header%\"*}, which is not beside it"
done | told "rule 4: bare includes are of the same folder"
headers=$(sed -n 's/^rule bench //p' "$breaches.rules" | wc -w)
[ "$headers" -le "$bench_headers" ] || echo "tests/layers.txt:1: $headers headers of bench" | told "rule 4: the list of bench only shrinks: $bench_headers"
rm -f "$breaches.rules"

# --- rule 5: who prints
grep -nE '(^|[^a-z_])(printf|puts|putchar)\(|(fprintf|fputs|fputc|putc|fwrite|fflush|vfprintf)\(.*(stdout|stderr)|(fputs|putc|fputc)\([^;]*, (stdout|stderr)' $sources |
	grep -vE '^(indexer|query|bench)/(generate/generate_)?main[a-z_]*\.c:|^indexer/base/command\.c:' |
	sed 's/^\([^:]*:[0-9]*\):.*/\1: prints/' | told "rule 5: only main*.c and base\\/command.c print to stdout or stderr"

# --- rule 6: sizes, and one name for one struct
awk '
function tell(line, what, rule) { printf "%s:%d: %s (%s)\n", FILENAME, line, what, rule }
FNR == 1 { begun = 0; depth = 0 }
FNR == 601 && FILENAME ~ /\.c$/ { tell(FNR, "more than 600 lines", "rule 6: what second thing lives here?") }
/^{$/ { begun = FNR }
/^}$/ && begun { if (FNR - begun + 1 > 60) tell(begun, "a function of " (FNR - begun + 1) " lines", "rule 6: 60 lines at most"); begun = 0 }
/^(static )?(const )?struct [a-z_0-9]+ {$/ {
	tag = $0
	sub(/ {$/, "", tag)
	sub(/.*struct /, "", tag)
	# A main is of one program: its tags meet those of the folders, not another main s.
	main = FILENAME ~ /main[a-z_]*\.[ch]$/
	if (tag in place) tell(FNR, "struct " tag " is also in " place[tag], "rule 6: one struct, one name, in one program")
	else if (main && (tag, FILENAME) in mains) tell(FNR, "struct " tag " is there twice", "rule 6: one struct, one name, in one program")
	if (main) mains[tag, FILENAME] = 1
	else place[tag] = FILENAME
}' $sources >>"$breaches"

# --- rule 7: lists of CMake, tests and pages
tr '\n\t' '  ' <CMakeLists.txt | grep -oE 'sources\([A-Z]+ [a-z/]+ [^)]*\)' | tr '()' '  ' |
	awk '{ for (i = 4; i <= NF; i++) print $3 "/" $i ".c" }' >"$breaches.listed"
printf '%s\n' "$sources" | grep -E '^[^/]*/[^/]*/[^/]*\.c$' | grep -v '_main\.c$' >"$breaches.there"
sort "$breaches.listed" "$breaches.there" | uniq -u | awk '
	{ folder = $0; sub(/\/[^\/]*$/, "", folder); name = $0; sub(/.*\//, "", name); sub(/\.c$/, "", name) }
	{ odd[folder] = odd[folder] name " " }
	END { for (folder in odd) print "CMakeLists.txt:1: sources() of " folder " is not what lies there: " odd[folder] }' |
	told "rule 7: one list a folder, one folder of tests"
rm -f "$breaches.listed" "$breaches.there"
for folder in $folders; do
	case $folder in
	bench/*) ;;
	*) [ -d "tests/${folder##*/}" ] || echo "$folder:1: there is no tests/${folder##*/}" ;;
	esac
	[ -e "$folder/README.md" ] || echo "$folder/README.md:1: is missing"
done | told "rule 7: one list a folder, one folder of tests, a page of ten lines"
pages=$(for folder in $folders; do [ ! -e "$folder/README.md" ] || echo "$folder/README.md"; done)
# shellcheck disable=SC2086
awk '
FILENAME == "tests/layers.txt" {
	if (split($0, part, /: */) > 1 && part[1] != "bench") rule[part[1]] = part[2]
	else if ($0 ~ /^[a-z]*:$/) rule[substr($0, 1, length($0) - 1)] = ""
	next
}
function tell(page, line, what) { printf "%s:%d: %s (rule 7: a page of ten lines: promise, faces, what it may include)\n", page, line, what }
function page_end() {
	if (page == "") return
	if (head > 10) tell(page, 11, "its head has " head " lines")
	name = page
	sub(/\/README.md$/, "", name)
	sub(/.*\//, "", name)
	wanted = rule[name] == "" ? "nothing" : rule[name]
	if (may != wanted) tell(page, 1, "\047May include: " may "\047 is \047" wanted "\047 in tests/layers.txt")
}
FNR == 1 { page_end(); page = FILENAME; head = 0; may = ""; below = 0 }
/^## / { below = 1 }
!below && /./ { head = FNR }
/^May include: / { may = $0; sub(/^May include: */, "", may); gsub(/`/, "", may) }
END { page_end() }' tests/layers.txt $pages >>"$breaches"

# --- rule 8: arithmetic on row ids
grep -nE '(rowid|row_id|segment|chunk|bucket)[a-z_>.-]* *(>>|<<|%|& ?~?\(?) *\(?(16|20|0x|65536|[0-9]{3})|>> (16|20)[^0-9]*(rowid|chunk|segment)|last_row >> [0-9]|rowid >> [0-9]|(>>|<<) *(CHUNK|SEGMENT|BUCKET)_[A-Z]+|/ *65536|_BITS = (16|20) ' $sources |
	grep -vE '^indexer/base/rowid\.h:|:[0-9]+:[[:space:]]*(/?\*|[a-z].*/\*)|/\*[^*]*(>>|<<|&)' |
	sed 's/^\([^:]*:[0-9]*\):.*/\1: computes with a row id/' | told "rule 8: row, segment, chunk: base\\/rowid.h"

if [ -s "$breaches" ]; then
	cat "$breaches"
	printf '%d breaches of the layers\n' "$(wc -l <"$breaches")"
	exit 1
fi
printf 'the layers hold: %d files in %d folders\n' "$(echo "$sources" | wc -l)" "$(echo "$folders" | wc -l)"
