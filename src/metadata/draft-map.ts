/** A map that is copied at its first change, so that what it was made from stays as it was. */

export class DraftMap<V> {
  #map: ReadonlyMap<string, V>
  #copy: Map<string, V> | undefined

  constructor(base: ReadonlyMap<string, V>) {
    this.#map = base
  }

  get(key: string): V | undefined {
    return this.#map.get(key)
  }

  set(key: string, value: V): void {
    this.#own().set(key, value)
  }

  delete(key: string): void {
    if (this.#map.has(key)) this.#own().delete(key)
  }

  /** The map as it is now: the base itself while nothing has changed. The draft is not to be changed afterwards. */
  finish(): ReadonlyMap<string, V> {
    return this.#map
  }

  #own(): Map<string, V> {
    if (this.#copy) return this.#copy
    const copy = new Map(this.#map)
    this.#copy = copy
    this.#map = copy
    return copy
  }
}
