# Completion of connbits' commands in bash: options and their words as --help has them, files, and the names of the
# filters and sets of the index at hand, also within a quoted expression.

# _connbits_names COMMAND: a filter's or a set's name a line, of the index that the line so far speaks of. An index may
# come from an enemy, and compgen expands what it is given: only names of harmless characters are let through.
_connbits_names() {
	local i word log= index=()
	for ((i = 1; i < ${#COMP_WORDS[@]}; i++)); do
		[[ $i -ne $COMP_CWORD ]] || continue
		word=${COMP_WORDS[i]//[\\\'\"]/}
		word=${word/#\~\//$HOME/}
		case $word in
		--into | --table) index+=("$word" "${COMP_WORDS[++i]//[\\\'\"]/}") ;;
		-*) ;;
		*) [[ -n $log ]] || log=$word ;;
		esac
	done
	[[ -f $log ]] || return
	# Whoever waits for a key waits no longer than for a lock that is held shortly.
	timeout 2 "${1%connbits-*}connbits-query" "$log" "${index[@]}" --list --format csv 2>/dev/null |
		sed -n '1d; s/^\([@A-Za-z0-9][A-Za-z0-9_.-]*\),.*/\1/p'
}

# _connbits_values COMMAND OPTION: the words that an option may have
_connbits_values() {
	case ${1##*/}$2 in
	connbits-query--explain) _connbits_names "$1" ;;
	connbits-query--since | connbits-query--before) echo "-1d -7d -30d $(date -u +%Y-%m-%d)" ;;
	connbits-query--by) "$1" --help | sed -n 's/.*--by WHAT  *how many by \([a-z|]*\).*/\1/p' | tr '|' '\n' ;;
	connbits-import--format) echo "pcap zeek json csv" ;;
	connbits-index--schema) "$1" --list-schemas | sed -n 's/^\([a-z0-9_-]*\): .*/\1/p' ;;
	*) "$1" --help | sed -n "s/.*$2 \([a-z]*|[a-z|]*\)\( .*\)*\$/\1/p" | tr '|' '\n' ;;
	esac
}

# _connbits_expression COMMAND: what may come next in an expression, behind what is there
_connbits_expression() {
	local word=${COMP_WORDS[COMP_CWORD]} quote= head= last
	case $word in \'* | \"*) quote=${word:0:1} word=${word:1} ;; esac
	last=${word##*[ (]}
	head=${word%"$last"}
	COMPREPLY=($(compgen -W "$(_connbits_names "$1") and or not since before src dst host in @all @skipped" -- "$last"))
	# Readline puts a word in place of the whole quoted one.
	[[ -z $quote ]] || COMPREPLY=("${COMPREPLY[@]/#/$head}")
}

_connbits() {
	local command=$1 current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local i places=0 IFS=$' \t\n'
	COMPREPLY=()
	case $previous in
	--format | --by | --engine | --read | --per | --schema | --explain | --since | --before)
		COMPREPLY=($(compgen -W "$(_connbits_values "$command" "$previous")" -- "$current"))
		return
		;;
	--threads | --limit | --days | --keep | --rows | --seed | --filters | --repeat | --table | --columns | --idle | \
		--map | --set | --inserts | --sensor | --fleet | --each) return ;;
	--into | --report | --metrics | --bitmap | -w | --peers | --figure | --export) ;;
	*)
		if [[ $current == -* ]]; then
			COMPREPLY=($(compgen -W "$("$command" --help | grep -oE '(^|[ ,|])--?[a-zA-Z][a-z-]*' | tr -d ' ,|' | sort -u)" -- "$current"))
			return
		fi
		for ((i = 1; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			--into | --table | --format | --by | --limit | --columns | --days | --keep | --since | --before | --set | \
				--report | --bitmap | -w | --export | --sensor) i=$((i + 1)) ;;
			--each) places=-1000 ;; # then only logs follow
			-*) ;;
			*) places=$((places + 1)) ;;
			esac
		done
		if [[ ${command##*/} == connbits-query && $places -ge 1 ]]; then
			_connbits_expression "$command"
			return
		fi
		;;
	esac
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "${current//[\\\'\"]/}")
}

complete -F _connbits connbits-index connbits-query connbits-import connbits-bench connbits-generate
