# bash completion for relctl; made by `relctl completion bash`.
_relctl()
{
	local cur=${COMP_LINE:0:COMP_POINT} words line
	read -ra words <<<"$cur"
	[[ $cur == *[[:space:]] ]] && words+=('')
	COMPREPLY=()
	while IFS= read -r line; do
		COMPREPLY+=("$line")
	done < <("${words[0]}" __complete -- "${words[@]:1}" 2>/dev/null)
}
complete -o default -o bashdefault -F _relctl relctl
