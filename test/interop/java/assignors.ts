// Calls the Java program with Kafka's server-side assignors.
import { join } from 'node:path'
import type { Assignment, GroupSpec } from '../../../src/group/modern/assignors/assignor.ts'
import { made } from '../made.ts'
import { JavaConsole, SHORT_LIVED } from './console.ts'

const FOLDER = join(import.meta.dirname, 'assignors')
const VERSION = '4.3.1'

/** Members with their topics and partitions, all in Kafka's iteration order. */
export type Listed = readonly (readonly [memberId: string, topics: ListedAssignment])[]
export type ListedAssignment = readonly (readonly [topicId: string, partitions: readonly number[]])[]

/** The assignment, or the class and message of the exception. */
export type Answer = { readonly members: Listed } | { readonly error: string; readonly message: string }

export interface KafkaAssignors {
  assign(assignor: string, group: GroupSpec, topics: ReadonlyMap<string, number>): Promise<Answer>
  stop(): Promise<void>
}

/** Compiles the program if needed, and starts it. */
export async function startKafkaAssignors(): Promise<KafkaAssignors> {
  const command = ['mvn', '-q', '-B', 'compile', 'dependency:copy-dependencies']
  const target = await made(FOLDER, `target/${VERSION}`, [command])
  const classpath = `${join(target, 'classes')}:${join(target, 'jars', '*')}`
  const program = new JavaConsole([...SHORT_LIVED, '-cp', classpath, 'interop.Assignors'])
  return {
    async assign(assignor, { members, isHomogeneous }, topics) {
      const listed = Array.from(members, ([memberId, { instanceId, subscribedTopicIds, assigned }]) => {
        return { memberId, instanceId, subscribedTopicIds: [...subscribedTopicIds], assigned: listAssignment(assigned) }
      })
      const group = { assignor, isHomogeneous, topics: Object.fromEntries(topics), members: listed }
      return (await program.execute(JSON.stringify(group))) as Answer
    },
    stop: () => program.close()
  }
}

/** An assignment as lists, in its iteration order. */
export function listAssignment(assigned: Assignment): ListedAssignment {
  return Array.from(assigned, ([topicId, partitions]) => [topicId, [...partitions]])
}
