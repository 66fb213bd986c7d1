// FindCoordinator: groups at every version, one and several keys, kinds of keys. The very first response is not
// compared: Kafka returns COORDINATOR_NOT_AVAILABLE while it creates the internal topic, minikafka responds after that.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'
import { Group } from './group.ts'

const { FindCoordinator } = APIS

export const findCoordinator: Step[] = [
  new Group('coordinated').found(),
  ...atEachVersion('a group', FindCoordinator, version =>
    version < 4 ? { key: 'coordinated' } : { coordinatorKeys: ['coordinated'] }
  ),
  ...[0, 3].map(version => call('the empty group', FindCoordinator, version, { key: '' })),
  ...[4, 6].flatMap(version => [
    call('the empty group', FindCoordinator, version, { coordinatorKeys: [''] }),
    call('several groups', FindCoordinator, version, { coordinatorKeys: ['b', 'a', 'coordinated'] }),
    call('the same group twice', FindCoordinator, version, { coordinatorKeys: ['a', 'a'] }),
    call('no group', FindCoordinator, version, { coordinatorKeys: [] })
  ]),
  // minikafka has no share groups: from version 6 on it returns UNSUPPORTED_VERSION where Kafka returns a coordinator.
  // Its response has a message in versions from 4 on too, where Kafka leaves the message empty.
  ...[2, 3, 5].map(version =>
    call(
      'a share partition',
      FindCoordinator,
      version,
      { ...shape(version, 'g:t:0'), keyType: 2 },
      { compare: withoutMessages }
    )
  ),
  ...[1, 3, 4, 6].map(version =>
    call('a kind that is none', FindCoordinator, version, { ...shape(version, 'g'), keyType: 9 })
  )
]

function shape(version: number, key: string) {
  return version < 4 ? { key } : { coordinatorKeys: [key] }
}

function withoutMessages<T extends { readonly coordinators: readonly object[] }>(answer: T) {
  return { ...answer, coordinators: answer.coordinators.map(coordinator => ({ ...coordinator, errorMessage: '' })) }
}
