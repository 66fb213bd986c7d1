// The package without any other: a broker starts and stops.
const { MiniKafka } = require('minikafka')

MiniKafka.start({ topics: ['orders'] }).then(kafka => kafka.stop())
