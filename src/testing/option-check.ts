/** Checks what users pass to the fixture, or write in a file of records: names, types and ranges, nested ones too. */
import { didYouMean } from '../config/did-you-mean.ts'
import { ConfigError } from '../config/sources.ts'

/** A value that is not as it must be. */
interface Mismatch {
  /** The value within the checked object, as in `topics[1].partitions`; empty for the object itself. */
  readonly path: string
  /** Completes the sentence that begins with the path. */
  readonly problem: string
}

/** Looks at a value; undefined when it is right. */
export type Check = (value: unknown) => Mismatch | undefined

/** Longer texts are cut in messages. */
const LONGEST_SHOWN = 40

/** Throws ConfigError: one sentence that begins with `source` and names the option, its value, and what would be right. */
export function verifyOptions(source: string, check: Check, value: unknown): void {
  const mismatch = check(value)
  if (mismatch === undefined) return
  const { path, problem } = mismatch
  throw new ConfigError(`${source}${path === '' ? '' : `: ${path}`} ${problem}`)
}

/** A value that satisfies `isValid`; `expects` says which those are. */
export function expected(expects: string, isValid: (value: unknown) => boolean): Check {
  return value => (isValid(value) ? undefined : { path: '', problem: `is ${shown(value)}, but must be ${expects}` })
}

/** One of a few texts. */
export function choiceOf(...choices: readonly string[]): Check {
  const isChoice = expected(listed(choices), value => typeof value === 'string' && choices.includes(value))
  return value => {
    const mismatch = isChoice(value)
    if (mismatch === undefined || typeof value !== 'string') return mismatch
    return { ...mismatch, problem: mismatch.problem + didYouMean(value, choices) }
  }
}

/** An array whose items all satisfy `item`. */
export function arrayOf(expects: string, item: Check): Check {
  const isArray = expected(expects, Array.isArray)
  return value => {
    if (!Array.isArray(value)) return isArray(value)
    for (const [index, element] of value.entries()) {
      const mismatch = item(element)
      if (mismatch) return within(`[${index}]`, mismatch)
    }
    return undefined
  }
}

/** The members that an object may have. */
export interface Shape {
  /** What the object must be, where the value is none. */
  readonly expects: string
  /** The name of the object in that sentence, where it is not part of another. */
  readonly name?: string
  /** What a member is called: option or field. */
  readonly noun: string
  readonly members: Readonly<Record<string, Check>>
  /** Members that must be there, and what they are. */
  readonly required?: Readonly<Record<string, string>>
}

/** An object with members of a shape. A member that is undefined counts as absent. */
export function objectOf({ expects, name: objectName = '', noun, members, required = {} }: Shape): Check {
  const names = Object.keys(members)
  return value => {
    if (!isPlainObject(value)) return { ...notAnObject(value, expects), path: objectName }
    const unknownName = Object.keys(value).find(name => !Object.hasOwn(members, name))
    if (unknownName !== undefined) return unknownMember(unknownName, noun, names)
    for (const [name, meaning] of Object.entries(required)) {
      if (value[name] === undefined) return { path: '', problem: `lacks the ${noun} ${name}: ${meaning}` }
    }
    for (const name of names) {
      const mismatch = value[name] === undefined ? undefined : members[name]?.(value[name])
      if (mismatch) return within(name, mismatch)
    }
    return undefined
  }
}

/**
 * An object whose values all satisfy `member`, with `names` alone where they are given. A member that is undefined
 * counts as absent.
 */
export function mapOf(expects: string, member: Check, names?: readonly string[]): Check {
  return value => {
    if (!isPlainObject(value)) return notAnObject(value, expects)
    for (const [name, element] of Object.entries(value)) {
      if (names?.includes(name) === false) return unknownMember(name, 'setting', names)
      const mismatch = element === undefined ? undefined : member(element)
      if (mismatch) return within(quotedName(name), mismatch)
    }
    return undefined
  }
}

/** A text is not shown: whole configurations, passwords included, are passed as a text by mistake. */
function notAnObject(value: unknown, expects: string): Mismatch {
  const type = typeof value === 'string' ? 'a string' : shown(value)
  return { path: '', problem: `is ${type}, but must be ${expects}` }
}

function unknownMember(name: string, noun: string, names: readonly string[]): Mismatch {
  return { path: '', problem: `has no ${noun} ${cut(name)}${didYouMean(name, names)}` }
}

function within(name: string, { path, problem }: Mismatch): Mismatch {
  return { path: `${name}${path === '' || path.startsWith('[') ? '' : '.'}${path}`, problem }
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
  const quoted = choices.map(choice => `'${choice}'`)
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}
