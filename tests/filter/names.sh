#!/bin/sh
# Filters with the names of hosts: no bitmap holds two meanings, and a name that is not found tonight
# costs no other filter anything.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1
cc -shared -fPIC -o moving.so "$root/tests/filter/moving.c" -ldl

# job ADDRESS OPTIONS...: a job for which moving.test has that address; none where it is empty
job() {
	address=$1
	shift
	name=$1
	shift
	status=$1
	shift
	if [ -n "$address" ]; then
		exits "$name" "$status" env LD_PRELOAD=./moving.so MOVING="$address" "$index" "$@"
	else
		exits "$name" "$status" env LD_PRELOAD=./moving.so "$index" "$@"
	fi
}

# who EXPRESSION: the remote hosts of its rows
who() {
	"$query" log.sqlite "$1" --columns remote_host --format csv 2>/dev/null | tail -n +2 | tr -d '\r' | sort | uniq -c | awk '{print $1, $2}' | tr '\n' ' '
}

more() {
	sqlite3 log.sqlite "INSERT INTO connections (connection_type, connection_transport, local_host, local_port, remote_host, remote_port)
		VALUES ('accept', 'tcp', '192.0.2.1', 445, '192.0.2.77', 1), ('accept', 'tcp', '192.0.2.1', 22, '192.0.2.88', 1)"
}

sqlite3 log.sqlite "CREATE TABLE connections (connection INTEGER PRIMARY KEY, connection_type, connection_transport,
	local_host, local_port, remote_host, remote_port)"
more
printf '[filter vpn]\nexpression = src host moving.test\n[filter smb]\nexpression = tcp dst port 445\n' >f.conf

job "" "a new filter whose host is not found" 2 log.sqlite f.conf
has "is a mistake at its line" "f.conf:2: filter 'vpn': unknown host 'moving.test'" "$err"
job 192.0.2.77 "a host that is found" 0 log.sqlite f.conf --json
is "has its rows" "1 192.0.2.77 " "$(who vpn)"
job 192.0.2.77 "the same on an idle night" 0 log.sqlite f.conf
has "is nothing to do" "nothing to do" "$out"
is "nor to say" "" "$err"
more
job 192.0.2.77 "new rows" 0 log.sqlite f.conf --json
is "change no filter" 0 "$(printf '%s' "$out" | jq .filters_changed)"
is "and are there" "2 192.0.2.77 " "$(who vpn)"

more
job 192.0.2.88 "a host that has moved, and new rows" 0 log.sqlite f.conf --json
is "changes its filter" 1 "$(printf '%s' "$out" | jq .filters_changed)"
has "which is said" "f.conf:2: warning: filter 'vpn' no longer means what it did" "$err"
is "and is evaluated as a whole" "3 192.0.2.88 " "$(who vpn)"
job 192.0.2.77 "a host that moves on an idle night" 0 log.sqlite
has "is noticed too" "connbits-index: warning: filter 'vpn' no longer means" "$err"
is "from the stored headers" "3 192.0.2.77 " "$(who vpn)"

more
job "" "a host that is not found tonight" 0 log.sqlite f.conf --json
has "is warned of" "f.conf:2: warning: filter 'vpn': unknown host 'moving.test'; its bitmap stays as it is" "$err"
is "leaves what there is" "3 192.0.2.77 " "$(who vpn)"
is "and costs no other filter anything" 4 "$("$query" log.sqlite smb --count)"
job "" "nor on the next night" 0 log.sqlite
is "is there more of it" "3 192.0.2.77 " "$(who vpn)"
is "which --list tells" "behind current" "$("$query" log.sqlite --list --format json | jq -r '[.[] | select(.name == "vpn" or .name == "smb") | .state] | join(" ")')"
exits "a question tells too" 0 "$query" log.sqlite 'smb and not vpn' --count
has "a question tells too" "the filter 'vpn' lacks rows: a name that it asks for was not found" "$err"
job 192.0.2.77 "once it is found again, where it was" 0 log.sqlite f.conf
has "that is said" "its names are found again" "$err"
is "and its rows are complete" "4 192.0.2.77 " "$(who vpn)"
job 192.0.2.77 "the index" 0 log.sqlite --verify=all
has "verifies" "no difference" "$out"

# --- in the brace of a rows filter
cp f.conf both.conf
printf '[filter brace]\nrows = smb and {src host moving.test}\n[filter above]\nrows = not brace\n' >>both.conf
job "" "a new rows filter whose host is not found" 2 log.sqlite both.conf
has "is a mistake at its line too" "both.conf:6: filter 'brace': " "$err"
job 192.0.2.77 "a rows filter whose host is found" 0 log.sqlite both.conf
is "has its rows too" "4 192.0.2.77 " "$(who brace)"
more
job "" "one that is not found tonight" 0 log.sqlite both.conf
has "is warned of too" "both.conf:6: warning: filter 'brace': " "$err"
is "keeps its rows" "4 192.0.2.77 " "$(who brace)"
is "and costs no other filter anything" 5 "$("$query" log.sqlite smb --count)"
job 192.0.2.77 "a rows filter whose host is found again" 0 log.sqlite both.conf
is "is completed" "5 192.0.2.77 " "$(who brace)"
is "as is what is made of it" "5 192.0.2.88 " "$(who above)"
job 192.0.2.77 "an index with such a filter" 0 log.sqlite --verify=all
job 192.0.2.77 "and without it again" 0 log.sqlite f.conf --prune

job "" "a rebuild without the host" 2 log.sqlite f.conf --rebuild
is "leaves the index" "5 192.0.2.77 " "$(who vpn)"
job 192.0.2.88 "a host that has moved, without stored headers" 0 log.sqlite f.conf --no-headers --rebuild
job 192.0.2.77 "has every row read again" 0 log.sqlite f.conf --json
has "and says so" "means something else" "$(printf '%s' "$out" | jq -r .rebuild)"
is "rightly" "5 192.0.2.77 " "$(who vpn)"

# --- a system without the names of ports and protocols, which are a package of their own
printf '[filter web]\nexpression = tcp dst port http\n[filter gre]\nexpression = ip proto gre\n' >ports.conf
exits "ports and protocols have names" 0 "$index" log.sqlite ports.conf --check --into ports.idx
exits "but not everywhere" 2 env LD_PRELOAD=./moving.so NO_NAMES=1 "$index" log.sqlite ports.conf --check --into ports.idx
has "which says what to install" "ports.conf:2: filter 'web': unknown port 'http' (there is no /etc/services here, which has such names: apt-get install netbase)" "$err"
has "for protocols too" "unknown ip proto 'gre' (there is no /etc/protocols here" "$err"
exits "in a question too" 2 env LD_PRELOAD=./moving.so NO_NAMES=1 "$query" log.sqlite '{tcp dst port http}' --count
has "in a question too" "apt-get install netbase" "$err"
sed -i 's/http/htttp/' ports.conf
sql_says=$(LD_PRELOAD=./moving.so NO_NAMES=1 sqlite3 log.sqlite ".load $build/connbits" "SELECT bitmap_count('{tcp dst port http}')" 2>&1)
has "and in SQL" "apt-get install netbase" "$sql_says"
exits "what is misspelt is not missing" 2 "$index" log.sqlite ports.conf --check --into ports.idx
is "what is misspelt is not missing" 0 "$(echo "$err" | grep -c netbase)"
finish
