// What a shell needs to complete commands: it asks the program itself, which knows its descriptors.
#pragma once

namespace hub::ctl {

struct Completion {
  const char* shell;
  const char* use;     // what its user types
  const char* script;  // what that runs
};

// A flag that takes a value ends in '=', and the value is typed right behind it. Where nothing
// fits, files do.
// clang-format off
inline constexpr Completion kCompletions[] = {
    {"bash", "source <(hubctl completion bash)", R"bash(
_hubctl() {
  local words
  words="$(hubctl completion words "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" || return
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
  [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _hubctl hubctl
)bash"},
    {"zsh", "source <(hubctl completion zsh), after compinit", R"zsh(
_hubctl() {
  local -a known fitting
  known=("${(@f)$(hubctl completion words "${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
  fitting=(${(M)known:#${(b)PREFIX}*})
  (( $#fitting )) || { _files; return }
  compadd -S '' -- ${(M)fitting:#*=}
  compadd -- ${fitting:#*=}
}
compdef _hubctl hubctl
)zsh"},
    {"fish", "hubctl completion fish | source", R"fish(
function __hubctl
  set -l before (commandline -opc)
  set -l typed (commandline -ct)
  set -l fitting (hubctl completion words $before[2..-1] 2>/dev/null |
    string match -r -- '^'(string escape --style=regex -- $typed)'.*')
  if set -q fitting[1]
    string join \n -- $fitting
  else
    __fish_complete_path $typed
  end
end
complete -c hubctl -f -a '(__hubctl)'
)fish"},
};
// clang-format on

}  // namespace hub::ctl
