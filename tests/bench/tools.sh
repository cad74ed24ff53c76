#!/bin/bash
# tools.sh BIN WORKER: `relctl status` on 1,000 workers, growth of the restart time, and idle
# wake-ups over IDLE_LONG seconds, on nodes of its own; prints Markdown.
set -eu
BIN=$1
WORKER=$2
IDLE_LONG=${IDLE_LONG:-130}
DIR=$(mktemp -d /tmp/steward-tools.XXXXXX)
READER=
finish() {
	"$BIN/relctl" --root "$DIR/node" shutdown --wait --timeout 30s >/dev/null 2>&1 || true
	[ -n "$READER" ] && kill "$READER" 2>/dev/null
	rm -rf "$DIR"
}
trap finish EXIT
node() { # node N: starts one with N workers, waits until all are up
	rm -rf "$DIR/node"
	mkdir "$DIR/node"
	{
		printf '[node]\nname = tools\ncgroups = no\n[application bench]\nintensity = infinity\nstop_order = any\n'
		for ((i = 0; i < $1; i++)); do
			printf '[worker w%d]\nsupervisor = bench\ncommand = %s %s\nlog = none\n' "$i" "$WORKER" "$DIR/fifo"
		done
	} >"$DIR/node/supervisord.conf"
	"$BIN/supervisord" --root "$DIR/node" 2>"$DIR/log" &
	until "$BIN/relctl" --root "$DIR/node" wait bench >/dev/null 2>&1; do sleep 0.1; done
	sleep 2
}
end() { "$BIN/relctl" --root "$DIR/node" shutdown --wait --timeout 60s >/dev/null 2>&1; wait || true; }
mkfifo "$DIR/fifo"

python3 - "$DIR/fifo" "$DIR/restarts" <<'P' &
import os, struct, sys, time
# reads the workers' first words; a line in the file per record
f = os.open(sys.argv[1], os.O_RDWR)
out = open(sys.argv[2], "w", buffering=1)
while True:
    b = os.read(f, 16)
    if len(b) == 16:
        ns, pid, ppid = struct.unpack("=QII", b)
        out.write(f"{ns} {pid}\n")
P
READER=$!
disown $READER

echo '### Restart time by number of workers (lean), ms; median of 200 kills'
echo
echo '| workers | median | p99 |'
echo '|---|---|---|'
restarts() { # kills 200 random workers one after the other
	python3 - "$BIN/relctl" "$DIR" "$1" <<'P'
import json, os, random, signal, statistics, subprocess, sys, time
relctl, dir, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
nodes = json.loads(subprocess.run([relctl, "--root", dir + "/node", "status", "--json"], capture_output=True, text=True).stdout)["nodes"]
pids = [x["pid"] for x in nodes if x["kind"] == "worker"]
random.seed(1)
random.shuffle(pids)
rec = open(dir + "/restarts")
rec.seek(0, 2)
ms = []
for pid in pids[:200] if n >= 200 else (pids * (200 // max(1, len(pids)) + 1))[:len(pids)]:
    time.sleep(0.01)
    t0 = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    end = time.time() + 5
    while time.time() < end:
        line = rec.readline()
        if line.endswith("\n"):
            ms.append((int(line.split()[0]) - t0) / 1e6)
            break
ms.sort()
print(f"| {n} | {statistics.median(ms):.3f} | {ms[int(len(ms) * .99)]:.3f} |")
P
}
for n in 100 1000 ${BIG:-10000}; do
	node "$n"
	restarts "$n"
	if [ "$n" = 1000 ]; then
		# sampled while it is there
		status_ms=$(for ((k = 0; k < 30; k++)); do
			t=$(date +%s%N)
			"$BIN/relctl" --root "$DIR/node" status >/dev/null
			echo $((($(date +%s%N) - t) / 1000))
		done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f ms", v[int((NR + 1) / 2)] / 1000 }')
		status_kb=$(/usr/bin/time -f %M "$BIN/relctl" --root "$DIR/node" status 2>&1 >/dev/null)
		switches() { for p in $(pgrep -f "supervisord.*$DIR/node"); do grep -h ctxt "/proc/$p/status" | awk '{ s += $2 } END { print s }'; done | awk '{ s += $1 } END { print s + 0 }'; }
		sleep 5
		a=$(switches)
		sleep "$IDLE_LONG"
		b=$(switches)
		idle="$((b - a)) context switches of all processes in $IDLE_LONG s"
	fi
	end
done
echo
echo "- \`relctl status\` on 1,000 workers, whole process: $status_ms (fork and exec of date(1) included), $status_kb kB"
echo "- idle, 1,000 workers: $idle"
