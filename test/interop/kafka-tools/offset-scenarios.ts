// Changes of the offsets of groups without members by Kafka's tools, and the output of invalid commands.
import { APIS } from '../../../src/protocol/messages/index.ts'
import { arrange, type Step } from '../oracle/transcript.ts'
import type { Commands } from './group-commands.ts'

const { DeleteTopics, OffsetFetch } = APIS

/** Scenarios by name. */
export function offsetScenarios(run: Commands): Readonly<Record<string, readonly Step[]>> {
  return {
    'no groups': noGroups(run),
    'wrong commands': wrongCommands(run),
    'offsets of a group without members': [...byPosition(run), ...byTime(run), ...byFile(run), ...deletions(run)],
    'offsets of a topic that goes': deletedTopic(run)
  }
}

function noGroups(run: Commands): Step[] {
  return [
    ...run.everyList(),
    run.groups('--describe --all-groups'),
    run.groups('--describe --all-groups --state'),
    ...run.described('unknown'),
    run.groups('--delete --group unknown'),
    run.groups('--delete --group unknown --group other'),
    run.groups('--delete-offsets --group unknown --topic orders'),
    run.groups('--reset-offsets --group unknown --all-topics --to-earliest --dry-run')
  ]
}

function wrongCommands(run: Commands): Step[] {
  return [
    run.groups(''),
    run.groups('--list --describe'),
    run.groups('--describe'),
    run.groups('--describe --group a --members --state'),
    run.groups('--describe --group a --state stable'),
    run.groups('--describe --group a --all-groups'),
    run.groups('--delete'),
    run.groups('--delete --group a --topic orders'),
    run.groups('--delete-offsets --group a'),
    run.groups('--members'),
    run.groups('--list --state hungry'),
    run.groups('--list --type share'),
    run.groups('--reset-offsets --group a --to-latest --dry-run'),
    run.groups('--reset-offsets --group a --topic orders --dry-run'),
    run.groups('--reset-offsets --group a --topic orders --to-latest --to-earliest'),
    run.groups('--reset-offsets --group a --topic orders --to-latest --dry-run --execute'),
    run.groups('--reset-offsets --to-latest --topic orders'),
    run.groups('--nonsense'),
    run.groups('--validate-regex a.*b'),
    run.groups('--validate-regex a(b'),
    run.lists('--group-type classic'),
    run.lists('--list --group-type wild'),
    run.lists('--list --consumer --share')
  ]
}

function byPosition(run: Commands): Step[] {
  const reset = (rest: string) => run.groups(`--reset-offsets --group reset ${rest}`)
  return [
    reset('--topic orders --to-current'),
    reset('--topic orders --to-latest --dry-run'),
    reset('--topic orders --shift-by 1 --dry-run'),
    reset('--topic nothing --to-latest --dry-run'),
    reset('--topic orders:7 --to-latest --dry-run'),
    reset('--topic orders:x --to-latest --dry-run'),
    ...run.described('reset'),
    reset('--topic orders --to-latest --execute'),
    ...run.described('reset'),
    reset('--topic orders:0,1 --to-earliest --execute'),
    reset('--topic trimmed --to-earliest --execute'),
    reset('--topic trimmed --topic orders:1 --to-offset 4 --execute'),
    run.groups('--describe --group reset'),
    reset('--topic trimmed --to-offset 1 --dry-run'),
    reset('--topic trimmed --to-offset 999 --dry-run'),
    reset('--all-topics --shift-by 2 --execute'),
    reset('--all-topics --shift-by -1 --execute'),
    reset('--all-topics --shift-by -99 --dry-run'),
    reset('--all-topics --to-current --dry-run')
  ]
}

function byTime(run: Commands): Step[] {
  const reset = (rest: string) => run.groups(`--reset-offsets --group reset ${rest}`)
  return [
    reset('--topic recent --to-current --execute'),
    reset('--topic recent --by-duration P2DT12H --execute'),
    reset('--topic recent --by-duration PT1H --dry-run'),
    reset('--topic recent --by-duration P99D --dry-run'),
    reset('--topic recent --by-duration tomorrow --dry-run'),
    reset('--topic orders --to-datetime 2024-01-01T03:30:00.000 --execute'),
    reset('--topic orders --to-datetime 2024-01-01T03:00:00.000+02:00 --dry-run'),
    reset('--topic orders --to-datetime 2020-01-01T00:00:00.000Z --dry-run'),
    reset('--topic orders --to-datetime 2044-01-01T00:00:00.000 --dry-run'),
    reset('--topic orders --to-datetime yesterday --dry-run'),
    ...run.described('reset')
  ]
}

function byFile(run: Commands): Step[] {
  const reset = (rest: string) => run.groups(`--reset-offsets --group reset ${rest}`)
  const ofGroups = run.plan('plan-of-groups', 'reset,orders,0,1', 'other,orders,0,3')
  return [
    reset('--all-topics --to-current --export --dry-run'),
    reset(`${run.plan('plan', 'orders,0,2', 'orders,1,999', 'trimmed,0,0')} --dry-run`),
    reset(`${run.plan('plan-done', 'orders,0,2', 'trimmed,0,5')} --execute`),
    reset(`${ofGroups} --dry-run`),
    reset(`${run.plan('plan-of-others', 'other,orders,0,3')} --dry-run`),
    reset(`${run.plan('plan-of-nothing', 'nothing,0,3')} --dry-run`),
    reset(`${run.plan('plan-wrong', 'orders')} --dry-run`),
    reset('--from-file /there/is/no/plan --dry-run'),
    run.groups(`--reset-offsets --group reset --group other ${ofGroups} --execute`),
    run.groups('--reset-offsets --group reset --group other --all-topics --to-current --export --dry-run'),
    run.groups('--reset-offsets --all-groups --all-topics --to-earliest --dry-run'),
    run.groups('--describe --all-groups'),
    run.groups('--describe --group reset --group other --state'),
    run.groups('--describe --group reset --group unknown'),
    ...run.everyList()
  ]
}

function deletions(run: Commands): Step[] {
  const remove = (topics: string) => run.groups(`--delete-offsets --group reset ${topics}`)
  return [
    remove('--topic orders:0'),
    remove('--topic orders'),
    remove('--topic nothing'),
    remove('--topic nothing:0 --topic recent'),
    remove('--topic trimmed:0'),
    run.groups('--describe --group reset'),
    run.groups('--list --state --type'),
    run.groups('--delete --group other --group unknown'),
    run.groups('--delete --group reset'),
    run.groups('--list --state --type')
  ]
}

function deletedTopic(run: Commands): Step[] {
  const topics = [{ name: 'doomed', partitionIndexes: [0] }]
  return [
    run.groups('--reset-offsets --group left --topic doomed --topic orders:0 --to-latest --execute'),
    run.groups('--reset-offsets --group lost --topic doomed --to-latest --execute'),
    arrange('the topic goes, and the offsets with it', async session => {
      await session.sendRequest(DeleteTopics, 5, { topicNames: ['doomed'], timeoutMs: 30_000 })
      const gone = (groupId: string) =>
        session.requestUntil(
          OffsetFetch,
          8,
          { groups: [{ groupId, topics }] },
          ({ groups: [group] }) =>
            group?.topics[0]?.partitions.every(({ committedOffset }) => committedOffset === -1n) ?? false
        )
      await gone('left')
      await gone('lost')
    }),
    ...run.described('left'),
    ...run.described('lost'),
    run.groups('--list --state --type'),
    run.groups('--delete --group left'),
    run.groups('--delete --group lost'),
    ...run.described('lost')
  ]
}
