/**
 * Checks the options of the fixture and the lines of a file of records: names, types and ranges, nested ones too. The result is
 * a copy: the checked values and the used ones are the same.
 */
import { isNativeError } from 'node:util/types'
import { didYouMean } from '../config/did-you-mean.ts'
import { ConfigError } from '../config/sources.ts'

/** A value that is not as it must be. */
export class Mismatch {
  /** The value within the checked object, as in `topics[1].partitions`; empty for the object itself. */
  readonly path: string
  /** Completes the sentence that begins with the path. */
  readonly problem: string

  constructor(problem: string, path = '') {
    this.problem = problem
    this.path = path
  }
}

/** Reads a value once. Returns a copy that later changes of the value do not reach, or a Mismatch. */
export type Check = (value: unknown) => unknown

/** Longer texts are cut in messages. */
const LONGEST_SHOWN = 40

/**
 * Returns a copy of the options, without members that are undefined. Throws ConfigError: one sentence that begins with
 * `source` and names the option, its value, and what would be right.
 */
export function verifyOptions<Options>(source: string, check: Check, value: Options): Options {
  const copy = guarded(() => check(value))
  if (!(copy instanceof Mismatch)) return copy as Options
  const { path, problem } = copy
  throw new ConfigError(`${source}${path === '' ? '' : `: ${path}`} ${problem}`)
}

/** A getter, or a method of the value, may throw. */
function guarded(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return new Mismatch(`cannot be read: it throws ${shown(isNativeError(error) ? error.message : error)}`)
  }
}

/** A value that satisfies `isValid`; `expects` says which those are. `copy` copies a value that can change. */
export function expected(
  expects: string,
  isValid: (value: unknown) => boolean,
  copy: (value: unknown) => unknown = value => value
): Check {
  return value => (isValid(value) ? copy(value) : new Mismatch(`is ${shown(value)}, but must be ${expects}`))
}

/** One of a few texts. */
export function choiceOf(...choices: readonly string[]): Check {
  const isChoice = expected(listed(choices), value => typeof value === 'string' && choices.includes(value))
  return value => {
    const checked = isChoice(value)
    if (!(checked instanceof Mismatch) || typeof value !== 'string') return checked
    return new Mismatch(checked.problem + didYouMean(value, choices))
  }
}

/** An array whose items all satisfy `item`. */
export function arrayOf(expects: string, item: Check): Check {
  const isArray = expected(expects, Array.isArray)
  return value => {
    if (!Array.isArray(value)) return isArray(value)
    const copy: unknown[] = []
    const { length } = value
    for (let index = 0; index < length; index++) {
      const checked = guarded(() => item(value[index]))
      if (checked instanceof Mismatch) return within(`[${index}]`, checked)
      copy.push(checked)
    }
    return copy
  }
}

/** The members that an object may have. */
export interface Shape {
  /** Describes the object, for a value that is none. */
  readonly expects: string
  /** The name of the object in that sentence, where it is not part of another. */
  readonly name?: string
  /** The word for a member: option or field. */
  readonly noun: string
  readonly members: Readonly<Record<string, Check>>
  /** Members that must be there, and what they are. */
  readonly required?: Readonly<Record<string, string>>
  /** A Mismatch of members that exclude each other. */
  readonly conflict?: (copy: Readonly<Record<string, unknown>>) => Mismatch | undefined
}

/** An object with members of a shape. A member that is undefined counts as absent. */
export function objectOf({ expects, name: objectName = '', noun, members, required = {}, conflict }: Shape): Check {
  const names = Object.keys(members)
  return value => {
    if (!isPlainObject(value)) return new Mismatch(notAnObject(value, expects), objectName)
    const unknownName = Object.keys(value).find(name => !Object.hasOwn(members, name))
    if (unknownName !== undefined) return unknownMember(unknownName, noun, names)
    const given = membersOf(value, names)
    if (given instanceof Mismatch) return given
    for (const [name, meaning] of Object.entries(required)) {
      if (!Object.hasOwn(given, name)) return new Mismatch(`lacks the ${noun} ${name}: ${meaning}`)
    }
    const copy = copyOf(given, (name, element) => members[name]?.(element))
    return copy instanceof Mismatch ? copy : (conflict?.(copy) ?? copy)
  }
}

/**
 * An object whose values all satisfy `member`, with `names` alone where they are given. A member that is undefined
 * counts as absent.
 */
export function mapOf(expects: string, member: Check, names?: readonly string[]): Check {
  return value => {
    if (!isPlainObject(value)) return new Mismatch(notAnObject(value, expects))
    const givenNames = Object.keys(value)
    const unknownName = names && givenNames.find(name => !names.includes(name))
    if (unknownName !== undefined) return unknownMember(unknownName, 'setting', names ?? [])
    const given = membersOf(value, givenNames)
    return given instanceof Mismatch ? given : copyOf(given, (_, element) => member(element))
  }
}

type Members = Readonly<Record<string, unknown>>

/** The members that are not undefined, each read once. */
function membersOf(object: Members, names: readonly string[]): Members | Mismatch {
  const given: [name: string, element: unknown][] = []
  for (const name of names) {
    const element = guarded(() => object[name])
    if (element instanceof Mismatch) return within(quotedName(name), element)
    if (element !== undefined) given.push([name, element])
  }
  return Object.fromEntries(given)
}

function copyOf(given: Members, check: (name: string, element: unknown) => unknown): Members | Mismatch {
  const copies: [name: string, copy: unknown][] = []
  for (const [name, element] of Object.entries(given)) {
    const copy = guarded(() => check(name, element))
    if (copy instanceof Mismatch) return within(quotedName(name), copy)
    copies.push([name, copy])
  }
  return Object.fromEntries(copies)
}

/** A text is not shown: whole configurations, passwords included, are passed as a text by mistake. */
function notAnObject(value: unknown, expects: string): string {
  return `is ${typeof value === 'string' ? 'a string' : shown(value)}, but must be ${expects}`
}

function unknownMember(name: string, noun: string, names: readonly string[]): Mismatch {
  return new Mismatch(`has no ${noun} ${cut(name)}${didYouMean(name, names)}`)
}

function within(name: string, { path, problem }: Mismatch): Mismatch {
  return new Mismatch(problem, `${name}${path === '' || path.startsWith('[') ? '' : '.'}${path}`)
}

/** Names of settings and headers may hold dots: they are set in brackets then. */
function quotedName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `[${JSON.stringify(cut(name))}]`
}

/** Not a Map or another object that keeps its content elsewhere. A module may export options. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return ['[object Object]', '[object Module]'].includes(Object.prototype.toString.call(value))
}

/** A value in a message. Content of objects is left out: it may be long, or secret. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value))
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol' || value instanceof Date) return String(value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (typeof value !== 'object' || value === null) return String(value)
  const type: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return typeof type !== 'string' || ['', 'Object'].includes(type) ? 'an object' : `an object of class ${cut(type)}`
}

function cut(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text
}

function listed(choices: readonly string[]): string {
  const quoted = choices.map(choice => JSON.stringify(choice))
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}
