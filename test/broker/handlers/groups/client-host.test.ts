import { expect, it } from 'vitest'
import { clientHost } from '../../../../src/broker/handlers/groups/client-host.ts'

it.each([
  ['127.0.0.1', '/127.0.0.1'],
  ['::1', '/0:0:0:0:0:0:0:1'],
  ['::', '/0:0:0:0:0:0:0:0'],
  ['fe80::1:2%eth0', '/fe80:0:0:0:0:0:1:2%eth0'],
  ['2001:db8::', '/2001:db8:0:0:0:0:0:0'],
  ['1:2:3:4:5:6:7:8', '/1:2:3:4:5:6:7:8'],
  ['', '/']
])('the client host %s is returned in the format of Java: %s', (remoteAddress, printed) => {
  expect(clientHost({ remoteAddress })).toBe(printed)
})
