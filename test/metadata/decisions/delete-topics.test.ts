import { describe, expect, it } from 'vitest'
import { deleteTopics, refuseDeletion } from '../../../src/metadata/decisions/delete-topics.ts'
import { evolve } from '../../../src/metadata/image/evolve.ts'
import { EMPTY_IMAGE } from '../../../src/metadata/image/image.ts'
import { metadataRecord } from '../../../src/metadata/records.ts'
import { ZERO_UUID } from '../../../src/protocol/wire/bytes.ts'

const FOO = 'AAECAwQFBgcICQoLDA0ODw'
const BAR = 'EBESExQVFhcYGRobHB0eHw'
const NOBODY = 'ICEiIyQlJicoKSorLC0uLw'
const image = evolve(EMPTY_IMAGE, [
  metadataRecord('TopicRecord', { name: 'foo', topicId: FOO }),
  metadataRecord('TopicRecord', { name: 'bar', topicId: BAR })
])
const byName = (name: string) => ({ name, topicId: ZERO_UUID })
const byId = (topicId: string) => ({ name: null, topicId })
const deleted = (name: string, topicId: string) => ({ name, topicId, errorCode: 'NONE', errorMessage: null })
const refused = (reference: object, errorCode: string, errorMessage: string) => ({
  ...reference,
  errorCode,
  errorMessage
})

describe('deleteTopics', () => {
  it('deletes by name and by id, and returns both', () => {
    const { records, results } = deleteTopics(image, [byName('foo'), byId(BAR)])
    expect(results).toEqual(expect.arrayContaining([deleted('foo', FOO), deleted('bar', BAR)]))
    expect(evolve(image, records)).toEqual(EMPTY_IMAGE)
  })

  it.each([
    [
      'an unknown name',
      [byName('baz')],
      [refused(byName('baz'), 'UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')]
    ],
    [
      'an unknown id',
      [byId(NOBODY)],
      [refused(byId(NOBODY), 'UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.')]
    ],
    [
      'a name given twice',
      [byName('foo'), byName('foo')],
      [refused(byName('foo'), 'INVALID_REQUEST', 'Duplicate topic name.')]
    ],
    ['an id given twice', [byId(FOO), byId(FOO)], [refused(byId(FOO), 'INVALID_REQUEST', 'Duplicate topic id.')]],
    [
      'neither name nor id',
      [byId(ZERO_UUID)],
      [refused(byId(ZERO_UUID), 'INVALID_REQUEST', 'Neither topic name nor id were specified.')]
    ],
    [
      'both name and id',
      [{ name: 'foo', topicId: FOO }],
      [refused({ name: 'foo', topicId: FOO }, 'INVALID_REQUEST', 'You may not specify both topic name and topic id.')]
    ],
    [
      'a topic by name and by id',
      [byName('foo'), byId(FOO)],
      [
        refused(
          { name: 'foo', topicId: FOO },
          'INVALID_REQUEST',
          'The provided topic name maps to an ID that was already supplied.'
        )
      ]
    ]
  ])('refuses %s', (_, topics, expected) => {
    const { records, results } = deleteTopics(image, topics)
    expect(results).toEqual(expected)
    expect(records).toEqual([])
  })

  it('deletes the valid topics of a request that has invalid ones', () => {
    const { records, results } = deleteTopics(image, [byName('baz'), byName('foo')])
    expect(results.map(({ errorCode }) => errorCode)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', 'NONE'])
    expect([...evolve(image, records).topicsByName.keys()]).toEqual(['bar'])
  })
})

describe('refuseDeletion', () => {
  it.each([
    [1, 'INVALID_REQUEST'],
    [2, 'INVALID_REQUEST'],
    [3, 'TOPIC_DELETION_DISABLED'],
    [6, 'TOPIC_DELETION_DISABLED']
  ])('answers a client of version %i with %s', (apiVersion, errorCode) => {
    expect(refuseDeletion([byName('foo')], apiVersion)).toEqual([
      { name: 'foo', topicId: ZERO_UUID, errorCode, errorMessage: null }
    ])
  })
})
