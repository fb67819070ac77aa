#!/usr/bin/env node
require('./launch.js')('benji-restore-pvc')
