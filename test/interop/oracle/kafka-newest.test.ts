// Compares minikafka with the newest Kafka, or with the release that KAFKA_VERSION names. Where releases differ, the
// newest is the specification.
import { describe } from 'vitest'
import { playAgainst } from './worlds.ts'

describe('the oracle', () => playAgainst(process.env.KAFKA_VERSION ?? '4.4.0'))
