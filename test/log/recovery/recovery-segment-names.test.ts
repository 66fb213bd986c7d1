// Segments whose batches do not match the base offsets in their file names.
import { describe, expect, test } from 'vitest'
import { type SegmentSuffix, segmentPath } from '../../../src/log/segment/segment-names.ts'
import type { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { replaceFile } from '../../../src/storage/storage.ts'
import { FOLDER } from '../log-fixture.ts'
import { bytesOf, index, opened, written } from './recovery-fixture.ts'

describe('segments with wrong file names', () => {
  const name = (base: bigint) => segmentPath(FOLDER, base, 'log')
  /** A copy of the second segment, of offsets 10 to 19, under another name. */
  function copied(storage: MemoryStorage, base: bigint, suffixes: readonly SegmentSuffix[]): void {
    for (const suffix of suffixes) {
      replaceFile(storage, segmentPath(FOLDER, base, suffix), bytesOf(storage, segmentPath(FOLDER, 10n, suffix)))
    }
  }

  const ALL: readonly SegmentSuffix[] = ['log', 'index', 'timeindex']
  const cases: [string, RegExp, (storage: MemoryStorage) => void][] = [
    ['a copy that begins before its name', /15\.log begins at offset 10/, storage => copied(storage, 15n, ALL)],
    ['one without indexes', /15\.log begins at offset 10/, storage => copied(storage, 15n, ['log'])],
    ['one that comes last', /50\.log begins at offset 10/, storage => copied(storage, 50n, ['log'])],
    ['a copy that begins after its name', /05\.log begins/, storage => copied(storage, 5n, ALL)],
    ['a longer copy', /00\.log ends at offset 19, but \S*10\.log begins/, storage => longer(storage)],
    [
      'a longer copy without indexes',
      /00\.log ends at offset 19/,
      storage => {
        longer(storage)
        storage.removeNow(index(0n))
      }
    ]
  ]
  /** The first segment, extended to the end of the second one. */
  function longer(storage: MemoryStorage): void {
    storage.append(name(0n), bytesOf(storage, name(10n)))
  }

  test.each(cases)('a misnamed segment (%s) takes its log offline without changes', async (_, message, mislay) => {
    for (const end of ['closed', 'killed'] as const) {
      const { storage } = await written(end)
      mislay(storage)
      const found = storage
        .list(FOLDER)
        .filter(({ name }) => name.endsWith('.log'))
        .map(({ name }) => name)
      const logs = found.map(name => bytesOf(storage, `${FOLDER}/${name}`))
      // The first start leaves the directory unclean: the second must give the same result.
      for (const _ of [1, 2]) expect((await opened(storage)).log).toThrow(message)
      expect(found.map(name => bytesOf(storage, `${FOLDER}/${name}`))).toEqual(logs)
    }
  })
})
