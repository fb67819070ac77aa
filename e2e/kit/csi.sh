#!/usr/bin/env bash
# csi.sh up|down|thaw|status: a CSI driver rbd.csi.ceph.com, for pods that mount images of the kit's Ceph.
# up      starts it on the cluster's node, waits until kubelet has it, and prints HOLDFAST_E2E_SYS to eval: a directory
#         that stands in for the node's /sys. Needs cluster.sh up and ceph.sh up.
# down    unmounts all of its volumes, thawed first, and removes their devices; what was written stays in the images.
#         Also without the driver, the cluster or Ceph. `cluster.sh down` and `ceph.sh down` do it, too.
# thaw    thaws all of its volumes.
# status  says what runs; fails unless it does.
set -euo pipefail
source "$(dirname "$0")/env.sh"
dir=$HOLDFAST_E2E_DIR/csi
kubelet=$HOLDFAST_E2E_DIR/cluster/kubelet
driver=rbd.csi.ceph.com
export KUBECONFIG=$HOLDFAST_E2E_DIR/cluster/admin.conf

up() {
  if ! running csi-node; then
    [[ $(findmnt -no PROPAGATION --mountpoint "$kubelet") == shared ]] || die "the cluster is not up"
    mkdir -p "$dir/images" "$dir/sys/bus/rbd/devices"
    start csi-node csi-node node1 "$kubelet/plugins_registry" "$dir" "$HOLDFAST_E2E_DIR/ceph/ceph.conf"
    kubectl apply -f - >&2 <<YAML
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: $driver}
spec: {attachRequired: false, podInfoOnMount: false}
YAML
  fi
  wait_for 60 registered
  print_env HOLDFAST_E2E_SYS "$dir/sys"
}

registered() { kubectl get csinode node1 -o 'jsonpath={.spec.drivers[*].name}' | grep -qw $driver; }

down() {
  local device at
  stop csi-node
  rm -f "$dir/csi.sock" "$kubelet/plugins_registry/rbd.sock"
  [[ -d $dir/images ]] || return 0
  thaw
  for device in $(devices); do
    mounts_of "$device" | while read -r at; do wait_for 10 umount "$at" || umount --lazy "$at"; done
    losetup --detach "$device"
  done
  for at in "$dir"/images/*; do
    wait_for 5 released "$at" || { abandon "$at" && umount --lazy "$at"; }
  done
  rm -rf --one-file-system "$dir"/{images,sys}
}

thaw() {
  local device at
  # Without Ceph nothing that is written ever gets there, and nothing that waits for that ends.
  "$(dirname "$0")/ceph.sh" status >/dev/null || abandon "$dir/images/"
  for device in $(devices); do
    # It fails where nothing is frozen.
    at=$(mounts_of "$device" | head -n 1)
    [[ ! $at ]] || fsfreeze --unfreeze "$at" 2>/dev/null || true
  done
}

devices() { losetup --list --noheadings --output NAME,BACK-FILE | awk -v dir="$dir/images/" 'index($2, dir) == 1 { print $1 }'; }
mounts_of() { findmnt -rno TARGET --source "$1" | sort -r; }
released() { ! findmnt --mountpoint "$1" || umount "$1"; }

# abandon PREFIX: whoever waits for one of these images gets an error.
abandon() {
  local connections
  connections=$(mktemp -d)
  mount -t fusectl none "$connections"
  awk -v prefix="$1" 'index($5, prefix) == 1 { split($3, number, ":"); print number[2] }' /proc/self/mountinfo |
    while read -r number; do echo 1 >"$connections/$number/abort"; done
  umount "$connections"
  rmdir "$connections"
}

status() {
  if running csi-node; then echo 'csi-node runs'; else echo 'csi-node is down'; return 1; fi
}

case ${1-}/$# in
  up/1 | down/1 | thaw/1 | status/1) "$1" ;;
  *) usage "up|down|thaw|status" ;;
esac
