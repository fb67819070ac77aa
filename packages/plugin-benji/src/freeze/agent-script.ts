import { basics, thawing } from './shell.ts'

/**
 * What an agent runs by itself; everything else is sent to it. It thaws what sessions left frozen that are gone with
 * their timers, such as those of an agent that was killed: at its start, and every few seconds. After a day it forgets
 * which freezes are over. When it is told to end, it waits until nothing is frozen any more: its end would be that of
 * the timers, too.
 */
export const agentScript = `
  ${basics}
  ${thawing}
  patrol() {
    find "$state" \\( -name 'cancelled.*' -o -name 'over.*' \\) -mmin +1440 -exec rm -f {} +
    for record in "$state"/*.token; do
      [ -e "$record" ] || continue
      (
        device=\${record##*/}
        device=\${device%.token}
        command exec 9>>"$state/$device.lock" && flock -n 9 || exit
        { IFS= read -r token && IFS= read -r path && IFS= read -r raw; } <"$record" || exit
        [ -e "$path" ] && command exec 5<"$path" && opened || exit
        settle 50 || { printf '%s\\n' "$path stays frozen: $said" >&2; exit; }
        over
        [ ! "$thawed" ] || printf '%s\\n' "thawed $path, which a freeze that is gone had left frozen (token $token)"
      )
    done
  }
  held() {
    for lock in "$state"/*.lock; do
      [ ! -e "$lock" ] || flock -n "$lock" true || return 0
    done
    return 1
  }
  stop=
  trap 'stop=yes' TERM INT
  mkdir -p "$state" && chmod 700 "$state" || exit 1
  while [ ! "$stop" ]; do
    patrol
    [ ! "$stop" ] || break
    sleep 10 &
    wait $!
  done
  [ ! "$!" ] || kill $! 2>/dev/null
  while held; do sleep 0.2; done
  patrol
`
