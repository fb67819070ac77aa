#!/bin/sh
':' //; unset MALLOC_MMAP_THRESHOLD_; ca=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt
':' //; if [ ! "$KUBECONFIG" ] && [ -s "$ca" ]; then exec node --use-openssl-ca "$0" "$@"; else exec node "$0" "$@"; fi
// To Node the lines above are texts and comments, to a shell they say how to start it: in a pod, without reading the
// certificate authorities of the whole world, because only the cluster's own counts (src/compat/kubectlexec.ts); and with an
// allocator as it is by default, which is faster for what doesn't live long.
require('./launch.js')('kubectlexec')
