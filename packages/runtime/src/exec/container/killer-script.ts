/**
 * What finds and signals the processes of an exec, in the same container. Plain POSIX sh; needs `/proc` and nothing else:
 * not even `sleep`, for whoever talks to it keeps the time. `cat` and a `grep` that reads
 * past zero bytes make it faster.
 *
 * Argument: the exec's id. Standard input: a line per order, `look`, the name of a signal, or `quit`. Standard output: a
 * line per order, `FOUND REFUSED`: how many processes there were, and how many could not be signalled.
 *
 * Found are those that carry the marker among their arguments (the wrapper) or in their environment (what it started),
 * all of the sessions that they lead, and all their descendants: also those of another user, whose environment can't be
 * read, and those that left the session. Zombies don't count. This script does not carry the marker itself.
 * Standard error stays open as 3: when a container closes it, the kubelet ends standard input as well.
 */
export const killerScript = `\
exec 3>&2 2>/dev/null
__hf_id=$1
__hf_no=' '
__hf_grep=
! grep -qs -e HOLDFAST_PROBE /proc/self/cmdline || __hf_grep=yes
__hf_marked() {
  if [ "$__hf_grep" ]; then
    case $__hf_hits in */proc/$1/*) return 0 ;; *) return 1 ;; esac
  fi
  case $__hf_no in *" $1 "*) return 1 ;; esac
  for __hf_file in /proc/$1/environ /proc/$1/cmdline; do
    while IFS= read -r __hf_line || [ "$__hf_line" ]; do
      case $__hf_line in *"HOLDFAST_EXEC=$__hf_id"*) return 0 ;; esac
    done <"$__hf_file"
  done
  __hf_no="$__hf_no$1 "
  return 1
}
while read -r __hf_order && [ "$__hf_order" != quit ]; do
  __hf_all=' ' __hf_leaders=' ' __hf_table= __hf_stats=
  if [ "$__hf_grep" ]; then
    __hf_hits=$(grep -ls -e "[H]OLDFAST_EXEC=$__hf_id" /proc/[0-9]*/environ /proc/[0-9]*/cmdline)
    __hf_stats=$(cat /proc/[0-9]*/stat)
  fi
  [ "$__hf_stats" ] || for __hf_file in /proc/[0-9]*/stat; do
    read -r __hf_line <"$__hf_file" && __hf_stats="$__hf_stats$__hf_line
"
  done
  set -f
  IFS='
'
  for __hf_line in $__hf_stats; do
    IFS=' '
    __hf_pid=\${__hf_line%% *}
    set -- \${__hf_line##*)}
    # A name may hold a newline.
    case $__hf_pid in *[!0-9]*) continue ;; esac
    case $1 in Z | X) continue ;; esac
    if __hf_marked "$__hf_pid"; then
      __hf_all="$__hf_all$__hf_pid "
      [ "$__hf_pid" != "$4" ] || __hf_leaders="$__hf_leaders$4 "
    else
      __hf_table="$__hf_table $__hf_pid:$2:$4"
    fi
  done
  set +f
  IFS=' '
  __hf_more=$__hf_all
  while [ "$__hf_more" ]; do
    __hf_more=
    for __hf_entry in $__hf_table; do
      __hf_pid=\${__hf_entry%%:*}
      __hf_ids=\${__hf_entry#*:}
      case $__hf_all in *" $__hf_pid "*) continue ;; esac
      case "$__hf_all/$__hf_leaders" in
        *" \${__hf_ids%:*} "*/* | */*" \${__hf_ids#*:} "*)
          __hf_all="$__hf_all$__hf_pid "
          __hf_more=yes
          ;;
      esac
    done
  done
  __hf_found=0 __hf_refused=0
  for __hf_pid in $__hf_all; do
    __hf_found=$((__hf_found + 1))
    [ "$__hf_order" = look ] || kill -s "$__hf_order" "$__hf_pid" || __hf_refused=$((__hf_refused + 1))
  done
  echo "$__hf_found $__hf_refused"
done
`
