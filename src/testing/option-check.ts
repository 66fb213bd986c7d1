/**
 * Checks the options of the fixture and the lines of a file of records: names, types and ranges, also of nested objects. The
 * result is a copy, so that a later change of the options cannot bypass the checks.
 */
import { isNativeError } from 'node:util/types'
import { didYouMean } from '../config/did-you-mean.ts'
import { ConfigError } from '../config/sources.ts'

/** An invalid value. */
export class Mismatch {
  /** The path of the value in the checked object, such as `topics[1].partitions`; empty for the object itself. */
  readonly path: string
  /** The rest of the error message, after the path. */
  readonly problem: string

  constructor(problem: string, path = '') {
    this.problem = problem
    this.path = path
  }
}

/** Reads a value once. Returns an independent copy, or a Mismatch for an invalid value. */
export type Check = (value: unknown) => unknown

/** Length above which messages truncate a text. */
const LONGEST_SHOWN = 40

/**
 * Returns a copy of the options, without members that are undefined. Throws ConfigError with `source`, the option, its value
 * and the valid values.
 */
export function verifyOptions<Options>(source: string, check: Check, value: Options): Options {
  const copy = guarded(() => check(value))
  if (!(copy instanceof Mismatch)) return copy as Options
  const { path, problem } = copy
  throw new ConfigError(`${source}${path === '' ? '' : `: ${path}`} ${problem}`)
}

/** The result of `read`. A Mismatch if a getter or a method of the value throws. */
function guarded(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return new Mismatch(`cannot be read: it throws ${shown(isNativeError(error) ? error.message : error)}`)
  }
}

/** Checks with `isValid`. `expects` describes the valid values, `copy` copies a mutable value. */
export function expected(
  expects: string,
  isValid: (value: unknown) => boolean,
  copy: (value: unknown) => unknown = value => value
): Check {
  return value => (isValid(value) ? copy(value) : new Mismatch(`is ${shown(value)}, but must be ${expects}`))
}

/** Checks for one of the given strings. */
export function choiceOf(...choices: readonly string[]): Check {
  const isChoice = expected(listed(choices), value => typeof value === 'string' && choices.includes(value))
  return value => {
    const checked = isChoice(value)
    if (!(checked instanceof Mismatch) || typeof value !== 'string') return checked
    return new Mismatch(checked.problem + didYouMean(value, choices))
  }
}

/** Checks for an array whose items all satisfy `item`. */
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
  /** Description of the object, for the error about a value that is not an object. */
  readonly expects: string
  /** The name of the object in that error, if it is not part of another object. */
  readonly name?: string
  /** The word for a member: option or field. */
  readonly noun: string
  readonly members: Readonly<Record<string, Check>>
  /** Required members, with their descriptions. */
  readonly required?: Readonly<Record<string, string>>
  /** Returns a Mismatch if the object has members that exclude each other. */
  readonly conflict?: (copy: Readonly<Record<string, unknown>>) => Mismatch | undefined
}

/** Checks for an object with the members of a shape. An undefined member counts as absent. */
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
 * Checks for an object whose values all satisfy `member`. If `names` is given, other names are invalid. An undefined member
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

/** The message does not show a string: users pass whole configurations with passwords as a string by mistake. */
function notAnObject(value: unknown, expects: string): string {
  return `is ${typeof value === 'string' ? 'a string' : shown(value)}, but must be ${expects}`
}

function unknownMember(name: string, noun: string, names: readonly string[]): Mismatch {
  return new Mismatch(`has no ${noun} ${cut(name)}${didYouMean(name, names)}`)
}

function within(name: string, { path, problem }: Mismatch): Mismatch {
  return new Mismatch(problem, `${name}${path === '' || path.startsWith('[') ? '' : '.'}${path}`)
}

/** Puts names that are not identifiers in brackets: names of settings and headers may have dots. */
function quotedName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `[${JSON.stringify(cut(name))}]`
}

/** True for plain objects and modules, which may export options. False for a Map, whose content is not in its properties. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return ['[object Object]', '[object Module]'].includes(Object.prototype.toString.call(value))
}

/** A value for a message, without the content of objects, which may be long or secret. */
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
