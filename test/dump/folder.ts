/** A folder of a log in memory, as this project writes it, and its dumps. */
import { plainDecoder } from '../../src/dump/decoders.ts'
import { dump } from '../../src/dump/dump.ts'
import { type Item, textOf } from '../../src/dump/items.ts'
import type { DumpOptions, Filter } from '../../src/dump/options.ts'
import { OffsetIndex } from '../../src/log/segment/offset-index.ts'
import { TimeIndex } from '../../src/log/segment/time-index.ts'
import type { RecordBatch } from '../../src/protocol/records/batch.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'

const EVERYTHING: Filter = { fromOffset: undefined, toOffset: undefined, key: undefined, producerId: undefined }

/** Options of a dump: all off, except for the given ones. */
export function options(given: Partial<Omit<DumpOptions, 'filter'>> & { filter?: Partial<Filter> } = {}): DumpOptions {
  const text = (bytes: Buffer) => bytes.toString('utf8')
  return {
    print: false,
    deep: given.print === true,
    skipRecordMetadata: false,
    decoder: plainDecoder(text, text),
    maxMessageSize: 5_242_880,
    maxBytes: undefined,
    indexSanityCheck: false,
    verifyIndexOnly: false,
    ...given,
    filter: { ...EVERYTHING, ...given.filter }
  }
}

/** A storage with these files. */
export function folder(files: Readonly<Record<string, Buffer>>): MemoryStorage {
  const storage = new MemoryStorage()
  storage.makeDirectory('t-0')
  for (const [name, bytes] of Object.entries(files)) storage.append(`t-0/${name}`, bytes)
  return storage
}

/** A segment of these batches, with an entry in both indexes for each batch except the first. */
export function segment(batches: readonly RecordBatch[], baseOffset = 0n): MemoryStorage {
  const name = String(baseOffset).padStart(20, '0')
  const storage = folder({ [`${name}.log`]: Buffer.concat(batches.map(batch => batch.bytes)) })
  const offsets = new OffsetIndex(storage, `t-0/${name}.index`, baseOffset)
  const times = new TimeIndex(storage, `t-0/${name}.timeindex`, baseOffset)
  let position = 0
  for (const [at, batch] of batches.entries()) {
    if (at > 0) {
      offsets.add(batch.lastOffset, position)
      times.offer({ timestamp: batch.maxTimestamp, offset: batch.lastOffset })
    }
    position += batch.sizeInBytes
  }
  offsets.flush()
  times.flush()
  return storage
}

/** The items of a dump, of the whole folder unless paths are given. */
export function items(storage: MemoryStorage, given: DumpOptions = options(), paths = ['t-0']): Item[] {
  return [...dump(storage, paths, given)]
}

/** The lines of the items of a dump. */
export function lines(storage: MemoryStorage, given?: DumpOptions, paths?: string[]): string[] {
  return items(storage, given, paths).map(textOf)
}

/** The folders of a data directory that belong to it. Strays are left out: they may be damaged. */
export function foldersOf(storage: MemoryStorage): string[] {
  const names = storage.list('').flatMap(({ name, kind }) => (kind === 'directory' ? [name] : []))
  return names.filter(name => !name.endsWith('-stray'))
}
