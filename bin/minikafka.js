#!/usr/bin/env node
/** The executable. Older Nodes must be able to parse this file: ES5 only. */
'use strict'

var fs = require('fs')
var path = require('path')

var main = path.join(__dirname, '../dist/cli/main.cjs')

try {
  require('./node-version.js')
  if (!fs.existsSync(main)) throw new Error('minikafka is not built: run `npm run build` in ' + path.dirname(__dirname))
} catch (error) {
  process.stderr.write(error.message + '\n')
  process.exit(2)
}
require(main)
