/** Throws one sentence on a Node older than `engines` in package.json. Older Nodes must be able to parse this file: ES5 only. */
'use strict'

var needed = require('../package.json').engines.node.replace('>=', '')

function isOlder(version, than) {
  var parts = version.split('.').map(Number)
  var thanParts = than.split('.').map(Number)
  return parts[0] < thanParts[0] || (parts[0] === thanParts[0] && parts[1] < thanParts[1])
}

if (isOlder(process.versions.node, needed)) {
  throw new Error('minikafka needs Node.js ' + needed + ' or newer; this is Node.js ' + process.versions.node)
}
