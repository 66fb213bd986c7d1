import { beforeEach, describe, expect, it } from 'vitest'
import { RegexResolution, type ResolvedRegexes, resolveRegexes } from '../../../src/group/modern/regexes.ts'
import { BackgroundLoops } from '../../../src/runtime/background.ts'
import { runAtOnce, yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { ClusterTopics } from '../consumer/cluster-topics.ts'
import { GroupCoordinatorDriver, raise } from '../group-coordinator-driver.ts'

const clocks = new ManualClock(5_000)
let topics: ClusterTopics
let events: RecordingEvents

beforeEach(() => {
  topics = new ClusterTopics()
  for (const name of ['foo', 'far', 'bar', 'xfoo']) topics.create(name, 1)
  events = new RecordingEvents()
})

const matches = (resolved: ResolvedRegexes) =>
  Object.fromEntries([...resolved].map(([regex, { topics }]) => [regex, [...topics].sort()]))

describe('resolution of regular expressions', () => {
  it('an expression resolves to the topics that it matches as a whole, with the time and the metadata version', () => {
    const resolved = runAtOnce(resolveRegexes('g', new Set(['f.*', 'foo', 'nothing']), { topics, clocks, events }))
    expect(matches(resolved)).toEqual({ 'f.*': ['far', 'foo'], foo: ['foo'], nothing: [] })
    expect(resolved.get('foo')).toMatchObject({ version: 4n, timestamp: 5_000n })
  })

  it('an expression that cannot be compiled is omitted and emits RegularExpressionSkipped', () => {
    const resolved = runAtOnce(resolveRegexes('g', new Set(['(', 'foo']), { topics, clocks, events }))
    expect(matches(resolved)).toEqual({ foo: ['foo'] })
    expect(events.all).toMatchObject([{ type: 'RegularExpressionSkipped', groupId: 'g', regularExpression: '(' }])
  })

  it('the resolution yields after every match and after every compiled expression', () => {
    const steps = resolveRegexes('g', new Set(['a', 'b', 'c']), { topics, clocks, events })
    let count = 0
    while (!steps.next().done) count++
    expect(count).toBe(3 + 3 * 4)
  })
})

describe('concurrent resolutions', () => {
  const background = new BackgroundLoops({ clocks, failed: raise })
  const resolution = () => new RegexResolution({ topics, clocks, events, background })

  it('each group gets its result later, as soon as its own expressions are resolved', async () => {
    const resolved: string[] = []
    const regexes = resolution()
    regexes.resolve('many', new Set(Array.from({ length: 50 }, (_, index) => `${index}`)), () => resolved.push('many'))
    regexes.resolve('one', new Set(['foo']), () => resolved.push('one'))
    expect(resolved).toEqual([])
    await yieldToEventLoop()
    expect(resolved).toEqual(['one', 'many'])
  })

  it('a group has one resolution at a time and may start another one afterwards', async () => {
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

  it('an abandoned resolution reports no result, and another one may start', async () => {
    const resolved: string[] = []
    const regexes = resolution()
    regexes.resolve('g', new Set(['a']), () => resolved.push('abandoned'))
    regexes.abandon('g')
    regexes.resolve('g', new Set(['a']), () => resolved.push('after'))
    await yieldToEventLoop()
    expect(resolved).toEqual(['after'])
  })
})

describe('expressions that Kafka accepted and this broker cannot compile', () => {
  it('a group with such an expression is served, and the expression matches no topics', async () => {
    const driver = new GroupCoordinatorDriver()
    await driver.heartbeat('a', 0, { subscribedTopicNames: [], subscribedTopicRegex: 'f.*' })
    // Simulates an expression that only Kafka's engine can compile.
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
