#!/usr/bin/env node
require('./launch.js')('make-k8s-cfg-files')
