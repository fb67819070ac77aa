#!/bin/sh
# Each artifact comes on standard input, decoded: unpack it and audit the copy.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
tar -C "$place" -xf -
node "$AUDIT" "$place/ledger.sqlite"
