import { sessionMarker, timerMarker } from './freeze-script.ts'
import { basics, devices, thawing } from './shell.ts'

/**
 * Thaws what a session has frozen, or may still freeze; from any agent on the node, and as often as wanted. What another
 * session holds is not touched.
 *
 * Arguments: the token, the device as `MAJOR:MINOR`, the path, the path as mountinfo writes it, the roots of the kubelet
 * and of sysfs, pool, RADOS namespace, image. Standard output, one line: `thawed`; `not-frozen`; `gone`, nothing of that
 * device is mounted; `another`, another session has it, so ours is over; or, with exit code 1, `failed WHY`.
 *
 * An agent that can't keep its state, and so neither sees nor stops a freeze that is still under way, thaws for a while
 * instead: nothing may stay frozen for that.
 *
 * The path may have been unmounted while another mount of the same filesystem is still there: the freeze is the
 * filesystem's, so that one will do, if the device is still the image's.
 */
export const thawScript = `
  ${basics}
  ${devices}
  ${thawing}
  token=$1 device=$2 path=$3 raw=$4 root=$5 sys=$6
  shift 6
  fail() {
    printf 'failed %s\\n' "$(printf %s "$1" | tr '\\n' ' ')"
    exit 1
  }
  end() {
    for file in $(grep -ls -e "$1" /proc/[0-9]*/environ); do
      pid=\${file#/proc/}
      kill -KILL "\${pid%/environ}" 2>/dev/null
    done
  }
  finish() {
    first "$state/$device.token"
    if [ "$line" = "$token" ]; then over; else true >"$state/over.$token"; fi
    echo "$1"
    exit 0
  }
  [ -d "$root" ] || fail "its agent does not see $root"
  blind=
  mkdir -p "$state" && true >"$state/cancelled.$token" || blind=yes
  [ ! -e "$state/over.$token" ] || finish not-frozen
  found=
  other=
  while read -r _ _ number _ point _; do
    [ "$number" = "$device" ] || continue
    case $point in
      "$raw") found=yes ;;
      *\\\\*) ;;
      "$root"/*) other=$point ;;
    esac
  done <"$mounts"
  if [ ! "$found" ]; then
    [ "$other" ] || finish gone
    case $(devices "$1" "$2" "$3") in
      *"device $device "*) ;;
      *) finish gone ;;
    esac
    path=$other raw=$other
  fi
  [ -e "$path" ] && command exec 5<"$path" && opened || fail "$path was unmounted while it was looked at"
  was=not-frozen
  if [ "$blind" ] || ! command exec 9>>"$state/$device.lock"; then
    tries=5
    while [ "$tries" -gt 0 ]; do
      unfreeze
      case $? in
        0) was=thawed ;;
        2) fail "$said" ;;
      esac
      tries=$((tries - 1))
      sleep 0.2
    done
    echo "$was"
    exit 0
  fi
  tries=100
  until flock -n 9; do
    first "$state/$device.token"
    if [ "$line" = "$token" ]; then
      end "${sessionMarker}=$token"
      settle 100 || fail "$said"
      [ ! "$thawed" ] || was=thawed
      end "${timerMarker}=$token"
    elif [ "$line" ]; then
      finish another
    fi
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail 'another freeze of it does not end'
    sleep 0.1
  done
  first "$state/$device.token"
  [ ! "$line" ] || [ "$line" = "$token" ] || finish another
  settle 100 || fail "$said"
  [ ! "$thawed" ] || was=thawed
  finish "$was"
`
