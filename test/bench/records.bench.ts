/** The cost of walking, reading, building and validating a record: `npx vitest bench test/bench/records.bench.ts`. */
import { bench, describe } from 'vitest'
import { VALIDATION_ROWS, validateBatch } from '../../src/log/partition-log/validator.ts'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import { RecordWalker, recordsOf } from '../../src/protocol/records/record.ts'
import { settingsWith } from '../config/settings-with.ts'

const NOW = 1_700_000_000_000
const records = Array.from({ length: 1000 }, (_, index) => ({
  timestamp: BigInt(NOW + index),
  key: Buffer.from(`key-${index}`),
  value: Buffer.alloc(100, `value ${index}`)
}))
const rules = settingsWith().topic('t').view(VALIDATION_ROWS)

describe('a batch of 1000 records of 100 bytes', () => {
  const plain = buildBatch(records)
  bench('walk', () => {
    const walker = new RecordWalker(plain)
    while (walker.next());
  })
  bench('read as objects', () => void recordsOf(plain))
  bench('build', () => void buildBatch(records))
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const batch = buildBatch(records, { codec })
    bench(
      `validate ${codec}`,
      () => void validateBatch({ batch, topicPartition: 't-0', now: NOW, origin: 'client' }, rules)
    )
  }
})
