// The package without any other: a broker starts and stops.
import { MiniKafka } from 'minikafka'

const kafka = await MiniKafka.start({ topics: ['orders'] })
await kafka.stop()
