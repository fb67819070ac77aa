/**
 * What runs a command in a container. Plain POSIX sh, for dash, BusyBox and bash; nothing is read ahead from standard
 * input, nothing is written anywhere, and where nothing is proven, the command writes straight to its own output.
 *
 * Arguments: the marker, the program, its arguments. Standard input: see `wrap`. Says on standard error, each behind the
 * prefix: `ready`, `exit CODE`, `sum NUMBER-OR-DIGEST`, or `error WHAT` when it could not start the command. At the end of
 * standard output it says `end`.
 *
 * - It stays until whoever listens says that both ends have arrived, or is gone: when a command ends while its output is
 *   still on its way, the API server can lose the rest (kubernetes#124571, seen with 1.34 whenever the reader is slow). A
 *   command that reads its standard input has nobody to say it to; then a loss is noticed, not prevented.
 *   `TMOUT=`: with a TMOUT in its environment, bash's `read` would end by itself.
 * - It stays the parent, so that the group can be found by its arguments, whatever the command does to its environment.
 * - Its own standard error is /dev/null: shells report children that died of a signal there.
 * - `(exec …)`: a program, never a builtin of the same name.
 * - TERM is for the command: the shell stays to say how it ended. What counts must not die before what is counted.
 * - `tee` writes small pieces, which cost much on the way here: where nobody waits for single ones, `dd` makes blocks of
 *   them.
 * - `echo` is tried again: a command may have made the pipe non-blocking for everybody.
 */
export const wrapperScript = `\
export "$1" || exit 125
shift
IFS= read -r __hf_prefix && IFS= read -r __hf_proof && IFS= read -r __hf_flow && IFS= read -r __hf_stdin &&
  IFS= read -r __hf_cwd && IFS= read -r __hf_count || exit 125
exec 3>&2 2>/dev/null
__hf_say() {
  __hf_tries=900
  until echo "$__hf_prefix$1" >&$2; do
    __hf_tries=$((__hf_tries - 1))
    [ "$__hf_tries" -gt 0 ] && sleep 1 || break
  done
}
__hf_fail() { __hf_say "error $1" 3; exit 125; }
__hf_decode() {
  __hf_value=$1
  case $1 in *\\\\*) __hf_value=$(printf '%b.' "$1") || __hf_fail printf; __hf_value=\${__hf_value%.} ;; esac
}
case $__hf_proof in
  status) __hf_sum= ;;
  bytes) __hf_sum='wc -c' ;;
  *) __hf_sum=sha256sum ;;
esac
if [ "$__hf_sum" ]; then
  for __hf_tool in tee "\${__hf_sum%% *}"; do
    command -v "$__hf_tool" >/dev/null || __hf_fail "tool $__hf_tool"
  done
  __hf_tee=$(command -v tee)
  __hf_sum=$(command -v "\${__hf_sum%% *}")\${__hf_sum#"\${__hf_sum%% *}"}
  __hf_dd=$(command -v dd)
  [ "$__hf_flow" = blocks ] && "$__hf_dd" ibs=8 obs=8 </dev/null >/dev/null || __hf_dd=
fi
__hf_decode "$__hf_cwd"
if [ "$__hf_value" ]; then CDPATH= cd -- "$__hf_value" >/dev/null || __hf_fail cwd; fi
while [ "$__hf_count" -gt 0 ]; do
  IFS= read -r __hf_line || exit 125
  __hf_decode "\${__hf_line#*=}"
  export "\${__hf_line%%=*}=$__hf_value" || __hf_fail "env \${__hf_line%%=*}"
  __hf_count=$((__hf_count - 1))
done
[ "$__hf_stdin" = stdin ] || exec 9<&0 </dev/null
__hf_end() {
  __hf_say end $1
  [ "$__hf_stdin" = stdin ] || TMOUT= IFS= read -r __hf_line <&9
}
trap : TERM
__hf_say ready 3
if [ -z "$__hf_sum" ]; then
  (exec "$@" 2>&3 3>&- 9<&-)
  __hf_count=$?
  __hf_say "exit $__hf_count" 3
  __hf_end 1
  exit "$__hf_count"
fi
exec 4>&1
__hf_copy() {
  trap '' TERM
  if [ "$__hf_dd" ]; then
    "$__hf_tee" /proc/self/fd/7 4>&- | "$__hf_dd" ibs=65536 obs=65536 >&4 4>&- 7>&-
  else
    "$__hf_tee" /proc/self/fd/7 >&4 4>&-
  fi
}
__hf_value=$({
  {
    trap : TERM
    (exec "$@" 2>&3 3>&- 4>&- 5>&- 9<&-)
    __hf_count=$?
    __hf_say "exit $__hf_count" 3
    echo "$__hf_count" >&5
  } | __hf_copy 7>&1 3>&- 5>&- | (trap '' TERM; IFS=' '; exec $__hf_sum 3>&- 4>&- 5>&-)
} 5>&1)
IFS='
'
set -f
set -- $__hf_value
__hf_say "sum $2" 3
__hf_end 4
exit "$1"
`
