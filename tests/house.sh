#!/bin/bash
# house.sh: the rules no compiler knows.  Prints each breach as FILE:LINE: what; exit 1 if any.
cd "$(dirname "$0")/.." || exit 2
bad=0
breach() { echo "$1"; bad=1; }
# rule NAME PATTERN ALLOWED-PATHS-REGEX FILES...: the pattern only where it is allowed
rule() {
	local what=$1 pattern=$2 allowed=$3
	shift 3
	while IFS= read -r hit; do
		[[ ${hit%%:*} =~ $allowed ]] || breach "$hit   <- $what"
	done < <(grep -nE "$pattern" "$@" /dev/null)
}
mapfile -t src < <(git ls-files 'lib/*.[ch]' 'supervisord/*.[ch]' 'relctl/*.[ch]' 'releases/*.[ch]' | while read -r f; do [ -e "$f" ] && echo "$f"; done)
mapfile -t core < <(printf '%s\n' "${src[@]}" | grep -E '^supervisord/master/tree')

rule 'inih belongs into lib/conf' '#include <ini\.h>' '^lib/conf/' "${src[@]}"
rule 'OpenSSL belongs into lib/sign' '#include <openssl/' '^lib/sign/' "${src[@]}"
rule 'libarchive belongs into lib/archive' '#include <archive' '^lib/archive/' "${src[@]}"
rule 'cJSON belongs into lib/json' '#include <cjson/' '^lib/json/' "${src[@]}"
rule 'smartcols belongs into relctl' '#include <libsmartcols' '^relctl/' "${src[@]}"
rule 'microhttpd belongs into its room' '#include <microhttpd' '^supervisord/worker/http/' "${src[@]}"
rule 'a room knows no inside of the worker' '#include "(worker/worker|base/(log|err|str|fd|dirs|chan|arena|map|run|sdnotify))\.h"' '^(lib|relctl|releases)/|^supervisord/([a-z]+/[a-z_]+\.[ch]$)' "${src[@]}"
rule 'a module includes libc and <steward/handler.h>' '#include "[a-z]+/' '^(lib|supervisord|relctl)/' "${src[@]}"
rule 'libev belongs into the processes with a loop' '#include <ev\.h>' '^supervisord/(master|control|logger|probe|worker)/' "${src[@]}"
rule 'fork, clone and exec have their places' '\b(v?fork|execve?[lv]?p?e?|fexecve|posix_spawnp?|birth_clone)\(' \
	'^(supervisord/master/(spawn|birth_clone|birth|spawn_child)\.[ch]|supervisord/keeper/(master|main)\.c|lib/base/run\.c|supervisord/worker/swap\.c)$' "${src[@]}"
rule 'kill has its place' '\b(kill|killpg|pidfd_send_signal)\(' '^supervisord/master/kill\.c$|^supervisord/worker/swap\.c$|^lib/base/run\.[ch]$' "${src[@]}"
rule 'sandboxes belong into lib/confine' '#include <linux/(seccomp|landlock|filter)\.h>' '^lib/confine/' "${src[@]}"
rule 'no threads' 'pthread_create' '^lib/elf/module\.c$' "${src[@]}"
rule 'banned' '\b(system|popen|strcpy|strcat|sprintf|gets|atoi|atol|alloca|strncpy)\(' '^$' "${src[@]}"
rule 'the pure core includes nothing of the system' '#include <(unistd|fcntl|sys/[a-z]+|time|stdio|stdlib|ev|poll)\.h>' '^$' "${core[@]}"
rule 'lib/ never looks up' '#include "(master|keeper|control|logger|probe|load|relctl)/' '^(supervisord|relctl)/' "${src[@]}"
rule 'no marks of unfinished work' '\b(TODO|FIXME|XXX|HACK)\b' '^$' "${src[@]}"

for f in "${src[@]}"; do
	n=$(wc -l <"$f")
	[ "$n" -le 600 ] || breach "$f:$n: over 600 lines: two rooms in one"
done
while IFS=$'\t' read -r n name file; do
	breach "$file: $name has $n lines (60 at most)"
done < <(printf '%s\n' "${src[@]}" | grep '\.c$' | ctags -L - --c-kinds=f --fields=+ne -o - 2>/dev/null |
	awk -F'\t' '!/^!/ { s = e = 0; for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) s = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5) }
		if (e - s + 1 > 60) print e - s + 1 "\t" $1 "\t" $2 }')
[ $bad -eq 0 ] && echo "house: ${#src[@]} files, no breach"
exit $bad
