/** Messages of magic 0 and 1, compared with the lines that Kafka 4.3's tool prints for the same bytes. */
import { expect, it } from 'vitest'
import { crc32 } from '../../../src/protocol/records/checksum.ts'
import { folder, lines, options } from '../folder.ts'
import { LEGACY } from '../vectors.ts'

const NAME = '00000000000000000005.log'
const VALUE = 'the same value again and again and again'

function records(bytes: Buffer): string[] {
  return lines(folder({ [NAME]: bytes }), options({ print: true })).filter(line => line.startsWith('|'))
}

it.each(['gzip', 'snappy', 'lz4'] as const)('a message of magic 0 has absolute offsets within %s', codec => {
  expect(records(LEGACY[`magic0-${codec}`])).toEqual([
    `| offset: 5 NoTimestampType: -1 keySize: 2 valueSize: 40 isValid: true crc: 958061823 key: k0 payload: ${VALUE}`,
    `| offset: 6 NoTimestampType: -1 keySize: -1 valueSize: 40 isValid: true crc: 1723703478 payload: ${VALUE}`,
    '| offset: 7 NoTimestampType: -1 keySize: 2 valueSize: -1 isValid: true crc: 2334385114 key: k2'
  ])
})

it.each(['gzip', 'snappy', 'lz4'] as const)('a message of magic 1 has relative offsets within %s', codec => {
  const time = 'CreateTime: 1700000000'
  expect(records(LEGACY[`magic1-${codec}`])).toEqual([
    `| offset: 5 ${time}000 keySize: 2 valueSize: 40 isValid: true crc: 209328715 key: k0 payload: ${VALUE}`,
    `| offset: 6 ${time}005 keySize: -1 valueSize: 40 isValid: true crc: 3071931656 payload: ${VALUE}`,
    `| offset: 7 ${time}003 keySize: 2 valueSize: -1 isValid: true crc: 873193186 key: k2`
  ])
})

it('every record has the timestamp of its wrapper if that has LogAppendTime', () => {
  const time = 'LogAppendTime: 1700000000777'
  const shown = records(LEGACY['magic1-lz4-append'])
  expect(shown).toHaveLength(3)
  for (const line of shown) expect(line).toContain(time)
})

it('a wrapper with damaged contents is reported, and the dump continues', () => {
  const damaged = Buffer.from(LEGACY['magic1-gzip'])
  damaged.writeUInt8(0, 34)
  damaged.writeUInt32BE(crc32(damaged.subarray(16)), 12)
  const shown = lines(folder({ [NAME]: Buffer.concat([damaged, LEGACY['magic0-lz4']]) }), options({ print: true }))
  expect(shown[2]).toMatch(/^offset: 7 position: 0 .* isvalid: true$/)
  expect(shown[3]).toMatch(/position 0: the records of the batch at offset 7 are invalid: gzip cannot decompress/)
  for (const line of shown.slice(5, 8)) expect(line).toMatch(/^\| offset: /)
})
