import { describe, expect, it } from 'vitest'
import { DraftMap } from '../../../src/metadata/image/draft-map.ts'
import { LayeredMap } from '../../../src/metadata/image/layered-map.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

function changed(map: LayeredMap<number>, change: (draft: DraftMap<number>) => void): LayeredMap<number> {
  const draft = new DraftMap(map)
  change(draft)
  return draft.finish()
}

describe('a layered map', () => {
  it('equals a plain map after any changes, and so do all its earlier versions', () => {
    const random = seededRandom(7)
    const history: { map: LayeredMap<number>; plain: Map<string, number> }[] = []
    let map = LayeredMap.empty<number>()
    let plain = new Map<string, number>()
    for (let step = 0; step < 600; step++) {
      plain = new Map(plain)
      map = changed(map, draft => {
        for (let count = random.below(4); count >= 0; count--) {
          const key = `key-${random.below(150)}`
          if (random.below(3) === 0) {
            draft.delete(key)
            plain.delete(key)
          } else {
            draft.set(key, step)
            plain.set(key, step)
          }
          expect(draft.get(key)).toBe(plain.get(key))
        }
      })
      history.push({ map, plain })
    }
    for (const { map, plain } of history) {
      expect(new Map(map)).toEqual(plain)
      expect(map.size).toBe(plain.size)
      for (let key = 0; key < 150; key++) expect(map.get(`key-${key}`)).toBe(plain.get(`key-${key}`))
    }
  })

  it('keeps the insertion order of entries', () => {
    let map = LayeredMap.empty<number>()
    for (let key = 0; key < 500; key++) map = changed(map, draft => draft.set(`key-${key}`, key))
    expect([...map.values()]).toEqual(Array.from({ length: 500 }, (_, key) => key))
  })

  it('does not change an iteration in progress', () => {
    let map = changed(LayeredMap.empty<number>(), draft => {
      for (let key = 0; key < 100; key++) draft.set(`key-${key}`, key)
    })
    const seen: string[] = []
    for (const key of map.keys()) {
      seen.push(key)
      map = changed(map, draft => {
        draft.delete(`key-${seen.length}`)
        draft.set(`new-${seen.length}`, 1)
      })
    }
    expect(seen.length).toBe(100)
  })

  it('is the same object after no change', () => {
    const map = changed(LayeredMap.empty<number>(), draft => draft.set('a', 1))
    expect(changed(map, draft => draft.delete('b'))).toBe(map)
  })

  it('passes each entry to a visitor', () => {
    const map = changed(LayeredMap.empty<number>(), draft => draft.set('a', 1))
    const visited: unknown[] = []
    map.forEach((...entry) => {
      visited.push(entry)
    })
    expect(visited).toEqual([[1, 'a', map]])
  })
})
