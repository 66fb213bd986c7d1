import { describe, expect, it } from 'vitest'
import { ClassicGroup, type Member, type Protocol, putMember } from '../../../src/group/classic/group.ts'
import { MAX_PROTOCOLS, selectProtocol, supportsProtocols } from '../../../src/group/classic/protocols.ts'
import { ClassicGroupDriver } from './classic-group-driver.ts'

const METADATA = Buffer.alloc(0)

const named = (...names: string[]): Protocol[] => names.map(name => ({ name, metadata: METADATA }))

function groupOf(...members: Protocol[][]) {
  const group = new ClassicGroup('g', { state: 'Stable', protocolType: 'consumer' })
  members.forEach((protocols, index) => {
    putMember(group, { ...onlyMember(), memberId: `m${index}`, protocols })
  })
  return group
}

function onlyMember(): Member {
  const [member] = ClassicGroupDriver.stable(['a']).group.members.values()
  if (!member) throw new Error('the driver has a member')
  return member
}

describe('protocols of classic groups', () => {
  it.each([
    ['one that all support', [named('a', 'b'), named('b', 'c')], named('x', 'b'), true],
    ['one that only some support', [named('a', 'b'), named('b', 'c')], named('a', 'c'), false],
    ['none', [named('a')], [], false],
    ['any, where all members are gone', [], named('x'), true],
    ['one, named twice by another', [named('a', 'a'), named('a')], named('a'), true]
  ])('a group accepts only protocols that include one of all its members: %s', (_, members, protocols, taken) => {
    expect(supportsProtocols(groupOf(...members), 'consumer', protocols)).toBe(taken)
  })

  it('a group refuses protocols of another protocol type', () => {
    expect(supportsProtocols(groupOf(named('a')), 'connect', named('a'))).toBe(false)
  })

  it('the number of protocols of a member is limited', () => {
    const names = Array.from({ length: MAX_PROTOCOLS }, (_, index) => `p${index}`)
    const group = new ClassicGroup('g')
    expect(supportsProtocols(group, 'consumer', named(...names))).toBe(true)
    expect(supportsProtocols(group, 'consumer', named(...names, 'one-more'))).toBe(false)
  })

  it('the protocol with the most votes among those that all members support is selected', () => {
    expect(selectProtocol(groupOf(named('x', 'a', 'b'), named('b', 'a', 'y'), named('b', 'a')))).toBe('b')
  })

  it('the selection reads each protocol a few times, also with many members and protocols', () => {
    let looked = 0
    const counted = Array.from({ length: 100 }, (_, index) => ({
      get name() {
        looked++
        return `p${index}`
      },
      metadata: METADATA
    }))
    const group = groupOf(...Array.from({ length: 50 }, () => counted), named('p99'))
    supportsProtocols(group, 'consumer', named(...Array.from({ length: MAX_PROTOCOLS }, (_, index) => `other${index}`)))
    expect(selectProtocol(group)).toBe('p99')
    expect(looked).toBeLessThanOrEqual(4 * 50 * 100)
  })
})
