import { beforeEach, describe, expect, it } from 'vitest'
import { RegexResolution, type ResolvedRegexes, resolveRegexes } from '../../../src/group/consumer/regexes.ts'
import { BackgroundLoops } from '../../../src/runtime/background.ts'
import { runAtOnce, yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingLogger } from '../../../src/testing/recording-logger.ts'
import { GroupCoordinatorDriver, raise } from '../group-coordinator-driver.ts'
import { ClusterTopics } from './cluster-topics.ts'

const clocks = new ManualClock(5_000)
let topics: ClusterTopics
let logger: RecordingLogger

beforeEach(() => {
  topics = new ClusterTopics()
  for (const name of ['foo', 'far', 'bar', 'xfoo']) topics.create(name, 1)
  logger = new RecordingLogger()
})

const matches = (resolved: ResolvedRegexes) =>
  Object.fromEntries([...resolved].map(([regex, { topics }]) => [regex, [...topics].sort()]))

describe('resolving', () => {
  it('finds the topics that an expression matches as a whole, and says when and in which metadata', () => {
    const resolved = runAtOnce(resolveRegexes(new Set(['f.*', 'foo', 'nothing']), { topics, clocks, logger }))
    expect(matches(resolved)).toEqual({ 'f.*': ['far', 'foo'], foo: ['foo'], nothing: [] })
    expect(resolved.get('foo')).toMatchObject({ version: 4n, timestamp: 5_000n })
  })

  it('leaves out what cannot be compiled, and says so', () => {
    const resolved = runAtOnce(resolveRegexes(new Set(['(', 'foo']), { topics, clocks, logger }))
    expect(matches(resolved)).toEqual({ foo: ['foo'] })
    expect(logger.messages('warn')).toEqual(['a regular expression of a group is left out'])
  })

  it('lets others have their turn after every match, and after every expression that is compiled', () => {
    const steps = resolveRegexes(new Set(['a', 'b', 'c']), { topics, clocks, logger })
    let count = 0
    while (!steps.next().done) count++
    expect(count).toBe(3 + 3 * 4)
  })
})

describe('groups that resolve at the same time', () => {
  const background = new BackgroundLoops({ clocks, failed: raise })
  const resolution = () => new RegexResolution({ topics, clocks, logger, background })

  it('are told later, each as soon as its own are found', async () => {
    const resolved: string[] = []
    const regexes = resolution()
    regexes.resolve('many', new Set(Array.from({ length: 50 }, (_, index) => `${index}`)), () => resolved.push('many'))
    regexes.resolve('one', new Set(['foo']), () => resolved.push('one'))
    expect(resolved).toEqual([])
    await yieldToEventLoop()
    expect(resolved).toEqual(['one', 'many'])
  })

  it('resolve once at a time, and again when that is done', async () => {
    const resolved: string[] = []
    const regexes = resolution()
    regexes.resolve('g', new Set(['a']), () => {
      resolved.push('first')
      regexes.resolve('g', new Set(['c']), () => resolved.push('third'))
    })
    regexes.resolve('g', new Set(['b']), () => resolved.push('second'))
    await yieldToEventLoop()
    expect(resolved).toEqual(['first', 'third'])
    regexes.resolve('g', new Set(['d']), () => resolved.push('fourth'))
    await yieldToEventLoop()
    expect(resolved).toEqual(['first', 'third', 'fourth'])
  })

  it('are not told any more when all is abandoned, and may begin again', async () => {
    const resolved: string[] = []
    const regexes = resolution()
    regexes.resolve('g', new Set(['a']), () => resolved.push('abandoned'))
    regexes.abandon()
    regexes.resolve('h', new Set(['a']), () => resolved.push('after'))
    await yieldToEventLoop()
    expect(resolved).toEqual(['after'])
  })
})

describe('a group with an expression in its log that cannot be compiled here', () => {
  it('goes on; who is subscribed by it has no topics', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.heartbeat('a', 0, { subscribedTopicNames: [], subscribedTopicRegex: 'f.*' })
    // Kafka's own engine takes this one.
    const [batch = []] = driver.journal.batches
    for (const { value } of batch) {
      const at = value?.indexOf('f.*') ?? -1
      if (at >= 0) value?.write('f.(', at)
    }
    driver.restart()
    await driver.heartbeat('b', 0)
    await yieldToEventLoop()
    const group = driver.group?.type === 'consumer' ? driver.group : undefined
    expect(group?.members.get('a')?.subscribedTopicRegex).toBe('f.(')
    expect(group?.regexes.has('f.(')).toBe(false)
    expect(await driver.heartbeat('a', group?.members.get('a')?.memberEpoch ?? -1)).toMatchObject({ errorCode: 'NONE' })
  })
})
