#!/bin/bash
# run_unit.sh [--valgrind] PROGRAM...: runs them, two at a time; prints failures whole, one
# line of sums.
under=
if [ "$1" = --valgrind ]; then
	shift
	under="valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --track-fds=no --child-silent-after-fork=yes"
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export under logs
# the largest first, so that none is left to run alone at the end
ls -S "$@" | xargs -P 2 -I '{}' bash -c 'name=$(basename {}); $under {} >"$logs/$name" 2>&1 || mv "$logs/$name" "$logs/$name.failed"'
bad=0
for log in "$logs"/*.failed; do
	[ -e "$log" ] || continue
	bad=$((bad + 1))
	echo "FAILED $(basename "$log" .failed)"
	grep -v '\[       OK \]\|\[ RUN      \]' "$log" | tail -n 60
done
echo "unit programs: $(($# - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
