// Subscriptions and assignors of consumer groups: votes for assignors; subscribed topics that are created, extended and
// deleted; changed subscriptions.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, type Step, since } from '../transcript.ts'
import { ConsumerGroup, promptly } from './consumer-group.ts'
import { records } from './group-records.ts'
import { gone, leaders, topic } from './topic.ts'

const { CreatePartitions, DeleteTopics } = APIS
const TOPIC = 'subscribed'
const OTHER = 'subscribed-other'
const LATER = 'subscribed-later'

/** Two assignors that divide four partitions of two topics differently. */
const voting = new ConsumerGroup('subscribed-votes', TOPIC)
const range = { assignor: 'range' }
const uniform = { assignor: 'uniform' }
const votes: Step[] = [
  voting.found(),
  voting.join('a'),
  voting.described('without a vote'),
  voting.beat('a', 'cannot vote for what is not there', { assignor: 'no' }),
  voting.beat('a', 'votes for what there is already', uniform),
  // Since 4.4 a vote that changes the assignor increments the epoch.
  ...since('4.4.0', [
    voting.beat('a', 'votes for another assignor', range),
    voting.described('with one vote'),
    voting.beat('a', 'says the same again', range),
    voting.join('b', 'votes for the first one', uniform),
    voting.described('with as many votes for both'),
    voting.join('c', 'does not vote'),
    voting.described('with one who does not vote'),
    voting.report('b', 'votes for the other one', range),
    voting.described('with two votes for one'),
    voting.report('a', 'votes for the first one', uniform),
    voting.report('b', 'votes for the first one', uniform),
    voting.described('with two votes for the other'),
    voting.leave('a'),
    voting.leave('b'),
    voting.described('with one left who does not vote'),
    records(voting.id)
  ])
]

const changing = new ConsumerGroup('subscribed-changing', TOPIC)
const changes: Step[] = [
  changing.found(),
  changing.join('a', 'is subscribed to nothing', { topics: [] }),
  changing.described('with no subscription'),
  changing.beat('a', 'subscribes to a topic that is not there', { topics: ['nowhere'] }),
  changing.beat('a', 'subscribes to one that is there', { topics: [TOPIC] }),
  changing.beat('a', 'says the same, in another way', { topics: [TOPIC, TOPIC] }),
  changing.beat('a', 'subscribes to one more that is not there', { topics: [TOPIC, 'nowhere'] }),
  changing.report('a', 'subscribes to nothing', { topics: [] }),
  changing.described('while it gives up everything'),
  changing.beat('a', 'subscribes again before it has', { topics: [TOPIC] }),
  changing.described('when it is subscribed again'),
  changing.report('a', 'says that it gave up everything', { owned: {} }),
  changing.report('a', 'says nothing new'),
  changing.join('b', 'subscribes to another', { topics: [OTHER] }),
  changing.described('with different subscriptions'),
  changing.beat('b', 'subscribes to both', { topics: [OTHER, TOPIC] }),
  changing.report('a', 'hears of it'),
  changing.report('a', 'says what it has'),
  changing.report('b', 'hears of it'),
  changing.report('b', 'subscribes to nothing, and gives it up at once', { topics: [], owned: {} }),
  changing.report('a', 'gets the rest'),
  changing.described('with one that is subscribed to nothing'),
  changing.leave('a'),
  changing.described('with that one alone'),
  records(changing.id)
]

const counts = (count: number) => (answer: { assignment: { topicPartitions: { partitions: number[] }[] } | null }) =>
  (answer.assignment?.topicPartitions ?? []).reduce((sum, { partitions }) => sum + partitions.length, 0) === count

const grown = (name: string, count: number): Step =>
  arrange(`${name} grows to ${count} partitions`, async session => {
    const request = { topics: [{ name, count, assignments: null }], timeoutMs: 30_000, validateOnly: false }
    await session.requestUntil(CreatePartitions, 3, request, ({ results }) => results[0]?.errorCode === 'NONE')
    await leaders(session, name, count)
  })

const deleted = (name: string): Step[] => [
  arrange(`${name} is deleted`, session =>
    session.sendRequest(DeleteTopics, 5, { topicNames: [name], timeoutMs: 30_000 })
  ),
  gone(name)
]

/** Topics that are created and deleted, with one member and then with two. */
const following = new ConsumerGroup('subscribed-following', LATER)
const metadata: Step[] = [
  following.found(),
  following.join('a', 'waits for its topic'),
  topic(LATER, 2),
  following.until('a', 'has heard of the topic', counts(2)),
  following.described('when its topic is there'),
  grown(LATER, 3),
  following.until('a', 'has heard of more partitions', counts(3)),
  following.join('b', 'comes with another topic', { topics: [LATER, OTHER] }),
  following.report('a', 'must give up some'),
  following.report('a', 'gave it up'),
  following.report('b', 'gets the rest'),
  following.described('with two'),
  ...deleted(LATER),
  following.until('a', 'must give up a topic that is gone', ({ assignment }) => assignment !== null),
  following.described('while a topic that is gone is given up'),
  following.report('a', 'gave it up', { owned: {} }),
  following.beat('b', 'must give it up, too'),
  following.report('b', 'gave it up', { owned: { [OTHER]: [0, 1] } }),
  following.described('without the topic'),
  topic(LATER, 1),
  following.until('a', 'has heard of a new topic of that name', counts(1)),
  following.report('b', 'has heard of it'),
  following.described('with the new topic'),
  records(following.id)
]

export const consumerGroupSubscription: Step[] = promptly([
  topic(TOPIC, 4),
  topic(OTHER, 2),
  ...votes,
  ...changes,
  ...metadata
])
