#compdef weft
# zsh completion for weft, which knows its own commands
local line files=
local -a found
for line in "${(@f)$("$words[1]" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null; print .)}"; do
  case $line in
    .) ;;
    '') files=yes ;;
    *) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
  esac
done
_describe weft found
[[ -n $files ]] && _files
