#!/bin/sh
# coverage.sh: builds with gcov, runs the unit tests and a short simulation, prints the
# branches of all that ran; those of the pure core must all have been taken.
set -eu
B=build/gcc-cov
make -s CC=gcc SAN=cov $B/bin/sim
find $B -name '*.gcda' -delete
make -s CC=gcc SAN=cov unit || echo "coverage: a unit test failed: see above" >&2
$B/bin/sim 1 1000000
gcovr -r . $B --filter 'lib/' --filter 'supervisord/' --filter 'relctl/' \
	--branches --exclude-unreachable-branches
echo
echo "The pure core:"
gcovr -r . $B --filter 'supervisord/master/tree' --branches \
	--exclude-unreachable-branches --fail-under-branch 100
