#!/bin/sh
# The units of data/fleet are what systemd reads, and a sensor can only add to its own files: rsync with the options of
# connbits-ship.service, to rrsync as data/fleet/README.md has it, over a stand-in for ssh.
#   CONNBITS_BUILD=FOLDER     has the programs
. "$(dirname "$0")/../support/lib.sh"
fleet=$root/data/fleet
cd "$work" || exit 1

mkdir units
for unit in "$fleet"/*.service "$fleet"/*.timer; do
	sed 's|/usr/share/connbits|/usr/share|; s|"*/usr/bin/connbits-query"*|/usr/bin/true|; /^Documentation/d' "$unit" >"units/${unit##*/}"
done
if command -v systemd-analyze >/dev/null; then
	exits "the units" 0 systemd-analyze verify --man=no units/*.service units/*.timer
	is "systemd has nothing to say of the units" "" "$(printf '%s\n' "$out$err" | grep units/ | grep -v 'index.service')"
else
	fail "systemd-analyze is missing: sh data/setup.sh systemd"
fi
"$build/connbits-generate" --rows 3000 log.sqlite
"$index" log.sqlite "$root/data/filters.conf" --into idx --quiet

# ran UNIT NAME=VALUE...: the commands of a unit, as a shell would run them, with its environment
ran() {
	unit=$1
	shift
	sed -n 's/^ExecStart\(Post\)*=//p' "$fleet/$unit" | sed "s|\"*/usr/bin/connbits-query\"*|$build/connbits-query|" >"$unit.sh"
	env "$@" sh -e "$unit.sh"
}

mkdir central central/s2 home
echo secret >central/s2/theirs
# The stand-in drops the host's name, and runs what the key is for.
cat >ssh <<E
#!/bin/sh
while [ "\$1" != host ]; do shift; done
shift
SSH_ORIGINAL_COMMAND="\$*" exec /usr/bin/rrsync -wo -munge -no-del -no-overwrite "$work/central/s1"
E
chmod +x ssh
mkdir central/s1
export PATH="$work:$PATH"
exits "the unit exports" 0 ran connbits-export.service LOG=log.sqlite INDEX=idx EXPORT=export SENSOR=s1
ship() {
	ran connbits-ship.service EXPORT=export KEY=none HOSTS=none TARGET=host: KEEP_DAYS=30
}
exits "the unit ships" 0 ship
is "what is shipped" "$(cd export && ls [0-9]*)" "$(ls -A central/s1)"
is "with what is in it" "$(cd export && sha256sum [0-9]*)" "$(cd central/s1 && sha256sum [0-9]*)"
first=$(cd export && ls [0-9]*.watermark.json)
echo changed >"export/$first"
exits "again" 0 ship
is "what is there stays" 0 "$(grep -c changed "central/s1/$first")"
"$query" log.sqlite --into idx --export export >/dev/null
ln -s /etc/passwd export/9999999999999-00000001.bitmaps.native.zst
exits "a second export" 0 ship
is "no link arrives" "" "$(find central -type l)"
is "the second is there, too" "$(find export -name '[0-9]*' -type f | wc -l)" "$(find central/s1 -type f | wc -l)"
touch -d '40 days ago' "export/$first"
exits "old ones go" 0 ship
is "from the sensor" no "$([ -e "export/$first" ] && echo yes || echo no)"
is "and not from where they are gathered" yes "$([ -e "central/s1/$first" ] && echo yes || echo no)"
exits "what is known of them stays" 0 "$query" log.sqlite --into idx --export export
has "nothing is exported again" " 0 bitmaps changed" "$out"

# refused NAME FROM TO FILE: FILE is not there afterwards
refused() {
	timeout 20 rsync -e ssh --timeout=10 "$2" "$3" >said 2>&1
	is "$1: $(tail -n 1 said)" no "$([ -e "$4" ] && echo yes || echo no)"
}
echo mine >mine
refused "a sensor reads nothing" "host:$first" got got
before=$(cd central/s1 && sha256sum [0-9]*)
timeout 20 rsync -e ssh --timeout=10 --ignore-times mine "host:$first" >said 2>&1
is "it writes over none of its own files: $(tail -n 1 said)" "$before" "$(cd central/s1 && sha256sum [0-9]*)"
refused "it writes to no other's folder" mine host:../s2/mine central/s2/mine
refused "nor by the whole path" mine "host:$work/central/s2/mine" central/s2/mine
refused "nor over what is there" mine host:../s2/theirs central/s2/mine
is "theirs is as it was" secret "$(cat central/s2/theirs)"
finish
