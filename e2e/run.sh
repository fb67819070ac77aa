#!/usr/bin/env bash
# End-to-end tests on a real Kubernetes: e2e/run.sh [FILE…] (names of test files; default: all)
# Installs what is missing, starts a cluster, builds the images, runs the tests, stops the cluster. As root on Debian 12,
# with Go and npm. What is installed is kept in $HOLDFAST_E2E_DIR (see e2e/kit/README.md), and made again only when what
# it is made from has changed.
#   HOLDFAST_E2E_KEEP=1   leaves the cluster running, for the next time or for a look
#   HOLDFAST_E2E_IMAGES=0 doesn't build the images again
set -euo pipefail
cd "$(dirname "$0")/.."
kit=e2e/kit
source "$kit/env.sh"
export PATH="$PWD/node_modules/.bin:$PATH"

((EUID == 0)) || die "needs root: it starts containers. See e2e/README.md."
"$kit/install.sh" k8s images pushgateway

down() {
  status=$?
  [[ ${HOLDFAST_E2E_KEEP-} == 1 ]] || "$kit/cluster.sh" down >&2 || true
  exit $status
}
trap down EXIT
eval "$("$kit/cluster.sh" up)"

if [[ ${HOLDFAST_E2E_IMAGES-1} != 0 ]]; then
  say "building the images"
  "$kit/image.sh" load "$BASE_IMAGE"
  context=$HOLDFAST_E2E_DIR/image-context
  npm run --silent image:context -- "$context" >&2
  {
    "$kit/image.sh" build apps/sidecar/Dockerfile "$context" holdfast.local/holdfast:test
    cp "$(command -v busybox)" "$context/busybox"
    "$kit/image.sh" build e2e/images/no-shell.Dockerfile "$context" holdfast.local/no-shell:1
    BASE_IMAGE=holdfast.local/holdfast:test "$kit/image.sh" build e2e/images/drop-in.Dockerfile e2e/images holdfast.local/holdfast:drop-in
  } >"$HOLDFAST_E2E_DIR/images.log" 2>&1 || { tail -n 50 "$HOLDFAST_E2E_DIR/images.log" >&2; die "the images could not be built"; }
fi

vitest run --config e2e/vitest.config.ts "$@"
