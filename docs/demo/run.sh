#!/bin/bash
# run.sh BIN: the main job on real programs, in about 20 seconds.  KEEP=1 leaves the node.
set -u
BIN=$(cd "${1:?folder of the programs}" && pwd)
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=$(mktemp -d "${TMPDIR:-/tmp}/steward-demo.XXXXXX")
PORT=$((20000 + RANDOM % 20000))
KEEPER=
FOLLOW=

pause() { [ -t 1 ] && sleep 1.5 || true; }
say() { pause; printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }
relctl() { "$BIN/relctl" --root "$DIR" "$@"; }
keeper() { head -n 1 "$DIR/run/lock"; }
master() { relctl status --json | jq -r .node.master_pid; }
# the pids of the workers, one line "id pid" each, without those that come and go
pids() { relctl status --json | jq -r '.nodes[] | select(.kind == "worker") | "\(.id) \(.pid)"' | sort; }
pid_of() { pids | awk -v id="$1" '$1 == id { print $2 }'; }
wait_for() { # wait_for SECONDS COMMAND...: until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "demo: gave up waiting for: $*" >&2; exit 1; }
		sleep 0.05
	done
}
clean() {
	[ -n "$FOLLOW" ] && pkill -P "$$" -f "relctl.*$DIR.*events" 2>/dev/null
	[ -n "${KEEP:-}" ] && [ -n "$KEEPER" ] && return
	[ -e "$DIR/run/lock" ] && relctl shutdown --wait --timeout 10s >/dev/null 2>&1
	rm -rf "$DIR"
}
trap clean EXIT

sed -e "s|@DIR@|$DIR|g" -e "s|@PORT@|$PORT|g" "$HERE/supervisord.conf" >"$DIR/supervisord.conf"

say "A node in $DIR: supervisord --root $DIR"
"$BIN/supervisord" --root "$DIR" 2>"$DIR/stderr" &
KEEPER=$!
disown "$KEEPER" # its death by SIGKILL is part of the scene
wait_for 20 relctl status
all_up() { [ "$(relctl status --json | jq '[.nodes[] | select(.kind == "worker" and .state == "up")] | length')" = 8 ]; }
wait_for 20 all_up
relctl tree

say "The events, as they happen"
# what happens to the processes in between is left out here: 'starting', 'spawned'
relctl events -f 2>/dev/null | grep --line-buffered -vE ' (starting|spawned|stopping) ' | sed -u 's/^/    | /' &
FOLLOW=$!

say "kill -9 of one of the pool: only that one comes back"
before=$(pids)
kill -9 "$(pid_of shop/helper#2)"
wait_for 10 all_up
sleep 0.3
diff <(echo "$before") <(pids) | grep '^[<>]'

say "kill -9 of redis: rest_for_one takes the clerk with it, in order"
before=$(pids)
kill -9 "$(pid_of shop/redis)"
wait_for 10 all_up
sleep 0.3
diff <(echo "$before") <(pids) | grep '^[<>]'
relctl why shop/redis | sed -n '1,6p'

say "A worker that always fails: lab/inner gives up, lab/outer restarts all, then gives up, too"
touch "$DIR/fuse"
lab_down() { [ "$(relctl status --json lab/steady | jq -r '.nodes[0].state')" = down ]; }
wait_for 20 lab_down
sleep 0.3
relctl tree | sed -n '/lab/,$p'
relctl why lab/bomb | sed -n '1,4p'

say "kill -9 of the master (pid $(master)): every worker keeps its pid"
before=$(pids | grep ' [1-9]')
old=$(master)
kill -9 "$old"
new_master() { [ "$(master)" != "$old" ] && [ "$(master)" != null ]; }
wait_for 10 new_master
diff <(echo "$before") <(pids | grep ' [1-9]') && echo "$before" && echo "the same pids under master $(master)"

say "kill -9 of the keeper (pid $(keeper)): the master takes its place"
old=$(master)
kill -9 "$(keeper)"
wait_for 10 new_master
diff <(echo "$before") <(pids | grep ' [1-9]') && echo "the same pids under keeper $(keeper), master $(master)"

say "And it still restarts: kill -9 of a worker adopted twice"
kill -9 "$(pid_of shop/helper#1)"
sleep 0.5
relctl status
same=$(diff <(echo "$before" | grep -v 'helper#1') <(pids | grep ' [1-9]' | grep -v 'helper#1') && echo yes)
kill "$FOLLOW" 2>/dev/null
FOLLOW=

if [ -n "${KEEP:-}" ]; then
	say "The node goes on.  Talk to it:"
	echo "  export PATH=$BIN:\$PATH STEWARD_ROOT=$DIR"
	echo "  relctl tree ; relctl status ; relctl events -f ; relctl logs -f shop/clerk"
	echo "  relctl scale shop/helper 6 ; relctl restart shop/back ; relctl why lab/bomb"
	echo "  relctl shutdown --wait && rm -r $DIR"
else
	say "relctl shutdown: everything stops in reverse order"
	relctl shutdown --wait --timeout 20s
	echo "left behind: $(grep -lsz "STEWARD_ID=" /proc/[0-9]*/environ 2>/dev/null | xargs -r grep -lsz "$DIR" 2>/dev/null | wc -l) processes"
fi
[ "$same" = yes ] && say "done: all workers outlived master and keeper"
