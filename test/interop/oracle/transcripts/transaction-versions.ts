// Transactions while `transaction.version` is 0 or 1, where fencing increments the epoch by itself. Requests of newer
// clients work at level 1. At level 0 they are left out: Kafka fails to write the record.
import type { Step } from '../transcript.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'
import { lowered, raised } from './update-features.ts'

const TOPIC = 'transaction-versions'

function at(level: number): Step[] {
  const old = new Transactional(`level-${level}-old`)
  const modern = new Transactional(`level-${level}-new`)
  return [
    ...lowered(level),
    old.found(),
    modern.found(),
    old.init('a producer'),
    old.add('a transaction', { [TOPIC]: [0] }),
    old.write('a batch', TOPIC),
    old.described(),
    old.init('another instance comes'),
    old.over(),
    old.described(),
    old.write('the old one writes', TOPIC, { sequence: 1 }),
    ...old.commit('the old one commits'),
    old.init('the other asks again'),
    old.described(),
    old.add('a transaction', { [TOPIC]: [0] }),
    old.write('a batch', TOPIC),
    ...old.commit('it commits'),
    ...old.commit('it commits again'),
    ...(level > 0 ? ofNewClient(modern) : [])
  ]
}

function ofNewClient(modern: Transactional): Step[] {
  return [
    modern.init('a newer client'),
    modern.write('a batch that adds its partition', TOPIC, { version: 12 }),
    modern.described(),
    ...modern.commit('it commits', { version: 5 }),
    modern.described(),
    modern.write('a batch of the next transaction', TOPIC, { version: 12 }),
    modern.init('another instance comes'),
    modern.over(),
    modern.described(),
    modern.init('it asks again', { resumes: true }),
    modern.init('it asks without an id'),
    ...modern.abort('it aborts nothing', { version: 5 }),
    modern.described()
  ]
}

export const transactionVersions: Step[] = [
  topic(TOPIC),
  ...at(1),
  ...at(0),
  ...raised(2),
  fetchAll('the log', TOPIC, 1)
]
