#!/usr/bin/env node
require('./launch.js')('benji-versions-status')
