#!/bin/sh
# data/fleet/archive.sh on a cluster of its own: munged, slurmctld and two slurmd, here, of which one is killed
# with its tasks while an index is half made.
#   sh tests/fleet/slurm.sh [BUILD]
# Nothing of the host's own Slurm is used or touched. CONNBITS_FLEET_KEEP=1 leaves the folder with all logs.
CONNBITS_BUILD=${1:-${CONNBITS_BUILD:-}}
. "$(dirname "$0")/../support/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
fleet=${CONNBITS_FLEET:-$root/data/fleet}
for variable in $(env | sed -n 's/^\(\(SLURM\|SBATCH\|SQUEUE\|SINFO\|CONNBITS\)_[A-Z_]*\)=.*/\1/p'); do
	[ "$variable" = CONNBITS_FLEET_KEEP ] || unset "$variable"
done
lacking=
for program in munged:munge slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client scontrol:slurm-client sqlite3:sqlite3 python3:python3; do
	command -v "${program%:*}" >/dev/null || lacking="$lacking ${program#*:}"
done
if [ -n "$lacking" ]; then
	echo "FAILED: these Debian packages are missing:$lacking (sh data/setup.sh$lacking)"
	exit 1
fi

conf=$work/slurm.conf
archive=$work/archive
# All that Slurm or a shell could stumble over.
indexes="$work/in dexes 100%j"
seen=0
cd "$work" || exit 1

# Tasks and slurmstepd are no children of this shell: they are known by the configuration they were given.
ours() {
	grep -lsaz -- "^SLURM_CONF=$conf\$" /proc/[0-9]*/environ 2>/dev/null | sed 's|[^0-9]||g' | while read -r pid; do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		slurm*) echo "$pid" ;;
		*) grep -qaz '^SLURM_JOB_ID=' "/proc/$pid/environ" 2>/dev/null && echo "$pid" ;;
		esac
	done
}

end() {
	trap - EXIT INT TERM
	for pid in ${slurmd_n1:-} ${slurmd_n2:-} ${slurmctld:-} ${munged:-}; do
		kill -9 "$pid" 2>/dev/null
	done
	for again in 1 2 3; do
		left=$(ours)
		[ -z "$left" ] || kill -9 $left 2>/dev/null
	done
	wait
	chmod -R u+w "$archive" 2>/dev/null
	if [ -n "${CONNBITS_FLEET_KEEP:-}" ]; then
		echo "all is kept in $work"
	else
		rm -rf "$work"
	fi
} 2>/dev/null
trap end EXIT
trap 'exit 1' INT TERM

# fact TEXT: what the checks since the last one have shown
fact() {
	[ -z "${T:-}" ] || date +%S.%N
	[ "$failed" != "$seen" ] || printf 'shown: %s\n' "$1"
	seen=$failed
}

give_up() {
	[ -z "$1" ] || fail "$1"
	for file in "$work"/*.log "$indexes"/.runs/*/out/* "$indexes"/report; do
		[ -s "$file" ] && printf -- '--- %s\n' "$file" && grep -v -e 'debug2: ' -e pmix "$file" | tail -n 15
	done
	[ -z "${slurmctld:-}" ] || {
		squeue
		sinfo -N -l
	} 2>&1
	finish
	exit 1
}

# within SECONDS WHAT COMMAND...: waits until the command holds
within() {
	tries=$(($1 * 10))
	what=$2
	shift 2
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || give_up "$what did not come about in time"
		sleep 0.1
	done
}

# --- logs
mkdir -p "$archive/2026 10" "$archive/2026 11"
generate() {
	"$build/connbits-generate" --rows "$1" --seed "$2" "$archive/made.sqlite" && mv "$archive/made.sqlite" "$archive/$3"
}
# large N NAME: a log whose index goes in many commits, as many row ids as it spreads over
large() {
	generate 200000 "$1" "$2"
	sqlite3 "$archive/$2" "UPDATE connections SET connection = -connection * 16; UPDATE connections SET connection = -connection"
}
large 1 held.sqlite
large 9 long.sqlite
generate 20000 2 '2026 10/log.sqlite'
generate 20000 3 '2026 11/log.sqlite'
generate 20000 4 'a
line.db'
generate 20000 5 '$(touch planted) `touch planted` "%A" \ .sqlite3'
generate 20000 6 '-rf.sqlite'
generate 20000 7 'linked'
ln -s linked "$archive/link.db"
generate 20000 8 torn.sqlite
truncate -s 300000 "$archive/torn.sqlite"
echo 'no log at all' >"$archive/text.db"
logs=10
cat >filters.conf <<'END'
# connbits: skip-unanswerable
[filter smb]
expression = tcp dst port 445
[filter private]
expression = src net 10.0.0.0/8
END
for port in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	printf '[filter most%s]\nexpression = not port %s\n' "$port" "$port"
done >>filters.conf
chmod a-w "$archive" "$archive"/*

# --- what cannot work
CONNBITS_INDEX=$work/hold
# What a killed task leaves there goes with the rest.
TMPDIR=$work/tmp
export CONNBITS_INDEX TMPDIR
exits "usage" 2 sh "$fleet/archive.sh" "$archive"
exits "no such archive" 1 sh "$fleet/archive.sh" "$work/none" "$indexes"
has "no such archive" "$work/none: no folder that can be read" "$err"
exits "no such catalogue" 1 sh "$fleet/archive.sh" "$archive" "$indexes" none.conf
has "no such catalogue" "none.conf: no catalogue that can be read" "$err"
exits "an option without --" 2 sh "$fleet/archive.sh" "$archive" "$indexes" filters.conf --mem=1
mkdir programs empty tmp own
for program in sh dirname env readlink; do
	ln -s "$(command -v "$program")" programs
done
exits "no Slurm" 1 env PATH="$work/programs" sh "$fleet/archive.sh" "$archive" "$indexes"
has "no Slurm" "no sbatch and scontrol here" "$err"
exits "no logs" 1 sh "$fleet/archive.sh" empty "$indexes"
has "no logs" "$work/empty: no *.sqlite" "$err"
exits "indexes in a file" 1 sh "$fleet/archive.sh" "$archive" filters.conf
has "indexes in a file" "filters.conf: cannot be made" "$err"
exits "indexes that Slurm cannot write to" 1 sh "$fleet/archive.sh" "$archive" 'back\slash'
has "indexes that Slurm cannot write to" "Slurm writes to no folder with a backslash" "$err"
if [ "$(id -u)" != 0 ]; then
	exits "indexes that are read-only" 1 sh "$fleet/archive.sh" "$archive" "$archive"
	has "indexes that are read-only" "cannot be written to" "$err"
fi
is "nothing is left of it" "" "$(ls "$indexes/.runs")"
fact "what cannot work is refused, with the reason"

# --- the cluster
is_free() {
	! grep -qs ":$(printf %04X "$1") 0*:0000 0A" /proc/net/tcp /proc/net/tcp6
}
port=$((20000 + $$ % 10000))
until is_free "$port" && is_free $((port + 1)) && is_free $((port + 2)); do
	port=$((port + 3))
done
host=$(uname -n)
host=${host%%.*}
user=$(id -un)
cat >"$conf" <<END
ClusterName=connbits
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthInfo=socket=$work/munge.socket,cred_expire=5
StateSaveLocation=$work/slurmctld
SlurmctldPidFile=$work/slurmctld.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmctldDebug=debug2
SlurmdPidFile=$work/%n.pid
SlurmdLogFile=$work/%n.log
SlurmdSpoolDir=$work/%n
SlurmdParameters=config_overrides
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PropagateResourceLimits=NONE
# Nothing is requeued that does not ask for it.
JobRequeue=0
MaxArraySize=6
ReturnToService=2
SlurmdTimeout=3
MessageTimeout=2
TCPTimeout=1
KillWait=2
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=0,batch_sched_delay=0
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=4
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
END
# Later ones than Debian 12's look for systemd's groups otherwise.
case $(slurmd -V) in
*' '2[0-2].*) ;;
*) echo CgroupPlugin=disabled >cgroup.conf ;;
esac
SLURM_CONF=$conf
export SLURM_CONF
mkdir slurmctld n1 n2
head -c 1024 /dev/urandom >munge.key
chmod 600 munge.key
munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munge.pid" \
	--log-file="$work/munge.log" --seed-file="$work/munge.seed" >munged.said 2>&1 &
munged=$!
within 30 "munged's socket" test -S munge.socket
slurmctld -D >slurmctld.said 2>&1 &
slurmctld=$!
slurmd -D -N n1 >n1.said 2>&1 &
slurmd_n1=$!
slurmd -D -N n2 >n2.said 2>&1 &
slurmd_n2=$!
both_idle() {
	[ "$(sinfo -h -N -o '%N %T' 2>/dev/null | sort | tr '\n' ' ')" = "n1 idle n2 idle " ]
}
within 60 "a cluster of two nodes" both_idle
fact "two slurmd are ready on this host"

# The first time that one of these logs is indexed, it stops when some of it is committed, which SQLite counts in
# four bytes of the file, and is killed so, or asked to end.
cat >hold <<END
#!/bin/sh
case \$1 in
*/held.sqlite | */long.sqlite) ! mkdir "$work/first-\${1##*/}" 2>/dev/null || exec python3 "$work/hold.py" "$index" "\$@" ;;
esac
exec "$index" "\$@"
END
cat >hold.py <<'END'
import os, signal, subprocess, sys, time
command = sys.argv[1:]
name = os.path.basename(command[1])
into = command[command.index("--into") + 1]
at = os.path.join(os.path.dirname(sys.argv[0]), f"{name}.at")


def commits():
    try:
        with open(into, "rb") as file:
            return int.from_bytes(file.read(28)[24:], "big")
    except FileNotFoundError:
        return 0


def end(*_):
    child.terminate()
    child.send_signal(signal.SIGCONT)


while True:
    # The slow engine leaves time to stop it.
    child = subprocess.Popen([*command, "--engine", "bpf", "--quiet"])
    while commits() < 5 and child.poll() is None:
        time.sleep(0.0002)
    child.send_signal(signal.SIGSTOP)
    if child.returncode is None and os.waitid(
            os.P_PID, child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT).si_code == os.CLD_STOPPED and commits() < 7:
        break
    child.kill()
    child.wait()
    os.unlink(into)
signal.signal(signal.SIGTERM, end)
with open(f"{at}.new", "w") as file:
    print(f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}", os.environ["SLURMD_NODENAME"],
          file=file)
os.rename(f"{at}.new", at)
sys.exit(child.wait() != 0)
END
chmod +x hold

all_done() {
	[ -z "$(squeue -h 2>/dev/null)" ]
}
digests() {
	(cd "$indexes" && find . -name '*.idx' -type f -exec sha256sum {} + | LC_ALL=C sort)
}
# plain SQL, for whatever is in the tables
content() {
	sqlite3 -readonly "$1" "SELECT f.name, b.chunk, b.rows, hex(b.bitmap) FROM connbits_bitmap b
		JOIN connbits_filter f ON f.id = b.filter ORDER BY 1, 2;
		SELECT segment, column, hex(bytes) FROM connbits_column ORDER BY 1, 2" | sha256sum
}

# --- the first submission, and a node that dies
exits "submission" 0 sh "$fleet/archive.sh" "$archive" "$indexes" filters.conf -- --time=10
[ "$status" = 0 ] || give_up "nothing was submitted"
has "every log has a task" "$logs logs, array jobs 1 " "$out"
is "in as many arrays as MaxArraySize demands" 2 "$(grep -c ' [1-9]$' "$indexes"/.runs/*/jobs)"
fact "$logs logs go as two arrays where one may have 6 tasks: $out"
exits "while they are at work" 1 sh "$fleet/archive.sh" "$archive" "$indexes" filters.conf
has "while they are at work" "of an earlier call is still at work" "$err"
within 60 "an index half made" test -s held.sqlite.at
within 60 "another index half made" test -s long.sqlite.at
read -r long node <long.sqlite.at
scancel --signal=USR1 --batch "$long"
is_pending() {
	[ "$(squeue -h -o %T -j "$1" 2>/dev/null)" = PENDING ]
}
within 60 "the end of a task that was told of its time limit" is_pending "$long"
read -r task node <held.sqlite.at
for pid in $(ours); do
	grep -qsaz "^SLURMD_NODENAME=$node\$" "/proc/$pid/environ" || continue
	parent=$(sed 's/.*) . //; s/ .*//' "/proc/$pid/stat" 2>/dev/null)
	[ "$(cat "/proc/$parent/comm" 2>/dev/null)" != slurmstepd ] || echo "$parent"
	echo "$pid"
done >dying
case $node in
n1) pid=$slurmd_n1 slurmd_n1= ;;
*) pid=$slurmd_n2 slurmd_n2= ;;
esac
is "the task's own processes die with it" "1 1" \
	"$(for p in $(cat dying); do cat "/proc/$p/comm" 2>/dev/null; done | sort -u | grep -c -e slurmstepd -e connbits-index | sed 's/^2$/1 1/')"
kill -9 "$pid" $(sort -u dying) 2>/dev/null
wait "$pid" 2>/dev/null
for pid in $(cat dying); do
	! grep -qs '^State:.[RSDT]' "/proc/$pid/status" || fail "$pid is still alive"
done
cp "$indexes/held.sqlite.idx" half.idx
! [ -e "$indexes/held.sqlite.idx-journal" ] || cp "$indexes/held.sqlite.idx-journal" half.idx-journal
exits "half made" 1 "$query" "$archive/held.sqlite" smb --count --into half.idx
has "half made" "no finished index" "$err"
fact "$node is killed with its tasks while an index is half made: kill -9 of slurmd, slurmstepd, connbits-index"
# Now and then slurmctld asks the nodes a minute later.
within 150 "the last job" all_done
out=$(cat "$indexes"/.runs/*/out/"$task")
other=$(printf 'n1\nn2\n' | grep -v "$node")
is "the task's nodes" "try 1 on $node
try 2 on $other" "$(printf '%s\n' "$out" | sed -n 's/^archive.sbatch: \(try . on ..\): .*/\1/p')"
has "Slurm's word for it" "Requeuing JobId" "$(cat slurmctld.log)"
fact "Slurm has requeued it to the other node"
has "it goes on" "gone on with" "$out"
fact "it has gone on where the killed one was: $(printf '%s\n' "$out" | grep 'gone on with')"
out=$(cat "$indexes"/.runs/*/out/"$long")
has "it ends" "the time limit is near: goes on in another try" "$out"
has "and goes on" "gone on with" "$out"
is "in two tries" 2 "$(printf '%s\n' "$out" | grep -c '^archive.sbatch: try')"
fact "a task that was told of its time limit has gone on in another try"
find "$archive" -name made.sqlite -o -xtype f ! -name torn.sqlite ! -name text.db ! -name linked -printf '%P\0' >good
number=0
while number=$((number + 1)) && log=$(sed -zn "${number}p" good | tr -d '\0') && [ -n "$log" ]; do
	idx=$indexes/$log.idx
	exits "$log: --verify" 0 "$index" "$archive/$log" --into "$idx" --verify=2000 --quiet
	exits "$log: a fresh one" 0 "$index" "$archive/$log" filters.conf --into fresh.idx --quiet
	is "$log: as a fresh one" "$(content fresh.idx)" "$(content "$idx")"
	is "$log: its own rows" "$("$query" "$archive/$log" smb --count --into fresh.idx)" "$("$query" "$archive/$log" smb --count --into "$idx")"
	rm -f fresh.idx
done
is "how many" $((logs - 2)) $((number - 1))
is "no more" "$(tr -cd '\0' <good | wc -c)" "$(find "$indexes" -name '*.idx' -size +0 -printf . | wc -c)"
is "no name was run" "" "$(ls /planted 2>/dev/null; find "$work" -name planted)"
fact "$((number - 1)) indexes pass --verify and have what a fresh one has"
report=$(cat "$indexes/report")
is "the report" "$archive: $((logs - 2)) of $logs logs have an index that is up to date
text.db: 
torn.sqlite: " "$(printf '%s\n' "$report" | sed 's/^\(t[a-z.]*: \)connbits-index: .*/\1/')"
printf '%s\n' "$report"
is "the tasks of Slurm" "$((logs - 2)) COMPLETED 3 FAILED " "$(scontrol -o show job | grep -o 'JobState=[A-Z]*' | sort | uniq -c | sed 's/JobState=//' | awk '{ printf "%s %s ", $1, $2 }')"
is "the last job, too" FAILED "$(scontrol -o show job 3 | grep -o 'JobState=[A-Z]*' | cut -d= -f2)"
fact "the damaged log and the one that is none are in the report, and alone have failed"

# --- again
digests >before
cp "$indexes/report" report.before
exits "again" 0 sh "$fleet/archive.sh" "$archive" "$indexes" filters.conf
within 120 "the second run" all_done
is "a new run" 2 "$(ls "$indexes/.runs" | wc -l)"
is "no index is changed" "$(cat before)" "$(digests)"
is "the same report" "$(cat report.before)" "$(cat "$indexes/report")"
fact "a second submission changes no index and reports the same"

# --- a log that came since, and storage whose locks are in the way
chmod u+w "$archive"
generate 20000 10 late.sqlite
CONNBITS_COPY=$work/own
export CONNBITS_COPY
exits "a third time" 0 sh "$fleet/archive.sh" "$archive" "$indexes" filters.conf
within 120 "the third run" all_done
has "one more is there" "$((logs - 1)) of $((logs + 1)) logs" "$(cat "$indexes/report")"
is "no other is changed" "$(cat before)" "$(digests | grep -v late)"
is "one earlier run is kept" 2 "$(ls "$indexes/.runs" | wc -l)"
fact "a log that came since is taken"
exits "the late log" 0 "$index" "$archive/late.sqlite" filters.conf --into fresh.idx --quiet
is "as a fresh one" "$(content fresh.idx)" "$(content "$indexes/late.sqlite.idx")"
is "nothing else is left" "" "$(find "$indexes" -name '*.part-*'; ls own)"
fact "an index that is made on the node and copied to its place is as a fresh one"

[ "$failed" = 0 ] || give_up ""
finish
