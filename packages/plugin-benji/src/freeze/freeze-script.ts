import { basics, devices, thawing } from './shell.ts'

/** The variable that marks a session and what it starts, so that an undo can find them. */
export const sessionMarker = 'HOLDFAST_FREEZE'
/** The variable that marks its timer. */
export const timerMarker = 'HOLDFAST_THAW'

/**
 * Freezes a filesystem, holds it, and thaws it: on `thaw` or anything else from standard input, at the end of that, on
 * TERM. Its timer thaws as well, whatever becomes of it.
 *
 * Arguments: `session`, the token, the device as `MAJOR:MINOR`, the path, the path as mountinfo writes it, the limit in
 * ms and in seconds, sysfs, pool, RADOS namespace, image. Standard output, a line each, the token behind the first word:
 *
 * - `refused TOKEN WHY`: nothing was done. `failed TOKEN WHY`: it did not freeze, and is not frozen; or it does not thaw,
 *   and its timer goes on trying
 * - `frozen TOKEN`: now it stands still
 * - `thawed TOKEN MS`: it stood still until it was told `thaw`. `ended TOKEN WHY`: until something else came. `lost TOKEN
 *   WHY`: it did not
 *
 * The timer is there before the freeze begins, for writers wait from then on. It has a session of its own, none of our
 * streams, and an environment without marks of the exec that started us, which would have it killed with us. It says its
 * number on the output of the substitution, and closes that: without `setsid` there is no number, and no freeze.
 *
 * The freeze itself has a lock: as long as it is under way, even by a program that can't be killed any more, thawing
 * goes on (a thaw fails while a freeze is not complete). An undo leaves `cancelled.TOKEN`: a session that starts after it
 * does nothing.
 */
export const freezeScript = `
  ${basics}
  ${thawing}
  mode=$1
  token=$2
  device=$3
  shift 3
  if [ "$mode" = timer ]; then
    echo $$
    exec >/dev/null
    sleep "$1"
    (echo "$token" >"$state/$device.expired") &
    until settle 50; do :; done
    over
    ! grep -qs -e "${sessionMarker}=$token" "/proc/$2/environ" || kill -TERM "$2"
    exit 0
  fi
  ${devices}
  path=$1 raw=$2 limit=$3 seconds=$4 sys=$5
  shift 5
  order=
  trap 'order=end' TERM HUP INT
  trap '' PIPE
  say() {
    printf '%s %s%s\\n' "$1" "$token" "\${2:+ $(printf %s "$2" | tr '\\n' ' ')}"
  }
  refuse() {
    true >"$state/over.$token"
    say refused "$1"
    exit 1
  }
  now() {
    read -r up _ </proc/uptime
    part=\${up#*.}
    now=$((\${up%.*} * 1000 + \${part#0} * 10))
  }
  disarm() {
    kill -KILL "-$timer" 2>/dev/null
    over
  }
  lost() {
    now
    if [ -e "$state/$device.expired" ] || [ $((now - start)) -ge "$limit" ]; then
      why="its timer thawed it after $seconds s"
    else
      why='something else has thawed it'
    fi
    disarm
    say lost "$why"
    exit 1
  }
  mkdir -p "$state" && command exec 9>>"$state/$device.lock" || refuse "its agent cannot write to $state (if that was removed, restart the agent)"
  tries=10
  until flock -n 9; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || refuse 'another freeze of it is under way'
    sleep 0.1
  done
  [ -e "$path" ] && command exec 5<"$path" && opened || refuse "$path is no mount of the device $device"
  case $(devices "$1" "$2" "$3") in
    *"device $device "*) ;;
    *) refuse "the device $device is another image's" ;;
  esac
  major=\${device%:*} minor=\${device#*:}
  [ "$(stat -c %d "$state")" != $((major << 8 | minor & 255 | (minor & ~255) << 12)) ] ||
    refuse "its agent keeps $state on it"
  [ ! -e "$state/cancelled.$token" ] || refuse 'it was given up meanwhile'
  if [ -e "$state/$device.token" ]; then
    settle 50 || refuse "what an earlier freeze has left does not thaw: $said"
  fi
  rm -f "$state/$device.expired"
  printf '%s\\n' "$token" "$path" "$raw" >"$state/$device.token" || refuse "its agent cannot write to $state (if that was removed, restart the agent)"
  timer=$(env -i PATH="$PATH" ${timerMarker}="$token" HOLDFAST_FREEZE_STATE="$state" \\
    setsid /bin/sh -c 'program=$1; shift; eval "$program"' holdfast-thaw \\
    "$program" timer "$token" "$device" "$seconds" "$$" </dev/null 2>/dev/null &)
  case $timer in
    '' | *[!0-9]*)
      rm -f "$state/$device.token"
      refuse 'its agent cannot start the timer that would thaw it'
      ;;
  esac
  exec 7>>"$state/$device.freezing"
  if ! flock -n 7 || [ "$order" ]; then
    disarm
    refuse "its agent was told to end, or cannot lock $state"
  fi
  now
  start=$now
  said=$(fsfreeze --freeze /proc/self/fd/5 2>&1)
  code=$?
  exec 7>&-
  if [ "$code" != 0 ]; then
    why=$said
    case $said in
      *'resource busy'*) why='something else has frozen it already' ;;
      *) settle 25 || { say failed "$why"; exit 1; } ;;
    esac
    disarm
    say failed "$why"
    exit 1
  fi
  if [ -e "$state/$device.expired" ]; then
    settle 300 && disarm
    say failed "it took longer than $seconds s"
    exit 1
  fi
  say frozen
  [ "$order" ] || IFS= read -r order
  tries=300
  while :; do
    unfreeze
    case $? in
      0) break ;;
      1) lost ;;
    esac
    printf '%s\\n' "$said" >&2
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { say failed "$said"; exit 1; }
    sleep 0.1
  done
  [ ! -e "$state/$device.expired" ] || lost
  now
  disarm
  [ "$order" = thaw ] || { say ended 'its session was told to end'; exit 1; }
  say thawed $((now - start))
  exit 0
`
