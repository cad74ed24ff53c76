#!/bin/bash
# Driver of this project for the supervisor benchmark (contract: the head of bench.py).
#  default: a [worker] each under one application: log pipes, cgroups where they can be written
#  lean:    the same without log pipes and cgroups
#  pool:    one template under simple_one_for_one, as default else
# $BIN: folder of the built programs (default: the build of this checkout)
set -e
here=$(cd "$(dirname "$0")/../.." && pwd)
BIN=${BIN:-$here/build/current/bin}
case $1 in
variants) printf 'default\nlean\npool\n' ;;
version) "$BIN/supervisord" --version ;;
prepare)
	mkdir "$2/node"
	{	echo '[node]'; echo 'name = bench'
		[ "$VARIANT" = lean ] && echo 'cgroups = no'
		printf '[application bench]\nintensity = infinity\nstop_order = any\n'
		if [ "$VARIANT" = pool ]; then
			printf '[worker w]\nsupervisor = bench\ncommand = %s %s\ninstances = %d\nintensity = infinity\n' "$WORKER" "$BENCH_FIFO" "$3"
		else
			for ((i = 0; i < $3; i++)); do
				printf '[worker w%d]\nsupervisor = bench\ncommand = %s %s\n' "$i" "$WORKER" "$BENCH_FIFO"
				[ "$VARIANT" = lean ] && echo 'log = none'
				true
			done
		fi
	} >"$2/node/supervisord.conf" ;;
start)	exec "$BIN/supervisord" --root "$2/node" ;;
stop)	kill -TERM "$3" ;;
esac
