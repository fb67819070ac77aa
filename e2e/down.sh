#!/usr/bin/env bash
# e2e/down.sh: stops what e2e/up.sh has started. Its data is gone; what was installed and built stays.
set -euo pipefail
cd "$(dirname "$0")"
status=0
for each in cluster ceph pushgateway; do "kit/$each.sh" down || status=1; done
exit $status
