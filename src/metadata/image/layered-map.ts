/**
 * An immutable map with cheap changes: a large base that versions share, and the entries in which this version differs. If these
 * entries become many, they are merged into a new base. A change of a map with n entries copies about sqrt(n) entries, while a
 * plain map would copy all.
 */

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>()
/** Number of differing entries below which they are never merged. */
const FEW_CHANGES = 32

export class LayeredMap<V extends object | string | number> implements ReadonlyMap<string, V> {
  readonly size: number
  readonly #base: ReadonlyMap<string, V>
  /** Undefined marks a removed entry of the base. */
  readonly #changes: ReadonlyMap<string, V | undefined>

  private constructor(base: ReadonlyMap<string, V>, changes: ReadonlyMap<string, V | undefined>, size: number) {
    this.#base = base
    this.#changes = changes
    this.size = size
  }

  static empty<V extends object | string | number>(): LayeredMap<V> {
    return new LayeredMap<V>(NOTHING, NOTHING, 0)
  }

  get(key: string): V | undefined {
    return this.#changes.get(key) ?? (this.#changes.has(key) ? undefined : this.#base.get(key))
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  /** Entries in order of insertion. An entry that was removed and added again may keep its old position. */
  *entries(): Generator<[string, V], undefined> {
    for (const [key, before] of this.#base) {
      const value = this.#changes.size > 0 && this.#changes.has(key) ? this.#changes.get(key) : before
      if (value !== undefined) yield [key, value]
    }
    for (const [key, value] of this.#changes) {
      if (value !== undefined && !this.#base.has(key)) yield [key, value]
    }
  }

  *keys(): Generator<string, undefined> {
    for (const [key] of this.entries()) yield key
  }

  *values(): Generator<V, undefined> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): Generator<[string, V], undefined> {
    return this.entries()
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this)
  }

  /** The map after `changes`; undefined removes an entry. The caller must not change `changes` afterwards. */
  with(changes: ReadonlyMap<string, V | undefined>, size: number): LayeredMap<V> {
    const isMuch = changes.size > FEW_CHANGES && changes.size ** 2 > 2 * this.#base.size
    if (!isMuch) return new LayeredMap(this.#base, changes, size)
    const base = new Map(this.#base)
    for (const [key, value] of changes) {
      if (value === undefined) base.delete(key)
      else base.set(key, value)
    }
    return new LayeredMap(base, NOTHING, size)
  }

  /** A copy of the entries that differ from the base. The caller changes it and passes it to `with`. */
  copyOfChanges(): Map<string, V | undefined> {
    return new Map(this.#changes)
  }
}
