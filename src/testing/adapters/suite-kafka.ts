/** A broker for the tests of one file or describe block, in the process of the tests. */
import type { MiniKafka } from '../fixture.ts'
import { INSPECT } from '../inspect.ts'
import { verifyOptions } from '../option-check.ts'
import { SUITE_OPTIONS } from '../option-shapes.ts'
import type { MiniKafkaOptions, StopOptions } from '../options.ts'

/** Options of `useKafka`: those of `MiniKafka.start` and of `stop`. */
export interface SuiteOptions extends MiniKafkaOptions, StopOptions {}

/** Registers the hooks of a test runner. */
export interface SuiteHooks {
  beforeAll(start: () => Promise<void>): void
  afterAll(stop: () => Promise<void>): void
}

/**
 * Starts a broker before the first test and stops it after the last. The result is a proxy of the broker. A read
 * before the start throws an error with this reason.
 */
export function suiteKafka({ beforeAll, afterAll }: SuiteHooks, options: SuiteOptions): MiniKafka {
  const { failOn, ...startOptions } = verifyOptions('useKafka', SUITE_OPTIONS, options)
  let kafka: MiniKafka | undefined
  beforeAll(async () => {
    const { MiniKafka } = await import('../fixture.ts')
    kafka = await MiniKafka.start(startOptions)
  })
  afterAll(async () => {
    await kafka?.stop({ failOn })
  })
  return standIn(() => kafka)
}

/** A proxy that reads members of the broker, and calls its methods, at the time of use. */
function standIn(current: () => MiniKafka | undefined): MiniKafka {
  const beforeStart: object = { [INSPECT]: () => current() ?? 'MiniKafka (not started)' }
  return new Proxy(beforeStart as MiniKafka, {
    get(_, name) {
      const kafka = current()
      if (kafka === undefined) return readBeforeStart(beforeStart, name)
      const member: unknown = Reflect.get(kafka, name, kafka)
      return typeof member === 'function' && name !== 'constructor' ? member.bind(kafka) : member
    },
    has: (_, name) => Reflect.has(current() ?? beforeStart, name),
    getPrototypeOf: () => Reflect.getPrototypeOf(current() ?? beforeStart)
  })
}

/** Reads of `then` and of symbols are allowed: promises and the output of test runners make them. */
function readBeforeStart(target: object, name: string | symbol): unknown {
  if (name === 'then' || typeof name === 'symbol') return Reflect.get(target, name)
  throw new Error(
    `the broker of useKafka has not started: ${name} can be read in tests and in hooks that run after its own`
  )
}
