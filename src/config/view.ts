/**
 * Typed, live views of settings. A part names the rows that it reads, once; its view is a plain object with a property for each, so
 * that a read costs no lookup by name. A change at run time writes the new values into the same object. The row's update mode decides
 * which properties ever change: the value of a row without one is fixed at start.
 */
import type { GroupValues } from './group-bounds.ts'
import type { BrokerValues, TopicValues } from './values.ts'

/** The values of all settings by name. A name that brokers and topics share has one type. */
export type SettingValues = BrokerValues & TopicValues & GroupValues

/** The name of a setting of brokers, topics or groups. */
export type SettingName = keyof SettingValues

type ValuesOf<Names extends readonly SettingName[]> = { [Index in keyof Names]: SettingValues[Names[Index]] }

/** A property computed from the values of settings, whenever these change. */
export interface Derived<Name extends SettingName, T> {
  readonly names: readonly Name[]
  compute(values: readonly unknown[]): T
}

/** The properties of a view: each has the value of the setting that it names, or a derived one. */
export interface Rows<Name extends SettingName = SettingName> {
  readonly [property: string]: Name | Derived<Name, unknown>
}

/** A view of rows. */
export type ViewOf<R extends Rows> = {
  readonly [Property in keyof R]: R[Property] extends SettingName
    ? SettingValues[R[Property]]
    : R[Property] extends Derived<SettingName, infer T>
      ? T
      : never
}

/** Rows that several views share: those of all topics, or of all groups. */
export function rows<const R extends Rows>(properties: R): R {
  return properties
}

/** A property that `compute` makes from the values of the named settings. It must not throw for any value that a row allows. */
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
  /** Made with the first view: there may be very many topics. */
  #views: Map<Rows<Name>, Record<string, unknown>> | undefined

  constructor(lookup: Lookup<Name>) {
    this.#lookup = lookup
  }

  /** The value of one setting in force, looked up by name: where requests are frequent, take a view. */
  get<N extends Name>(name: N): SettingValues[N] {
    return this.#lookup(name) as SettingValues[N]
  }

  /** The view of rows. It is kept by the `properties` object for as long as the resource: never pass a literal for each request. */
  view<const R extends Rows<Name>>(properties: R): ViewOf<R> {
    this.#views ??= new Map()
    let view = this.#views.get(properties)
    if (!view) {
      view = this.#read(properties)
      this.#views.set(properties, view)
    }
    return view as ViewOf<R>
  }

  /** Puts other values in force, and writes them into all views. */
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
