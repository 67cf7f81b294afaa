#!/bin/sh
# The page of connbits-bench --report: what is in it, and how a browser shows it, light and dark.
. "$(dirname "$0")/../support/lib.sh"
cd "$work" || exit 1
bench=$build/connbits-bench
mkdir tmp
TMPDIR=$work/tmp
export TMPDIR
printf '[filter web]\nexpression = tcp dst port 80\n[filter dns]\nexpression = udp port 53\n' >few.conf

cat >peers.json <<'PEERS'
{"machine": "a machine <b>", "rows": 1234567, "questions": 7, "repeats": 3, "peers": [
 {"name": "connbits, indexed", "absent": null, "median": 0.005, "least": 0.004, "most": 0.006, "together": null, "ratio": 1, "prepare": 0.3, "bytes": 1000000},
 {"name": "<script>alert(1)</script>", "absent": null, "median": 2.5, "least": 2, "most": 3, "together": 0.5, "ratio": 500, "prepare": 0, "bytes": 0},
 {"name": "far", "absent": "not <installed>"}]}
PEERS
"$build/connbits-generate" --rows 100000 "log<1>.sqlite"
exits "a report" 0 "$bench" --report page.html --peers peers.json "log<1>.sqlite" few.conf --repeat 1
is "a report says nothing" "" "$out$err"
page=$(cat page.html)
is "a page has a chart of peers and four of scaling" 5 "$(grep -c '<svg' page.html)"
is "a page has the sheet of every filter" 2 "$(grep -c '^<tr><td>\(web\|dns\)</td>' page.html)"
is "a page has no script" 0 "$(grep -ci '<script' page.html)"
is "a page asks for nothing else" "" "$(grep -o '\(src\|href\|url\)[=(][^>)]*' page.html | grep -v 'href="#')"
has "a page shows hostile text as text" '&#60;script&#62;alert(1)&#60;/script&#62;' "$page"
has "a page says which peer is absent" 'absent: not &#60;installed&#62;' "$page"
has "a page says what it was measured on" "$(uname -r)" "$page"
has "a page says how it was compiled" "-O2" "$page"
cat >check.py <<'CHECK'
import re, sys
from html.parser import HTMLParser
from xml.etree import ElementTree

text = open(sys.argv[1], encoding="utf-8").read()
class Balance(HTMLParser):
    open = []
    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br"):
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        pass
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
balance = Balance()
balance.feed(text)
assert not balance.open, balance.open
for svg in re.findall("<svg.*?</svg>", text, re.S):
    root = ElementTree.fromstring(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    numbers = [(name, float(value)) for node in root.iter() for name, value in node.attrib.items()
               if name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy")]
    numbers += [("xy"[i % 2], float(value)) for node in root.iter() if "limit" in (node.get("class") or "")
                for i, value in enumerate(re.findall(r"[-\d.]+", node.get("d")))]
    for name, value in numbers:
        assert 0 <= value <= (width if "x" in name else height), (name, value)
CHECK
exits "a page is well-formed, and its charts stay within themselves" 0 python3 check.py page.html

has "a report shows the log's name as text" "log&#60;1&#62;.sqlite" "$page"
exits "a bare loop of inserts" 0 "$bench" --inserts connections "log<1>.sqlite" --json
is "a bare loop of inserts" true "$(printf '%s' "$out" | jq '.rows > 0 and .seconds > 0')"
exits "of no table" 1 "$bench" --inserts nosuch "log<1>.sqlite"
has "of no table" "there is no table 'nosuch'" "$err"
exits "a figure" 0 "$bench" --figure figure.svg --peers peers.json
exits "a figure is XML" 0 python3 -c 'import sys; from xml.etree import ElementTree; ElementTree.parse("figure.svg")'

exits "scaling as JSON" 0 "$bench" --scaling --rows 100000 few.conf --repeat 1 --json
is "scaling: every curve has its points and limits" '["rows","filters","threads","share"]' \
	"$(printf '%s' "$out" | jq -c '[.curves[] | select(.points | length > 0 and all(.[]; .x > 0 and (.modes | length == 3 and all(.[]; .seconds > 0 and .limit_seconds > 0)))) | .by]')"
is "scaling: filters from 1 to one a hundred rows" '[1,10,100,1000]' "$(printf '%s' "$out" | jq -c '[.curves[1].points[].x]')"

# refused NAME PART ARGUMENTS...
refused() {
	name=$1
	part=$2
	shift 2
	exits "$name" 1 "$bench" "$@"
	has "$name" "$part" "$err"
	is "$name: nothing is left" "" "$(find . -name 'none*' | grep -v 'none/')"
}
refused "no such file of peers" "No such file" --figure none.svg --peers none.json
printf '{"peers": [' >bad.json
refused "peers that are no JSON" "malformed JSON" --figure none.svg --peers bad.json
printf '[]' >bad.json
refused "peers that are no peers" "no rows, questions" --figure none.svg --peers bad.json
for time in -1 0 1e300 '"x"' null; do
	sed "s/\"median\": 2.5/\"median\": $time/" peers.json >bad.json
	refused "a time of $time" "are none" --figure none.svg --peers bad.json
done
sed 's/"rows": 1234567/"rows": -5/' peers.json >bad.json
refused "rows that are none" "no rows" --figure none.svg --peers bad.json
jq '.peers |= map(select(.absent))' peers.json >bad.json
refused "no peer that is there" "every peer is absent" --figure none.svg --peers bad.json
head -c 2000000 /dev/zero | tr '\0' ' ' >bad.json
refused "peers without end" "longer than" --figure none.svg --peers bad.json
refused "a report into a folder that is none" "No such file" --report none/page.html --rows 3000 few.conf
printf '[filter x]\nexpression = tcp dst\n' >bad.conf
exits "a report with a filter that does not compile" 2 "$bench" --report none.html --rows 3000 bad.conf
is "a report with a filter that does not compile: nothing is left" "" "$(ls none.html 2>/dev/null)"
exits "peers without a report" 2 "$bench" --rows 3000 few.conf --peers peers.json
exits "a figure without peers" 2 "$bench" --figure none.svg
exits "two at once" 2 "$bench" --sheet --scaling few.conf
# A signal ends it, and what it had made is gone.
"$bench" --scaling --rows 1000000 few.conf >signal.out 2>&1 &
started=$!
for try in 1 2 3 4 5 6 7 8 9 10; do
	[ -n "$(find tmp -name log.sqlite)" ] && break
	sleep 0.2
done
is "there is a log meanwhile" true "$([ -n "$(find tmp -name log.sqlite)" ] && echo true)"
kill -TERM $started
wait $started
is "SIGTERM ends it" 143 $?
is "nothing is left behind" "" "$(ls tmp)"
mkdir -p "tmp/$(printf '%0200d' 0)"
exits "a long TMPDIR" 0 env TMPDIR="$work/tmp/$(printf '%0200d' 0)" "$bench" --sheet --rows 3000 few.conf --csv
exits "a TMPDIR that is too long" 1 env TMPDIR="/$(printf '%02000d' 0)" "$bench" --sheet --rows 3000 few.conf --csv
has "a TMPDIR that is too long" "too long" "$err"
printf '[source]\ntable = flows\nsource_host = a\nsource_port = b\ndestination_host = c\ndestination_port = d\ntransport = e\n' | cat - few.conf >flows.conf
exits "a catalogue for another log, on a generated one" 0 "$bench" --sheet --rows 3000 flows.conf --csv
"$build/connbits-generate" --rows 300 sparse.sqlite
sqlite3 sparse.sqlite "UPDATE connections SET connection = connection * 65536"
exits "a log of more segments than are kept in memory" 0 "$bench" --sheet sparse.sqlite few.conf --json
"$build/connbits-index" sparse.sqlite few.conf --quiet
is "is counted as a whole" "$("$build/connbits-query" sparse.sqlite @all --count)" "$(printf '%s' "$out" | jq .rows)"

if ! command -v chromium >/dev/null; then
	printf 'NOT TESTED: chromium is missing\n'
	[ -z "${CONNBITS_CLIENTS:-}" ] || fail "chromium is missing"
	finish
	exit
fi

# shown NAME OPTIONS...: a screenshot's colours, as "rrggbb share" a line
shown() {
	name=$1
	shift
	timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$work/browser-$name" --hide-scrollbars --window-size=700,1500 "$@" \
		--screenshot="$work/$name.png" "file://$work/page.html" >"$name.log" 2>&1
	[ -e "$name.png" ] || fail "$name: no screenshot: $(tail -n 3 "$name.log")"
	python3 "$root/tests/bench/colours.py" "$name.png" >"$name.colours"
}

# colours NAME COLOUR...: all of them are shown
colours() {
	name=$1
	shift
	for colour in "$@"; do
		if grep -q "^$colour " "$name.colours"; then pass; else fail "$name: no $colour"; fi
	done
}
shown light
is "a light page is light" ffffff "$(head -n 1 light.colours | cut -d' ' -f1)"
colours light 0b66c3 b34700 18794e 8a94a0 1b1f24
shown dark --blink-settings=preferredColorScheme=0
is "a dark page is dark" 14171b "$(head -n 1 dark.colours | cut -d' ' -f1)"
colours dark 5cb0ff ff9d57 58c992 7c8794 e6e9ed
finish
