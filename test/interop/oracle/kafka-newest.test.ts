// Ours against the newest Kafka, whose answer counts where releases differ, or against the one that KAFKA_VERSION picks.
import { describe } from 'vitest'
import { playAgainst } from './worlds.ts'

describe('the oracle', () => playAgainst(process.env.KAFKA_VERSION ?? '4.4.0'))
