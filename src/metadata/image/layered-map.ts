/**
 * An immutable map of which a changed one is cheap to make: a large base that both share, and over it the entries in
 * which this one differs from the base. When these become many, they are folded into a new base: of n entries about
 * the square root of n are copied for a change, where a plain map would copy all.
 */

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>()
/** So many differing entries are always borne. */
const FEW_CHANGES = 32

export class LayeredMap<V extends object | string | number> implements ReadonlyMap<string, V> {
  readonly size: number
  readonly #base: ReadonlyMap<string, V>
  /** Undefined stands for an entry of the base that is no more. */
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

  /** Entries in the order in which they came, but one that went and came back may stand at its old place. */
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

  /** The map after `changes`, of which undefined removes an entry; they are the map's from now on. */
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

  /** What differs from the base, to be changed further and given to `with`. */
  copyOfChanges(): Map<string, V | undefined> {
    return new Map(this.#changes)
  }
}
