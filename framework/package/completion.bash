# bash completion for weft, which knows its own commands  -*- shell-script -*-
_weft() {
  local typed current=${COMP_WORDS[COMP_CWORD]} word
  typed=("${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    if [[ $word ]]; then
      COMPREPLY+=("$word")
    else
      mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
      compopt -o filenames 2>/dev/null
    fi
  done < <("${1:-weft}" complete -- "${typed[@]}" 2>/dev/null)
}
complete -F _weft weft
