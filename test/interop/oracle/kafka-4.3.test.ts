// Compares minikafka with Kafka 4.3.1. With KAFKA_VERSION only kafka-newest.test.ts runs, with that release.
import { describe } from 'vitest'
import { playAgainst } from './worlds.ts'

describe.skipIf(process.env.KAFKA_VERSION !== undefined)('the oracle', () => playAgainst('4.3.1'))
