# fish completion for relctl; made by `relctl completion fish`.
function __relctl_complete
	set -l words (commandline -opc) (commandline -ct)
	command $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c relctl -n 'not __fish_seen_subcommand_from check keygen pack sign verify' -f
complete -c relctl -a '(__relctl_complete)'
