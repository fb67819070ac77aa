#!/usr/bin/env bash
# s3.sh up|down: a server that speaks S3's protocol and keeps objects as files.
# up    starts versitygw on 127.0.0.1 with the bucket `backups`, waits until it answers, and
#       prints S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to eval. When it is up
#       it only prints that.
# down  stops it; the data is gone.
set -euo pipefail
source "$(dirname "$0")/env.sh"
dir=$HOLDFAST_E2E_DIR/s3
address=127.0.0.1:$(port 31)
key=holdfast secret=secret-of-the-kit

up() {
  if ! running versitygw; then
    down
    mkdir -p "$dir/data/backups" "$dir/versions"
    ROOT_ACCESS_KEY=$key ROOT_SECRET_KEY=$secret start versitygw \
      versitygw --port "$address" --quiet --keep-alive posix --versioning-dir "$dir/versions" "$dir/data"
    wait_for 20 curl -sS "http://$address/"
  fi
  print_env S3_ENDPOINT "http://$address"
  print_env AWS_ACCESS_KEY_ID "$key"
  print_env AWS_SECRET_ACCESS_KEY "$secret"
}

down() {
  stop versitygw
  rm -rf "$dir/data" "$dir/versions"
}

case ${1-}/$# in
  up/1 | down/1) "$1" ;;
  *) usage "up|down" ;;
esac
