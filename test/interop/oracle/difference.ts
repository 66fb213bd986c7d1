// Compares two outcomes and lists the paths at which they differ.
import { keyOf, sortKey } from './masks.ts'

/**
 * Lines of `path: kafka X, ours Y`; empty if the outcomes are equal. Kafka's arrays that `subset` names may be longer.
 */
export function differences(kafka: unknown, ours: unknown, subset: readonly string[] = [], path = '$'): string[] {
  if (Array.isArray(kafka) && Array.isArray(ours)) {
    const field = path.slice(path.lastIndexOf('.') + 1)
    const theirs = subset.includes(field) ? restricted(kafka, ours) : kafka
    const lengths = theirs.length === ours.length ? [] : [`${path}: kafka has ${theirs.length}, ours ${ours.length}`]
    const elements = Array.from({ length: Math.min(theirs.length, ours.length) }, (_, index) =>
      differences(theirs[index], ours[index], subset, `${path}[${index}]`)
    )
    return [...lengths, ...elements.flat()]
  }
  if (isTable(kafka) && isTable(ours)) {
    const names = new Set([...Object.keys(kafka), ...Object.keys(ours)])
    return [...names].flatMap(name => differences(kafka[name], ours[name], subset, `${path}.${name}`))
  }
  return Object.is(kafka, ours) ? [] : [`${path}: kafka ${shown(kafka)}, ours ${shown(ours)}`]
}

function restricted(kafka: readonly unknown[], ours: readonly unknown[]): readonly unknown[] {
  const key = sortKey(ours[0] ?? kafka[0])
  if (key === undefined) return kafka
  const keys = new Set(ours.map(element => keyOf(element, key)))
  return kafka.filter(element => keys.has(keyOf(element, key)))
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? `${value}`
  return text.length > 300 ? `${text.slice(0, 300)}...` : text
}
