#!/usr/bin/env bash
# A hook in shell: the ledger as it stands, straight into the artifact store. The artifact is committed only if this
# script exits 0.
set -euo pipefail
# For the second half of the demo: time to pull the plug.
[[ -z ${DEMO_SLEEP:-} ]] || sleep "$DEMO_SLEEP"
tar -C "$(dirname "$LEDGER")" -cf - ledger.sqlite ledger.sqlite-wal | save_artifact ledger.tar
