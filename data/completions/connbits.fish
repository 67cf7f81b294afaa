# Completion of connbits' commands in fish: options as --help has them, files, and the names of the filters and sets of
# the index at hand.

# Only names of harmless characters are let through: an index may come from an enemy.
function __connbits_names
	set -l words (commandline -opc)
	set -l index
	set -l log
	set -l i 2
	while test $i -le (count $words)
		switch $words[$i]
			case --into --table
				set index $index $words[$i] $words[(math $i + 1)]
				set i (math $i + 1)
			case '-*'
			case '*'
				test -n "$log"; or set log $words[$i]
		end
		set i (math $i + 1)
	end
	test -f "$log"; or return
	set -l query (string replace -r 'connbits-[a-z]*$' connbits-query -- $words[1])
	command $query $log $index --list --format csv 2>/dev/null |
		string match -rg '^([@A-Za-z0-9][A-Za-z0-9_.-]*),' | tail -n +2
end

function __connbits_options
	set -l words (commandline -opc)
	command $words[1] --help | string match -rga '(?:^|[ ,|])(--?[a-zA-Z][a-z-]*)' | sort -u
end

for command in connbits-index connbits-query connbits-import connbits-bench connbits-generate
	complete -c $command -n 'string match -q -- "-*" (commandline -ct)' -a '(__connbits_options)'
end
complete -c connbits-query -n 'test (count (commandline -opc)) -ge 2' -a '(__connbits_names) and or not since before src dst host in'
complete -c connbits-query -l by -x -a 'host src dst port proto day hour'
complete -c connbits-query -l format -x -a 'table csv json'
complete -c connbits-query -l explain -x -a '(__connbits_names)'
complete -c connbits-index -l engine -x -a 'vector bpf'
complete -c connbits-index -l read -x -a 'sql pages'
complete -c connbits-import -l format -x -a 'pcap zeek json csv'
complete -c connbits-import -l per -x -a 'packet connection'
