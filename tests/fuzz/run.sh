#!/bin/sh
# run.sh DIR SECONDS NAME...: each fuzzer over its corpus; 0 seconds: only replay it.
dir=$1 seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
bad=0
for n; do
	corpus=$here/corpus/$n
	mkdir -p "$corpus" build/fuzz/"$n"
	if [ "$seconds" -eq 0 ]; then
		log=$("$dir/$n" -runs=0 "$corpus" 2>&1) || { bad=$((bad + 1)); echo "FAILED fuzz $n"; echo "$log" | tail -n 40; }
	else
		echo "fuzz $n for $seconds s"
		"$dir/$n" -max_total_time="$seconds" -print_final_stats=1 -timeout=10 \
			-artifact_prefix=build/fuzz/"$n"/ build/fuzz/"$n" "$corpus" >build/fuzz/"$n".log 2>&1 ||
			{ bad=$((bad + 1)); echo "FAILED fuzz $n: build/fuzz/$n.log"; tail -n 30 build/fuzz/"$n".log; }
		grep -h stat::number_of_executed_units build/fuzz/"$n".log
	fi
done
echo "fuzzers: $(($# - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
