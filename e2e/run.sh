#!/usr/bin/env bash
# End-to-end tests on a real Kubernetes and a real Ceph: e2e/run.sh [FILE…] (parts of names of test files; default: all)
# Starts what e2e/up.sh starts, and stops it again. Ends with `N passed, N failed`.
#   HOLDFAST_E2E_KEEP=1   leaves everything running, for the next time or for a look
set -euo pipefail
cd "$(dirname "$0")/.."

down() {
  status=$?
  [[ ${HOLDFAST_E2E_KEEP-} == 1 ]] || e2e/down.sh >&2 || true
  exit $status
}
trap down EXIT
environment=$(e2e/up.sh)
eval "$environment"
vitest run --config e2e/vitest.config.ts "$@"
