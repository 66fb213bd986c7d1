/** Damage as disks, crashes and attackers cause it, reproducible by a seed. */

import type { Random } from '../../src/runtime/random.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'

/** The number of rounds of a parser: a few in `npm test`, all in `npm run soak`. */
export const ROUNDS = Number(process.env.MINIKAFKA_FUZZ_ROUNDS ?? 150)
/** For the full number; `npm test` takes a second or two. */
export const TIMEOUT_MS = 600_000

const BOMBS = [0x7f_ff_ff_ff, -1, 0, -0x80_00_00_00, 0x10_00_00_00, 0x00_ff_ff_ff, 1]
/** The largest number that five bytes of a varint hold. */
const VARINT_BOMB = Buffer.from('ffffffff0f', 'hex')

type Mutation = (bytes: Buffer, random: Random) => Buffer

const flipBits: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes)
  for (let count = 1 + random.below(4); count > 0 && changed.length > 0; count--) {
    const at = random.below(changed.length)
    changed.writeUInt8(changed.readUInt8(at) ^ (1 << random.below(8)), at)
  }
  return changed
}

const cut: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length))

const remove: Mutation = (bytes, random) => {
  const from = random.below(bytes.length)
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.below(16))])
}

const insert: Mutation = (bytes, random) => {
  const at = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(40)), bytes.subarray(at)])
}

const repeat: Mutation = (bytes, random) => {
  const from = random.below(bytes.length)
  return Buffer.concat([bytes, bytes.subarray(from, from + 1 + random.below(200))])
}

const zero: Mutation = (bytes, random) => {
  const from = random.below(bytes.length)
  return Buffer.from(bytes).fill(0, from, Math.min(bytes.length, from + 1 + random.below(64)))
}

const lengthBomb: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes)
  if (changed.length >= 4)
    changed.writeInt32BE(BOMBS[random.below(BOMBS.length)] ?? 0, random.below(changed.length - 3))
  return changed
}

const varintBomb: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes)
  VARINT_BOMB.copy(changed, random.below(changed.length))
  return changed
}

const MUTATIONS = [flipBits, flipBits, cut, remove, insert, repeat, zero, lengthBomb, lengthBomb, varintBomb]

/** The bytes with one to three kinds of damage. */
export function mutated(bytes: Buffer, random: Random): Buffer {
  let changed = bytes
  for (let count = 1 + random.below(3); count > 0; count--) {
    changed = MUTATIONS[random.below(MUTATIONS.length)]?.(changed, random) ?? changed
  }
  return changed
}

/** A read far beyond the end of a file would allocate its whole length on a real disk. */
const READ_SLACK = 4 << 20

/** A memory storage that throws on a read far beyond the end of a file. */
export class BoundedStorage extends MemoryStorage {
  override read(path: string, position: number, length: number): Buffer {
    if (length > 2 * this.size(path) + READ_SLACK) throw new Error(`${length} bytes of ${path} are asked for`)
    return super.read(path, position, length)
  }
}

/** All files of a storage, by path. */
export function filesOf(storage: Storage, folder = ''): string[] {
  return storage.list(folder).flatMap(({ name, kind }) => {
    const path = folder === '' ? name : `${folder}/${name}`
    return kind === 'directory' ? filesOf(storage, path) : [path]
  })
}

/** A copy with some files changed or added, or deleted by null. */
export function copyOf(storage: Storage, changes: ReadonlyMap<string, Buffer | null> = new Map()): BoundedStorage {
  const copy = new BoundedStorage()
  for (const path of new Set([...filesOf(storage), ...changes.keys()])) {
    if (changes.get(path) === null) continue
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (folder !== '') copy.makeDirectory(folder)
    copy.append(path, changes.get(path) ?? Buffer.from(storage.read(path, 0, storage.size(path))))
  }
  return copy
}
