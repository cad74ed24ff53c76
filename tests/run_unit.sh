#!/bin/bash
# run_unit.sh [--valgrind] PROGRAM...: runs them, two at a time; prints failures whole, one
# line of sums.  Under valgrind a descriptor that is open at the end and was not inherited is
# a failure, too.
under=
if [ "$1" = --valgrind ]; then
	shift
	under="valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --track-fds=yes --child-silent-after-fork=yes"
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# valgrind 3.19 tells of open descriptors, but does not count them as errors
left_open() { # LOG
	awk '/== Open / { what = $0; getline; if ($0 !~ /<inherited from parent>/) { print what; bad = 1 } }
		END { exit !bad }' "$1" >"$1.left" && cat "$1.left" >>"$1"
}
run() { # PROGRAM
	local log
	log=$logs/$(basename "$1")
	if ! $under "$1" >"$log" 2>&1 || left_open "$log"; then
		mv "$log" "$log.failed"
	fi
}
export under logs
export -f run left_open
# the largest first, so that none is left to run alone at the end
ls -S "$@" | xargs -P 2 -I '{}' bash -c 'run {}'
bad=0
for log in "$logs"/*.failed; do
	[ -e "$log" ] || continue
	bad=$((bad + 1))
	echo "FAILED $(basename "$log" .failed)"
	grep -v '\[       OK \]\|\[ RUN      \]' "$log" | tail -n 60
done
echo "unit programs: $(($# - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
