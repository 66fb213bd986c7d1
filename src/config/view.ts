/**
 * Typed, live views of settings. A part of the broker names the rows that it reads once. Its view is a plain object with a
 * property for each row, so a read needs no lookup by name. A dynamic change writes the new values into the same object. Only
 * rows with an update mode change while the broker runs.
 */
import type { GroupValues } from './group-bounds.ts'
import type { BrokerValues, TopicValues } from './values.ts'

/** The values of all settings, by name. A name that brokers and topics share has the same type. */
export type SettingValues = BrokerValues & TopicValues & GroupValues

/** The name of a setting of brokers, topics or groups. */
export type SettingName = keyof SettingValues

type ValuesOf<Names extends readonly SettingName[]> = { [Index in keyof Names]: SettingValues[Names[Index]] }

/** A property that is computed from the values of settings, and again after each change of one of them. */
export interface Derived<Name extends SettingName, T> {
  readonly names: readonly Name[]
  compute(values: readonly unknown[]): T
}

/** The properties of a view. Each is the name of a setting or a derived value. */
export interface Rows<Name extends SettingName = SettingName> {
  readonly [property: string]: Name | Derived<Name, unknown>
}

/** The type of a view of rows. */
export type ViewOf<R extends Rows> = {
  readonly [Property in keyof R]: R[Property] extends SettingName
    ? SettingValues[R[Property]]
    : R[Property] extends Derived<SettingName, infer T>
      ? T
      : never
}

/** Declares rows that the views of several resources share, such as those of all topics or all groups. */
export function rows<const R extends Rows>(properties: R): R {
  return properties
}

/** Declares a property that `compute` derives from the named settings. It must not throw for a value that the rows allow. */
export function derived<const Names extends readonly [SettingName, ...SettingName[]], T>(
  names: Names,
  compute: (...values: ValuesOf<Names>) => T
): Derived<Names[number], T> {
  return { names, compute: values => compute(...(values as ValuesOf<Names>)) }
}

type Lookup<Name extends SettingName> = (name: Name) => SettingValues[Name]

/** The live settings of one resource: the broker, a topic or a group. */
export class ResourceSettings<Name extends SettingName> {
  #lookup: Lookup<Name>
  /** Created with the first view, to save memory with many topics. */
  #views: Map<Rows<Name>, Record<string, unknown>> | undefined

  constructor(lookup: Lookup<Name>) {
    this.#lookup = lookup
  }

  /** The effective value of one setting. It is looked up by name, so frequent requests use a view instead. */
  get<N extends Name>(name: N): SettingValues[N] {
    return this.#lookup(name) as SettingValues[N]
  }

  /**
   * The view of rows. It is cached by the identity of `properties` for the life of the resource. A literal at each request would
   * leak memory.
   */
  view<const R extends Rows<Name>>(properties: R): ViewOf<R> {
    this.#views ??= new Map()
    let view = this.#views.get(properties)
    if (!view) {
      view = this.#read(properties)
      this.#views.set(properties, view)
    }
    return view as ViewOf<R>
  }

  /** Replaces the values and writes the new ones into all views. */
  replace(lookup: Lookup<Name>): void {
    this.#lookup = lookup
    for (const [properties, view] of this.#views ?? []) Object.assign(view, this.#read(properties))
  }

  #read(properties: Rows<Name>): Record<string, unknown> {
    const values = Object.entries(properties).map(([property, source]) => {
      if (typeof source !== 'object') return [property, this.#lookup(source)]
      return [property, source.compute(source.names.map(this.#lookup))]
    })
    return Object.fromEntries(values)
  }
}
