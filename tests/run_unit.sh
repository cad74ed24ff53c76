#!/bin/sh
# run_unit.sh [--valgrind] PROGRAM...: runs each; prints failures whole, one line of sums.
n=0 bad=0 under=
if [ "$1" = --valgrind ]; then
	shift
	under="valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --track-fds=no --child-silent-after-fork=yes"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for t; do
	n=$((n + 1))
	if ! $under "$t" >"$log" 2>&1; then
		bad=$((bad + 1))
		echo "FAILED ${t##*/}"
		grep -v '\[       OK \]\|\[ RUN      \]' "$log" | tail -n 60
	fi
done
echo "unit programs: $((n - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
