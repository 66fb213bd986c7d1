// Ours against the Kafka of the first issues. With KAFKA_VERSION the other file plays that release alone.
import { describe } from 'vitest'
import { playAgainst } from './worlds.ts'

describe.skipIf(process.env.KAFKA_VERSION !== undefined)('the oracle', () => playAgainst('4.3.1'))
