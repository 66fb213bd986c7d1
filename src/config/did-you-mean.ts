/** Suggests the correct name for a mistyped setting or option. */

/** The end of an error message for an unknown name: `; did you mean num.partitions?`; empty if no candidate is similar. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates)
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}

function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const farthest = Math.max(2, Math.floor(name.length / 4))
  const typed = name.toLowerCase()
  const near = [...candidates]
    .filter(candidate => Math.abs(candidate.length - name.length) <= farthest)
    .map(candidate => ({ candidate, distance: editDistance(typed, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= farthest && distance < candidate.length / 2)
  return near.sort((a, b) => a.distance - b.distance)[0]?.candidate
}

/** The Levenshtein distance: the least number of insertions, deletions and replacements. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [above, letter] of [...from].entries()) {
    const next = [above + 1]
    for (let index = 0; index < to.length; index++) {
      const replaced = (row[index] ?? 0) + (letter === to[index] ? 0 : 1)
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
