/** The role of a node by the metadata image. */
import { describe, expect, it } from 'vitest'
import { roleOf } from '../../src/replica/role.ts'

const partition = { leader: 1, leaderEpoch: 5, replicas: [1, 2, 3], isr: [1, 3] }

describe('the role of node 1', () => {
  it.each([
    ['the leader', partition, { kind: 'leader', leaderEpoch: 5, inSyncFollowers: [3] }],
    ['the only in-sync replica', { ...partition, isr: [1] }, { kind: 'leader', leaderEpoch: 5, inSyncFollowers: [] }],
    ['a follower of 2', { ...partition, leader: 2 }, { kind: 'follower', leaderEpoch: 5, leaderId: 2 }],
    ['a follower of no leader', { ...partition, leader: -1 }, { kind: 'follower', leaderEpoch: 5, leaderId: -1 }],
    ['no replica', { ...partition, leader: 2, replicas: [2, 3] }, { kind: 'none', leaderEpoch: 5, leaderId: 2 }]
  ] as const)('node 1 is %s', (_, state, role) => {
    expect(roleOf(state, 1)).toEqual(role)
  })
})
