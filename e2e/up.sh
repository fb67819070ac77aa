#!/usr/bin/env bash
# e2e/up.sh: a cluster with our images, and a Ceph, for tests, benchmarks, or a look. As root on Debian 12, with Go and
# npm. Installs what is missing, starts the cluster and Ceph, builds the images and loads them; prints KUBECONFIG,
# HOLDFAST_E2E_API_PORT, CEPH_CONF, HOLDFAST_E2E_SYS, PUSHGATEWAY_URL, HOLDFAST_E2E_DIR and a PATH with the tools, benji
# among them, to eval. What is installed is kept in $HOLDFAST_E2E_DIR (see e2e/kit/README.md), and made again only when
# what it is made from has changed. `e2e/down.sh` stops it.
#   HOLDFAST_E2E_IMAGES=0 doesn't build the images again
set -euo pipefail
cd "$(dirname "$0")/.."
kit=e2e/kit
source "$kit/env.sh"
export PATH="$PWD/node_modules/.bin:$PATH"

((EUID == 0)) || die "needs root: it starts containers. See e2e/README.md."
"$kit/install.sh"
context=$HOLDFAST_E2E_DIR/image-context
log=$HOLDFAST_E2E_DIR/images.log
builds_images() { [[ ${HOLDFAST_E2E_IMAGES-1} != 0 ]]; }

# Takes as long as a cluster takes to start, and needs none.
if builds_images; then
  npm run --silent image:context -- "$context" >"$log" 2>&1 &
  context_job=$!
fi
environment=$(for each in cluster ceph csi pushgateway; do "$kit/$each.sh" up || exit 1; done)

build_images() {
  "$kit/image.sh" load "$BASE_IMAGE"
  # What others are built on is loaded while they are built.
  (for name in "$BENJI_IMAGE" "$DATABASES_IMAGE"; do "$kit/image.sh" load "$name"; done) &
  local loads=$!
  "$kit/image.sh" build apps/sidecar/Dockerfile "$context" holdfast.local/holdfast:test
  "$kit/image.sh" build apps/sidecar/Dockerfile.benji-k8s "$context" holdfast.local/benji-k8s:test "BENJI_IMAGE=$BENJI_IMAGE"
  # A container without a shell, and the image as the Alpine one is.
  mkdir -p "$HOLDFAST_E2E_DIR/no-shell"
  cp "$(command -v busybox)" "$HOLDFAST_E2E_DIR/no-shell/busybox"
  "$kit/image.sh" build e2e/images/no-shell.Dockerfile "$HOLDFAST_E2E_DIR/no-shell" holdfast.local/no-shell:1
  mkdir -p "$HOLDFAST_E2E_DIR/pushgateway-image"
  cp "$(command -v prometheus-pushgateway)" "$HOLDFAST_E2E_DIR/pushgateway-image"
  "$kit/image.sh" build e2e/images/pushgateway.Dockerfile "$HOLDFAST_E2E_DIR/pushgateway-image" holdfast.local/pushgateway:1
  BASE_IMAGE=holdfast.local/holdfast:test \
    "$kit/image.sh" build e2e/images/drop-in.Dockerfile e2e/images holdfast.local/holdfast:drop-in
  wait "$loads"
}

if builds_images; then
  say 'building the images …'
  wait "$context_job" || { cat "$log" >&2; die "what the images are built from could not be written"; }
  # Not as a condition: nothing would stop at a failure in it.
  set +e
  (set -e; build_images) >>"$log" 2>&1
  status=$?
  set -e
  if ((status != 0)); then
    tail -n 50 "$log" >&2
    die "the images could not be built (all of it: $log)"
  fi
fi

echo "$environment"
print_env HOLDFAST_E2E_DIR "$HOLDFAST_E2E_DIR"
print_env PATH "$PATH"
