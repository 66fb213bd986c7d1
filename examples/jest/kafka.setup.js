const { globalSetup } = require('minikafka/jest')

module.exports = globalSetup({ topics: ['orders'] })
