// Subscriptions by regular expressions of RE2: validity, matches, and the time of evaluation. Kafka evaluates
// asynchronously, so members send heartbeats until the result is there. A result is kept for at least ten seconds.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { call, type Step } from '../transcript.ts'
import { type Beat, ConsumerGroup, internalTopic, promptly } from './consumer-group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'

const { ConsumerGroupHeartbeat } = APIS
const TOPICS = ['rx-a', 'rx-b', 'rx-ab', 'rx.c', 'Rx-D', 'rx_e', 'rx-12', 'xrx-a', 'rx-ax']

/**
 * Invalid and unusual expressions, each in a group of its own. Left out: an escaped letter beyond ASCII, and
 * (a{1000}){1000}, see docs/differences.md.
 */
const EXPRESSIONS = [
  ...['(', ')', '[', ']', '[]', '[^]', '[a', 'a]', '{', '}', '{1}', 'a{', 'a{1', 'a{1}', 'a{,2}', 'a{2,1}', 'a{1001}'],
  ...['*', '+', '?', '*a', 'a**', 'a*+', 'a*?', 'a+?', 'a??', 'a???', '|', '||', '()', '(|a)', '(?:)', '(?i)', '(?i'],
  ...['(?z)', '(?i:a)', '(?-i)', '(?P<n>a)', '(?<n>a)', "(?'n'a)", '(?P<n', '(?P<n>a)(?P<n>b)', '(?P=n)', '(?=a)'],
  ...[
    '(?!a)',
    '(?<=a)',
    '(?<!a)',
    '(?>a)',
    '(?#a)',
    '\\',
    '\\1',
    '\\8',
    '\\b',
    '\\d',
    '\\D',
    '\\h',
    '\\x41',
    '\\x{41}'
  ],
  ...[
    '\\x{110000}',
    '\\xg',
    '\\u0041',
    '\\cA',
    '\\e',
    '\\Q.\\E',
    '\\Qa',
    '\\E',
    '\\z',
    '\\Z',
    '\\A',
    '\\G',
    '\\R',
    '\\X'
  ],
  ...[
    '\\C',
    '\\pL',
    '\\p{Greek}',
    '\\p{No}',
    '\\p{Nope}',
    '\\P{L}',
    '\\p{^L}',
    '[[:alpha:]]',
    '[[:nope:]]',
    '[z-a]',
    '[a-z&&[b]]'
  ],
  ...['^a$', '^^a', 'a$$', '\\pN', '\\07', '\\0', '\\-', '\\_', 'ä', '[^\\n]', '\n', ' ', '\u0000', '(((((a)))))'],
  ...['(?m)^a$', '(?s).', '(?U)a+', 'a{1000}', '(?i)\\Qab\\E', '[\\d]', '[\\b]', '[a-\\d]', '[-a]', '[a-]']
]

const tried = new ConsumerGroup('regexes-tried')
const expressions: Step[] = [
  tried.found(),
  ...EXPRESSIONS.flatMap((regex, index) => [
    call(
      `${JSON.stringify(regex)} is brought`,
      ConsumerGroupHeartbeat,
      1,
      {
        ...{ groupId: `${tried.id}-${index}`, memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 1000 },
        ...{ subscribedTopicRegex: regex, topicPartitions: [] }
      },
      { compare: ({ errorCode }) => errorCode }
    )
  ])
]

const has =
  (...topics: string[]) =>
  ({ assignment }: { assignment: { topicPartitions: unknown[] } | null }) =>
    assignment?.topicPartitions.length === topics.length

/** Matches of each expression, in a group of its own. */
const MATCHES: Readonly<Record<string, readonly string[]>> = {
  'rx-a': ['rx-a'],
  'rx-[ab]': ['rx-a', 'rx-b'],
  'rx-a.': ['rx-ab', 'rx-ax'],
  'rx.c': ['rx.c'],
  'rx\\..': ['rx.c'],
  '(?i)rx-d': ['Rx-D'],
  'rx-\\d+': ['rx-12'],
  '^rx-b$': ['rx-b'],
  'rx-a|rx-b': ['rx-a', 'rx-b'],
  '.*rx-a': ['rx-a', 'xrx-a'],
  '\\Qrx.c\\E': ['rx.c'],
  'rx[[:punct:]](ab|ax)': ['rx-ab', 'rx-ax'],
  '__consumer_off.*': ['__consumer_offsets']
}

const matches: Step[] = Object.entries(MATCHES).flatMap(([regex, topics], index) => {
  const group = new ConsumerGroup(`regexes-matched-${index}`)
  return [
    group.found(),
    group.join('a', `joins with ${regex}`, { regex }),
    group.until('a', `has what ${regex} matches`, has(...topics)),
    group.described(`with ${regex}`),
    records(group.id)
  ]
})

/** One topic with several partitions: with several topics, the assignment of a member depends on topic ids. */
const MANY = { regex: 'rx-(many|few)' }
const group = new ConsumerGroup('regexes')
const slow = new ConsumerGroup('regexes-slow')
const hasAny = ({ assignment }: { assignment: { topicPartitions: unknown[] } | null }) =>
  (assignment?.topicPartitions.length ?? 0) > 0
const INVALID: readonly Beat[] = [{ regex: '(' }, { regex: 'a**', topics: ['rx-a'] }]

/** Several members: with the same expression, with another one, with topic names too. */
const subscriptions: Step[] = [
  slow.found(),
  slow.join('a', 'joins with what matches nothing', { regex: 'rx-later-.*' }),
  slow.join('b', 'joins with a name as well', { regex: 'rx-later-.*', topics: ['rx-a'] }),
  group.found(),
  ...INVALID.map(beat => group.join('a', 'cannot join', beat)),
  group.described('although no member joined'),
  group.join('a', 'joins', MANY),
  group.until('a', 'has what it matches', hasAny, MANY),
  group.described('with one'),
  group.join('b', 'joins with what is known already', MANY),
  group.report('a', 'must give up half'),
  group.report('a', 'gave it up'),
  group.report('b', 'gets it'),
  ...INVALID.map(beat => group.report('a', 'cannot change to that', beat)),
  group.report('a', 'says the same', MANY),
  group.report('a', 'subscribes to a name as well', { topics: ['rx-ab'] }),
  group.report('b', 'must give up some'),
  group.report('b', 'gave it up'),
  group.report('a', 'has it'),
  group.described('with a name as well'),
  group.report('a', 'wants no expression any more', { regex: '' }),
  group.report('a', 'gave that up'),
  group.report('b', 'gets it'),
  group.described('with one expression and one name'),
  group.report('b', 'wants another expression', { regex: 'rx-1.' }),
  group.described('while its matches are unknown'),
  group.report('b', 'gave up the rest'),
  group.until('b', 'has what that one matches', hasAny),
  group.join('c', 'comes with the first one again', MANY),
  group.described('while the target is unknown'),
  records(group.id)
]

/** After the minimum interval, expressions are evaluated again. */
const later: Step[] = [
  topic('rx-later-1'),
  group.until('c', 'has what the first one matches', hasAny),
  group.report('b', 'continues'),
  group.described('when all is known'),
  slow.until('a', 'has what matches now', hasAny),
  slow.report('b', 'hears of it'),
  slow.described('with what matches now'),
  group.leave('c'),
  group.leave('a'),
  group.leave('b'),
  records(group.id, '4.4.0')
]

export const consumerGroupRegex: Step[] = promptly([
  ...TOPICS.map(name => topic(name)),
  topic('rx-many', 4),
  internalTopic('__consumer_offsets'),
  ...subscriptions,
  ...expressions,
  ...matches,
  ...later
])
