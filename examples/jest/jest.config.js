module.exports = {
  globalSetup: './kafka.setup.js',
  globalTeardown: 'minikafka/jest-teardown'
}
