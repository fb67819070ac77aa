# shellcheck shell=bash
# What many pages begin with: a plan `shop` in the working directory, and a state directory. For comments `<!-- setup`.
export HOLDFAST_STATE_DIR=${HOLDFAST_STATE_DIR:-$PWD/state} HOLDFAST_LISTEN=${HOLDFAST_LISTEN:-0}
mkdir -p scripts/backups
printf '#!/bin/sh\necho "insert into orders values (1);" | save_artifact orders.sql\n' >scripts/backups/10-orders
chmod +x scripts/backups/10-orders
cat >holdfast.yaml <<'END'
plans:
  shop:
    schedule: { cron: '0 3 * * *' }
    use: [{ '@holdfast/plugin-scripts#scripts': { path: ./scripts } }]
END
