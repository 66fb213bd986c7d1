/** A map being changed, while the one that it began as stays as it was. */
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

  /** The map as it is now: the base itself while nothing has changed. The draft is not to be changed afterwards. */
  finish(): LayeredMap<V> {
    return this.#changes ? this.#base.with(this.#changes, this.#size) : this.#base
  }

  #put(key: string, value: V | undefined): void {
    this.#size += Number(value !== undefined) - Number(this.get(key) !== undefined)
    this.#changes ??= this.#base.copyOfChanges()
    this.#changes.set(key, value)
  }
}
