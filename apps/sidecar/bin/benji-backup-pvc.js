#!/usr/bin/env node
require('./launch.js')('benji-backup-pvc')
