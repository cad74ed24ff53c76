#!/bin/sh
# run_unit.sh [--valgrind] PROGRAM...: runs each; prints failures whole, one line of sums.
# Under valgrind a descriptor that is open at the end and was not inherited is a failure, too.
n=0 bad=0 under=
if [ "$1" = --valgrind ]; then
	shift
	under="valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --track-fds=yes --child-silent-after-fork=yes"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# valgrind 3.19 tells of open descriptors, but does not count them as errors
left_open() {
	awk '/== Open / { what = $0; getline; if ($0 !~ /<inherited from parent>/) { print what; bad = 1 } }
		END { exit !bad }' "$log" >"$log.left" && cat "$log.left" >>"$log"
}
for t; do
	n=$((n + 1))
	if ! $under "$t" >"$log" 2>&1 || left_open; then
		bad=$((bad + 1))
		echo "FAILED ${t##*/}"
		grep -v '\[       OK \]\|\[ RUN      \]' "$log" | tail -n 60
	fi
	rm -f "$log.left"
done
echo "unit programs: $((n - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
