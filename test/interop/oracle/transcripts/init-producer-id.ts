// InitProducerId with a transactional id: new ids, epochs of existing ids, resumed producers (KIP-360), and open
// transactions of the previous instance.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, call, raw, type Step } from '../transcript.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { InitProducerId } = APIS
const TOPIC = 'init-producer-id'
const initRequest = { transactionalId: 'init', transactionTimeoutMs: 60_000 }

const bounds: Step[] = [
  ...[0, -1, -2_147_483_648, 900_001, 2_147_483_647].flatMap(transactionTimeoutMs =>
    [1, 5].map(version =>
      call(`a timeout of ${transactionTimeoutMs}`, InitProducerId, version, { ...initRequest, transactionTimeoutMs })
    )
  ),
  ...[1, 900_000].map(transactionTimeoutMs =>
    call(`a timeout of ${transactionTimeoutMs}`, InitProducerId, 5, {
      transactionalId: `init-${transactionTimeoutMs}`,
      transactionTimeoutMs
    })
  ),
  ...[3, 5].flatMap(version => [
    call('an epoch without an id', InitProducerId, version, { ...initRequest, producerEpoch: 3 }),
    call('an id without an epoch', InitProducerId, version, { ...initRequest, producerId: 5n }),
    call('an empty id and a wrong timeout', InitProducerId, version, { transactionalId: '', transactionTimeoutMs: 0 })
  ])
]

const everyVersion: Step[] = atEachVersion('a transactional id again and again', InitProducerId, () => initRequest)

const claimed = new Transactional('init-claimed')
const claims: Step[] = [
  call('a new transactional id with another producer id', InitProducerId, 5, {
    ...initRequest,
    transactionalId: 'init-stranger',
    producerId: 77n,
    producerEpoch: 9
  }),
  claimed.init('the first time'),
  claimed.described(),
  claimed.init('continues with its own id', { resumes: true }),
  claimed.init('continues with its own id, asked again', { later: -1 }),
  claimed.init('as the one before that', { later: -2, version: 3 }),
  claimed.init('as the one before that', { later: -2 }),
  claimed.init('as one that is yet to come', { later: 1 }),
  claimed.init('with another producer id', { id: 12_345n, version: 3 }),
  claimed.init('with another producer id', { id: 12_345n, version: 4 }),
  claimed.init('with another producer id with an epoch at its end', { id: 12_345n, epoch: 32_766 }),
  claimed.init('as itself with an epoch at its end', { epoch: 32_766 }),
  claimed.init('as itself with the last epoch', { epoch: 32_767 }),
  claimed.init('without an id'),
  claimed.init('as the one before', { later: -1, version: 3 }),
  claimed.init('as the one before', { later: -1, version: 4 }),
  claimed.init('with a negative epoch', { epoch: -3 }),
  claimed.init('with a negative id', { id: -4n }),
  claimed.init('with another timeout', { timeoutMs: 1234 }),
  claimed.described()
]

/** InitProducerId with a transaction in each state. */
function fencing(version: number): Step[] {
  const old = new Transactional(`init-fenced-${version}`)
  return [
    old.init('a producer begins', { version }),
    old.add('its transaction', { [TOPIC]: [0] }),
    old.write('a batch', TOPIC),
    old.described(),
    old.init('another instance comes', { version }),
    old.over(),
    old.described(),
    old.write('the old one writes', TOPIC, { sequence: 1 }),
    old.write('the old one writes', TOPIC, { sequence: 1, version: 12 }),
    old.add('the old one adds', { [TOPIC]: [1] }),
    ...old.commit('the old one commits'),
    ...old.abort('the old one aborts'),
    ...old.commit('the old one commits', { version: 5 }),
    old.init('the other instance asks again', { version }),
    old.described(),
    old.add('its transaction', { [TOPIC]: [0] }),
    old.write('its batch', TOPIC),
    ...old.commit('it commits'),
    old.init('a third one after a commit', { version }),
    old.add('its transaction', { [TOPIC]: [0] }),
    ...old.abort('it aborts'),
    old.init('a fourth one after an abort', { version })
  ]
}

const resumed = new Transactional('init-resumed')
const resuming: Step[] = [
  resumed.init('a producer begins'),
  resumed.init('and again'),
  resumed.add('its transaction', { [TOPIC]: [0] }),
  resumed.init('another producer, while it is open', { id: 4242n }),
  resumed.init('an older one, while it is open', { later: -1 }),
  resumed.over(),
  resumed.described(),
  resumed.init('it continues with its own id', { resumes: true }),
  resumed.over(),
  resumed.init('it continues with its own id, one later', { later: 1 }),
  resumed.init('it asks without an id'),
  resumed.described(),
  resumed.add('its transaction', { [TOPIC]: [0] }),
  resumed.init('it continues with its own id, while it is open', { resumes: true, version: 3 }),
  resumed.over(),
  resumed.init('and again', { resumes: true, version: 3 }),
  resumed.init('and one later', { later: 1, version: 3 }),
  resumed.init('and again', { resumes: true }),
  resumed.described()
]

/** Two-phase commit (KIP-939), which no broker serves unless unstable features are enabled. */
function unstable(name: string, version: number, flags: readonly number[]): Step {
  const header = Buffer.from([0, 22, 0, version, 0, 0, 0, 1, 0xff, 0xff, 0])
  const id = Buffer.from('init-unstable')
  const body = Buffer.alloc(4 + 8 + 2, 0xff)
  body.writeInt32BE(60_000)
  const request = Buffer.concat([header, Buffer.of(id.length + 1), id, body, Buffer.from(flags), Buffer.of(0)])
  const size = Buffer.alloc(4)
  size.writeInt32BE(request.length)
  return raw(name, Buffer.concat([size, request]))
}

export const initProducerId: Step[] = [
  topic(TOPIC, 2),
  new Transactional('init').found(),
  ...bounds,
  ...everyVersion,
  ...claims,
  ...[1, 3, 4, 5].flatMap(fencing),
  ...resuming,
  unstable('version 6', 6, [0, 0]),
  unstable('version 6 with two-phase commit', 6, [1, 0]),
  unstable('version 6 that keeps what is prepared', 6, [0, 1])
]
