/**
 * Java's `.properties` text: comments, continued lines, three separators and backslash escapes.
 * Each entry knows its line, for errors.
 */

/** One `name=value`, with the number of the line it begins on. */
export interface Property {
  readonly name: string
  readonly value: string
  readonly line: number
}

/** Reads a whole text. A later entry of the same name does not replace the earlier one here. */
export function parseProperties(text: string): readonly Property[] {
  const properties: Property[] = []
  for (const { content, line } of logicalLines(text)) {
    const end = keyEnd(content)
    const value = content.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
    properties.push({ name: unescaped(content.slice(0, end)), value: unescaped(value), line })
  }
  return properties
}

/** Lines with their continuations joined; blank lines and comments are gone. */
function logicalLines(text: string): { content: string; line: number }[] {
  const found: { content: string; line: number }[] = []
  let open: { content: string; line: number } | undefined
  for (const [index, natural] of text.split(/\r\n|\r|\n/).entries()) {
    const content = natural.replace(/^[ \t\f]+/, '')
    if (!open && (content === '' || content.startsWith('#') || content.startsWith('!'))) continue
    const continued = /(?:^|[^\\])(?:\\\\)*\\$/.test(content)
    const logical: { content: string; line: number } = open ?? { content: '', line: index + 1 }
    logical.content += continued ? content.slice(0, -1) : content
    if (!continued) found.push(logical)
    open = continued ? logical : undefined
  }
  return open ? [...found, open] : found
}

/** Where the key ends: at the first separator that no backslash protects. */
function keyEnd(content: string): number {
  for (let index = 0; index < content.length; index++) {
    if (content[index] === '\\') index++
    else if (/[=: \t\f]/.test(content[index] ?? '')) return index
  }
  return content.length
}

const LETTERS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.?))/gs, (_, hex: string | undefined, letter = '') =>
    hex === undefined ? (LETTERS[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16))
  )
}
