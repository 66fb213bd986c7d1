/**
 * The structure of src, checked by its import lines: the import table of docs/structure.md, the files that own clock, disk,
 * network and entropy, import cycles, unused files. The language of comments, titles, names and docs.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import entries from '../scripts/entries.json' with { type: 'json' }

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const SRC = join(ROOT, 'src')

/** Folder (or file at the top of src) -> folders and files it may import besides its own. */
const MAY_IMPORT: Record<string, readonly string[] | 'anything'> = Object.fromEntries(
  Array.from(
    readFileSync(join(ROOT, 'docs/structure.md'), 'utf8').matchAll(/^\| `src\/(\S+)` \| .* \| (.+) \|$/gm),
    ([, row = '', allowed = '']) => [row, allowed === 'anything' ? allowed : allowed.split(', ')]
  )
)

/** The entry points of the build. */
const ENTRIES = [...Object.values(entries).map(path => path.replace(/^src\//, '')), 'cli/main.ts']

/** Resources that only the listed files use; all other files get them as ports. */
const OWNERS: readonly { readonly resource: string; readonly words: RegExp; readonly files: readonly string[] }[] = [
  {
    resource: 'the clock',
    words: /\bDate\.now\b|\bnew Date\b(?!\([^)])|\bperformance\.now\b|\bhrtime\b|'node:perf_hooks'/,
    files: ['runtime/time.ts', 'cli/commands/start.ts']
  },
  {
    resource: 'timers',
    words: /\bset(Timeout|Interval)\b|'node:timers\/promises'/,
    files: ['runtime/time.ts']
  },
  {
    // Long work uses pace.ts. The server and the in-process client wait for sockets, dump-log for signals.
    resource: 'yielding',
    words: /\bsetImmediate\b|\byieldToEventLoop\b/,
    files: ['runtime/pace.ts', 'net/server.ts', 'cli/commands/dump-log.ts', 'testing/in-process-client.ts']
  },
  {
    // Repeated work is a loop of background.ts. All other alarms are single deadlines, or retries of a single item.
    resource: 'alarms',
    words: /\b(clock|deadline|loop)\.at\(/,
    files: [
      'runtime/background.ts', // the delay of a loop
      'runtime/pace.ts', // the pause of a throttle
      'replica/purgatory.ts', // the wait of a Fetch and of a Produce
      'coordinator/timers.ts', // the nearest timer of a shard
      'log/partition-log/log-sync.ts', // flush.ms
      'log/partition-log/removal.ts', // file.delete.delay.ms
      'net/connection.ts', // connections.max.idle.ms
      'net/server.ts', // the grace of a stop
      'events/log-lines.ts', // the period of rate-limited log lines
      'broker/broker.ts', // a clock whose alarms fail the broker instead of the process
      'cli/stop-signals.ts' // the check of the npm script's shell
    ]
  },
  { resource: 'unseeded chance', words: /\bMath\.random\b/, files: [] },
  { resource: 'entropy', words: /\brandomBytes\b|\brandomUUID\b/, files: ['runtime/random.ts'] },
  {
    resource: 'the disk',
    words: /'node:fs(\/promises)?'/,
    files: [
      'storage/node-storage.ts',
      'storage/directory-lock.ts',
      'testing/data-directory.ts',
      'testing/partial-topics.ts',
      'cli/initial-data.ts',
      'cli/commands/start.ts',
      'runtime/lazy.ts'
    ]
  },
  {
    resource: 'sockets',
    words: /'node:net'/,
    files: ['net/listen.ts', 'net/server.ts', 'net/connection.ts', 'storage/directory-lock.ts']
  },
  { resource: 'TLS', words: /'node:tls'/, files: [] },
  {
    resource: 'the environment',
    words: /\bprocess\.env\b/,
    files: [
      'cli/stop-signals.ts',
      'cli/commands/start.ts',
      'storage/buffer-pool.ts', // our own tests overwrite buffers that return
      'testing/adapters/jest.ts',
      'testing/adapters/vitest.ts'
    ]
  },
  {
    resource: 'the process',
    words: /\bprocess\.(exit|on|once)\b|\bconsole\./,
    files: [
      'cli/main.ts',
      'cli/stop-signals.ts',
      'cli/commands/start.ts',
      'cli/commands/dump-log.ts',
      'testing/data-directory.ts'
    ]
  }
]

/** Maximum number of files in an import chain, type imports included. The goal is 20. */
const LONGEST_IMPORT_CHAIN = 33

/** A shorter file with a single importer must be part of that importer. */
const SATELLITE_LINES = 60

/** Handlers and declarations have a file for each API. */
const ONE_FILE_AN_API = /^(broker\/handlers|protocol\/messages)\//

/** Short files with a single importer that stay apart: ports, a codec, an optional sink, and code that runs without its importer. */
const APART = [
  'broker/markers.ts',
  'cli/user-error.ts',
  'events/history.ts',
  'protocol/records/compression/gzip.ts',
  'testing/manual-clock.ts'
]

const VAGUE_NAMES = /(^|[/-])(utils?|helpers?|common|misc|manager|service|impl|shared|types|constants)(-|\.ts$|\/)/

/** Names that do not describe their value; docs/glossary.md lists better ones. */
const UNCLEAR_NAMES = /(?<![\w$-])(one|known|wanted|told|it|what|who|whoever|held|place)(?![\w$-])/g

/** Words of unclear sentences. CONTRIBUTING.md has the rules of the language. */
const REFUSED_WORDS =
  /\b(whoever|whatever|nobody|somebody|anew|shall|told|(go(es|ing)?|went) on|comes to|up to where|as it were|news|word of|amid|beside|of its own accord|at first sight)\b/gi

/** A comment, a title and a heading begin with a noun phrase or an imperative. */
const REFUSED_BEGINNING = /^(What|Who|Which|Where|When|How|Up to)\b/

/** Folders with code and comments of ours. */
const FOLDERS = ['src', 'test', 'examples', 'scripts', 'bin', '.ci']

/** Subfolders with files of other projects, or that other tools write. */
const FOREIGN = ['node_modules', 'target', '__pycache__', 'zstd-napi']

interface SourceFile {
  readonly path: string
  /** Without comments. */
  readonly code: string
  readonly lines: number
  readonly imports: readonly Import[]
}

interface Import {
  readonly path: string
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map(path => path.replaceAll('\\', '/'))
  .filter(path => path.endsWith('.ts'))
  .sort()
  .map(readSource)

function readSource(path: string): SourceFile {
  const text = readFileSync(join(SRC, path), 'utf8')
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
  const from = /^(import|export)\b(\s+type\b)?[^'"`;=]*?\bfrom\s+'(\.[^']+\.ts)'/gm
  const bare = /\bimport\s*\(?\s*'(\.[^']+)'/g
  const imports = [
    ...Array.from(code.matchAll(from), ([, , , target]) => target),
    ...Array.from(code.matchAll(bare), ([, target]) => target)
  ].map((target = '') => ({ path: posix.join(posix.dirname(path), target) }))
  return { path, code, lines: text.split('\n').length - 1, imports }
}

interface Prose {
  readonly path: string
  /** Comments, titles of tests, or lines of a document. */
  readonly texts: readonly string[]
}

/** Paths of the files below a folder of the project. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const path = posix.join(folder, entry.name)
    if (!entry.isDirectory()) return [path]
    return FOREIGN.includes(entry.name) ? [] : filesBelow(path)
  })
}

/** Comments and titles of the code. */
function proseOfCode(): Prose[] {
  return FOLDERS.flatMap(filesBelow).flatMap(path => {
    if (!/\.([cm]?[jt]s|java|py|xml)$|^\.ci\/run$/.test(path)) return []
    const text = readFileSync(join(ROOT, path), 'utf8')
    return [{ path, texts: [...commentsOf(path, text), ...(/\.[cm]?[jt]s$/.test(path) ? titlesOf(text) : [])] }]
  })
}

/** Headings, and other lines, which may begin with any word. */
function proseOfDocuments(): Prose[] {
  const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesBelow('docs')]
  return documents.map(path => {
    const text = readFileSync(join(ROOT, path), 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
    return { path, texts: text.split('\n').map(line => (line.startsWith('#') ? line.replace(/^#+ /, '') : ` ${line}`)) }
  })
}

const COMMENTS: readonly (readonly [files: RegExp, comments: RegExp])[] = [
  [/\.xml$/, /<!--([\s\S]*?)-->/g],
  [/\.py$|^\.ci\/run$/, /"""([\s\S]*?)"""|(?<=^|\s)# (.*)$/gm],
  [/./, /\/\*\*?([\s\S]*?)\*\/|(?<=^|\s)\/\/ (.*)$/gm]
]

function commentsOf(path: string, text: string): string[] {
  const [, comments = /(?!)/g] = COMMENTS.find(([files]) => files.test(path)) ?? []
  return Array.from(text.matchAll(comments), ([, block, line]) =>
    (block ?? line ?? '').replace(/^\s*\* ?/gm, '').trim()
  )
}

/** Titles of tests, and first texts of calls that are called themselves, such as `test.each(table)('title', ...)`. */
function titlesOf(text: string): string[] {
  const titles = /(?:\b(?:it|test|describe|bench)(?:\.\w+)*|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g
  return Array.from(text.matchAll(titles), ([, , title = '']) => title)
}

/** Code in backquotes is not checked. */
function refusedIn(all: readonly Prose[]): string[] {
  return all.flatMap(({ path, texts }) =>
    texts.flatMap(text => {
      const prose = text.replace(/`[^`]*`/g, 'code')
      const words = [...(prose.match(REFUSED_WORDS) ?? []), ...(prose.match(REFUSED_BEGINNING)?.slice(0, 1) ?? [])]
      return words.length === 0 ? [] : [`${path}: ${words.join(', ')}: ${text.trim()}`]
    })
  )
}

/** Comments, texts and regular expressions, of which template literals keep their expressions. */
const TEXTS =
  /\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}|[^`\\])*`|(?<=[=(,:;!&|?[{]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//g

/** The identifiers of a file among the unclear names; `it` of vitest is none. */
function unclearNames(source: string): string[] {
  const code = withoutTexts(source.replace(/^import\b[^;]*?\bfrom '[^']+'$/gm, ''))
  return Array.from(code.replace(/\bit(?=[.(])/g, '').matchAll(UNCLEAR_NAMES), ([name]) => name)
}

function withoutTexts(code: string): string {
  return code.replace(TEXTS, text =>
    text.startsWith('`')
      ? Array.from(text.matchAll(/(?<!\\)\$\{((?:[^{}`]|`[^`]*`|\{[^{}]*\})*)\}/g), ([, inner = '']) =>
          withoutTexts(inner)
        ).join(' ; ')
      : "''"
  )
}

/** The row of the table that a file belongs to: the first two folders of its path, or the file itself at the top of src. */
function rowOf(path: string): string {
  const segments = path.split('/')
  return segments.length === 1 ? path : segments.slice(0, Math.min(2, segments.length - 1)).join('/')
}

function topOf(path: string): string {
  return path.split('/')[0] ?? path
}

function mayImport(from: string, to: string): boolean {
  const allowed = MAY_IMPORT[rowOf(from)]
  if (rowOf(from) === rowOf(to) || allowed === 'anything') return true
  return (allowed ?? []).some(entry => covers(entry, from, to))
}

/** An entry covers its folder and all below it. The parent of `from` covers only its own files: siblings have entries of their own. */
function covers(entry: string, from: string, to: string): boolean {
  if (rowOf(from).startsWith(`${entry}/`)) return rowOf(to) === entry
  return to === entry || to.startsWith(`${entry}/`)
}

it('import lines name existing files', () => {
  expect(files.map(file => file.path)).toEqual(expect.arrayContaining(['index.ts', 'runtime/time.ts', 'cli/main.ts']))
  const present = new Set(files.map(file => file.path))
  const missing = files.flatMap(file =>
    file.imports.filter(({ path }) => !present.has(path)).map(({ path }) => `${file.path} -> ${path}`)
  )
  expect(missing).toEqual([])
})

it('a folder imports only entries of its row in the table', () => {
  const wrong = files.flatMap(file =>
    file.imports.filter(({ path }) => !mayImport(file.path, path)).map(({ path }) => `${file.path} -> ${path}`)
  )
  expect(wrong).toEqual([])
})

it('the table has a row for every folder, and no other row', () => {
  expect(Object.keys(MAY_IMPORT).sort()).toEqual([...new Set(files.map(file => rowOf(file.path)))].sort())
})

it('every entry of the table is needed by an import', () => {
  const needless = Object.entries(MAY_IMPORT).flatMap(([row, allowed]) => {
    if (allowed === 'anything') return []
    const imports = files.filter(({ path }) => rowOf(path) === row).flatMap(file => file.imports)
    const entries = allowed.filter(entry => entry !== 'nothing of ours')
    return entries
      .filter(entry => !imports.some(({ path }) => covers(entry, `${row}/`, path)))
      .map(entry => `${row}: ${entry}`)
  })
  expect(needless).toEqual([])
})

it('every folder of tests has a folder of src, apart from tests of the whole broker', () => {
  const whole = /^(bench|clients|fuzz|interop|sim)(\/|$)/
  const folders = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith('.test.ts') && !whole.test(path))
    .map(path => posix.dirname(path))
  const sources = new Set(files.map(({ path }) => posix.dirname(path)))
  expect([...new Set(folders)].filter(folder => folder !== '.' && !sources.has(folder))).toEqual([])
})

it.each(OWNERS)('only its owners use $resource', ({ words, files: owners }) => {
  expect(files.filter(({ path, code }) => words.test(code) && !owners.includes(path)).map(({ path }) => path)).toEqual(
    []
  )
})

it('imports have no cycles', () => {
  const imports = new Map(files.map(file => [file.path, file.imports.map(({ path }) => path)]))
  const finished = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' -> '))
    if (finished.has(path) || way.includes(path)) return
    for (const next of imports.get(path) ?? []) visit(next, [...way, path])
    finished.add(path)
  }
  for (const { path } of files) visit(path, [])
  expect(circles).toEqual([])
})

it('the longest import chain is within the limit', () => {
  const imports = new Map(files.map(file => [file.path, file.imports.map(({ path }) => path)]))
  const longest = new Map<string, readonly string[]>()
  const chainFrom = (path: string): readonly string[] => {
    const cached = longest.get(path)
    if (cached) return cached
    const chains = (imports.get(path) ?? []).map(chainFrom)
    const chain = [path, ...chains.reduce((best, next) => (next.length > best.length ? next : best), [])]
    longest.set(path, chain)
    return chain
  }
  const chain = files
    .map(({ path }) => chainFrom(path))
    .reduce((best, next) => (next.length > best.length ? next : best))
  process.stdout.write(`longest import chain, ${chain.length} files:\n  ${chain.join('\n  ')}\n`)
  expect(chain.length).toBeLessThanOrEqual(LONGEST_IMPORT_CHAIN)
})

it('every file is imported or an entry point', () => {
  const imported = new Set(files.flatMap(file => file.imports.map(({ path }) => path)))
  const needless = files.map(({ path }) => path).filter(path => !imported.has(path) && !ENTRIES.includes(path))
  // The testing folder is imported by tests only.
  expect(needless.filter(path => !path.startsWith('testing/'))).toEqual([])
})

it('a short file has several importers, unless it is a port or a handler', () => {
  const importers = new Map<string, Set<string>>()
  for (const file of files) {
    for (const { path } of file.imports) importers.set(path, (importers.get(path) ?? new Set()).add(file.path))
  }
  const apart = [...APART, ...ENTRIES]
  const satellites = files.filter(
    ({ path, lines }) =>
      lines < SATELLITE_LINES && importers.get(path)?.size === 1 && !ONE_FILE_AN_API.test(path) && !apart.includes(path)
  )
  expect(satellites.map(({ path }) => `${path} -> ${[...(importers.get(path) ?? [])].join()}`)).toEqual([])
})

it('no file has more than 400 lines', () => {
  expect(files.filter(({ lines }) => lines > 400).map(({ path }) => path)).toEqual([])
})

it('only entry points import the command line and the test fixture', () => {
  const outside = files.filter(file => !['cli', 'testing', 'index.ts'].includes(topOf(file.path)))
  const wrong = outside.filter(file => file.imports.some(({ path }) => ['cli', 'testing'].includes(topOf(path))))
  expect(wrong.map(({ path }) => path)).toEqual([])
})

it('only our own tests import the harness, the manual clock and the recording logger', () => {
  const ours = ['harness', 'manual-clock', 'recording-events', 'recording-logger'].map(name => `testing/${name}.ts`)
  const wrong = files.filter(({ path, imports }) => !ours.includes(path) && imports.some(to => ours.includes(to.path)))
  expect(wrong.map(({ path }) => path)).toEqual([])
})

it('file names describe their contents', () => {
  expect(files.map(({ path }) => path).filter(path => VAGUE_NAMES.test(path))).toEqual([])
})

it('every file begins with a comment', () => {
  const bare = files.filter(({ path }) => !/^(#!.*\n)?\/\*\*/.test(readFileSync(join(SRC, path), 'utf8')))
  expect(bare.map(({ path }) => relative('.', path))).toEqual([])
})

it('comments and test titles have no refused words and beginnings', () => {
  const word = ['to', 'ld'].join('')
  const example = `// Who is \`${word}\`\n/** a\n * ${word} b */ it.each([1])('${word} %i', f)\n  test(\n    "Up to it", f) // ok`
  expect(refusedIn([{ path: 'a', texts: [...commentsOf('a.ts', example), ...titlesOf(example)] }])).toHaveLength(4)
  expect(commentsOf('a.py', '"""One."""\n# Two\nx = 1  # three\n')).toEqual(['One.', 'Two', 'three'])
  expect(refusedIn(proseOfCode())).toEqual([])
})

it('documents have no refused words, and headings no refused beginnings', () => {
  expect(refusedIn(proseOfDocuments())).toEqual([])
})

it('names of variables, parameters and properties describe their values', () => {
  const example = `it('who', ({ known, place: where }) => \`told \${what.held} \${'one'} 'it'\`) // wanted\nconst it = /known/`
  expect(unclearNames(example)).toEqual(['known', 'place', 'what', 'held', 'it'])
  const sources = FOLDERS.flatMap(filesBelow).filter(path => /\.[cm]?[jt]s$/.test(path))
  const unclear = sources.flatMap(path =>
    unclearNames(readFileSync(join(ROOT, path), 'utf8')).map(name => `${path}: ${name}`)
  )
  expect(unclear).toEqual([])
})
