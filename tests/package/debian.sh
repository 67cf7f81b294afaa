#!/bin/sh
# The Debian packages in bare trees of Debian 12 and 13: installed, used as root and as nobody, upgraded, removed, purged.
# As root, with mmdebstrap; a tree has nothing else of ours.
. "$(dirname "$0")/../support/lib.sh"
[ "$(id -u)" = 0 ] && command -v mmdebstrap >/dev/null || {
	echo "NOT TESTED: needs root and mmdebstrap"
	exit 77
}
debs=$work/debs

# --- the packages themselves; and the same as a release before, to be upgraded from
exits "they are made" 0 sh "$root/data/packages.sh" "$debs"
is "three of them" "connbits connbits-bench sqlite3-connbits" "$(for deb in "$debs"/*.deb; do dpkg-deb -f "$deb" Package; done | sort | tr '\n' ' ' | sed 's/ $//')"
is "of the version" "$("$index" --version | cut -d' ' -f2)-1" "$(dpkg-deb -f "$debs"/connbits_*.deb Version)"
is "which the changelog has, too" "$("$index" --version | cut -d' ' -f2)-1" "$(sed -n '1s/.*(\(.*\)).*/\1/p' "$root/data/package/debian/changelog")"
has "and the one of the docs" "## $("$index" --version | cut -d' ' -f2)" "$(cat "$root/data/CHANGELOG.md")"
exits "lintian has nothing to say" 0 lintian --allow-root "$debs"/*.deb
is "lintian has nothing to say" "" "$out$err"
is "the extension needs the C library alone" "libc6" "$(dpkg-deb -f "$debs"/sqlite3-connbits_*.deb Depends | sed 's/ (.*//')"
mkdir "$debs/earlier"
for deb in "$debs"/*.deb; do
	dpkg-deb -R "$deb" "$work/earlier"
	sed -i 's/^Version: .*/Version: 0.1.0-1/' "$work/earlier/DEBIAN/control"
	exits "an earlier release" 0 dpkg-deb -Znone -b "$work/earlier" "$debs/earlier"
	rm -rf "$work/earlier"
done

# --- what is done in one tree; prints a line a fact
cat >"$work/facts.sh" <<'END'
set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
fact() { printf '%s: %s\n' "$1" "$(shift; "$@" 2>&1 | tr '\n' ' ')" | sed 's/ *$//'; }
log() { tail -n 20 /tmp/log >&2; exit 1; }
install() { apt-get install -y --no-install-recommends "$@" >/tmp/log 2>&1 || log; }
ours() { find / -xdev \( -path /proc -o -path /sys -o -path /debs \) -prune -o -name '*connbits*' -print | sort; }
apt-get update >/tmp/log 2>&1 || log
ours >/tmp/before
install /debs/earlier/*.deb sqlite3
fact "earlier release" dpkg-query -W -f '${Version} ' connbits sqlite3-connbits connbits-bench
fact "the account" sh -c 'getent passwd connbits | cut -d: -f1,6,7'
sed -i 's|^#LOG=.*|LOG=/srv/log.sqlite|' /etc/default/connbits
connbits-generate --rows 20000 /srv/log.sqlite
mkdir -p /var/lib/connbits && chown connbits:connbits /var/lib/connbits
setpriv --reuid connbits --regid connbits --clear-groups connbits-index /srv/log.sqlite --into /var/lib/connbits/logsql.index --quiet
fact "a question" connbits-query /srv/log.sqlite 'smb and not rfc1918' --count --into /var/lib/connbits/logsql.index
install /debs/*.deb
fact "upgraded" dpkg-query -W -f '${Version} ' connbits sqlite3-connbits connbits-bench
fact "settings are kept" grep -c '^LOG=/srv' /etc/default/connbits
fact "the question again" connbits-query /srv/log.sqlite 'smb and not rfc1918' --count --into /var/lib/connbits/logsql.index
fact "the next job" setpriv --reuid connbits --regid connbits --clear-groups connbits-index /srv/log.sqlite --into /var/lib/connbits/logsql.index --quiet
fact "in SQL, by nobody" setpriv --reuid nobody --regid nogroup --clear-groups sqlite3 -cmd ".load $(dpkg -L sqlite3-connbits | grep 'connbits\.so$')" \
	-cmd "ATTACH 'file:/var/lib/connbits/logsql.index?mode=ro' AS i" 'file:/srv/log.sqlite?mode=ro' "SELECT bitmap_count('smb and not rfc1918'), connbits_version()"
fact "the unit's account" sed -n 's/^User=//p' /usr/lib/systemd/system/connbits-index.service
fact "the unit's programs" sh -c 'for p in $(sed -n "s/^Exec[A-Za-z]*=-*\"\([^\"]*\)\".*/\1/p" /usr/lib/systemd/system/connbits-index.service) $(sed -n "s/^Env.*CATALOGUE=\([^\"]*\).*/\1/p" /usr/lib/systemd/system/connbits-index.service); do ls $p; done'
fact "completion" sh -c 'ls /usr/share/bash-completion/completions/connbits-query /usr/share/fish/vendor_completions.d/connbits-query.fish /usr/share/zsh/vendor-completions/_connbits'
fact "the manual" sh -c 'zcat /usr/share/man/man1/connbits-query.1.gz | grep -c "^.Sh\|^.SH" | sed "s/[0-9].*/there/"'
connbits-bench --rows 1000 --repeat 1 /usr/share/connbits/filters.conf >/tmp/bench 2>&1; fact "the bench" sh -c "grep -c evaluate /tmp/bench | sed 's/[0-9].*/there/'"
apt-get remove -y connbits sqlite3-connbits connbits-bench >/tmp/log 2>&1 || log
fact "removed" sh -c 'ls /usr/bin/connbits-* 2>/dev/null; ls /etc/default/connbits /var/lib/connbits/logsql.index'
touch /var/lib/connbits/connbits.prom
apt-get purge -y connbits sqlite3-connbits connbits-bench >/tmp/log 2>&1 || log
ours | diff /tmp/before - | sed -n 's/^> //p' >/tmp/left
fact "purged" cat /tmp/left
fact "the index is kept" sh -c 'ls -A /var/lib/connbits; stat -c "%U:%G" /var/lib/connbits/logsql.index'
fact "the account is gone" sh -c 'getent passwd connbits; getent group connbits'
install /debs/connbits_*.deb
fact "installed again" stat -c %U:%G /var/lib/connbits/logsql.index
fact "the question at last" connbits-query /srv/log.sqlite 'smb and not rfc1918' --count --into /var/lib/connbits/logsql.index
END
version=$("$index" --version | cut -d' ' -f2)-1
cat >"$work/expected" <<END
earlier release: 0.1.0-1 0.1.0-1 0.1.0-1
the account: connbits:/var/lib/connbits:/usr/sbin/nologin
a question: COUNT
upgraded: $version $version $version
settings are kept: 1
the question again: COUNT
the next job:
in SQL, by nobody: COUNT|$(sqlite3 :memory: ".load $build/connbits" "SELECT connbits_version()")
the unit's account: connbits
the unit's programs: /usr/bin/connbits-index /usr/bin/connbits-query /usr/share/connbits/filters.conf
completion: /usr/share/bash-completion/completions/connbits-query /usr/share/fish/vendor_completions.d/connbits-query.fish /usr/share/zsh/vendor-completions/_connbits
the manual: there
the bench: there
removed: /etc/default/connbits /var/lib/connbits/logsql.index
purged: /var/lib/connbits
the index is kept: logsql.index root:root
the account is gone:
installed again: connbits:connbits
the question at last: COUNT
END
"$build/connbits-generate" --rows 20000 "$work/log.sqlite"
"$index" "$work/log.sqlite" "$root/data/filters.conf" --quiet
sed -i "s/COUNT/$("$query" "$work/log.sqlite" 'smb and not rfc1918' --count)/" "$work/expected"

# tree SUITE: makes a bare tree of it, and does it there
tree() {
	mmdebstrap --variant=apt --skip=check/qemu "$1" "$work/$1" >"$work/$1.log" 2>&1 || {
		tail -n 20 "$work/$1.log"
		return 1
	}
	cp -L /etc/resolv.conf "$work/$1/etc/resolv.conf"
	mkdir "$work/$1/debs"
	cp -R "$debs/." "$work/$1/debs"
	# Mounted for the command alone.
	unshare --mount sh -c 'mount -t proc proc "$1/proc" && exec chroot "$1" sh' sh "$work/$1" <"$work/facts.sh" >"$work/$1.facts" 2>"$work/$1.log"
	cat "$work/$1.log"
}
# Packages that were made on Debian 13 are for that and later ones.
suites="bookworm trixie"
. /etc/os-release
[ "$VERSION_CODENAME" = bookworm ] || {
	suites=trixie
	echo "NOT TESTED: Debian 12, by packages that were made on $PRETTY_NAME"
}
for suite in $suites; do
	tree "$suite" >"$work/$suite.out" 2>&1 &
done
wait
for suite in $suites; do
	cat "$work/$suite.out"
	exits "Debian $suite" 0 diff "$work/expected" "$work/$suite.facts"
	is "Debian $suite" "" "$out"
done
finish
