// What the scripts in the agent share: POSIX sh for dash, with util-linux, coreutils and GNU grep beside it (that of BusyBox
// stops at zero bytes). They are sent with each exec, so that the agent has no version of its own; without indentation,
// for they travel in a URL.

/** The command that runs a script: it has its own text in `$program`, to start itself again as something else. */
export function scriptCommand(
  script: string,
  name: string,
  ...args: readonly string[]
): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', startScript, name, compact(script), ...args]
}

/** Runs the text that is its first argument. */
const startScript = 'program=$1; shift; eval "$program"'

/** Without what only readers of this file need. */
function compact(script: string): string {
  return script
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n')
}

/**
 * Where things are, and `first FILE`: its first line, in `$line`. The variables let tests stand in for the machine. Messages
 * of programs are matched, so they have to be English.
 */
export const basics = `
  LC_ALL=C
  export LC_ALL
  state=\${HOLDFAST_FREEZE_STATE:-/run/holdfast/freeze}
  mounts=\${HOLDFAST_MOUNTINFO:-/proc/self/mountinfo}
  first() {
    line=
    { IFS= read -r line <"$1"; } 2>/dev/null || [ "$line" ]
  }
`

/**
 * `devices POOL NAMESPACE IMAGE`: what of this machine's devices is that image, by the kernel's own word, or by the
 * command line of the rbd-nbd behind it. A line each: `device MAJOR:MINOR NAME SNAPSHOT`, `-` for none.
 */
export const devices = `
  devices() {
    for dir in "$sys"/bus/rbd/devices/*; do
      first "$dir/name"
      [ "$line" = "$3" ] || continue
      first "$dir/pool"
      [ "$line" = "$1" ] || continue
      first "$dir/pool_ns"
      [ "$line" = "$2" ] || continue
      first "$dir/major"
      number=$line
      first "$dir/minor"
      number=$number:$line
      first "$dir/current_snap"
      echo "device $number rbd\${dir##*/} \${line:--}"
    done
    for dir in "$sys"/block/nbd*; do
      first "$dir/pid" || continue
      tr '\\0' '\\n' 2>/dev/null <"/proc/$line/cmdline" | grep -qxF -e "$1/\${2:+$2/}$3" || continue
      first "$dir/dev"
      echo "device $line \${dir##*/} -"
    done
  }
`

/**
 * What freezing and thawing have in common. All of it acts on file descriptor 5, which is the root of the filesystem: no
 * path is looked up twice, and while somebody has it open nobody can unmount what is frozen.
 *
 * - `opened`: whether 5 is a mount at exactly `$raw` (the path as mountinfo writes it) of `$device`
 * - `unfreeze`: 0 thawed, 1 it was not frozen, 2 it can't be, for the reason in `$said`
 * - `settle TRIES`: thaws until nothing is frozen, and nothing is about to be; `$thawed` when something was. A try waits
 *   for a freeze to be complete; one that fails counts for 25
 * - `over`: the token's freeze has ended and needs no thaw any more, whatever happens to the filesystem later
 *
 * Files per device, in a directory that outlives the agent: `.lock` is held by whoever freezes, its timer, and all that
 * they start; `.freezing` while a freeze is under way, also by one that can't be killed; `.token` says whose it is, and
 * where; `.expired` says that the timer fired. The kernel lets locks go, however their holders end. Files per token:
 * `over.`, and `cancelled.`, with which no session may begin any more.
 */
export const thawing = `
  opened() {
    id=
    while read -r key value; do
      case $key in mnt_id:) id=$value ;; esac
    done </proc/self/fdinfo/5
    while read -r mount _ number _ point _; do
      case "$mount $number $point" in "$id $device $raw") return 0 ;; esac
    done <"$mounts"
    return 1
  }
  unfreeze() {
    said=$(fsfreeze --unfreeze /proc/self/fd/5 2>&1) && return 0
    case $said in *'Invalid argument'*) return 1 ;; esac
    return 2
  }
  over() {
    true >"$state/over.$token"
    rm -f "$state/$device.token"
  }
  settle() {
    tries=$1
    thawed=
    while :; do
      busy=yes
      ! flock -n "$state/$device.freezing" true || busy=
      unfreeze
      case $?$busy in
        0) thawed=yes; return 0 ;;
        1) return 0 ;;
        0yes) thawed=yes ;;
        2*) tries=$((tries - 24)) ;;
      esac
      tries=$((tries - 1))
      [ "$tries" -gt 0 ] || return 1
      sleep 0.1
    done
  }
`
