#!/bin/sh
# The rules of layers.sh are rules: in a copy of the tree each is broken once, and the breach has to be
# told with its file, line and rule.
. "$(dirname "$0")/support/lib.sh"
tree=$work/tree

# breach NAME RULE PLACE: the copy was just changed, and `told` shall find it at that place by that rule
breach() {
	printf '%s|%s|%s\n' "$1" "$2" "$3" >>"$work/breaches"
}

# told: the copy's breaches are told, each of them, and nothing else
told() {
	exits "breaches" 1 sh "$root/tests/layers.sh" "$tree"
	while IFS='|' read -r name rule place; do
		has "$name: is told" "$place" "$out"
		has "$name: with its rule" "$rule" "$(printf '%s\n' "$out" | grep -F -- "$place")"
	done <"$work/breaches"
	is "nothing else is told: $out" "$(($(wc -l <"$work/breaches") + 1))" "$(printf '%s\n' "$out" | wc -l)"
	rm -rf "$tree" "$work/breaches"
	tree_copy
}

tree_copy() {
	mkdir "$tree"
	(cd "$root" && tar cf - --exclude='build*' --exclude=__pycache__ indexer query bench tests CMakeLists.txt) | tar xf - -C "$tree"
}

# plant FILE TEXT: one more line at its end
plant() {
	printf '%s\n' "$2" >>"$tree/$1"
}

# end FILE: the number of its last line
end() {
	wc -l <"$tree/$1"
}

tree_copy
exits "the tree as it is" 0 sh "$root/tests/layers.sh" "$tree"
plant indexer/engine/vector.c '/* sqlite3_open */'
breach "SQLite in the engine" "rule 1" "indexer/engine/vector.c:$(end indexer/engine/vector.c): "
plant query/ask/answer.c 'static const char sql[] = "SELECT rows FROM connbits_filter";'
breach "a table of the index in a question" "rule 2" "query/ask/answer.c:$(end query/ask/answer.c): "
plant indexer/log/log.c 'static const char sql[] = "DELETE FROM connbits_change";'
breach "a table of the notes beside their files" "rule 2" "indexer/log/log.c:$(end indexer/log/log.c): "
plant indexer/engine/plan.c '#include <pcap/pcap.h>'
breach "libpcap in the engine" "rule 3" "indexer/engine/plan.c:$(end indexer/engine/plan.c): "
plant indexer/job/job.c '#include <roaring/roaring.h>'
breach "CRoaring in a job" "rule 3" "indexer/job/job.c:$(end indexer/job/job.c): "
plant indexer/log/log_reader.c '#include "index/index_reader.h"'
breach "the log that knows its index" "log may not include index" "indexer/log/log_reader.c:$(end indexer/log/log_reader.c): "
plant query/sql/set_table.c '#include "show/capture.h"'
breach "SQL that shows" "sql may not include show" "query/sql/set_table.c:$(end query/sql/set_table.c): "
plant indexer/main.c '#include "ask/answer.h"'
breach "a program of indexer that asks" "indexer knows no query" "indexer/main.c:$(end indexer/main.c): "
plant indexer/job/job.c '#include "pipeline/segment_supply.h"'
breach "a header that is no face" "not among the faces" "indexer/job/job.c:$(end indexer/job/job.c): "
plant bench/main.c '#include "index/index_fit.h"'
breach "one more way into the internals" "not in the list of bench" "bench/main.c:$(end bench/main.c): "
plant indexer/job/job.c '#include "layout.h"'
breach "a bare include of another folder" "bare includes" "indexer/job/job.c:$(end indexer/job/job.c): "
told
sed -i 's|^#include "ask/answer.h"$||' "$tree"/bench/*.[ch] "$tree"/bench/*/*.[ch]
breach "a list that does not shrink" "the list only shrinks" "bench no longer includes ask/answer.h"
told
plant tests/layers.txt 'bench: index/index_fit.h'
plant bench/main.c '#include "index/index_fit.h"'
breach "a list that grows" "the list of bench only shrinks" "tests/layers.txt:1: 23 headers of bench"
plant indexer/job/job.c '#include "nowhere/index.h"'
breach "an include of no folder" "folder/file.h across folders" "includes nowhere/index.h, which is no folder"
plant tests/layers.txt 'nowhere: base'
breach "a rule for no folder" "folders in the order of the data" "a rule for nowhere, which is no folder"
told
sed -i 's/^report:.*//' "$tree/tests/layers.txt"
sed -i 's/^May include: .*/May include: nothing/' "$tree/bench/report/README.md"
exits "a folder without a rule" 1 sh "$root/tests/layers.sh" "$tree"
has "a folder without a rule: is told" "bench/report:1: a folder that tests/layers.txt does not know (rule 4" "$out"
rm -rf "$tree"
tree_copy
sed -i 's|^Faces: |&`chunk_stack.h` |' "$tree/query/ask/README.md"
breach "a face that nobody looks at" "faces are what others need" "query/ask/README.md:1: nobody includes the face ask/chunk_stack.h"
plant query/ask/answer.c 'static void tell(void) { fprintf(stderr, "asked"); }'
breach "a question that prints" "rule 5" "query/ask/answer.c:$(end query/ask/answer.c): "
plant query/ask/answer.c 'static void tell(void) { printf("asked"); }'
breach "a question that prints to stdout" "rule 5" "query/ask/answer.c:$(end query/ask/answer.c): "
told
plant query/ask/answer.c 'struct job {'
breach "two structs of one name" "rule 6" "query/ask/answer.c:$(end query/ask/answer.c): struct job is also in indexer/job/job_state.h"
told
{
	echo 'static int longest(void)'
	echo '{'
	yes '	;' | head -n 60
	echo '}'
} >>"$tree/query/ask/answer.c"
breach "a long function" "rule 6" "query/ask/answer.c:$(($(end query/ask/answer.c) - 61)): a function of 62 lines"
yes '' | head -n 600 >>"$tree/query/ask/answer.c"
breach "a long file" "rule 6" "query/ask/answer.c:601: "
echo >"$tree/query/ask/another.c"
breach "a file that no list has" "rule 7" "CMakeLists.txt:1: sources() of query/ask"
rm -r "$tree/tests/ask"
breach "a folder without tests" "rule 7" "query/ask:1: there is no tests/ask"
told
rm "$tree/query/ask/README.md"
exits "a folder without a page" 1 sh "$root/tests/layers.sh" "$tree"
has "a folder without a page: is told" "query/ask/README.md:1: is missing (rule 7" "$out"
rm -rf "$tree"
tree_copy
sed -i 's/^May include: .*/May include: everything/' "$tree/query/ask/README.md"
breach "a page that says otherwise" "rule 7" "query/ask/README.md:1: 'May include: everything'"
sed -i '3s/$/\n\n\n\n\n\n\n\n\n/' "$tree/query/ask/README.md"
breach "a long page" "rule 7" "query/ask/README.md:11: "
plant query/ask/answer.c 'static int64_t chunk_of(int64_t rowid) { return rowid >> 20; }'
breach "arithmetic on row ids" "rule 8" "query/ask/answer.c:$(end query/ask/answer.c): "
plant query/ask/answer.c 'static int64_t low_of(int64_t rowid) { return rowid & 0xffff; }'
breach "arithmetic on row ids by a mask" "rule 8" "query/ask/answer.c:$(end query/ask/answer.c): "
plant query/ask/answer.c 'static int64_t chunk_at(int64_t row) { return row >> CHUNK_SHIFT; }'
breach "arithmetic on row ids by a name" "rule 8" "query/ask/answer.c:$(end query/ask/answer.c): "
plant query/ask/answer.c 'static int64_t segment_at(int64_t row) { return row / 65536; }'
breach "arithmetic on row ids by division" "rule 8" "query/ask/answer.c:$(end query/ask/answer.c): "
plant query/ask/answer.c 'enum { SHIFT_BITS = 20 };'
breach "a chunk's size once more" "rule 8" "query/ask/answer.c:$(end query/ask/answer.c): "
told
finish
