#!/bin/sh
# Indexes a folder of logs on a Slurm cluster, one task a log:
#   sh data/fleet/archive.sh ARCHIVE INDEXES [CATALOGUE] [-- SBATCH-OPTIONS]
# The logs are what ARCHIVE and its sub-folders have of *.sqlite, *.sqlite3 and *.db; the index of
# SUB/NAME becomes INDEXES/SUB/NAME.idx. Run it again for logs that came since: what is indexed is left as it
# is. A last job leaves INDEXES/report, which says what has no index and why, and fails where there is any.
# Both folders are on storage that all nodes have at the same place. See ARCHIVE.md.
set -eu
unset CDPATH
usage='sh archive.sh ARCHIVE INDEXES [CATALOGUE] [-- SBATCH-OPTIONS]'

refuse() {
	printf 'archive.sh: %s\n' "$1" >&2
	exit "${2:-1}"
}

[ $# -ge 2 ] || refuse "usage: $usage" 2
here=$(cd "$(dirname "$0")" && pwd)
# Names may end in a newline, which $( ) takes away.
archive=$(cd "$1" 2>/dev/null && pwd -P && printf .) || refuse "$1: no folder that can be read"
archive=${archive%??}
indexes=$2
shift 2
catalogue=
if [ $# -gt 0 ] && [ "$1" != -- ]; then
	catalogue=$(readlink -f -- "$1" && printf .) || refuse "$1: no such catalogue"
	catalogue=${catalogue%??}
	[ -f "$catalogue" ] && [ -r "$catalogue" ] || refuse "$catalogue: no catalogue that can be read"
	shift
fi
if [ $# -gt 0 ]; then
	[ "$1" = -- ] || refuse "'$1' is one argument too many; options of sbatch go behind --: $usage" 2
	shift
fi
command -v sbatch >/dev/null && command -v scontrol >/dev/null ||
	refuse "no sbatch and scontrol here: run it where jobs are submitted, or install Slurm's client programs"
[ -r "$archive" ] && [ -x "$archive" ] || refuse "$archive: no folder that can be read"

mkdir -p -- "$indexes" || refuse "$indexes: cannot be made; name a folder that can, for INDEXES"
indexes=$(cd "$indexes" && pwd -P && printf .)
indexes=${indexes%??}
case $indexes in
*\\* | *'
'*) refuse "$indexes: Slurm writes to no folder with a backslash or a newline in its name; name another for INDEXES" ;;
esac
for jobs in "$indexes"/.runs/*/jobs; do
	[ -e "$jobs" ] || continue
	while read -r id rest; do
		left=$(squeue -h -o %A -j "$id" 2>/dev/null) || continue
		[ -z "$left" ] || refuse "job $id of an earlier call is still at work for $indexes: wait for it, or scancel $id"
	done <"$jobs"
done
name=$(date +%Y-%m-%dT%H%M%S)-$$
run=$indexes/.runs/$name
mkdir -p "$run/out" "$run/done" 2>/dev/null ||
	refuse "$indexes: cannot be written to; name another folder for INDEXES, or have its rights changed"
trap '[ -e "$run/jobs" ] || rm -rf "$run"' EXIT

printf %s "$archive" >"$run/archive"
printf %s "$catalogue" >"$run/catalogue"
# Large ones first, so that no long task is left for the end.
find "$archive/" -xtype f \( -name '*.sqlite' -o -name '*.sqlite3' -o -name '*.db' \) -printf '%s\t%P\0' \
	2>"$run/unread" | LC_ALL=C sort -z -t '	' -k 1,1nr -k 2 | cut -z -f 2- >"$run/list"
cat "$run/unread" >&2
count=$(tr -cd '\0' <"$run/list" | wc -c)
[ "$count" -gt 0 ] || refuse "$archive: no *.sqlite, *.sqlite3 or *.db in it"

limit=$(scontrol show config | sed -n 's/^MaxArraySize *= *//p')
[ "${limit:-0}" -ge 2 ] || refuse "Slurm answers with no MaxArraySize of 2 or more (scontrol show config): see whether it runs, and takes array jobs"
# Slurm fills in names at a percent sign.
out=$(printf %s "$run/out" | sed 's/%/%%/g')
offset=0
after=afterany
failed=
while [ "$offset" -lt "$count" ]; do
	tasks=$((count - offset))
	[ "$tasks" -le "$limit" ] || tasks=$limit
	id=$(sbatch --parsable "$@" --chdir=/ --array="0-$((tasks - 1))" --output="$out/%A_%a" \
		"$here/archive.sbatch" "$run" "$offset") || {
		failed=yes
		break
	}
	id=${id%%;*}
	printf '%s %s %s\n' "$id" "$offset" "$tasks" >>"$run/jobs"
	after=$after:$id
	offset=$((offset + tasks))
done
[ -e "$run/jobs" ] || refuse "Slurm has taken no job, for the reason above"
last=$(sbatch --parsable "$@" --chdir=/ --output="$out/report" --dependency="$after" \
	"$here/archive-report.sbatch" "$run") || refuse "Slurm has taken the jobs ${after#*:}, but not the last, which makes the report"
last=${last%%;*}
printf '%s 0 0\n' "$last" >>"$run/jobs"

# One earlier run is kept, to compare with.
for old in "$indexes"/.runs/*; do
	printf '%s\n' "$old"
done | sort | head -n -2 | while read -r old; do
	rm -rf "$old"
done
printf '%s logs, array jobs %s; then job %s writes %s\n' "$offset" "$(printf %s "${after#*:}" | tr : ' ')" "$last" "$indexes/report"
[ -z "$failed" ] || refuse "Slurm has taken the first $offset of $count logs only, for the reason above; call again when they are done"
