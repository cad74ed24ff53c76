#!/bin/sh
# run.sh ORACLE TREES [SEED]: random trees through Erlang/OTP's supervisor and through
# the pure core (the program ORACLE); both must do the same.  0 differences: exit 0.
set -eu
oracle=$1 trees=$2 seed=${3:-$(date +%s)}
here=$(dirname "$0")
batch=5000 done=0 bad=0 skipped=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
command -v erlc >/dev/null || { echo "oracle: no erlc: apt-get install erlang-base" >&2; exit 1; }
erlc -o "$dir" "$here/oracle.erl"
echo "oracle: $trees trees, seed $seed"
while [ "$done" -lt "$trees" ]; do
	n=$((trees - done))
	[ "$n" -le "$batch" ] || n=$batch
	first=$((seed + done))
	"$oracle" "$first" "$n" "$dir/cases" "$dir/ours"
	erl +S 1:1 -noinput -noshell -pa "$dir" -run oracle main "$dir/cases" "$dir/otp" \
		-run erlang halt 1 >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
	paste -d '\n' "$dir/otp" "$dir/ours" | awk -v first="$first" '
		NR % 2 { otp = $0; next }
		$0 == "pre-empted" { skipped++; next }
		otp != $0 {
			bad++
			if (bad <= 3)
				printf "seed %d differs\n  otp:  %s\n  ours: %s\n", first + NR / 2 - 1, otp, $0
		}
		END { print bad + 0, skipped + 0 > "'"$dir"'/sums" }'
	[ "$(wc -l <"$dir/otp")" -eq "$n" ] || { echo "oracle: OTP wrote $(wc -l <"$dir/otp") traces of $n"; exit 1; }
	read -r differ skip <"$dir/sums"
	bad=$((bad + differ)) skipped=$((skipped + skip))
	done=$((done + n))
done
echo "oracle: $((done - skipped)) trees compared, $skipped passed over, $bad differences"
[ "$bad" -eq 0 ]
