#!/bin/sh
# mutate.sh [NUMBER]: breaks the pure core in one place after the other, as tests/sim/mutants
# says, and runs its tests: each mutant must be killed.  Prints those that survive.
#
# A line of `mutants` is FILES<tab>SED, files with commas between; a mutant that changes
# nothing or does not compile is an error of the list.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
only=${1:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$root"
CC=${CC:-gcc}
# The assertions of the tests stay; the sanitizer sees what they do not.
FLAGS="-std=c11 -D_GNU_SOURCE -O1 -g -w -I$dir -Ilib -Isupervisord -I."
mkdir -p "$dir/master" "$dir/original" "$dir/obj"
cp supervisord/master/tree*.[ch] "$dir/master/"
cp supervisord/master/tree*.[ch] "$dir/original/"

compile() { # name source
	$CC $FLAGS -c -o "$dir/obj/$1.o" "$2"
}
for f in lib/base/*.c lib/rows/*.c lib/state/*.c tests/sim/plan.c tests/sim/world.c tests/sim/stage.c; do
	compile "$(basename "$(dirname "$f")")-$(basename "$f" .c)" "$f"
done
common=$(ls "$dir"/obj/*.o)
mkdir "$dir/sim" "$dir/oracle" "$dir/tree"
for f in tests/sim/sim*.c; do
	$CC $FLAGS -c -o "$dir/sim/$(basename "$f" .c).o" "$f"
done
for f in tests/oracle/*.c; do
	$CC $FLAGS -c -o "$dir/oracle/$(basename "$f" .c).o" "$f"
done
for f in tests/unit/test_tree_*.c; do
	$CC $FLAGS -c -o "$dir/$(basename "$f" .c).o" "$f"
done

build_core() { # the objects of these sources again
	for name; do
		f=$dir/master/$name
		$CC $FLAGS -c -o "$dir/tree/$(basename "$f" .c).o" "$f" || return 1
	done
}
link_all() {
	for t in "$dir"/test_tree_*.o; do
		$CC -o "${t%.o}" "$t" $common "$dir"/tree/*.o -lcmocka
	done
	$CC -Wl,--wrap=edit -o "$dir/sim.bin" "$dir"/sim/*.o $common "$dir"/tree/*.o
	$CC -o "$dir/oracle.bin" "$dir"/oracle/*.o $common "$dir"/tree/*.o
}
# (nothing may read the list of mutants but the loop below)
# 0: everything passes.  The quickest first; each has a time, since a mutant may hang.
survives() {
	for t in rules requests apps life reload check walk; do
		timeout 20 "$dir/test_tree_$t" >/dev/null 2>&1 || return 1
	done
	timeout 30 "$dir/sim.bin" 1 400000 >/dev/null 2>&1 || return 1
	timeout 60 tests/oracle/run.sh "$dir/oracle.bin" 500 1 >/dev/null 2>&1
}

build_core $(cd supervisord/master && ls tree*.c)
link_all
survives || { echo "mutate: the tests fail without a mutant" >&2; exit 1; }
n=0 alive=0
tab=$(printf '\t')
while IFS="$tab" read -r file sed; do
	case $file in '' | '#'*) continue ;; esac
	n=$((n + 1))
	[ -z "$only" ] || [ "$only" = "$n" ] || continue
	files=$(echo "$file" | tr ',' ' ') same=1
	for f in $files; do
		sed -i -E "$sed" "$dir/master/$f"
		cmp -s "$dir/original/$f" "$dir/master/$f" || same=0
	done
	if [ "$same" = 1 ]; then
		echo "mutant $n changes nothing: $file $sed"
		alive=$((alive + 1))
		continue
	fi
	if ! build_core $files 2>/dev/null || ! link_all; then
		echo "mutant $n does not compile: $file $sed"
		alive=$((alive + 1))
	elif survives </dev/null; then
		echo "mutant $n SURVIVES: $file $sed"
		alive=$((alive + 1))
	fi
	for f in $files; do
		cp "$dir/original/$f" "$dir/master/$f"
	done
	build_core $files
done <"$here/mutants"
echo "mutate: $n mutants, $alive alive"
[ "$alive" -eq 0 ]
