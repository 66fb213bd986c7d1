import { describe, expect, it } from 'vitest'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { Harness } from '../../../../src/testing/harness.ts'
import { subscriptionOf } from '../../../group/embedded.ts'

const versionsOf = ({ versions: [first, last] }: { readonly versions: readonly [number, number] }) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** A broker with a loaded group coordinator. */
async function started(options = {}): Promise<Harness> {
  const harness = await Harness.start(options)
  await harness.request('FindCoordinator', { coordinatorKeys: ['g'] })
  return harness
}

const joinRequest = (memberId = '', groupInstanceId: string | null = null) => ({
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  memberId,
  groupInstanceId,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscriptionOf(['foo']) }]
})

/** Joins like a client of that version, which joins again with its member id on MEMBER_ID_REQUIRED. */
async function joined(harness: Harness, version = 9) {
  const first = await harness.request('JoinGroup', joinRequest(), { version })
  if (first.errorCode !== 'MEMBER_ID_REQUIRED') return first
  return harness.request('JoinGroup', joinRequest(first.memberId), { version })
}

async function stableMember(harness: Harness) {
  const { memberId, generationId } = await joined(harness)
  const claim = { groupId: 'g', memberId, generationId }
  const assignments = [{ memberId, assignment: Buffer.from('all') }]
  await harness.request('SyncGroup', { ...claim, protocolType: 'consumer', protocolName: 'range', assignments })
  return claim
}

describe('members', () => {
  it.each(versionsOf(APIS.JoinGroup))('join at version %i', async version => {
    await using harness = await started()
    const answer = await joined(harness, version)
    const { memberId } = answer
    expect(memberId).toMatch(/^test-[0-9a-f-]{36}$/)
    expect(answer).toMatchObject({ errorCode: 'NONE', generationId: 1, protocolName: 'range', leader: memberId })
    expect(answer.members).toEqual([{ memberId, groupInstanceId: null, metadata: subscriptionOf(['foo']) }])
  })

  it.each(versionsOf(APIS.JoinGroup))('that are refused at version %i get no protocol', async version => {
    await using harness = await started()
    const answer = await harness.request('JoinGroup', joinRequest('x'), { version })
    expect(answer).toMatchObject({ errorCode: 'UNKNOWN_MEMBER_ID', memberId: 'x', generationId: -1, leader: '' })
    expect(answer.protocolName).toBe(version < 7 ? '' : null)
  })

  it('of version 0 use their session timeout as rebalance timeout', async () => {
    await using harness = await started()
    await joined(harness, 0)
    const second = harness.request('JoinGroup', joinRequest(), { version: 0 })
    harness.clock.advance(10_000)
    expect(await second).toMatchObject({ errorCode: 'NONE', generationId: 2 })
  })

  it.each(versionsOf(APIS.SyncGroup))('sync at version %i', async version => {
    await using harness = await started()
    const { memberId, generationId } = await joined(harness)
    const protocol = version < 5 ? {} : { protocolType: 'consumer', protocolName: 'range' }
    const assignments = [{ memberId, assignment: Buffer.from('all') }]
    const request = { groupId: 'g', memberId, generationId, ...protocol, assignments }
    const answer = await harness.request('SyncGroup', request, { version })
    expect(answer).toMatchObject({ errorCode: 'NONE', assignment: Buffer.from('all') })
    expect(answer.protocolName).toBe(version < 5 ? null : 'range')
  })

  it('must name their protocol from version 5 of SyncGroup', async () => {
    await using harness = await started()
    const { memberId, generationId } = await joined(harness)
    const request = { groupId: 'g', memberId, generationId, assignments: [] }
    expect(await harness.request('SyncGroup', request)).toMatchObject({ errorCode: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it.each(versionsOf(APIS.Heartbeat))('send heartbeats at version %i', async version => {
    await using harness = await started()
    const claim = await stableMember(harness)
    expect(await harness.request('Heartbeat', claim, { version })).toMatchObject({ errorCode: 'NONE' })
    const older = { ...claim, generationId: 0 }
    expect(await harness.request('Heartbeat', older, { version })).toMatchObject({ errorCode: 'ILLEGAL_GENERATION' })
  })

  it.each(versionsOf(APIS.LeaveGroup))('leave at version %i', async version => {
    await using harness = await started()
    const { memberId } = await stableMember(harness)
    const leave = (id: string) => {
      const request = version < 3 ? { memberId: id } : { members: [{ memberId: id, groupInstanceId: null }] }
      return harness.request('LeaveGroup', { groupId: 'g', ...request }, { version })
    }
    const errorOf = ({ errorCode, members }: Awaited<ReturnType<typeof leave>>) => members[0]?.errorCode ?? errorCode
    expect(errorOf(await leave('x'))).toBe('UNKNOWN_MEMBER_ID')
    expect(errorOf(await leave(memberId))).toBe('NONE')
    expect(errorOf(await leave(memberId))).toBe('UNKNOWN_MEMBER_ID')
  })

  it('are refused before the first lookup of the coordinator', async () => {
    await using harness = await Harness.start()
    expect(await harness.request('JoinGroup', joinRequest())).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
  })

  it('with delayed requests get responses when the broker stops', async () => {
    const harness = await started()
    await stableMember(harness)
    const { memberId } = await harness.request('JoinGroup', joinRequest())
    const delayed = harness.request('JoinGroup', joinRequest(memberId))
    await harness.stop()
    expect(await delayed).toMatchObject({ errorCode: 'NOT_COORDINATOR', memberId })
  })

  it('find their group again after a restart', async () => {
    const harness = await started()
    const claim = await stableMember(harness)
    await harness.stop()
    await using again = await Harness.start({ storage: harness.storage, clock: harness.clock })
    expect(await again.request('Heartbeat', claim)).toMatchObject({ errorCode: 'NONE' })
  })
})
