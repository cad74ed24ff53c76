#!/bin/bash
# run.sh BIN: the project's figures beside its peers, in one run; writes build/bench/table.md.
#
# The harness is ../shared/bench/supervisors beside the checkout (or $HARNESS); it is copied
# to a scratch folder, as it may lie on a read-only one.  PEERS names the peers (default:
# those Debian has).  REPS, KILLS, SIZES and IDLE go to the harness.
set -eu
BIN=${1:?folder of the programs}
export BIN
here=$(cd "$(dirname "$0")/../.." && pwd)
harness=${HARNESS:-$here/../shared/bench/supervisors}
out=$here/build/bench
[ -d "$harness" ] || { echo "no harness at $harness: name it with HARNESS=DIR" >&2; exit 1; }
scratch=$(mktemp -d /tmp/steward-bench.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cp -r "$harness/." "$scratch/"
chmod -R u+w "$scratch"
mkdir -p "$out"
cd "$scratch"
make -s
export OUT=$scratch/results SLOW=${SLOW:-s6:default supervisor:default supervisor:tuned}
{
	echo "Made by \`make bench\` on $(date -u +%F) with $(nproc) cores, kernel $(uname -r)."
	echo
	REPS=${REPS:-5} KILLS=${KILLS:-200} SIZES=${SIZES:-1,100,1000} IDLE=${IDLE:-10} \
		./run_all.sh ideal "$here/tests/bench/steward.sh" ${PEERS:-erlang:tuned runit:tuned s6:tuned supervisor:tuned} 2>"$out/log"
	echo
	echo '### kill -9 of the supervisor, then a new start (crash.py)'
	echo
	cp "$here/tests/bench/steward.sh" drivers/steward.sh
	sed -i "s|^here=.*|here=$here|" drivers/steward.sh
	python3 crash.py steward:default runit:tuned s6:tuned supervisor:tuned 2>>"$out/log" || true
	echo
	"$here/tests/bench/tools.sh" "$BIN" "$scratch/bin/worker"
} | tee "$out/table.md"
# crash.py starts a node a second time; the first one lives on by design: end it
for pid in $(pgrep -f 'supervisord .*--root /tmp/bench\.[^ ]*/node' || true); do kill -TERM "$pid" 2>/dev/null || true; done
