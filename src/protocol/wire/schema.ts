/**
 * DSL for message schemas. A shape is a record of fields; a field is a wire type with its versions. Decoded messages have every
 * field in every version: a field that the version lacks has its default and is not written. TypeScript infers the types of
 * messages from shapes; compile.ts compiles a shape and a version to a codec.
 */

import type { ErrorName } from '../errors.ts'
import { ZERO_UUID } from './bytes.ts'

/** Encoding of a value, independent of versions. */
export type Wire =
  | { kind: 'fixed'; type: FixedType }
  | { kind: 'string' | 'bytes' | 'records' }
  | { kind: 'array'; of: AnyField }
  | { kind: 'struct'; shape: Shape }

/** Primitive types of a fixed size, with the names of ByteReader and ByteWriter methods. */
export type FixedType =
  | 'boolean'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'errorCode'

const NEWEST_VERSION = 32_767

interface Traits {
  readonly since: number
  readonly until: number
  /** First version in which null is allowed; NEWEST_VERSION if it never is. */
  readonly nullableSince: number
  /** Tag of the field in flexible versions; -1 for a field that is not tagged. */
  readonly tag: number
  /** True: flexible versions also encode the length as int16 or int32. */
  readonly rigid: boolean
}

const EVERYWHERE: Traits = { since: 0, until: NEWEST_VERSION, nullableSince: NEWEST_VERSION, tag: -1, rigid: false }

/**
 * A field. `Out` is the decoded type, `In` the type to encode, and `Optional` is true if encoding may omit the field. Immutable:
 * each modifier returns a new field.
 */
export class Field<Out, In = Out, Optional extends boolean = boolean> {
  readonly wire: Wire
  readonly absent: Out
  readonly traits: Traits
  /** Holds the type parameters; has no value at run time. */
  declare readonly types: { out: Out; in: In; optional: Optional }

  constructor(wire: Wire, absent: Out, traits: Traits = EVERYWHERE) {
    this.wire = wire
    // All messages that lack the field share this value, so it must not change.
    this.absent = Array.isArray(absent) ? Object.freeze(absent) : absent
    this.traits = traits
  }

  /** Sets the first version of the field. */
  since(version: number): Field<Out, In, Optional> {
    return new Field(this.wire, this.absent, { ...this.traits, since: version })
  }

  /** Sets the last version of the field, inclusive. */
  until(version: number): Field<Out, In, Optional> {
    return new Field(this.wire, this.absent, { ...this.traits, until: version })
  }

  /** Sets the default: the value in versions without the field, and if encoding omits it. */
  or(absent: Out): Field<Out, In, true> {
    return new Field(this.wire, absent, this.traits)
  }

  /** Makes the field a tagged field from version `since` on. It is written only if it differs from its default. */
  tagged(tag: number, since: number): Field<Out, In, true> {
    return new Field(this.wire, this.absent, { ...this.traits, tag, since })
  }

  /** Allows null from this version on. The default stays the same; `or` changes it. */
  nullableSince(version: number): Field<Out | null, In | null, Optional> {
    return new Field<Out | null, In | null, Optional>(this.wire, this.absent, {
      ...this.traits,
      nullableSince: version
    })
  }

  /** Keeps the old length prefix in flexible versions (the client id of the request header). */
  rigid(): Field<Out, In, Optional> {
    return new Field(this.wire, this.absent, { ...this.traits, rigid: true })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a shape holds fields of every type; inference recovers each one
export type AnyField = Field<any, any, boolean>

export type Shape = Readonly<Record<string, AnyField>>

/** Decoded message of a shape: every field, in every version. */
export type Decoded<S extends Shape> = { [K in keyof S]: S[K]['types']['out'] }

type OptionalKeys<S extends Shape> = { [K in keyof S]: S[K]['types']['optional'] extends true ? K : never }[keyof S]

/** Message of a shape to encode: fields with a default may be omitted. */
export type Encodable<S extends Shape> = { [K in Exclude<keyof S, OptionalKeys<S>>]: S[K]['types']['in'] } & {
  [K in OptionalKeys<S>]?: S[K]['types']['in'] | undefined
}

const fixed = <T>(type: FixedType, absent: T) => new Field<T, T, false>({ kind: 'fixed', type }, absent)

export const boolean = fixed('boolean', false)
export const int8 = fixed('int8', 0)
export const int16 = fixed('int16', 0)
export const uint16 = fixed('uint16', 0)
export const int32 = fixed('int32', 0)
export const uint32 = fixed('uint32', 0)
/** Offsets, timestamps and producer ids. The bigint is exact. */
export const int64 = fixed('int64', 0n)
export const float64 = fixed('float64', 0)
/** 16 bytes, as 22 characters of base64url. */
export const uuid = fixed('uuid', ZERO_UUID)
/** An int16 error code, as its name in the error table. */
export const errorCode = fixed<ErrorName>('errorCode', 'NONE')

export const string = new Field<string, string, false>({ kind: 'string' }, '')
export const nullableString = string.nullableSince(0).or(null)
/** A view of the frame: code that stores the bytes copies them. */
export const bytes = new Field<Buffer, Buffer, false>({ kind: 'bytes' }, Buffer.alloc(0))
/** Record batches as a view of the frame; null if the message has none. */
export const records = new Field<Buffer | null, Buffer | null, false>({ kind: 'records' }, null, {
  ...EVERYWHERE,
  nullableSince: 0
})

/** A nested struct. */
export function struct<const S extends Shape>(shape: S): Field<Decoded<S>, Encodable<S>, false> {
  return new Field({ kind: 'struct', shape }, absentOf(shape))
}

/** A struct with the default of every field. */
export function absentOf<S extends Shape>(shape: S): Decoded<S> {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, field.absent])) as Decoded<S>
}

type Element<T> = T extends AnyField ? T : T extends Shape ? Field<Decoded<T>, Encodable<T>, false> : never

/** An array of a field's type, or of structs if `of` is a shape. */
export function array<const T extends AnyField | Shape>(
  of: T
): Field<Element<T>['types']['out'][], readonly Element<T>['types']['in'][], false> {
  return new Field({ kind: 'array', of: of instanceof Field ? of : struct(of) }, [])
}
