/** Batches as clients send them, and the rules of their validation. */
import {
  type Arrival,
  VALIDATION_ROWS,
  type ValidationRules,
  validateBatch
} from '../../../src/log/partition-log/validator.ts'
import { KafkaError } from '../../../src/protocol/errors.ts'
import type { RecordBatch } from '../../../src/protocol/records/batch.ts'
import type { NewRecord } from '../../../src/protocol/records/encoding.ts'
import { settingsWith } from '../../config/settings-with.ts'

export const NOW = 1_700_000_000_000
export const FOREVER = 2 ** 63

const RULES: ValidationRules = settingsWith().topic('topic').view(VALIDATION_ROWS)

export const record = (changes: Partial<NewRecord> = {}): NewRecord => ({
  timestamp: BigInt(NOW),
  key: Buffer.from('key'),
  value: Buffer.from('value'),
  ...changes
})

export const threeRecords = [record(), record({ timestamp: BigInt(NOW + 20) }), record({ timestamp: BigInt(NOW + 10) })]

export function validate(
  batch: RecordBatch,
  rules: Partial<ValidationRules> = {},
  origin: Arrival['origin'] = 'client'
) {
  return validateBatch({ batch, topicPartition: 'topic-0', now: NOW, origin }, { ...RULES, ...rules })
}

/** The error that the validation throws. */
export function refusal(batch: RecordBatch, rules: Partial<ValidationRules> = {}): KafkaError {
  try {
    validate(batch, rules)
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
  throw new Error('the batch was accepted')
}
