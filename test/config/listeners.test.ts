import { describe, expect, test } from 'vitest'
import { listenersOf } from '../../src/config/listeners.ts'
import { BrokerSettings } from '../../src/config/values.ts'

const listeners = (given: Record<string, string>) => listenersOf(new BrokerSettings(new Map(Object.entries(given))))

test('the default is one listener on localhost, advertised as the address to which the client connected', () => {
  expect(listeners({})).toEqual([{ name: 'PLAINTEXT', host: 'localhost', port: 9092, advertised: null }])
})

test('an empty host means any address, brackets enclose IPv6, and names are compared in upper case', () => {
  const given = {
    listeners: 'plaintext://:0, Internal://[::1]:9093',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT'
  }
  expect(listeners(given)).toEqual([
    { name: 'PLAINTEXT', host: null, port: 0, advertised: null },
    { name: 'INTERNAL', host: '::1', port: 9093, advertised: null }
  ])
})

test("a container's usual settings are accepted, and the controller's listener is not opened", () => {
  const given = {
    listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093,OUT://:19092',
    'controller.listener.names': 'CONTROLLER',
    'advertised.listeners': 'PLAINTEXT://kafka:9092,OUT://localhost:19092,CONTROLLER://kafka:9093',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,OUT:PLAINTEXT'
  }
  expect(listeners(given)).toEqual([
    { name: 'PLAINTEXT', host: null, port: 9092, advertised: { host: 'kafka', port: 9092 } },
    { name: 'OUT', host: null, port: 19092, advertised: { host: 'localhost', port: 19092 } }
  ])
})

test('two listeners may share a port on the two IP versions', () => {
  const given = {
    listeners: 'A://127.0.0.1:9092,B://[::1]:9092',
    'listener.security.protocol.map': 'A:PLAINTEXT,B:PLAINTEXT'
  }
  expect(listeners(given)).toHaveLength(2)
})

describe('listeners that are refused', () => {
  const map = { 'listener.security.protocol.map': 'A:PLAINTEXT,B:PLAINTEXT' }
  test.each([
    ['the same port twice', { ...map, listeners: 'A://:9092,B://:9092' }, 'have the same port 9092'],
    ['the same name twice', { ...map, listeners: 'A://:1,a://:2' }, 'two listeners with the same name'],
    ['a port beyond 65535', { ...map, listeners: 'A://:70000' }, 'must have NAME://host:port'],
    ['a name without protocol', { listeners: 'A://:1' }, 'has no protocol for the listener A'],
    ['a protocol that is not served', { listeners: 'SASL_SSL://:1' }, 'only PLAINTEXT is supported'],
    [
      'a broken protocol map',
      { listeners: 'A://:1', 'listener.security.protocol.map': 'A' },
      'must have NAME:PROTOCOL'
    ],
    ['only controllers', { ...map, listeners: 'A://:1', 'controller.listener.names': 'A' }, 'no listener for clients'],
    ['an unknown advertised name', { ...map, listeners: 'A://:1', 'advertised.listeners': 'B://h:1' }, 'has B'],
    ['0.0.0.0 advertised', { ...map, listeners: 'A://:1', 'advertised.listeners': 'A://0.0.0.0:1' }, '0.0.0.0']
  ])('a broker refuses %s', (_, given, why) => {
    expect(() => listeners(given)).toThrow(why)
  })
})
