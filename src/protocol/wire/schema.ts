/**
 * The message DSL: a shape is a record of fields, a field is a wire type with the versions it lives in.
 * Every field is present in every version: where a version lacks it, it reads as its default and is not written.
 * Types are inferred from shapes; compile.ts turns a shape and a version into code.
 */

import type { ErrorName } from '../errors.ts'
import { ZERO_UUID } from './bytes.ts'

/** How a value lies on the wire, apart from versions. */
export type Wire =
  | { kind: 'fixed'; type: FixedType }
  | { kind: 'string' | 'bytes' | 'records' }
  | { kind: 'array'; of: AnyField }
  | { kind: 'struct'; shape: Shape }

/** The primitive types of one size, named as ByteReader and ByteWriter name them. */
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
  /** First version in which null may stand. FOREVER: never. */
  readonly nullableSince: number
  /** The tag under which flexible versions carry the field, -1 for a field in its place. */
  readonly tag: number
  /** Written the old way (int16 or int32 length) in flexible versions too. */
  readonly rigid: boolean
}

const EVERYWHERE: Traits = { since: 0, until: NEWEST_VERSION, nullableSince: NEWEST_VERSION, tag: -1, rigid: false }

/**
 * One field: `Out` is what decoding gives, `In` what encoding takes, `Optional` whether encoding may leave it out.
 * Immutable; each modifier returns a new field.
 */
export class Field<Out, In = Out, Optional extends boolean = boolean> {
  readonly wire: Wire
  readonly absent: Out
  readonly traits: Traits
  /** Carries the type parameters; has no value. */
  declare readonly types: { out: Out; in: In; optional: Optional }

  constructor(wire: Wire, absent: Out, traits: Traits = EVERYWHERE) {
    this.wire = wire
    // All messages that lack the field share this value: nobody may change it.
    this.absent = Array.isArray(absent) ? Object.freeze(absent) : absent
    this.traits = traits
  }

  /** The field exists from this version on. */
  since(version: number): Field<Out, In, Optional> {
    return new Field(this.wire, this.absent, { ...this.traits, since: version })
  }

  /** The field exists up to and including this version. */
  until(version: number): Field<Out, In, Optional> {
    return new Field(this.wire, this.absent, { ...this.traits, until: version })
  }

  /** The value where the version lacks the field, and when encoding leaves it out. */
  or(absent: Out): Field<Out, In, true> {
    return new Field(this.wire, absent, this.traits)
  }

  /** From `since` on the field is a tagged one, written only when it differs from its default. */
  tagged(tag: number, since: number): Field<Out, In, true> {
    return new Field(this.wire, this.absent, { ...this.traits, tag, since })
  }

  /** Null may stand for the value from this version on. The default stays; set another with `or`. */
  nullableSince(version: number): Field<Out | null, In | null, Optional> {
    return new Field<Out | null, In | null, Optional>(this.wire, this.absent, {
      ...this.traits,
      nullableSince: version
    })
  }

  /** The length prefix keeps its old form in flexible versions (the client id of the request header). */
  rigid(): Field<Out, In, Optional> {
    return new Field(this.wire, this.absent, { ...this.traits, rigid: true })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a shape holds fields of every type; inference recovers each one
export type AnyField = Field<any, any, boolean>

export type Shape = Readonly<Record<string, AnyField>>

/** What decoding a shape gives: every field, whatever the version. */
export type Decoded<S extends Shape> = { [K in keyof S]: S[K]['types']['out'] }

type OptionalKeys<S extends Shape> = { [K in keyof S]: S[K]['types']['optional'] extends true ? K : never }[keyof S]

/** What encoding a shape takes: fields with a default may be left out. */
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
/** Offsets, timestamps, producer ids: exact, so a bigint. */
export const int64 = fixed('int64', 0n)
export const float64 = fixed('float64', 0)
/** 16 bytes, as 22 characters of base64url. */
export const uuid = fixed('uuid', ZERO_UUID)
/** An int16 of Kafka's error table, by name. */
export const errorCode = fixed<ErrorName>('errorCode', 'NONE')

export const string = new Field<string, string, false>({ kind: 'string' }, '')
export const nullableString = string.nullableSince(0).or(null)
/** A view on the frame: who keeps it copies it. */
export const bytes = new Field<Buffer, Buffer, false>({ kind: 'bytes' }, Buffer.alloc(0))
/** Record batches, as a view. Null where a request or answer carries none. */
export const records = new Field<Buffer | null, Buffer | null, false>({ kind: 'records' }, null, {
  ...EVERYWHERE,
  nullableSince: 0
})

/** A nested struct. */
export function struct<const S extends Shape>(shape: S): Field<Decoded<S>, Encodable<S>, false> {
  return new Field({ kind: 'struct', shape }, absentOf(shape))
}

/** A struct of nothing but defaults. */
export function absentOf<S extends Shape>(shape: S): Decoded<S> {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, field.absent])) as Decoded<S>
}

type Element<T> = T extends AnyField ? T : T extends Shape ? Field<Decoded<T>, Encodable<T>, false> : never

/** An array of a field's type, or of structs when given a shape. */
export function array<const T extends AnyField | Shape>(
  of: T
): Field<Element<T>['types']['out'][], readonly Element<T>['types']['in'][], false> {
  return new Field({ kind: 'array', of: of instanceof Field ? of : struct(of) }, [])
}
