#!/bin/sh
# A hook in shell: the ledger as it stands, straight into the artifact store.
set -eu
# For the second half of the demo: time to pull the plug.
[ -z "${DEMO_SLEEP:-}" ] || sleep "$DEMO_SLEEP"
tar -C "$(dirname "$LEDGER")" -cf - "$(basename "$LEDGER")" "$(basename "$LEDGER")-wal" | save_artifact ledger.tar
