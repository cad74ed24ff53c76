#!/bin/bash
# check.sh check|matrix: runs the steps one after the other, says how long each took, stops
# at the first that fails.  Called by the Makefile.
set -u
cd "$(dirname "$0")/.." || exit 2
start=$SECONDS
step() { # step NAME COMMAND...
	local name=$1 t=$SECONDS log
	shift
	log=build/log/$(echo "$name" | tr -c 'a-z0-9\n' '-').log
	mkdir -p build/log
	if "$@" >"$log" 2>&1; then
		printf '  %-44s %4d s   %s\n' "$name" $((SECONDS - t)) "$(grep -E 'passed|no breach|differences|events' "$log" | tail -n 1)"
	else
		printf '  %-44s FAILED after %d s\n' "$name" $((SECONDS - t))
		tail -n 120 "$log"
		exit 1
	fi
}
m() { make --no-print-directory "$@"; }
case ${1:-} in
check)
	step 'build, gcc' m -j2 progs
	step 'lint' m lint
	step 'unit, gcc' m -j2 unit
	step 'build, gcc with ASan and UBSan' m -j2 SAN=asan progs
	step 'unit, gcc with ASan and UBSan' m -j2 SAN=asan unit
	step 'oracle, Erlang/OTP' m oracle
	step 'simulation' m sim
	step 'scenarios' m scenario
	step 'storm, at random and step by step' m storm ROUNDS=20 STEPS=4
	step 'faults' m faults
	step 'hostile states and roles' m hostile
	step 'fuzz corpora' m fuzz-replay
	;;
matrix)
	step 'build, clang' m -j2 CC=clang progs
	step 'unit, clang' m -j2 CC=clang unit
	step 'unit, clang with ASan and UBSan' m -j2 CC=clang SAN=asan unit
	step 'unit, clang integer checks' m -j2 CC=clang SAN=int unit
	step 'unit under valgrind' m -j2 SAN=valgrind unit-valgrind
	step 'scenarios with ASan and UBSan' m SAN=asan scenario
	step 'coverage of the core' m coverage
	;;
*)
	echo "usage: $0 check|matrix" >&2
	exit 2
	;;
esac
echo "all of $1 passed in $((SECONDS - start)) s"
echo "1 passed, 0 failed"
