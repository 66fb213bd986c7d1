/** A mutable draft of a LayeredMap. The base of the draft stays unchanged. */
import type { LayeredMap } from './layered-map.ts'

export class DraftMap<V extends object | string | number> {
  readonly #base: LayeredMap<V>
  #changes: Map<string, V | undefined> | undefined
  #size: number

  constructor(base: LayeredMap<V>) {
    this.#base = base
    this.#size = base.size
  }

  get(key: string): V | undefined {
    if (!this.#changes?.has(key)) return this.#base.get(key)
    return this.#changes.get(key)
  }

  set(key: string, value: V): void {
    this.#put(key, value)
  }

  delete(key: string): void {
    if (this.get(key) !== undefined) this.#put(key, undefined)
  }

  /** The resulting map, or the base itself if nothing has changed. The draft must not be changed afterwards. */
  finish(): LayeredMap<V> {
    return this.#changes ? this.#base.with(this.#changes, this.#size) : this.#base
  }

  #put(key: string, value: V | undefined): void {
    this.#size += Number(value !== undefined) - Number(this.get(key) !== undefined)
    this.#changes ??= this.#base.copyOfChanges()
    this.#changes.set(key, value)
  }
}
