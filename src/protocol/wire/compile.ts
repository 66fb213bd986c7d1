/**
 * Compiles a shape to a codec for each version. Codecs are closures over the fields of the version, created on first use and
 * cached. Only this file selects the flexible encoding (compact lengths, tagged fields).
 */
import { assert } from '../../runtime/assert.ts'
import { ByteWriter } from './byte-writer.ts'
import { ByteReader, MalformedFrame } from './bytes.ts'
import {
  arrayCodec,
  bytesCodec,
  COMPACT,
  type Codec,
  fixedCodec,
  NARROW,
  nullableStructCodec,
  type Struct,
  stringCodec,
  type Value,
  WIDE
} from './codecs.ts'
import { type AnyField, absentOf, type Decoded, type Encodable, type Shape } from './schema.ts'

interface Target {
  readonly version: number
  readonly flexible: boolean
}

/** A shape with its codecs in all versions. */
export interface Message<S extends Shape> {
  readonly shape: S
  read(reader: ByteReader, version: number): Decoded<S>
  write(writer: ByteWriter, value: Encodable<S>, version: number): void
  /** Decodes a whole buffer. Throws MalformedFrame if bytes are missing or left over. */
  decode(buffer: Buffer, version: number): Decoded<S>
  encode(value: Encodable<S>, version: number): Buffer
}

/** Compiles a shape. `flexibleSince` is the first version with compact lengths and tagged fields; by default there is none. */
export function message<S extends Shape>(shape: S, flexibleSince = Number.POSITIVE_INFINITY): Message<S> {
  const codecs = new Map<number, Codec<Struct>>()
  const at = (version: number): Codec<Struct> => {
    const cached = codecs.get(version)
    if (cached) return cached
    const codec = structCodec(shape, { version, flexible: version >= flexibleSince })
    codecs.set(version, codec)
    return codec
  }
  const read = (reader: ByteReader, version: number) => at(version).read(reader) as Decoded<S>
  const write = (writer: ByteWriter, value: Encodable<S>, version: number) => at(version).write(writer, value)
  return {
    shape,
    read,
    write,
    decode(buffer, version) {
      const reader = new ByteReader(buffer)
      const value = read(reader, version)
      if (reader.remaining > 0) throw new MalformedFrame(`${reader.remaining} bytes follow the last field`)
      return value
    },
    encode(value, version) {
      const writer = new ByteWriter()
      write(writer, value, version)
      return writer.toBuffer()
    }
  }
}

interface Member {
  readonly name: string
  readonly field: AnyField
  readonly codec: Codec<Value>
}

function structCodec(shape: Shape, target: Target): Codec<Struct> {
  const placed: Member[] = []
  const tagged = new Map<number, Member>()
  for (const [name, field] of Object.entries(shape)) {
    const { since, until, tag } = field.traits
    if (target.version < since || target.version > until) continue
    const member = { name, field, codec: fieldCodec(field, target) }
    if (tag < 0) placed.push(member)
    else tagged.set(tag, member)
  }
  assert(tagged.size === 0 || target.flexible, 'only flexible versions have tagged fields')
  const ascending = [...tagged].sort(([a], [b]) => a - b)
  const defaults: Struct = absentOf(shape)
  return {
    read(reader) {
      const value: Struct = { ...defaults }
      for (const { name, codec } of placed) value[name] = codec.read(reader)
      if (target.flexible) readTagged(reader, tagged, value)
      return value
    },
    write(writer, value) {
      for (const { name, field, codec } of placed) {
        const given = value[name]
        codec.write(writer, given === undefined ? field.absent : given)
      }
      if (target.flexible) writeTagged(writer, ascending, value)
    }
  }
}

function readTagged(reader: ByteReader, tagged: ReadonlyMap<number, Member>, value: Struct): void {
  for (let left = reader.uvarint(); left > 0; left--) {
    const member = tagged.get(reader.uvarint())
    const window = reader.window(reader.uvarint())
    // An unknown tag comes from a newer peer. The protocol requires skipping it.
    if (!member) continue
    value[member.name] = member.codec.read(window)
    if (window.remaining > 0) throw new MalformedFrame(`the tagged field ${member.name} is longer than its value`)
  }
}

function writeTagged(writer: ByteWriter, members: readonly (readonly [number, Member])[], value: Struct): void {
  let present = 0
  for (const [, { name, field }] of members) if (!isDefault(field, value[name])) present++
  writer.uvarint(present)
  for (const [tag, { name, field, codec }] of present === 0 ? [] : members) {
    if (isDefault(field, value[name])) continue
    const payload = new ByteWriter(64)
    codec.write(payload, value[name])
    writer.uvarint(tag)
    writer.uvarint(payload.length)
    writer.append(payload)
  }
}

/** True if a tagged field with this value is not written. */
export function isDefault(field: AnyField, given: Value): boolean {
  if (given === undefined || given === field.absent) return true
  if (given === null || field.absent === null) return false
  const { wire } = field
  if (wire.kind === 'struct') {
    return Object.entries(wire.shape).every(([name, inner]) => isDefault(inner, given[name]))
  }
  return wire.kind !== 'fixed' && given.length === 0 && field.absent.length === 0
}

function fieldCodec(field: AnyField, target: Target): Codec<Value> {
  const { wire, traits } = field
  const compact = target.flexible && !traits.rigid
  const lengths = compact ? COMPACT : WIDE
  const nullable = target.version >= traits.nullableSince
  switch (wire.kind) {
    case 'fixed':
      return fixedCodec(wire.type)
    case 'string':
      return stringCodec(compact ? COMPACT : NARROW, nullable)
    case 'bytes':
    case 'records':
      return bytesCodec(lengths, nullable)
    case 'array':
      return arrayCodec(fieldCodec(wire.of, target), lengths, nullable)
    case 'struct': {
      const codec = structCodec(wire.shape, target)
      return nullable ? nullableStructCodec(codec, traits.tag >= 0) : codec
    }
  }
}
