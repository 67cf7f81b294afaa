#!/bin/sh
# Shows the last line of a log on a terminal's stderr for as long as a process runs:
#   command >FILE 2>&1 & sh data/progress.sh $! FILE
[ -t 2 ] || exit 0
while kill -0 "$1" 2>/dev/null; do
	printf '\r\033[K%s' "$(tail -n 1 "$2" | tr -cd '[:print:]' | cut -c 1-70)" >&2
	sleep 0.2
done
printf '\r\033[K' >&2
