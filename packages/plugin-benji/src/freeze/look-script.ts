import { basics, devices } from './shell.ts'

/**
 * Says what there is of an image on the agent's node; changes nothing. Arguments: the roots of sysfs and of the kubelet,
 * pool, RADOS namespace and image. Standard output, a line each: `no-root` when the agent does not see the kubelet's
 * directory; `device MAJOR:MINOR NAME SNAPSHOT`; `holder MAJOR:MINOR NAME`, what lies between a device and its filesystem;
 * `mount LINE`, lines of mountinfo that have the device's number, or its name as source.
 */
export const lookScript = `
  ${basics}
  ${devices}
  sys=$1
  [ -d "$2" ] || echo no-root
  found=$(devices "$3" "$4" "$5")
  [ "$found" ] || exit 0
  echo "$found"
  echo "$found" | while read -r _ number name _; do
    for held in "$sys/dev/block/$number/holders"/*; do
      [ ! -e "$held" ] || echo "holder $number \${held##*/}"
    done
    while IFS= read -r line; do
      case $line in *" $number "* | *" /dev/$name "*) printf 'mount %s\\n' "$line" ;; esac
    done <"$mounts"
  done
  exit 0
`
