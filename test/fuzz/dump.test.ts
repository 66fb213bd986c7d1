/** dump-log over a damaged data directory: every option ends and writes sentences. */
import { expect, test } from 'vitest'
import { verify } from '../../src/dump/checks/verify.ts'
import { plainDecoder } from '../../src/dump/decoders.ts'
import { dump } from '../../src/dump/dump.ts'
import { Follower } from '../../src/dump/follow/follow.ts'
import { groupDecoder, metadataDecoder } from '../../src/dump/formats/coordinator-decoder.ts'
import { type Item, jsonOf, textOf } from '../../src/dump/items.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { options } from '../dump/folder.ts'
import { damaged, writtenDirectory } from './directory.ts'
import { filesOf, ROUNDS, TIMEOUT_MS } from './mutations.ts'

/** Each round reads the whole directory in five ways. */
const LOOKS = Math.ceil(ROUNDS / 3)
/** More lines than a directory of this size can have, even with every byte damaged. */
const MOST_ITEMS = 2000
/** More than the batches of a log before which damage can leave zeros. */
const MOST_ROUNDS = 10

test('dump-log ends with any damaged files', { timeout: TIMEOUT_MS }, async () => {
  const { clean } = await writtenDirectory()
  const folders = [...new Set(filesOf(clean).flatMap(path => (path.includes('/') ? [path.split('/')[0] ?? ''] : [])))]
  expect(folders.length).toBeGreaterThan(3)
  const text = (bytes: Buffer) => bytes.toString('utf8')
  const ways = [groupDecoder, metadataDecoder, plainDecoder(text, text)].map(decoder =>
    options({ print: true, decoder })
  )
  const random = seededRandom(17)
  let wrong = 0
  for (let round = 0; round < LOOKS; round++) {
    const { storage, paths } = damaged(clean, random)
    const itemsOf = (items: Iterable<Item>): Item[] => {
      const all: Item[] = []
      for (const item of items) {
        expect(textOf(item), paths.join()).not.toMatch(/undefined|\[object/)
        JSON.parse(jsonOf(item))
        all.push(item)
        if (all.length > MOST_ITEMS) throw new Error(`no end with ${paths.join()}`)
      }
      return all
    }
    for (const way of ways) itemsOf(dump(storage, folders, way))
    if (itemsOf(verify(storage, folders, options())).some(({ kind }) => kind === 'problem')) wrong++
    const follower = new Follower(folders, options())
    itemsOf(follower.round(storage))
    // Each batch that can still be incomplete is awaited once.
    let rounds = 0
    while (itemsOf(follower.round(storage)).length > 0) expect(++rounds, paths.join()).toBeLessThan(MOST_ROUNDS)
  }
  expect(wrong).toBeGreaterThan(LOOKS / 2)
})

test('dump-log finds no fault in undamaged files', async () => {
  const { clean, killed } = await writtenDirectory()
  for (const storage of [clean, killed]) {
    const folders = storage.list('').flatMap(({ name, kind }) => (kind === 'directory' ? [name] : []))
    expect([...verify(storage, folders, options())].map(textOf)).toEqual([expect.stringMatching(/no problems found$/)])
  }
})
