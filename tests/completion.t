#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: bash, zsh and fish complete commands, sub-commands, options and words by the scripts that nfqctl prints; and
# every command of --help is in each.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}")
work=$(mktemp -d) || exit 99
cleanup() { [ ! -e "$work/tmux" ] || tmux -S "$work/tmux" kill-server; rm -rf "$work"; }
trap cleanup EXIT
for shell in bash zsh fish; do
	ok "$shell: a script" eval "'$NFQCTL' completion $shell >'$work/$shell'"
	is "$(for c in $("$NFQCTL" --help | sed -n 's/^  nfqctl \([a-z]*\).*/\1/p'); do grep -qw "$c" "$work/$shell" || echo "$c"; done)" "" "$shell: every command"
done
is "$("$NFQCTL" completion csh 2>&1; echo $?)" "nfqctl completion: 'csh' is none of these shells
usage: nfqctl completion bash|zsh|fish
2" "no other shell"

# LINE WORD...: what may stand at the end of the line, some of it
in_bash() { bash -c '. "$1"; COMP_WORDS=($2); [ "${2% }" = "$2" ] || COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_nfqctl; printf "%s\n" "${COMPREPLY[@]}"' bash "$work/bash" "$1" | sort; }
is "$(in_bash 'nfqctl statu')" status "bash: a command"
is "$(in_bash 'nfqctl rules cit')" cite "bash: a sub-command"
is "$(in_bash 'nfqctl -s /run/x allow --re')" --reason "bash: an option"
is "$(in_bash 'nfqctl mode ' | grep -v ^--)" "enforce
log
off" "bash: words"
is "$(in_bash 'nfqctl mode x')" "" "bash: nothing else"
if command -v fish >/dev/null; then
	in_fish() { HOME=$work XDG_CONFIG_HOME=$work fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$work/fish" "$1" | cut -f1 | sort; }
	is "$(in_fish 'nfqctl statu')" status "fish: a command"
	is "$(in_fish 'nfqctl rules cit')" cite "fish: a sub-command"
	is "$(in_fish 'nfqctl allow --re')" --reason "fish: an option"
	is "$(in_fish 'nfqctl mode o')" off "fish: a word"
else
	[ "${CI:-false}" = false ] || bail "fish is not installed (make deps-test)"
fi
if command -v zsh >/dev/null && command -v tmux >/dev/null; then
	pane() { tmux -S "$work/tmux" capture-pane -p; }
	shows() {	# TEXT within 20 seconds
		for _ in {1..400}; do
			grep -qF -- "$1" <<<"$(pane)" && return
			sleep 0.05
		done
		pane
		return 1
	}
	in_zsh() {	# LINE WHOLE WHAT
		tmux -S "$work/tmux" send-keys -l "$1"
		tmux -S "$work/tmux" send-keys Tab
		ok "$3" shows "$2"
		tmux -S "$work/tmux" send-keys C-u C-l
	}
	PS1='ready> ' tmux -S "$work/tmux" -f /dev/null new-session -d -x 80 -y 24 "PS1='ready> ' exec zsh -f"
	ok "zsh: begins" shows 'ready>'
	tmux -S "$work/tmux" send-keys "autoload -Uz compinit && compinit -u -D && source $work/zsh && echo don''e" Enter
	ok "zsh: takes the script" shows done
	tmux -S "$work/tmux" send-keys C-l
	in_zsh 'nfqctl statu' 'nfqctl status' "zsh: a command"
	in_zsh 'nfqctl rules cit' 'nfqctl rules cite' "zsh: a sub-command"
	in_zsh 'nfqctl allow --re' 'nfqctl allow --reason' "zsh: an option"
	in_zsh 'nfqctl mode enf' 'nfqctl mode enforce' "zsh: a word"
else
	[ "${CI:-false}" = false ] || bail "zsh or tmux is not installed (make deps-test)"
fi
done_testing
