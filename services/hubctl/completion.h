// What a shell needs to complete commands: it asks the program itself, which knows its descriptors.
#pragma once

namespace hub::ctl {

// clang-format off
inline constexpr char kBashCompletion[] = R"bash(# source <(hubctl completion bash)
_hubctl() {
  local words
  words="$(hubctl completion words "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" || return
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
  [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _hubctl hubctl
)bash";
// clang-format on

}  // namespace hub::ctl
