#!/bin/sh
# run_unit.sh PROGRAM...: runs each; prints failures whole, one line of sums at the end.
n=0 bad=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for t; do
	n=$((n + 1))
	if ! "$t" >"$log" 2>&1; then
		bad=$((bad + 1))
		echo "FAILED ${t##*/}"
		grep -v '\[       OK \]\|\[ RUN      \]' "$log" | tail -n 60
	fi
done
echo "unit programs: $((n - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
